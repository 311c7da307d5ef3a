"""What is overdue, and since when (billing-rules §3; ocpp-behaviour §5.5); silent stations cost a round one wait."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from evpower.charging.recovery import CHECK_EVERY_S
from evpower.charging.transaction import TransactionStart
from evpower.db.pool import Pool
from evpower.identifiers import ClientId, ConnectorId, SessionId
from evpower.metering.meter_value import MeterReport, Sample
from evpower.settings.config import Config
from tests.charging.test_stops import running
from tests.worlds.charging import ONE, STATION, World, open_world

SILENT = 6
CONNECTORS = """
INSERT INTO connectors (id, station_id, connector_number, connector_type, power_kw, status, ocpp_status)
SELECT %s::text || '-' || n, %s, n, 'GBT', 22, 'available', 'Available' FROM generate_series(3, %s::int) n
"""


@asynccontextmanager
async def silent_chargers(pool: Pool, stop_wait_s: float) -> AsyncIterator[World]:
    """Stops that are overdue at chargers which accept every stop and never report one."""
    config = Config()
    config = replace(config, charging=replace(config.charging, stop_wait_s=stop_wait_s))
    async with open_world(pool, config) as world:
        await world.sql(CONNECTORS, STATION, STATION, SILENT + 1)
        for number in range(1, SILENT + 1):
            await world.begin(await world.tag_of(await ordered(world, number)), connector=ConnectorId(number))
        asked_at = world.clock.now() - timedelta(seconds=2 * stop_wait_s + 1)
        await world.sql("UPDATE evpower.session_phases SET phase = 'stopping', stop_requested_at = %s", asked_at)
        yield world


async def ordered(world: World, number: int) -> SessionId:
    client = ClientId(f"client-{number}")
    await world.give(500_00, client=client)
    return (await world.order(energy_wh=5_000, client=client, connector=ConnectorId(number))).session.session_id


async def all_are_asked(world: World) -> None:
    """The clock of trio is frozen, and so this waits for the database alone."""
    for _ in range(500):
        if len(world.link.stopped) == SILENT:
            return
        await wait_all_tasks_blocked(0.01)
    raise AssertionError(f"{len(world.link.stopped)} of {SILENT} stops were asked")


async def open_sessions(world: World) -> int:
    return len(await world.sql("SELECT id FROM charging_sessions WHERE status = 'started'"))


async def test_silent_chargers_cost_a_round_one_wait(pool: Pool, mock_clock: MockClock) -> None:
    async with silent_chargers(pool, stop_wait_s=5) as world:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(world.app.recovery.check)
            await all_are_asked(world)
            mock_clock.jump(5)
        assert trio.current_time() == 5
        assert await open_sessions(world) == 0


async def test_a_refund_does_not_wait_for_silent_chargers(pool: Pool, mock_clock: MockClock) -> None:
    async with silent_chargers(pool, stop_wait_s=3600) as world, trio.open_nursery() as nursery:
        await nursery.start(world.app.recovery.run)
        await all_are_asked(world)
        await ordered(world, SILENT + 1)
        world.clock.advance(601)
        mock_clock.jump(CHECK_EVERY_S)
        for _ in range(500):
            if await open_sessions(world) == SILENT:
                break
            await wait_all_tasks_blocked(0.01)
        assert await open_sessions(world) == SILENT
        assert await world.balance(ClientId(f"client-{SILENT + 1}")) == 500_00
        nursery.cancel_scope.cancel()


async def test_a_stop_is_overdue_after_twice_its_wait_not_before(world: World) -> None:
    """Until then another process may be in conversation with the charger; the wait is 0.05 s here."""
    session_id, _ = await running(world)
    await world.sql("UPDATE evpower.session_phases SET phase = 'stopping', stop_requested_at = %s", world.clock.now())
    world.clock.advance(0.1)
    await world.app.recovery.check()
    assert (world.link.stopped, (await world.session(session_id)).phase) == ([], "stopping")
    world.clock.advance(0.001)
    await world.app.recovery.check()
    assert (await world.session(session_id)).phase == "settled"


async def test_a_reading_taken_at_the_reboot_is_no_sign_of_life_after_it(world: World) -> None:
    session_id, _ = await running(world)
    await world.boot()
    world.clock.advance(301)
    await world.app.recovery.check()
    assert (await world.session(session_id)).stop_reason == "PowerLoss"


async def test_a_charger_that_rebooted_before_its_first_reading_is_not_waited_for(world: World) -> None:
    await world.give(500_00)
    session_id = (await world.order(energy_wh=1_000)).session.session_id
    await world.begin(await world.tag_of(session_id))
    await world.boot()
    world.clock.advance(301)
    await world.app.recovery.check()
    assert ((await world.session(session_id)).stop_reason, await world.balance()) == ("PowerLoss", 500_00)


async def rebooted(world: World, measured_s: float, start_s: float = 0) -> str:
    """The phase five minutes after a boot that was followed by one reading, measured so many seconds after the boot by
    the station's clock, which was `start_s` off at the start, or the start so late."""
    await world.give(500_00)
    session_id = (await world.order(energy_wh=20_000)).session.session_id
    began = world.clock.now() + timedelta(seconds=start_s)
    start = TransactionStart(ONE, await world.tag_of(session_id), 1_000, began, b"{}")
    wire_id = (await world.app.reports.begin_transaction(STATION, start)).wire_transaction_id
    world.clock.advance(3600)
    await world.boot()
    booted_at = world.clock.now()
    world.clock.advance(120)
    sample = Sample(booted_at + timedelta(seconds=measured_s), 2_000)
    await world.app.reports.record_meter_values(STATION, MeterReport(ONE, wire_id, (sample,), b"[]"))
    world.clock.advance(181)
    await world.app.recovery.check()
    session = await world.session(session_id)
    assert session.energy_wh == 1_000
    return session.phase


@pytest.mark.parametrize(("measured_s", "phase"), [(-3599, "settled"), (-1, "settled"), (1, "charging")])
async def test_a_queued_reading_from_before_the_boot_is_no_sign_that_the_charge_survived_it(
    world: World, measured_s: float, phase: str
) -> None:
    """Field ruling 4.4; its energy counts all the same."""
    assert await rebooted(world, measured_s) == phase


@pytest.mark.parametrize(
    ("measured_s", "start_s", "phase"),
    [
        (-7200 + 60, -7200, "charging"),  # two hours slow, before the boot and after it
        (-7200 - 60, -7200, "settled"),
        (60, -7200, "charging"),  # set right by the boot
        (60, 1800, "charging"),
        (-1500, -3600, "settled"),  # an hour slow it is not: the start was late
        (-1_000_000_000, 0, "charging"),  # fell back to 1970 with the boot: it says nothing
    ],
)
async def test_a_clock_that_is_wrong_does_not_end_a_charge_that_goes_on(
    world: World, measured_s: float, start_s: float, phase: str
) -> None:
    assert await rebooted(world, measured_s, start_s) == phase


async def test_a_stop_of_a_charge_that_has_not_begun_is_finished_too(world: World) -> None:
    """The request was committed, the process died before it gave the money back."""
    await world.give(500_00)
    session_id = (await world.order(energy_wh=1_000)).session.session_id
    await world.sql("UPDATE evpower.session_phases SET stop_requested_at = %s", world.clock.now())
    world.clock.advance(1)
    await world.app.recovery.check()
    assert ((await world.session(session_id)).phase, await world.balance()) == ("released", 500_00)


async def test_a_clock_that_jumps_ahead_ends_nothing(world: World) -> None:
    """Money audit B2: a day ahead stopped every running charge and refunded what was pending, at once."""
    session_id, _ = await running(world)
    await world.give(500_00, client=ClientId("client-2"))
    waiting = (await world.order(energy_wh=1_000, client=ClientId("client-2"), connector=ConnectorId(2))).session
    world.clock.jump(86_400)
    await world.app.recovery.check()
    for _ in range(5):
        world.clock.advance(118)
        await world.app.recovery.check()
    assert (await world.session(session_id)).phase == "charging"
    assert world.link.stopped == []
    assert (await world.session(waiting.session_id)).phase != "released"
    world.clock.advance(20)
    # Ten minutes later they act again, on how old things really are.
    await world.app.recovery.check()
    assert (await world.session(waiting.session_id)).phase == "released"
    assert (await world.session(session_id)).phase == "charging"


async def test_time_limits_act_on_nothing_for_ten_minutes_after_a_jump(world: World) -> None:
    """Money audit B2: which of two times is the true one, no program knows."""
    await world.give(500_00)
    session = (await world.order(energy_wh=1_000)).session
    world.clock.advance(590)
    world.clock.jump(-3600)
    await world.app.recovery.check()
    world.clock.advance(590)
    await world.app.recovery.check()
    assert (await world.session(session.session_id)).phase != "released"

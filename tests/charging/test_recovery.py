"""Chargers that do not answer cost recovery one wait, not one each, and hold up nobody's refund."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from evpower.charging.recovery import CHECK_EVERY_S
from evpower.db.pool import Pool
from evpower.identifiers import ClientId, ConnectorId, SessionId
from evpower.settings.config import Config
from tests.worlds.charging import STATION, World, open_world

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

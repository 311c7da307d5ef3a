"""What chargers in the field do to a charge: wrong clocks, queues replayed from disk (duties 21, 26)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from evpower.charging.transaction import BegunTransaction, TransactionStart, TransactionStop
from evpower.identifiers import WireTransactionId
from evpower.metering.meter_value import MeterReport, Sample
from tests.charging.test_transactions import CARD, give_card
from tests.worlds.charging import ONE, STATION, World
from tests.worlds.fakes import NOON

NEVER_SET = datetime(1970, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
#: More than any charger delivers in its life.
ABSURD_WH = 900_000_000


async def start(world: World, at: datetime, register_wh: int = 1_000) -> BegunTransaction:
    return await world.app.reports.begin_transaction(STATION, TransactionStart(ONE, CARD, register_wh, at, b"{}"))


async def meter(world: World, wire_id: WireTransactionId, at: datetime, register_wh: int) -> None:
    report = MeterReport(ONE, wire_id, (Sample(at, register_wh),), b"[]")
    await world.app.reports.record_meter_values(STATION, report)


async def stop(world: World, wire_id: WireTransactionId, at: datetime, register_wh: int) -> None:
    """Without a tag and without a reason, which the wire makes Local."""
    await world.app.reports.end_transaction(
        STATION, TransactionStop(wire_id, register_wh, at, "Local", None, (), b"{}", "StopTransaction")
    )
    await world.app.settler.work_due()


async def charged_wh(world: World) -> list[int]:
    rows = await world.sql("SELECT energy FROM charging_sessions ORDER BY created_at")
    return [int(row["energy"] * 1000) for row in rows]


@pytest.fixture
async def card(world: World) -> None:
    await world.give(500_00)
    await give_card(world)


@pytest.mark.parametrize("off", [timedelta(0), NEVER_SET - NOON, timedelta(days=1), timedelta(days=-1)])
async def test_duty_26_a_charge_by_a_clock_that_is_off_costs_the_same(world: World, card: None, off: timedelta) -> None:
    begun = await start(world, NOON + off)
    world.clock.advance(1800)
    await meter(world, begun.wire_transaction_id, NOON + off + HOUR / 2, 6_000)
    world.clock.advance(1800)
    await stop(world, begun.wire_transaction_id, NOON + off + HOUR, 11_000)
    assert await charged_wh(world) == [10_000]
    assert (await world.statement())[-1] == ("charge_refund", 65, 365)


async def test_duty_26_both_times_of_a_transaction_are_kept(world: World, card: None) -> None:
    begun = await start(world, NEVER_SET)
    world.clock.advance(3600)
    await stop(world, begun.wire_transaction_id, NEVER_SET + HOUR, 2_000)
    assert await world.sql(
        "SELECT started_at, received_at, stopped_at, stop_received_at FROM evpower.ocpp_transactions"
    ) == [
        {
            "started_at": NEVER_SET,
            "received_at": NOON,
            "stopped_at": NEVER_SET + HOUR,
            "stop_received_at": NOON + HOUR,
        }
    ]


async def test_a_clock_set_in_mid_charge_makes_no_absurd_reading_believable(world: World, card: None) -> None:
    """Fifty-six years by the charger's clock would be time for any register."""
    begun = await start(world, NEVER_SET)
    world.clock.advance(600)
    await meter(world, begun.wire_transaction_id, world.clock.now(), ABSURD_WH)
    assert await charged_wh(world) == [0]
    await meter(world, begun.wire_transaction_id, world.clock.now(), 2_000)
    assert await charged_wh(world) == [1_000]


async def test_a_clock_set_in_mid_charge_makes_no_absurd_stop_believable(world: World, card: None) -> None:
    begun = await start(world, NEVER_SET)
    world.clock.advance(600)
    await meter(world, begun.wire_transaction_id, world.clock.now(), 2_000)
    await stop(world, begun.wire_transaction_id, world.clock.now(), ABSURD_WH)
    assert await charged_wh(world) == [1_000]


async def test_duty_26_a_charge_that_comes_whole_from_a_queue_is_billed_by_its_own_times(
    world: World, card: None
) -> None:
    """Three hours at 22 kW, said within a second of ours: believable by the charger's clock alone."""
    begun = await start(world, NOON - 4 * HOUR)
    await meter(world, begun.wire_transaction_id, NOON - 2 * HOUR, 45_000)
    assert await charged_wh(world) == [44_000]
    await stop(world, begun.wire_transaction_id, NOON - HOUR, 67_000)
    assert await charged_wh(world) == [66_000]


async def test_duty_21_a_queue_replayed_from_disk_after_a_crash_bills_nothing_twice(world: World, card: None) -> None:
    for _ in range(3):
        begun = await start(world, NOON - 2 * HOUR)
        await meter(world, begun.wire_transaction_id, NOON - HOUR, 6_000)
        await stop(world, begun.wire_transaction_id, NOON - HOUR, 11_000)
        world.clock.advance(60)
    assert await charged_wh(world) == [10_000]
    assert [kind for kind, _, _ in await world.statement()] == ["charge_reserve", "charge_refund"]


async def test_readings_replayed_after_the_stop_they_preceded_change_nothing(world: World, card: None) -> None:
    begun = await start(world, NOON - 2 * HOUR)
    await stop(world, begun.wire_transaction_id, NOON - HOUR, 11_000)
    before = await world.sql("SELECT * FROM charging_sessions")
    for register in (9_000, 3_000, 15_000):
        await meter(world, begun.wire_transaction_id, NOON - HOUR, register)
    assert await world.sql("SELECT * FROM charging_sessions") == before

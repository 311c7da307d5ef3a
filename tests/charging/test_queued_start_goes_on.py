"""A start that comes out of a queue while its charge goes on: minutes count from when it began, as on the bill (A5)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from evpower.charging.session import SessionView
from evpower.identifiers import SessionId, WireTransactionId
from evpower.metering.meter_value import MeterReport, Sample
from tests.charging.test_limits import PRICED_BY_THE_MINUTE
from tests.charging.test_start_identity import start
from tests.charging.test_transactions import CARD, give_card
from tests.worlds.charging import ONE, STATION, World

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)


async def reported(world: World, began: timedelta, money_som: int) -> WireTransactionId:
    """A card's charge at 5 som a minute, whose start seems to be so old when it comes."""
    await world.sql(PRICED_BY_THE_MINUTE.format(kwh=0, minute=5))
    await world.give(money_som * 100)
    await give_card(world)
    return (await start(world, CARD, world.clock.now() - began)).wire_transaction_id


async def measured(world: World, wire_id: WireTransactionId, ago: timedelta, wh: int = 500) -> SessionView:
    """The session after a reading with such a time."""
    sample = Sample(world.clock.now() - ago, wh, 22_000.0)
    await world.app.reports.record_meter_values(STATION, MeterReport(ONE, wire_id, (sample,), b"[]"))
    await world.at_rest()
    [row] = await world.sql("SELECT id FROM charging_sessions")
    return await world.session(SessionId(row["id"]))


async def test_it_is_stopped_when_its_minutes_since_it_began_have_spent_what_is_held(world: World) -> None:
    """Eleven of its minutes were over when we heard of it: 55 som of 40 (seed 1142)."""
    wire_id = await reported(world, 11 * MINUTE, money_som=50)
    shown = await measured(world, wire_id, timedelta(0))
    assert shown.reserved_tyiyn < 55_00 == shown.cost_tyiyn
    assert world.link.stopped == [(STATION, wire_id)]


async def test_what_it_costs_so_far_is_what_it_costs_when_it_ends_now(world: World) -> None:
    wire_id = await reported(world, 11 * MINUTE, money_som=500)
    world.clock.advance(180)
    shown = await measured(world, wire_id, timedelta(0))
    await world.end(wire_id, 600)
    await world.app.settler.work_due()
    billed = await world.session(shown.session_id)
    assert (shown.status, shown.cost_tyiyn, billed.cost_tyiyn) == ("started", 70_00, 70_00)


@pytest.mark.parametrize("off", [DAY, 3 * MINUTE])
async def test_a_clock_that_is_slow_spends_nothing(world: World, off: timedelta) -> None:
    """The start seems to come out of a queue; readings of the same clock say how long it has taken."""
    wire_id = await reported(world, off, money_som=100)
    world.clock.advance(600)
    shown = await measured(world, wire_id, off)
    assert (shown.cost_tyiyn, world.link.stopped) == (50_00, [])


async def test_readings_out_of_the_queue_count_to_their_own_time(world: World) -> None:
    wire_id = await reported(world, 11 * MINUTE, money_som=50)
    shown = await measured(world, wire_id, 9 * MINUTE)
    assert (shown.cost_tyiyn, world.link.stopped) == (10_00, [])

"""A charge whose limit has no register to go by is an alarm, and power stands in for it (field ruling 3.5)."""

from __future__ import annotations

import pytest

from evpower.identifiers import SessionId, WireTransactionId
from evpower.metering.meter_value import MeterReport, Sample
from tests.worlds.charging import ONE, STATION, World

ALARMS = "SELECT kind, figures, latest_figure, bound, session_id FROM evpower.doubts"


async def begun(world: World) -> tuple[SessionId, WireTransactionId]:
    """5 kWh were ordered."""
    await world.give(500_00)
    session_id = (await world.order(energy_wh=5_000)).session.session_id
    return session_id, (await world.begin(await world.tag_of(session_id))).wire_transaction_id


async def says(world: World, transaction_id: WireTransactionId | None, power_w: float) -> None:
    """A reading without a register."""
    sample = Sample(world.clock.now(), None, power_w)
    await world.app.reports.record_meter_values(STATION, MeterReport(ONE, transaction_id, (sample,), b"[]"))
    await world.at_rest()


async def test_a_charge_without_a_register_for_three_intervals_is_an_alarm_once(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    session_id, _ = await begun(world)
    world.clock.advance(89)
    await world.app.register_watch.check()
    assert await world.sql(ALARMS) == []
    world.clock.advance(2)
    for _ in range(3):
        await world.app.register_watch.check()
        world.clock.advance(15)
    alarm = {"kind": "no_register", "figures": 1, "latest_figure": 91, "bound": 90, "session_id": session_id}
    assert await world.sql(ALARMS) == [alarm]
    assert sum("kind=no_register" in record.message for record in caplog.records) == 1


async def test_a_register_that_is_not_believed_is_none(world: World) -> None:
    _, transaction_id = await begun(world)
    for _ in range(4):
        world.clock.advance(30)
        await world.meter(transaction_id, 900_000_000)
    await world.app.register_watch.check()
    assert [row["kind"] for row in await world.sql(ALARMS)] == ["reading", "no_register"]


async def test_a_register_that_stands_still_is_one(world: World) -> None:
    _, transaction_id = await begun(world)
    for _ in range(4):
        world.clock.advance(30)
        await world.meter(transaction_id, 1_000)
    await world.app.register_watch.check()
    assert await world.sql(ALARMS) == []


async def test_a_station_that_is_away_is_no_alarm_of_registers(world: World) -> None:
    await begun(world)
    world.link.connected.clear()
    world.clock.advance(600)
    await world.app.register_watch.check()
    assert await world.sql(ALARMS) == []


@pytest.mark.parametrize("named", [True, False])
async def test_power_stands_in_for_the_limit_and_never_for_the_bill(world: World, named: bool) -> None:
    """20 kW for a quarter of an hour are the 5 kWh that were ordered; no register ever comes."""
    session_id, transaction_id = await begun(world)
    for minute in range(15):
        assert world.link.stopped == [], minute
        world.clock.advance(60)
        await says(world, transaction_id if named else None, 20_000)
    assert world.link.stopped == [(STATION, transaction_id)]
    session = await world.session(session_id)
    assert (session.energy_wh, session.cost_tyiyn) == (0, 0)


async def test_power_counts_from_the_last_believed_register(world: World) -> None:
    """4 kWh by register; one more at 20 kW takes three minutes."""
    _, transaction_id = await begun(world)
    world.clock.advance(900)
    await world.meter(transaction_id, 5_000, power_w=20_000)
    for minute in range(3):
        assert world.link.stopped == [], minute
        world.clock.advance(61)
        await says(world, transaction_id, 20_000)
    assert world.link.stopped == [(STATION, transaction_id)]


async def test_a_power_that_cannot_be_stands_in_for_nothing(world: World) -> None:
    _, transaction_id = await begun(world)
    for _ in range(15):
        world.clock.advance(60)
        await says(world, transaction_id, 9_000_000)
    assert world.link.stopped == []

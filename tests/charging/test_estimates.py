"""A bill without the station's stop: it lasts to the last believed reading, whenever it is made (billing-rules §4)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from evpower.charging.rows import sessions
from evpower.db.unit_of_work import unit_of_work
from evpower.identifiers import IdTag, SessionId, WireTransactionId
from evpower.metering.meter_value import MeterReport, Sample
from tests.charging.test_stops import stop
from tests.worlds.charging import ONE, STATION, World

PRICE_PER_MINUTE = """
INSERT INTO tariff_plans (id, name) VALUES ('P', 'p');
INSERT INTO tariff_rules (id, tariff_plan_id, name, tariff_type, price)
VALUES ('P-k', 'P', 'k', 'per_kwh', 10), ('P-m', 'P', 'm', 'per_minute', 2);
UPDATE stations SET tariff_plan_id = 'P', price_per_kwh = NULL
"""


async def ten_minutes(world: World) -> tuple[SessionId, WireTransactionId]:
    """2 kWh in ten minutes at 10 som a kWh and 2 som a minute: 40 som by the last reading; then silence."""
    await world.give(500_00)
    await world.sql(PRICE_PER_MINUTE)
    session_id = (await world.order(energy_wh=20_000)).session.session_id
    wire_id = (await world.begin(await world.tag_of(session_id))).wire_transaction_id
    world.clock.advance(600)
    await world.meter(wire_id, 3_000)
    return session_id, wire_id


async def test_an_estimated_charge_lasts_to_its_last_reading_not_to_the_stop_by_phone(world: World) -> None:
    session_id, _ = await ten_minutes(world)
    world.link.connected.clear()
    world.clock.advance(8 * 3600)
    await stop(world, session_id)
    assert (await world.session(session_id)).cost_tyiyn == 40_00


@pytest.mark.parametrize("late_s", [0, 3 * 3600])
async def test_the_same_rows_give_the_same_bill_whenever_they_are_settled(world: World, late_s: int) -> None:
    session_id, _ = await ten_minutes(world)
    world.clock.advance(60)
    async with unit_of_work(world.pool) as uow:
        await sessions.end_session(
            uow.conn, session_id, cause="driver", reason="Remote", estimated=True, at=world.clock.now()
        )
    world.clock.advance(late_s)
    assert (await world.session(session_id)).cost_tyiyn == 40_00
    await world.app.settler.work_due()
    assert (await world.session(session_id)).cost_tyiyn == 40_00


async def test_what_is_shown_of_a_settled_estimate_does_not_grow(world: World) -> None:
    session_id, _ = await ten_minutes(world)
    world.link.connected.clear()
    await stop(world, session_id)
    world.clock.advance(3 * 3600)
    assert not (await world.session(session_id)).limit_reached


async def test_the_driver_before_pays_no_minutes_until_the_next_one_came(world: World) -> None:
    session_id, _ = await ten_minutes(world)
    world.clock.advance(9 * 3600)
    await world.begin(IdTag("UNKNOWN-CARD"), meter_wh=3_000)
    assert (await world.session(session_id)).cost_tyiyn == 40_00


async def test_a_reading_that_is_not_believed_or_has_no_register_makes_an_estimate_no_longer(world: World) -> None:
    session_id, wire_id = await ten_minutes(world)
    world.clock.advance(600)
    await world.meter(wire_id, 900_000_000)
    world.clock.advance(600)
    no_register = MeterReport(ONE, wire_id, (Sample(world.clock.now(), None, 7_000),), b"[]")
    await world.app.reports.record_meter_values(STATION, no_register)
    world.link.connected.clear()
    await stop(world, session_id)
    assert (await world.session(session_id)).cost_tyiyn == 40_00


async def test_a_full_car_that_stays_pays_its_minutes(world: World) -> None:
    session_id, wire_id = await ten_minutes(world)
    world.clock.advance(600)
    await world.meter(wire_id, 3_000)
    world.link.connected.clear()
    await stop(world, session_id)
    assert (await world.session(session_id)).cost_tyiyn == 60_00


async def test_a_queued_reading_lasts_to_when_it_was_measured(world: World) -> None:
    """The station was offline for eight hours and its stop is lost."""
    session_id, wire_id = await ten_minutes(world)
    measured_at = world.clock.now() + timedelta(minutes=5)
    world.clock.advance(8 * 3600)
    queued = MeterReport(ONE, wire_id, (Sample(measured_at, 4_000),), b"[]")
    await world.app.reports.record_meter_values(STATION, queued)
    world.link.connected.clear()
    await stop(world, session_id)
    assert (await world.session(session_id)).cost_tyiyn == 30_00 + 15 * 2_00


async def test_an_older_reading_that_comes_later_shortens_nothing(world: World) -> None:
    session_id, wire_id = await ten_minutes(world)
    older = Sample(world.clock.now() - timedelta(minutes=3), 2_500)
    world.clock.advance(600)
    await world.app.reports.record_meter_values(STATION, MeterReport(ONE, wire_id, (older,), b"[]"))
    world.link.connected.clear()
    await stop(world, session_id)
    assert (await world.session(session_id)).cost_tyiyn == 40_00


async def test_a_reading_by_a_clock_that_jumped_lasts_to_when_it_came(world: World) -> None:
    session_id, wire_id = await ten_minutes(world)
    world.clock.advance(300)
    jumped = MeterReport(ONE, wire_id, (Sample(datetime(1970, 1, 1, tzinfo=UTC), 4_000),), b"[]")
    await world.app.reports.record_meter_values(STATION, jumped)
    world.link.connected.clear()
    await stop(world, session_id)
    assert (await world.session(session_id)).cost_tyiyn == 30_00 + 15 * 2_00


async def test_an_estimate_without_a_reading_lasts_to_its_start(world: World) -> None:
    await world.give(500_00)
    await world.sql(PRICE_PER_MINUTE)
    session_id = (await world.order(energy_wh=20_000)).session.session_id
    await world.begin(await world.tag_of(session_id))
    world.link.connected.clear()
    world.clock.advance(3600)
    await stop(world, session_id)
    assert (await world.session(session_id)).cost_tyiyn == 0
    assert await world.balance() == 500_00

"""Reservations that begin later (roadmap/reservations §5)."""

from __future__ import annotations

import pytest

from evpower.errors import Refusal
from evpower.identifiers import IdTag, StationId
from evpower.link.errors import CommandTimedOut
from tests.worlds.charging import CLIENT, ONE, STATION, TWO
from tests.worlds.reservations import OTHER, ParkingLot

HOUR = 3600
SECOND_STATION = """
INSERT INTO stations (id, serial_number, model, manufacturer, location_id, power_capacity, connector_types,
                      connectors_count, is_available, last_heartbeat_at)
VALUES ('EVP-001-02', 'EVPCS-002', 'm', 'm', 'EVP-LOC-001', 22, '{GBT}', 1, true, '2026-11-23 06:00:00+00');
INSERT INTO connectors (id, station_id, connector_number, connector_type, power_kw, status, ocpp_status)
VALUES ('EVP-001-02-1', 'EVP-001-02', 1, 'GBT', 22, 'available', 'Available');
"""


async def test_it_holds_at_once_and_keeps_the_connector_from_a_quarter_of_an_hour_before(lot: ParkingLot) -> None:
    await lot.give(300_00)
    await lot.give(300_00, OTHER)
    made = await lot.reserve(after_s=2 * HOUR)
    assert (made.record.status, await lot.held(), lot.link.commanded) == ("pending", 65_00, [])
    started = await lot.order(energy_wh=1_000, client=OTHER)
    await lot.app.charging.stop_session(started.session.session_id, caller=OTHER, actor="client")
    await lot.say("Available")

    await lot.work(2 * HOUR - 15 * 60)
    with pytest.raises(Refusal) as refused:
        await lot.order(energy_wh=1_000, client=OTHER)
    assert refused.value.code == "connector_occupied"
    assert refused.value.details == {"connector_status": "Reserved", "reserved_from": made.record.starts_at}
    assert (await lot.begin(IdTag("NOBODY"))).verdict.status == "Invalid"
    assert lot.link.commanded == []

    await lot.work(15 * 60)
    taken = (await lot.read(made)).record
    assert (taken.status, taken.guaranteed, len(lot.asked("ReserveNow"))) == ("reserved", True, 1)
    await lot.work(7 * 60 + 20)
    await lot.order(energy_wh=1_000)
    assert (await lot.read(made)).record.fee_tyiyn == 7_00


async def test_its_holder_may_begin_early_and_pays_no_fee(lot: ParkingLot) -> None:
    await lot.give(300_00)
    made = await lot.reserve(after_s=HOUR)
    await lot.work(HOUR - 10 * 60)
    await lot.order(energy_wh=1_000)
    used = (await lot.read(made)).record
    assert (used.status, used.fee_tyiyn) == ("fulfilled", 0)


async def test_hours_before_a_start_there_does_not_use_it(lot: ParkingLot) -> None:
    await lot.give(300_00)
    made = await lot.reserve(after_s=3 * HOUR)
    await lot.order(energy_wh=1_000)
    assert (await lot.read(made)).record.status == "pending"


async def test_a_charge_that_runs_is_never_stopped_and_another_connector_is_taken(lot: ParkingLot) -> None:
    await lot.give(300_00)
    await lot.give(300_00, OTHER)
    made = await lot.reserve(after_s=HOUR)
    await lot.work(HOUR - 16 * 60)
    session_id = (await lot.order(energy_wh=1_000, client=OTHER)).session.session_id
    begun = await lot.begin(await lot.tag_of(session_id))
    await lot.work(16 * 60)
    moved = (await lot.read(made)).record
    assert (moved.status, moved.connector_id) == ("reserved", TWO)
    assert lot.link.stopped == []
    assert begun.verdict.status == "Accepted"
    statuses = {each.connector_id: each.ocpp_status for each in (await lot.page()).connectors}
    assert statuses[TWO] == "Reserved"


async def test_a_connector_of_another_station_of_the_place_will_do_and_the_holder_is_told(lot: ParkingLot) -> None:
    second = StationId("EVP-001-02")
    await lot.sql(SECOND_STATION)
    lot.link.connected.add(second)
    await lot.sql("UPDATE connectors SET connector_type = 'CCS2' WHERE id = 'EVP-001-01-2'")
    await lot.register_phone()
    await lot.give(300_00)
    made = await lot.reserve(after_s=HOUR)
    await lot.work(HOUR - 60)
    await lot.say("Charging")
    await lot.work(60)
    moved = (await lot.read(made)).record
    assert (moved.status, moved.station_id, moved.connector_id) == ("reserved", second, ONE)
    assert await lot.messages() == ["reservation_moved"]


async def test_without_a_free_connector_it_has_failed_and_all_is_released(lot: ParkingLot) -> None:
    await lot.give(300_00)
    made = await lot.reserve(after_s=HOUR)
    for connector in (ONE, TWO):
        await lot.say("Charging", connector=connector)
    await lot.work(HOUR - 15 * 60)
    await lot.work(15 * 60)
    failed = (await lot.read(made)).record
    assert (failed.status, failed.reason, failed.fee_tyiyn) == ("failed", "full", 0)
    assert await lot.balance() == 300_00


async def test_one_whose_time_was_over_before_anybody_looked_has_failed_and_all_is_released(lot: ParkingLot) -> None:
    """Nothing was kept while we were down: nobody pays for not coming."""
    await lot.give(300_00)
    made = await lot.reserve(after_s=HOUR)
    await lot.work(HOUR + 15 * 60)
    failed = (await lot.read(made)).record
    assert (failed.status, failed.reason, failed.fee_tyiyn) == ("failed", "unknown", 0)
    assert (await lot.balance(), lot.link.commanded) == (300_00, [])


async def test_a_station_that_refuses_is_passed_over_and_one_that_is_silent_fails_it(lot: ParkingLot) -> None:
    await lot.give(300_00)
    made = await lot.reserve(after_s=HOUR)
    lot.link.replies["ReserveNow"] = {"status": "Occupied"}
    await lot.work(HOUR - 15 * 60)
    await lot.work(15 * 60)
    assert [order["connectorId"] for order in lot.asked("ReserveNow")] == [1, 2]
    assert (await lot.read(made)).record.status == "failed"

    again = await lot.reserve(after_s=HOUR)
    lot.link.replies["ReserveNow"] = CommandTimedOut()
    await lot.work(HOUR - 15 * 60)
    await lot.work(15 * 60)
    assert (await lot.read(again)).record.status == "pending"
    await lot.work(60)
    assert (await lot.read(again)).record.status == "failed"
    assert lot.asked("CancelReservation") == [{"reservationId": again.record.wire_id}]
    assert await lot.balance() == 300_00


@pytest.mark.parametrize(
    ("after_s", "minutes", "reason"),
    [
        (24 * HOUR + 1, 15, "too_far_ahead"),
        (2 * HOUR + 10 * 60, 15, "overlap"),
        (2 * HOUR - 20 * 60, 15, "overlap"),
        (2 * HOUR - 31 * 60, 15, None),
        (2 * HOUR + 29 * 60, 15, "overlap"),
        (2 * HOUR + 30 * 60, 15, None),
        (None, 60, None),
    ],
)
async def test_windows_do_not_overlap(lot: ParkingLot, after_s: float | None, minutes: int, reason: str | None) -> None:
    """Anothers begins in two hours for 15 minutes, so it is kept from 1:45 on until 2:15."""
    await lot.give(300_00)
    await lot.give(300_00, OTHER)
    await lot.reserve(after_s=2 * HOUR, client=OTHER)
    if reason is None:
        await lot.reserve(after_s=after_s, minutes=minutes)
        return
    with pytest.raises(Refusal) as refused:
        await lot.reserve(after_s=after_s, minutes=minutes)
    assert (refused.value.code, refused.value.details["reason"]) == ("charging_limit_exceeded", reason)
    assert await lot.statement() == []


async def test_one_is_not_kept_longer_into_anothers_time(lot: ParkingLot) -> None:
    await lot.give(300_00)
    await lot.give(300_00, OTHER)
    await lot.reserve(after_s=HOUR, client=OTHER)
    made = (await lot.reserve(minutes=40)).record
    with pytest.raises(Refusal) as refused:
        await lot.app.reservations.service.extend(CLIENT, made.id, 10)
    assert refused.value.details["reason"] == "overlap"
    longer = await lot.app.reservations.service.extend(CLIENT, made.id, 5)
    assert longer.record.minutes == 45
    assert longer.record.station_id == STATION

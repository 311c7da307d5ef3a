"""The doors of reservations (contract/roadmap/reservations §2)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from evpower.http.wire.values import instant
from tests.worlds.charging import STATION
from tests.worlds.lost_answers import LOSE_ANSWERS
from tests.worlds.phone_doors import PhoneDoors, token_of
from tests.worlds.reservations import OTHER, ParkingLot

ORDER = {"station_id": STATION, "connector_id": 1}


async def test_a_quote_says_what_it_will_cost_and_writes_nothing(lot: ParkingLot) -> None:
    free_until = instant(lot.clock.now() + timedelta(minutes=5))
    quote = {"success": True, "hold_amount": 65, "per_minute": 1, "no_show_fee": 50, "guaranteed": True}
    asked = await PhoneDoors(lot).ask("GET", f"/reservations/quote?station_id={STATION}&minutes=15", token=None)
    assert asked == {**quote, "free_cancel_until": free_until}
    await lot.sql(
        "INSERT INTO evpower.ocpp_configuration (station_id, key, value, readonly, known_at)"
        " VALUES (%s, 'SupportedFeatureProfiles', 'Core, RemoteTrigger', true, now())",
        STATION,
    )
    soft = await PhoneDoors(lot).ask("GET", f"/reservations/quote?station_id={STATION}&minutes=15&connector_id=2")
    assert soft["guaranteed"] is False
    assert await lot.sql("SELECT id FROM clients UNION SELECT id FROM evpower.reservations") == []


async def test_a_reservation_is_made_looked_at_made_longer_and_given_up(lot: ParkingLot) -> None:
    await lot.give(300_00)
    doors, now = PhoneDoors(lot), lot.clock.now()
    made = await doors.ask("POST", "/reservations", ORDER)
    assert made == {
        "success": True,
        "reservation_id": made["reservation_id"],
        "status": "reserved",
        "station_id": STATION,
        "connector_id": 1,
        "location_id": "EVP-LOC-001",
        "starts_at": instant(now),
        "expires_at": instant(now + timedelta(minutes=15)),
        "hold_amount": 65,
        "free_cancel_until": instant(now + timedelta(minutes=5)),
        "guaranteed": True,
    }
    path = f"/reservations/{made['reservation_id']}"
    assert await doors.ask("GET", path) == made
    facts = {name: value for name, value in made.items() if name != "success"}
    assert await doors.ask("GET", "/reservations?active=true") == {"success": True, "reservations": [facts]}

    longer = await doors.ask("POST", f"{path}/extend", {"minutes": 10})
    assert (longer["expires_at"], longer["hold_amount"]) == (instant(now + timedelta(minutes=25)), 75)
    again = await doors.ask("POST", f"{path}/extend", {"minutes": 10})
    assert (again["error"], again["reason"]) == ("charging_limit_exceeded", "already_extended")

    lot.clock.advance(6 * 60)
    ended = await doors.ask("DELETE", path)
    assert ended == {
        **longer,
        "status": "canceled",
        "canceled_by": "driver",
        "fee_amount": 6,
        "released_amount": 69,
        "already_ended": False,
    }
    assert await doors.ask("DELETE", path) == {**ended, "already_ended": True}
    assert await doors.ask("GET", "/reservations?active=true") == {"success": True, "reservations": []}
    assert len((await doors.ask("GET", "/reservations"))["reservations"]) == 1
    over = await doors.ask("POST", f"{path}/extend", {"minutes": 10})
    assert over["error"] == "session_expired"


async def test_anothers_reservation_is_none(lot: ParkingLot) -> None:
    await lot.give(300_00)
    doors, stranger = PhoneDoors(lot), token_of(OTHER)
    made = await doors.ask("POST", "/reservations", ORDER)
    path = f"/reservations/{made['reservation_id']}"
    for method in ("GET", "DELETE"):
        assert (await doors.ask(method, path, token=stranger, status=404))["error"] == "not_found"
        assert (await doors.ask(method, "/reservations/none", status=404))["error"] == "not_found"
        assert (await doors.ask(method, "/reservations/a%01b", status=404))["error"] == "not_found"
    refused = await doors.ask("POST", f"{path}/extend", {"minutes": 5}, token=stranger, status=404)
    assert refused["error"] == "not_found"
    assert await doors.ask("GET", "/reservations", token=stranger) == {"success": True, "reservations": []}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"station_id": STATION, "connector_id": 0}, "connector_id"),
        ({"connector_id": 1}, "station_id"),
        ({**ORDER, "minutes": 4}, "minutes"),
        ({**ORDER, "minutes": 61}, "minutes"),
        ({**ORDER, "minutes": 7.5}, "minutes"),
        ({**ORDER, "start_time": "soon"}, "start_time"),
        ({**ORDER, "start_time": "2026-11-23T06:00:00Z"}, "start_time"),
    ],
)
async def test_what_cannot_be_read_is_400_with_its_field(lot: ParkingLot, body: dict[str, object], field: str) -> None:
    refused = await PhoneDoors(lot).ask("POST", "/reservations", body, status=400)
    assert (refused["error"], refused["detail"][0]["field"]) == ("validation_error", field)


async def test_an_unknown_place_is_404_to_look_at_and_refused_to_reserve(lot: ParkingLot) -> None:
    doors = PhoneDoors(lot)
    await doors.ask("GET", "/reservations/quote?station_id=nowhere&minutes=15", status=404)
    missing = await doors.ask("GET", f"/reservations/quote?station_id={STATION}&connector_id=9&minutes=15", status=404)
    assert missing["error"] == "connector_not_found"
    assert (await doors.ask("POST", "/reservations", {"station_id": "nowhere"}))["error"] == "station_not_found"
    assert (await doors.ask("POST", "/reservations", {**ORDER, "connector_id": 9}))["error"] == "connector_not_found"


async def test_who_is_nobody_reserves_nothing(lot: ParkingLot) -> None:
    await PhoneDoors(lot).ask("POST", "/reservations", ORDER, token=None, status=400)
    await PhoneDoors(lot, "required").ask("POST", "/reservations", ORDER, token=None, status=401)
    await PhoneDoors(lot, "required").ask("GET", "/reservations?client_id=client-1", token=None, status=401)


async def test_a_repeated_order_reserves_once_and_has_the_answer_it_had(lot: ParkingLot) -> None:
    await lot.give(300_00)
    doors = PhoneDoors(lot)
    first = await doors.ask("POST", "/reservations", ORDER, key="k1")
    assert await doors.ask("POST", "/reservations", ORDER, key="k1") == first
    await lot.sql(LOSE_ANSWERS)
    assert await doors.ask("POST", "/reservations", ORDER, key="k1") == first
    await doors.ask("POST", "/reservations", {**ORDER, "minutes": 20}, key="k1", status=409)
    assert await lot.held() == 65_00


async def test_switched_off_it_is_not_there(lot: ParkingLot) -> None:
    doors = PhoneDoors(lot, reservations=None)
    for method, path in (("GET", "/quote"), ("POST", ""), ("GET", ""), ("GET", "/r"), ("DELETE", "/r")):
        assert (await doors.ask(method, f"/reservations{path}", status=404))["error"] == "not_found"
    assert await lot.sql("SELECT id FROM evpower.reservations") == []

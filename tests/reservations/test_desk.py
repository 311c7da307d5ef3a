"""What operators see of reservations and do with them (roadmap/reservations §7)."""

from __future__ import annotations

from datetime import timedelta
from typing import cast

from quart_trio import QuartTrio

from evpower.http.operators.systems.reservations import reservation_admin_routes
from evpower.http.wire.application import HttpApplication, RequestLimits
from evpower.http.wire.rights import act_as
from evpower.http.wire.values import instant
from evpower.staff.records import Acting, Own
from tests.http.conftest import body_of
from tests.http.description import hold_to_description
from tests.http.fakes import CountingIds, Phone
from tests.worlds.charging import CLIENT, STATION, TWO
from tests.worlds.reservations import OTHER, ParkingLot

NOT_THEIRS = Own(frozenset(), frozenset())


def door(lot: ParkingLot, own: Own | None = None) -> Phone:
    app: QuartTrio = HttpApplication("test", ids=CountingIds(), limits=RequestLimits())
    app.before_request(lambda: act_as(Acting("operator ann", own=own)))
    app.register_blueprint(reservation_admin_routes(lot.app.reservations.desk))
    hold_to_description(app)
    return cast("Phone", app.test_client())


async def test_an_operator_ends_one_without_a_fee_and_says_why(lot: ParkingLot) -> None:
    await lot.register_phone()
    await lot.give(300_00)
    made = (await lot.reserve()).record
    lot.clock.advance(9 * 60)
    path = f"/reservations/{made.id}/cancel"
    assert (await body_of(await door(lot).post(path, json={"reason": "whim"}), 400))["error"] == "validation_error"
    assert (await body_of(await door(lot, NOT_THEIRS).post(path, json={"reason": "full"}), 403))["error"] == "forbidden"
    ended = (await body_of(await door(lot).post(path, json={"reason": "broken_charger"})))["data"]
    assert ended == {
        "reservation_id": made.id,
        "client_id": CLIENT,
        "station_id": STATION,
        "connector_id": 1,
        "status": "canceled",
        "guaranteed": True,
        "created_at": instant(made.created_at),
        "starts_at": instant(made.starts_at),
        "expires_at": instant(made.expires_at),
        "hold_amount": 65,
        "fee_amount": 0,
        "ended_at": instant(lot.clock.now()),
        "canceled_by": "operator",
        "reason": "broken_charger",
    }
    again = (await body_of(await door(lot).post(path, json={"reason": "full"})))["data"]
    assert again == ended
    assert await lot.balance() == 300_00
    assert await lot.messages() == ["reservation_ended"]
    assert await lot.sql("SELECT ended_by FROM evpower.reservations") == [{"ended_by": "operator ann"}]
    await body_of(await door(lot).post("/reservations/none/cancel", json={"reason": "full"}), 404)


async def test_the_list_is_of_ones_own_stations_and_of_those_that_live(lot: ParkingLot) -> None:
    await lot.give(300_00)
    await lot.give(300_00, OTHER)
    ended = await lot.reserve()
    await lot.cancel(ended)
    lot.clock.advance(1)
    lives = await lot.reserve(client=OTHER, connector=TWO)
    every = (await body_of(await door(lot).get("/reservations")))["data"]
    assert [each["reservation_id"] for each in every] == [lives.record.id, ended.record.id]
    active = (await body_of(await door(lot).get("/reservations?active=true")))["data"]
    assert [each["reservation_id"] for each in active] == [lives.record.id]
    assert (await body_of(await door(lot, NOT_THEIRS).get("/reservations")))["data"] == []


async def test_the_report_says_by_location_what_became_of_them(lot: ParkingLot) -> None:
    await lot.give(1000_00)
    began = lot.clock.now()
    await lot.reserve()
    await lot.work(15 * 60)  # not used: 15 minutes, 65 som
    await lot.reserve()
    lot.clock.advance(7 * 60 + 30)
    await lot.order(energy_wh=1_000)  # used: 7.5 minutes, 7 som
    for _ in range(2):
        lot.clock.advance(1)
        made = await lot.reserve(connector=TWO)
        lot.clock.advance(60)
        await lot.cancel(made)
    until = began + timedelta(hours=1)
    query = f"/reservations/report?from={began:%Y-%m-%dT%H:%M:%SZ}&to={until:%Y-%m-%dT%H:%M:%SZ}"
    assert (await body_of(await door(lot).get(query)))["data"] == [
        {
            "location_id": "EVP-LOC-001",
            "name": "ТЦ Дордой Плаза",
            "reservations": 4,
            "fulfilled_percent": 25,
            "no_show_percent": 25,
            "minutes_blocked": 24,
            "fees": 72,
        }
    ]
    assert (await body_of(await door(lot, NOT_THEIRS).get(query)))["data"] == []
    later = f"/reservations/report?from={until:%Y-%m-%dT%H:%M:%SZ}"
    assert (await body_of(await door(lot).get(later)))["data"] == []
    await body_of(await door(lot).get("/reservations/report"), 400)

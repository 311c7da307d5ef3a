"""Administrators change the network: contract/rest-api §7.7, through the routes, over a real database."""

from __future__ import annotations

import logging
from typing import Any

import pytest
import trio

from evpower.administration.network_views import NetworkViews
from evpower.administration.service import Administration
from evpower.errors import Refusal
from evpower.http.operators.administration import location_admin_routes, station_admin_routes, station_list_routes
from evpower.identifiers import IdTag
from tests.http.conftest import body_of
from tests.http.operators.test_operators_work import client_of
from tests.network.test_feed import Ear, ear, told
from tests.worlds.charging import CLIENT, STATION, TWO, World

__all__ = ["ear"]

HERE = f"/stations/{STATION}"
PLACE = {"id": "L2", "name": "Ош Базар", "address": "ул. Б, 2", "city": "Ош", "latitude": 40.5, "longitude": 72.8}
NEW = {"id": "S2", "serial_number": "N2", "location_id": "EVP-LOC-001", "power_capacity": 60}
PUBLIC = ("name", "address", "city", "latitude", "longitude")


class Desk:
    """An administrator at the routes."""

    def __init__(self, world: World) -> None:
        views = NetworkViews(world.pool, world.clock, world.link, 300)
        app = world.app
        administration = Administration(world.pool, world.clock, views, app.network_file)
        self._doors = {
            "locations": client_of(location_admin_routes(administration, views)),
            "stations": client_of(station_admin_routes(administration, views)),
            "list": client_of(station_list_routes(views)),
        }

    async def get(self, path: str, status: int = 200) -> Any:
        door = "list" if path.partition("?")[0] == "/stations" else path.split("/")[1].partition("?")[0]
        return self._read(await body_of(await self._doors[door].get(path), status))

    async def post(self, path: str, body: Any, status: int = 200) -> Any:
        return self._read(await body_of(await self._doors[path.split("/")[1]].post(path, json=body), status))

    async def put(self, path: str, body: Any, status: int = 200) -> Any:
        return self._read(await body_of(await self._doors[path.split("/")[1]].put(path, json=body), status))

    @staticmethod
    def _read(answer: Any) -> Any:
        return answer["data"] if answer["success"] else answer


@pytest.fixture
def desk(world: World) -> Desk:
    return Desk(world)


def wrong_fields(answer: Any) -> list[str]:
    assert answer["error"] == "validation_error"
    return [each["field"] for each in answer["detail"]]


async def rows_of(world: World) -> list[Any]:
    """Everything an administrator could have changed."""
    tables = ("locations", "stations", "connectors", "evpower.station_credentials", "evpower.station_policies")
    return [await world.sql(f"SELECT * FROM {table} ORDER BY 1, 2") for table in tables]


# ------------------------------------------------------------------------------------------------------------ looking


async def test_a_station_has_every_key_of_the_contract_with_null_where_nothing_is_known(
    world: World, desk: Desk
) -> None:
    await world.sql("UPDATE stations SET model = '', manufacturer = '', last_heartbeat_at = NULL, is_available = false")
    await world.sql("UPDATE connectors SET connector_type = '', power_kw = NULL WHERE connector_number = 2")
    world.link.connected.clear()
    station = await desk.get(HERE)
    created_at, updated_at = station.pop("created_at"), station.pop("updated_at")
    assert created_at.endswith("Z")
    assert updated_at.endswith("Z")
    assert station == {
        "id": STATION,
        "serial_number": "EVPCS-001",
        "model": None,
        "manufacturer": None,
        "location_id": "EVP-LOC-001",
        "location_name": "ТЦ Дордой Плаза",
        "location_address": "ул. Московская, 123",
        "power_capacity": 22,
        "price_per_kwh": None,
        "session_fee": 0,
        "tariff_plan_id": None,
        "currency": "KGS",
        "last_heartbeat_at": None,
        "firmware_version": None,
        "status": "active",
        "is_available": False,
        "connectors_count": 3,
        "connectors": [
            {
                "id": "EVP-001-01-1",
                "connector_number": 1,
                "connector_type": "GBT",
                "power_kw": 22,
                "evse_id": 1,
                "evse_connector": 1,
                "is_enabled": True,
                "status": "Available",
                "busy": False,
                "error_code": None,
            },
            {
                "id": "EVP-001-01-2",
                "connector_number": 2,
                "connector_type": None,
                "power_kw": None,
                "evse_id": 2,
                "evse_connector": 1,
                "is_enabled": True,
                "status": "Available",
                "busy": False,
                "error_code": None,
            },
        ],
        "configuration_warnings": [],
    }


async def test_how_a_location_is_reached_is_set_and_emptied(desk: Desk) -> None:
    reached = {
        "entrance_latitude": 42.875,
        "entrance_longitude": 74.57,
        "directions": {"ky": "Короодон"},
        "height_limit_m": 2.1,
        "opening_hours": {"twentyfourseven": True},
    }
    location = await desk.put("/locations/EVP-LOC-001", reached)
    assert {name: location[name] for name in reached} == reached
    emptied = dict.fromkeys(reached)
    location = await desk.put("/locations/EVP-LOC-001", emptied)
    assert {name: location[name] for name in reached} == emptied


async def test_a_location_is_shown_with_its_counts(desk: Desk) -> None:
    location = await desk.get("/locations/EVP-LOC-001")
    assert (location["name"], location["city"], location["status"]) == ("ТЦ Дордой Плаза", "Бишкек", "active")
    assert (location["latitude"], location["admin_id"]) == (None, None)


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/stations/NONE", "station_not_found"),
        ("/stations/a%20b", "station_not_found"),
        ("/locations/NONE", "not_found"),
        ("/locations/%00", "not_found"),
    ],
)
async def test_what_is_not_there_is_404(desk: Desk, path: str, code: str) -> None:
    assert (await desk.get(path, 404))["error"] == code
    assert (await desk.put(path, {"status": "inactive"}, 404))["error"] == code


async def test_pages_of_stations_name_their_place_and_the_total(desk: Desk) -> None:
    for number in (2, 3, 4):
        await desk.post("/stations", NEW | {"id": f"S{number}", "serial_number": f"N{number}"})
    page = await desk.get("/stations?limit=2&offset=1")
    assert [station["id"] for station in page.pop("stations")] == ["S2", "S3"]
    assert page == {"total": 4, "limit": 2, "offset": 1}
    assert (await desk.get("/stations?offset=9"))["stations"] == []


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("", ["EVP-001-01", "S2", "S3"]),
        ("status=inactive", ["S3"]),
        ("location_id=L2", ["S2"]),
        ("location_id=NONE", []),
        ("is_online=true", ["EVP-001-01"]),
        ("is_online=0", ["S2", "S3"]),
        ("is_online=false&status=active", ["S2"]),
    ],
)
async def test_stations_are_filtered(desk: Desk, query: str, ids: list[str]) -> None:
    await desk.post("/locations", PLACE)
    await desk.post("/stations", NEW | {"location_id": "L2"})
    await desk.post("/stations", NEW | {"id": "S3", "serial_number": "N3", "status": "inactive"})
    page = await desk.get(f"/stations?{query}")
    assert ([station["id"] for station in page["stations"]], page["total"]) == (ids, len(ids))


async def test_locations_are_filtered_by_their_status(desk: Desk) -> None:
    await desk.post("/locations", PLACE | {"status": "inactive"})
    page = await desk.get("/locations?status=inactive&limit=1")
    assert [location["id"] for location in page.pop("locations")] == ["L2"]
    assert page == {"total": 1, "limit": 1, "offset": 0}


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("status=broken", "status"),
        ("limit=0", "limit"),
        ("limit=501", "limit"),
        ("limit=-1", "limit"),
        ("limit=%D9%A1", "limit"),
        ("offset=x", "offset"),
        ("offset=99999999999999999999", "offset"),
        ("is_online=perhaps", "is_online"),
    ],
)
async def test_a_wrong_question_is_400_and_named(desk: Desk, query: str, field: str) -> None:
    assert wrong_fields(await desk.get(f"/stations?{query}", 400)) == [field]


# ------------------------------------------------------------------------------------------------------------- making


async def test_a_location_is_made_and_told(world: World, desk: Desk, ear: Ear) -> None:
    made = await desk.post("/locations", PLACE)
    assert {name: made[name] for name in PUBLIC} == {name: PLACE[name] for name in PUBLIC}
    assert await told(world, ear) == ["location offline"]


async def test_a_station_is_made_with_its_connectors_and_told(world: World, desk: Desk, ear: Ear) -> None:
    connectors = [{"connector_number": 1, "connector_type": "CCS", "power_kw": 60}, {"connector_number": 2}]
    made = await desk.post("/stations", NEW | {"connectors": connectors, "price_per_kwh": 12.5, "model": "M60"})
    assert (made["connectors_count"], made["price_per_kwh"], made["model"]) == (2, 12.5, "M60")
    assert [(each["id"], each["status"]) for each in made["connectors"]] == [
        ("S2-1", "Unavailable"),
        ("S2-2", "Unavailable"),
    ]
    assert await told(world, ear) == ["station offline", "location offline"]
    assert (await desk.get("/locations/EVP-LOC-001"))["stations_count"] == 2


async def test_a_password_of_a_new_station_is_kept_as_its_hash_and_never_said(
    world: World, desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    made = await desk.post("/stations", NEW | {"password": "sixteen letters!"})
    (row,) = await world.sql("SELECT station_id, password_hash FROM evpower.station_credentials")
    assert row["station_id"] == "S2"
    assert "sixteen" not in f"{row} {made} {caplog.text}"


@pytest.mark.parametrize(("path", "body"), [("/locations", PLACE), ("/stations", NEW)])
async def test_what_is_there_already_is_409_and_stays(
    world: World, desk: Desk, path: str, body: dict[str, Any]
) -> None:
    await desk.post(path, body)
    before = await rows_of(world)
    answer = await desk.post(path, body | {"status": "maintenance"}, 409)
    assert (answer["success"], answer["error"]) == (False, "already_exists")
    assert await rows_of(world) == before


@pytest.mark.parametrize(
    ("path", "body", "fields"),
    [
        ("/locations", {"id": "L2"}, ["name", "address"]),
        ("/locations", {"name": "n", "address": "a"}, ["id"]),
        ("/locations", PLACE | {"id": "a/b"}, ["id"]),
        ("/locations", PLACE | {"latitude": 91, "status": "closed"}, ["latitude", "status"]),
        ("/locations", PLACE | {"adress": "x"}, ["adress"]),
        ("/locations", PLACE | {"stations": []}, ["stations"]),
        ("/locations", PLACE | {"actor": "bob"}, ["actor"]),
        ("/stations", {"id": "S2", "location_id": "EVP-LOC-001"}, ["serial_number"]),
        ("/stations", NEW | {"id": 7}, ["id"]),
        ("/stations", NEW | {"id": "x" * 51}, ["id"]),
        ("/stations", NEW | {"location_id": None}, ["location_id"]),
        ("/stations", NEW | {"location_id": 1}, ["location_id"]),
        ("/stations", NEW | {"location_id": "NONE"}, ["location_id"]),
        ("/stations", NEW | {"serial_number": "EVPCS-001"}, ["serial_number"]),
        ("/stations", NEW | {"tariff_plan_id": "NONE"}, ["tariff_plan_id"]),
        ("/stations", NEW | {"price_per_kwh": -1, "currency": "USD"}, ["price_per_kwh", "currency"]),
        ("/stations", NEW | {"price_per_kwh": "13.5"}, ["price_per_kwh"]),
        ("/stations", NEW | {"connectors": [{"connector_number": 1}] * 2}, ["connectors[1].connector_number"]),
        ("/stations", NEW | {"connectors": [{"connector_number": 1, "id": "EVP-001-01-1"}]}, ["connectors.id"]),
    ],
)
async def test_a_wrong_new_row_names_the_fields_and_writes_nothing(
    world: World, desk: Desk, path: str, body: dict[str, Any], fields: list[str]
) -> None:
    before = await rows_of(world)
    assert sorted(wrong_fields(await desk.post(path, body, 400))) == sorted([*fields, *_twice(fields)])
    assert await rows_of(world) == before


def _twice(fields: list[str]) -> list[str]:
    """Two connectors of one number have one id, too."""
    return ["connectors[1].id"] if fields == ["connectors[1].connector_number"] else []


# ----------------------------------------------------------------------------------------------------------- changing


async def test_a_change_changes_what_it_names_and_answers_the_contracts_keys(world: World, desk: Desk) -> None:
    before = await desk.get(HERE)
    answer = await desk.put(HERE, {"status": "maintenance", "price_per_kwh": 15.5, "session_fee": 5})
    expected = {"id": STATION, "status": "maintenance", "is_available": True, "price_per_kwh": 15.5, "session_fee": 5}
    assert {name: answer[name] for name in expected} == expected
    after = await desk.get(HERE)
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"status", "price_per_kwh", "session_fee", "updated_at"}


async def test_a_change_leaves_sockets_and_connectors_alone(world: World, desk: Desk) -> None:
    before = await world.sql("SELECT * FROM connectors ORDER BY id")
    await desk.put(HERE, {"model": "New"})
    assert await world.sql("SELECT connectors_count, connector_types FROM stations") == [
        {"connectors_count": 3, "connector_types": ["GBT", "GBT"]}
    ]
    assert await world.sql("SELECT * FROM connectors ORDER BY id") == before


async def test_null_empties_what_may_be_empty(world: World, desk: Desk) -> None:
    await world.sql("INSERT INTO tariff_plans (id, name) VALUES ('P', 'p')")
    await desk.put(HERE, {"price_per_kwh": 15, "tariff_plan_id": "P", "firmware_version": "1"})
    emptied = {"price_per_kwh": None, "tariff_plan_id": None, "firmware_version": None}
    answer = await desk.put(HERE, emptied)
    assert {name: answer[name] for name in emptied} == emptied
    assert (await desk.put("/locations/EVP-LOC-001", {"city": None}))["city"] is None


async def test_a_new_price_counts_for_the_next_start_and_the_list(world: World, desk: Desk) -> None:
    await world.app.locations.picture()
    await desk.put(HERE, {"price_per_kwh": 20})
    picture, _ = await world.app.locations.picture()
    assert float(picture.locations[0].stations[0].rate_per_kwh) == 20
    await world.give(50_000)
    assert float((await world.order(energy_wh=10_000)).session.rate_per_kwh) == 20


async def test_availability_is_what_the_charger_makes_it_and_says_so(world: World, desk: Desk) -> None:
    """The contract lets an app send `is_available`; presence is the charger's to say."""
    answer = await desk.put(HERE, {"is_available": False, "status": "active"})
    assert (answer["is_available"], answer["warnings"]) == (
        True,
        ["is_available: is ignored: EvPower writes it itself"],
    )


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        (HERE, {"status": "broken"}, "status"),
        (HERE, {"status": None}, "status"),
        (HERE, {"session_fee": None}, "session_fee"),
        (HERE, {"serial_number": ""}, "serial_number"),
        (HERE, {"serial_number": "N2"}, "serial_number"),
        (HERE, {"location_id": "NONE"}, "location_id"),
        (HERE, {"location_id": None}, "location_id"),
        (HERE, {"tariff_plan_id": "NONE"}, "tariff_plan_id"),
        (HERE, {"price_per_kwh": 1e12}, "price_per_kwh"),
        (HERE, {"price": 5}, "price"),
        (HERE, {"nothing": None}, "nothing"),
        (HERE, {"password": "sixteen letters!"}, "password"),
        (HERE, {"id": "OTHER"}, "id"),
        (HERE, {"actor": "bob"}, "actor"),
        ("/locations/EVP-LOC-001", {"name": None}, "name"),
        ("/locations/EVP-LOC-001", {"name": " "}, "name"),
        ("/locations/EVP-LOC-001", {"status": "gone"}, "status"),
        ("/locations/EVP-LOC-001", {"stations": [NEW]}, "stations"),
        (f"{HERE}/connectors/1", {"power_kw": -1}, "power_kw"),
        (f"{HERE}/connectors/1", {"connector_number": 2}, "connector_number"),
        (f"{HERE}/connectors/1", {"connector_type": None}, "connector_type"),
        (f"{HERE}/connectors/1", {"kind": "CCS"}, "kind"),
    ],
)
async def test_a_wrong_change_names_the_field_and_writes_nothing(
    world: World, desk: Desk, path: str, body: dict[str, Any], field: str
) -> None:
    await desk.post("/stations", NEW)
    before = await rows_of(world)
    assert wrong_fields(await desk.put(path, body, 400)) == [field]
    assert await rows_of(world) == before


async def test_a_change_without_a_body_is_one_without_fields(world: World) -> None:
    """Field ruling 6.6; it was refused as broken JSON."""
    views = NetworkViews(world.pool, world.clock, world.link, 300)
    administration = Administration(world.pool, world.clock, views, world.app.network_file)
    client: Any = client_of(station_admin_routes(administration, views))
    expected, before = await body_of(await client.put(HERE, json={})), await rows_of(world)
    answer = await client.put(HERE, data="", headers={"Content-Type": "application/json"})
    assert await body_of(answer) == expected
    assert await rows_of(world) == before


@pytest.mark.parametrize("body", ["[]", "{", "null"])
async def test_a_body_that_is_no_object_is_400(world: World, body: str) -> None:
    views = NetworkViews(world.pool, world.clock, world.link, 300)
    administration = Administration(world.pool, world.clock, views, world.app.network_file)
    client: Any = client_of(station_admin_routes(administration, views))
    for method in (client.post, client.put):
        await body_of(await method("/stations" if method == client.post else HERE, data=body), 400)


async def test_a_change_is_logged_with_who_and_what(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    await desk.put(HERE, {"status": "maintenance", "price_per_kwh": None})
    assert [record.message for record in caplog.records if record.name == "evpower.fleet"] == [
        'station changed: station=EVP-001-01, fields={"status": "maintenance", "id": "EVP-001-01",'
        ' "price_per_kwh": null}, by=operator ann'
    ]


async def test_a_refused_change_is_not_logged(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    await desk.put(HERE, {"tariff_plan_id": "NONE"}, 400)
    assert [record for record in caplog.records if record.name == "evpower.fleet"] == []


async def test_a_change_is_told_to_phones(world: World, desk: Desk, ear: Ear) -> None:
    await desk.put(HERE, {"status": "maintenance"})
    assert await told(world, ear) == ["station maintenance", "location maintenance"]


async def test_a_station_that_moves_is_told_of_both_locations(world: World, desk: Desk, ear: Ear) -> None:
    await desk.post("/locations", PLACE)
    await told(world, ear)
    await desk.put(HERE, {"location_id": "L2"})
    assert sorted(await told(world, ear)) == ["location available", "location offline", "station available"]
    assert (await desk.get("/locations/L2"))["stations_count"] == 1
    assert (await desk.get("/locations/EVP-LOC-001"))["stations_count"] == 0


async def test_two_changes_at_once_both_count(world: World, desk: Desk) -> None:
    with trio.fail_after(10):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(desk.put, HERE, {"model": "New"})
            nursery.start_soon(desk.put, HERE, {"manufacturer": "Maker"})
    station = await desk.get(HERE)
    assert (station["model"], station["manufacturer"]) == ("New", "Maker")


# ---------------------------------------------------------------------------------------------------------- disabling


async def start_refused(world: World) -> str:
    with pytest.raises(Refusal) as refused:
        await world.order(energy_wh=1000)
    return refused.value.code


async def test_a_disabled_station_is_hidden_and_starts_nothing(world: World, desk: Desk, ear: Ear) -> None:
    await world.give(50_000)
    await desk.put(HERE, {"status": "inactive"})
    assert await told(world, ear) == ["location offline"]
    assert (await world.app.locations.location("EVP-LOC-001")).stations == ()
    assert await start_refused(world) == "station_unavailable"
    await desk.put(HERE, {"status": "active"})
    assert (await world.order(energy_wh=1000)).session.status == "started"


async def test_a_charge_goes_on_when_its_station_is_disabled_and_is_paid(world: World, desk: Desk) -> None:
    """Design §9.15."""
    await world.give(50_000)
    session_id = (await world.order(energy_wh=20_000)).session.session_id
    await desk.put(HERE, {"status": "inactive"})
    await world.charge(session_id, 10_000)
    session = await world.session(session_id)
    assert (session.status, session.energy_wh) == ("stopped", 10_000)
    assert await world.balance() == 50_000 - 13_500


async def test_a_disabled_location_is_hidden_with_its_stations(world: World, desk: Desk) -> None:
    await desk.put("/locations/EVP-LOC-001", {"status": "inactive"})
    assert (await world.app.locations.picture())[0].locations == ()


# --------------------------------------------------------------------------------------------------------- connectors


async def test_a_connector_is_made_and_told(world: World, desk: Desk, ear: Ear) -> None:
    body = {"connector_number": 3, "connector_type": "CCS", "power_kw": 60.5}
    made = (await desk.post(f"{HERE}/connectors", body))["connectors"][2]
    assert made == {
        "id": "EVP-001-01-3",
        "connector_number": 3,
        "connector_type": "CCS",
        "power_kw": 60.5,
        "evse_id": 3,
        "evse_connector": 1,
        "is_enabled": True,
        "status": "Unavailable",
        "busy": False,
        "error_code": None,
    }
    assert await told(world, ear) == ["station available", "location available"]
    assert await world.sql("SELECT connector_types FROM stations") == [{"connector_types": ["GBT", "GBT", "CCS"]}]


async def test_a_connector_is_changed(world: World, desk: Desk) -> None:
    changed = (await desk.put(f"{HERE}/connectors/2", {"connector_type": "CCS", "power_kw": None}))["connectors"]
    assert [(each["connector_type"], each["power_kw"], each["status"]) for each in changed] == [
        ("GBT", 22, "Available"),
        ("CCS", None, "Available"),
    ]
    assert await world.sql("SELECT connectors_count, connector_types FROM stations") == [
        {"connectors_count": 3, "connector_types": ["GBT", "CCS"]}
    ]


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"connector_number": 1}, 409, None),
        ({}, 400, "connector_number"),
        ({"connector_number": 0}, 400, "connector_number"),
        ({"connector_number": [1]}, 400, "connector_number"),
        ({"connector_number": 4, "power_kw": "60"}, 400, "power_kw"),
        ({"connector_number": 4, "id": "EVP-001-01-1"}, 400, "id"),
    ],
)
async def test_a_wrong_new_connector_is_refused(
    world: World, desk: Desk, body: dict[str, Any], status: int, field: str | None
) -> None:
    before = await rows_of(world)
    answer = await desk.post(f"{HERE}/connectors", body, status)
    assert field is None or wrong_fields(answer) == [field]
    assert await rows_of(world) == before


@pytest.mark.parametrize(
    "path", [f"{HERE}/connectors/9", f"{HERE}/connectors/0", f"{HERE}/connectors/x", "/stations/NONE/connectors/1"]
)
async def test_a_connector_that_is_not_there_is_404(desk: Desk, path: str) -> None:
    await desk.put(path, {"power_kw": 1}, 404)


async def test_a_connector_of_no_station_is_404(desk: Desk) -> None:
    await desk.post("/stations/NONE/connectors", {"connector_number": 1}, 404)


async def test_a_disabled_connector_is_unavailable_for_all_readers_and_starts_nothing(
    world: World, desk: Desk, ear: Ear
) -> None:
    await world.give(50_000)
    answer = await desk.put(f"{HERE}/connectors/1", {"is_enabled": False})
    assert [(each["is_enabled"], each["status"]) for each in answer["connectors"]] == [
        (False, "Unavailable"),
        (True, "Available"),
    ]
    assert await told(world, ear) == ["station available", "location available"]
    assert await world.sql("SELECT status, ocpp_status FROM connectors WHERE connector_number = 1") == [
        {"status": "unavailable", "ocpp_status": "Available"}
    ]
    shown = (await world.app.station_pages.station(STATION)).station
    assert [(each.ocpp_status, shown.offers(each)) for each in shown.connectors] == [
        ("Unavailable", False),
        ("Available", True),
    ]
    assert await start_refused(world) == "connector_unavailable"
    assert (await world.order(energy_wh=1000, connector=TWO)).session.status == "started"


async def test_a_disabled_connector_stays_so_whatever_its_charger_says(world: World, desk: Desk) -> None:
    await desk.put(f"{HERE}/connectors/1", {"is_enabled": False})
    await world.say("Preparing")
    await world.say("Available")
    assert await world.sql("SELECT status, ocpp_status FROM connectors WHERE connector_number = 1") == [
        {"status": "unavailable", "ocpp_status": "Available"}
    ]


async def test_an_enabled_connector_takes_its_chargers_last_word(world: World, desk: Desk, ear: Ear) -> None:
    await desk.put(f"{HERE}/connectors/1", {"is_enabled": False})
    await world.say("Faulted")
    await told(world, ear)
    answer = await desk.put(f"{HERE}/connectors/1", {"is_enabled": True})
    assert answer["connectors"][0]["status"] == "Faulted"
    assert await told(world, ear) == ["station available"]


async def test_a_charge_goes_on_when_its_connector_is_disabled_and_is_paid(world: World, desk: Desk) -> None:
    await world.give(50_000)
    session_id = (await world.order(energy_wh=20_000)).session.session_id
    answer = await desk.put(f"{HERE}/connectors/1", {"is_enabled": False})
    (first, _) = answer["connectors"]
    assert (first["status"], first["busy"]) == ("Available", True)
    await world.charge(session_id, 10_000)
    assert await world.balance() == 50_000 - 13_500
    assert (await desk.get(HERE))["connectors"][0]["status"] == "Unavailable"
    assert await start_refused(world) == "connector_unavailable"


@pytest.mark.parametrize("path", [HERE, f"{HERE}/connectors/1"], ids=["station", "connector"])
async def test_a_card_starts_nothing_where_an_administrator_has_disabled(world: World, desk: Desk, path: str) -> None:
    await world.give(50_000)
    await world.sql(
        "INSERT INTO evpower.ocpp_authorization (id_tag, status, client_id, created_at)"
        " VALUES ('CARD', 'Accepted', %s, %s)",
        CLIENT,
        world.clock.now(),
    )
    await desk.put(path, {"status": "inactive"} if path == HERE else {"is_enabled": False})
    assert (await world.begin(IdTag("CARD"))).verdict.status == "Blocked"
    assert await world.sql("SELECT id FROM charging_sessions") == []
    assert (await world.begin(IdTag("CARD"), connector=TWO)).verdict.status == (
        "Blocked" if path == HERE else "Accepted"
    )


async def test_a_disabled_connector_keeps_its_type_and_power(world: World, desk: Desk) -> None:
    answer = await desk.put(f"{HERE}/connectors/1", {"is_enabled": False})
    assert (answer["connectors"][0]["connector_type"], answer["connectors"][0]["power_kw"]) == ("GBT", 22)


async def test_a_change_that_makes_sockets_fit_no_more_is_done_warned_of_and_logged(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    """Seed §4."""
    answer = await desk.put(HERE, {"connectors_count": 1})
    assert answer["configuration_warnings"] == [
        "connectors_count is 1, but 2 connectors are configured",
        "connectors_count is 1, but there are connectors with the numbers 2",
    ]
    expected = [f"station EVP-001-01: {warning}" for warning in answer["configuration_warnings"]]
    assert answer["warnings"] == expected
    assert [record.message for record in caplog.records if record.levelno == logging.WARNING] == expected

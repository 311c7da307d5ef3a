"""The doors of ways, over PostgreSQL (roadmap/forecast-navigation §5)."""

from __future__ import annotations

from typing import Any

import pytest

from evpower.navigation.roads import Roads
from tests.forecast.test_door import with_past
from tests.navigation.test_roads import Router
from tests.worlds.charging import ONE, TWO, World
from tests.worlds.phone_doors import PhoneDoors

#: The world's own, one in the city with a CCS connector and a dearer price, one on a pass, at Osh, and nowhere.
PLACES = """
UPDATE locations SET latitude = 42.8746, longitude = 74.5698, entrance_latitude = 42.8750, entrance_longitude = 74.5700;
INSERT INTO locations (id, name, address, latitude, longitude, status) VALUES
    ('CITY', 'Рынок', 'a', 42.9, 74.6, 'active'), ('HIDDEN', 'h', 'a', 42.9, 74.6, 'inactive'),
    ('PASS', 'Перевал', 'a', 41.7, 73.7, 'active'), ('OSH', 'Ош', 'a', 40.53, 72.8, 'active'),
    ('NOWHERE', 'n', 'a', NULL, NULL, 'active');
INSERT INTO stations (id, serial_number, location_id, power_capacity, connectors_count, is_available, last_heartbeat_at,
                      price_per_kwh)
SELECT l || '-1', l || '-1', l, 60, 1, true, '2026-11-23 06:00:00+00', 20
FROM unnest(array['CITY', 'HIDDEN', 'PASS', 'OSH', 'NOWHERE']) l;
INSERT INTO connectors (id, station_id, connector_number, connector_type, power_kw, status, ocpp_status)
SELECT s.id || '-c', s.id, 1, 'CCS', 60, 'available', 'Available' FROM stations s WHERE s.id <> 'EVP-001-01';
"""
NEARBY = "/locations/nearby?latitude=42.8746&longitude=74.5698"
CAR = {
    "battery_kwh": 60,
    "consumption_kwh_100km": 18,
    "soc_percent": 80,
    "max_power_kw": 100,
    "connector_types": ["CCS"],
}
BISHKEK, OSH = {"lat": 42.8746, "lon": 74.5698}, {"lat": 40.5140, "lon": 72.8161}


@pytest.fixture
async def placed(world: World) -> World:
    await world.sql(PLACES)
    return world


async def near(world: World, query: str = "") -> list[Any]:
    found: list[Any] = (await PhoneDoors(world).ask("GET", NEARBY + query, token=None))["locations"]
    return found


async def test_locations_near_a_place(placed: World) -> None:
    here, city = await near(placed)
    assert (here["id"], here["distance_km"], here["drive_minutes"], here["approximate"]) == ("EVP-LOC-001", 0, 0, True)
    assert (city["id"], city["distance_km"]) == ("CITY", 3.7)
    assert here["stations_summary"]["total"] == 1
    assert "available_at_arrival" not in here


async def test_what_is_near_is_filtered_and_sorted(placed: World) -> None:
    assert [each["id"] for each in await near(placed, "&connector_type=CCS")] == ["CITY"]
    assert [each["id"] for each in await near(placed, "&min_power=50")] == ["CITY"]
    assert [each["id"] for each in await near(placed, "&radius_km=1")] == ["EVP-LOC-001"]
    assert [each["id"] for each in await near(placed, "&limit=1")] == ["EVP-LOC-001"]
    assert [each["id"] for each in await near(placed, "&sort=price")] == ["EVP-LOC-001", "CITY"]
    await placed.sql("UPDATE stations SET price_per_kwh = 25 WHERE id = 'EVP-001-01'")
    placed.app.pricing.forget()
    placed.app.locations.forget()
    assert [each["id"] for each in await near(placed, "&sort=price")] == ["CITY", "EVP-LOC-001"]
    await placed.say("Charging", connector=ONE)
    await placed.say("Charging", connector=TWO)
    assert [each["id"] for each in await near(placed, "&available=true")] == ["CITY"]


async def test_a_router_says_who_is_reached_first(placed: World) -> None:
    router = Router({"code": "Ok", "durations": [[1200, 600]], "distances": [[9000, 4000]]})
    navigation = placed.app.navigation
    navigation.roads = Roads("osrm:http://router.example", router)
    city, here = await near(placed, "&sort=arrival")
    assert (city["id"], city["drive_minutes"], city["approximate"]) == ("CITY", 10, False)
    assert here["drive_minutes"] == 20
    assert "74.57,42.875" in str(router.asked[0].url)


async def test_an_arrival_is_forecast(placed: World) -> None:
    doors = await with_past(placed, 21)
    found = (await doors.ask("GET", NEARBY))["locations"]
    assert found[0]["available_at_arrival"] == {"probability": 0.95, "confidence": "high"}


async def test_a_search_that_cannot_be_read_is_400(world: World) -> None:
    doors = PhoneDoors(world)
    for query, field in (
        ("latitude=91&longitude=0", "latitude"),
        ("longitude=0", "latitude"),
        ("latitude=nan&longitude=0", "latitude"),
        ("latitude=0&longitude=0&radius_km=101", "radius_km"),
        ("latitude=0&longitude=0&limit=51", "limit"),
        ("latitude=0&longitude=0&sort=beauty", "sort"),
    ):
        refused = await doors.ask("GET", f"/locations/nearby?{query}", status=400)
        assert [each["field"] for each in refused["detail"]] == [field]


async def test_links_lead_to_the_entrance_and_echo_nothing(placed: World) -> None:
    doors = PhoneDoors(placed)
    links = await doors.ask("GET", "/locations/EVP-LOC-001/route-links?from=42.80,74.50000001")
    assert links["google_maps"].endswith("destination=42.875%2C74.57&travelmode=driving&origin=42.8%2C74.5")
    city = await doors.ask("GET", "/locations/CITY/route-links")
    assert city["two_gis"] == "dgis://2gis.ru/routeSearch/rsType/car/to/74.6,42.9"
    for unknown in ("HIDDEN", "NOWHERE", "a%01b", "EVP-LOC-404"):
        assert (await doors.ask("GET", f"/locations/{unknown}/route-links", status=404))["error"] == "not_found"
    await doors.ask("GET", "/locations/CITY/route-links?from=here", status=400)


async def plan(world: World, body: dict[str, Any], status: int = 200) -> dict[str, Any]:
    found: dict[str, Any] = await PhoneDoors(world).ask("POST", "/navigation/plan", body, token=None, status=status)
    return found


async def test_a_long_way_has_its_stops(placed: World) -> None:
    """390 km of road need 117 % of the battery; on the pass the car charges what the rest needs, at 60 kW."""
    found = await plan(placed, {"from": BISHKEK, "to": OSH, "vehicle": CAR})
    assert [each["to"] for each in found["legs"]] == [{"location_id": "PASS"}, "destination"]
    assert found["legs"][-1]["arrive_soc"] == pytest.approx(10)
    (stop,) = found["stops"]
    assert (stop["location_id"], stop["connector_type"]) == ("PASS", "CCS")
    assert stop["cost_som"] == pytest.approx(stop["charge_kwh"] * 20, abs=1)
    assert stop["charge_minutes"] == pytest.approx(stop["charge_kwh"], abs=1)
    drives = sum(each["drive_minutes"] for each in found["legs"])
    # Nothing is known of the arrival: half of twenty minutes is waited for.
    assert found["total_minutes"] == pytest.approx(drives + stop["charge_minutes"] + 10, abs=2)
    assert found["approximate"] is True


async def test_a_place_that_will_be_closed_is_no_stop(placed: World) -> None:
    """A car that leaves at noon is there at ten to four: by the straight line, at the speed of the road."""
    hours = """UPDATE locations SET opening_hours = '{"twentyfourseven": false, "regular_hours":
        [{"weekday": 1, "period_begin": "%s:00", "period_end": "23:00"}]}' WHERE id = 'PASS'"""
    order = {"from": BISHKEK, "to": OSH, "vehicle": CAR}
    await placed.sql(hours % "15")
    assert len((await plan(placed, order))["stops"]) == 1
    await placed.sql(hours % "17")
    assert (await plan(placed, order))["reason"] == "no_route"


async def test_how_long_charges_last_is_read_once_an_hour(placed: World) -> None:
    """Charges of two hours: one that is met lasts an hour on, and every other time it is waited for."""
    order = {"from": BISHKEK, "to": OSH, "vehicle": CAR}
    first = (await plan(placed, order))["total_minutes"]
    await placed.sql(
        "INSERT INTO clients (id) VALUES ('c');"
        " INSERT INTO charging_sessions (id, user_id, station_id, connector_id, start_time, stop_time, status)"
        " VALUES ('s', 'c', 'CITY-1', 1, '2026-11-23 03:00:00+00', '2026-11-23 05:00:00+00', 'stopped')"
    )
    assert (await plan(placed, order))["total_minutes"] == first
    placed.clock.advance(3600)
    await placed.sql("UPDATE stations SET last_heartbeat_at = %s", placed.clock.now())
    placed.app.locations.forget()
    assert (await plan(placed, order))["total_minutes"] == first + 30 - 10


async def test_where_no_charge_bridges_a_gap_there_is_no_way(placed: World) -> None:
    refused = await plan(placed, {"from": BISHKEK, "to": OSH, "vehicle": CAR | {"connector_types": ["CHAdeMO"]}})
    assert (refused["success"], refused["error"], refused["reason"]) == (False, "not_found", "no_route")
    assert refused["longest_gap_km"] == pytest.approx(390, abs=2)


async def test_a_plan_that_cannot_be_read_is_400(world: World) -> None:
    wrong: tuple[tuple[dict[str, Any], str], ...] = (
        ({"from": {"lat": 91, "lon": 0}}, "from"),
        ({"to": "Osh"}, "to"),
        ({"to": {"lat": True, "lon": 0}}, "to"),
        ({"vehicle": {}}, "vehicle"),
        ({"vehicle": CAR | {"battery_kwh": 0}}, "vehicle"),
        ({"vehicle": CAR | {"soc_percent": "80"}}, "vehicle"),
        ({"vehicle": CAR | {"min_soc_percent": 81}}, "vehicle"),
        ({"vehicle": CAR | {"connector_types": []}}, "vehicle"),
        ({"vehicle": CAR | {"connector_types": [7]}}, "vehicle"),
        ({"depart_at": "soon"}, "depart_at"),
    )
    for body, field in wrong:
        refused = await plan(world, {"from": BISHKEK, "to": OSH, "vehicle": CAR} | body, status=400)
        assert [each["field"] for each in refused["detail"]] == [field]

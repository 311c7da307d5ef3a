"""The list and the detail view, field by field: contract/rest-api §2."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import pytest

from evpower.errors import DatabaseUnavailable
from evpower.network.list_cache import NetworkPicture
from tests.http.conftest import body_of
from tests.http.fakes import LISTED, LOCATION, NOON, Phone, World

#: Left as they are in a query; everything else is percent-encoded, as phones do it.
SAFE = "?&=%"
SUMMARY = {"total": 2, "available": 2, "occupied": 0, "faulted": 0}


async def listed(client: Phone, query: str = "") -> Any:
    return await body_of(await client.get(f"/api/v1/locations{quote(query, safe=SAFE)}"))


async def test_the_seeds_example_has_every_field_of_the_contract(client: Phone) -> None:
    assert await listed(client) == {
        "success": True,
        "locations": [
            {
                "id": "EVP-LOC-001",
                "name": "ТЦ Дордой Плаза",
                "address": "ул. Московская, 123",
                "city": "Бишкек",
                "country": "Кыргызстан",
                "coordinates": {"latitude": 42.8746, "longitude": 74.5698},
                "latitude": 42.8746,
                "longitude": 74.5698,
                "status": "available",
                "stations_summary": {"total": 1, "available": 1, "occupied": 0, "offline": 0, "maintenance": 0},
                "connectors_summary": SUMMARY,
                "stations_count": 1,
                "connectors_count": 2,
                "available_connectors": 2,
            }
        ],
        "total_locations": 1,
        "total": 1,
        "cached": False,
    }


async def test_a_station_of_the_list_has_every_field_of_the_contract(client: Phone) -> None:
    said = {"status": "available", "reliability": "good"}
    tariff = {"price_per_kwh": 13.5, "session_fee": 0, "currency": "KGS"}
    body = await listed(client, "?include_stations=true")
    assert body["locations"][0]["stations"] == [
        {
            "id": "EVP-001-01",
            "serial_number": "EVPCS-001",
            "model": "ChargePoint Express 250",
            "manufacturer": "ChargePoint",
            "location_id": "EVP-LOC-001",
            "status": "available",
            "power_capacity": 22.0,
            "connectors_count": 2,
            "connector_types": ["GBT", "GBT"],
            "tariff": tariff,
            **tariff,
            "connectors_summary": SUMMARY,
            "is_available": True,
            "last_heartbeat_at": "2025-09-30T12:00:00.000000Z",
            "connectors": [
                {"connector_number": 1, "connector_type": "GBT", "power_kw": 22.0, **said},
                {"connector_number": 2, "connector_type": "GBT", **said},
            ],
            "reliability": "good",
        }
    ]


async def test_unknown_values_are_left_out_but_the_four_that_may_be_null(world: World, client: Phone) -> None:
    silent = replace(LISTED, last_seen_at=None, online=False)
    bare = replace(LOCATION, city=None, country=None, latitude=None, longitude=None, stations=(silent,))
    world.locations.picture_answer = NetworkPicture((bare,), NOON)
    shown = (await listed(client, "?include_stations=1"))["locations"][0]
    assert shown["coordinates"] == {"latitude": None, "longitude": None}
    assert (shown["city"], shown["country"]) == (None, None)
    assert "latitude" not in shown
    assert "last_heartbeat_at" not in shown["stations"][0]


@pytest.mark.parametrize("text", ["true", "1", "TRUE"])
async def test_stations_are_shown_when_asked_for(client: Phone, text: str) -> None:
    assert "stations" in (await listed(client, f"?include_stations={text}"))["locations"][0]


@pytest.mark.parametrize("text", ["false", "0"])
async def test_stations_are_absent_when_not(client: Phone, text: str) -> None:
    assert "stations" not in (await listed(client, f"?include_stations={text}"))["locations"][0]


@pytest.mark.parametrize("text", ["true", "false", "1", "0"])
async def test_status_are_shown_whatever_include_status_says(client: Phone, text: str) -> None:
    assert (await listed(client, f"?include_status={text}"))["locations"][0]["status"] == "available"


@pytest.mark.parametrize("path", ["locations", "stations"])
@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("min_power=much", "min_power"),
        ("max_power=-1", "max_power"),
        ("max_power=inf", "max_power"),
        ("min_power=nan", "min_power"),
        (f"search={'x' * 201}", "search"),
        (f"city={'x' * 201}", "city"),
        (f"location_id={'x' * 201}", "location_id"),
        (f"connector_type={'x' * 201}", "connector_type"),
    ],
)
async def test_a_wrong_filter_is_400_and_named(client: Phone, path: str, query: str, field: str) -> None:
    body = await body_of(await client.get(f"/api/v1/{path}?{query}"), 400)
    assert (body["success"], body["error"], body["detail"][0]["field"]) == (False, "validation_error", field)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("include_stations=yes", "include_stations"),
        ("include_stations=", "include_stations"),
        ("include_status=2", "include_status"),
        ("include_status=nul%00", "include_status"),
    ],
)
async def test_a_word_that_is_no_bool_is_400_and_named(client: Phone, query: str, field: str) -> None:
    body = await body_of(await client.get(f"/api/v1/locations?{query}"), 400)
    assert (body["error"], body["detail"][0]["field"]) == ("validation_error", field)


@pytest.mark.parametrize("cached", [True, False])
async def test_cached_says_where_it_came_from(world: World, client: Phone, cached: bool) -> None:
    world.locations.cached = cached
    assert (await listed(client))["cached"] is cached
    assert (await listed(client, "?city=Бишкек"))["cached"] is cached


async def test_an_answer_that_was_written_once_follows_a_new_picture(world: World, client: Phone) -> None:
    await listed(client)
    world.locations.picture_answer = NetworkPicture((), NOON)
    assert (await listed(client))["locations"] == []


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("location_id=EVP-LOC-001", 1),
        ("location_id=EVP-LOC-999", 0),
        ("city=%D0%B1%D0%B8%D1%88%D0%BA%D0%B5%D0%BA", 1),
        ("city=%20%D0%91%D0%B8%D1%88%D0%BA%D0%B5%D0%BA%20", 1),
        ("city=Ош", 0),
        ("search=дордой", 1),
        ("search='%20OR%201=1;--", 0),
        ("search=%25", 0),
        ("search=_", 0),
        ("search=%00", 0),
        ("search=Плаза%00ул.", 0),
        ("search=%FF%FE", 0),
        ("search=.*", 0),
        ("search=EVPCS-001", 1),
        ("search=evp-001-01", 1),
        ("search=московская", 1),
        ("city=%00", 0),
        ("location_id=%27%3BDROP%20TABLE%20stations", 0),
        ("connector_type=GBT&min_power=20", 1),
        ("connector_type=GBT&min_power=23", 0),
        ("search=", 1),
    ],
)
async def test_filters(client: Phone, query: str, count: int) -> None:
    body = await listed(client, f"?{query}")
    assert (len(body["locations"]), body["total"], body["total_locations"]) == (count, count, count)


async def test_no_answer_is_given_for_another_question(client: Phone) -> None:
    """The list is written once, in two forms; what is filtered or cut is never taken for the whole."""
    for _ in range(2):
        assert (await listed(client, "?city=Ош"))["locations"] == []
        assert "stations" in (await listed(client, "?include_stations=true"))["locations"][0]
        assert "stations" not in (await listed(client))["locations"][0]
        assert "stations" in (await listed(client, "?include_stations=true&search=Дордой"))["locations"][0]


async def test_every_list_of_one_picture_is_cut_from_what_was_written_once(world: World, client: Phone) -> None:
    """A filter costs no new writing (safe-by-default §7): what changes within a picture is not seen."""
    station = replace(LISTED)
    world.locations.picture_answer = NetworkPicture((replace(LOCATION, stations=(station,)),), NOON)
    whole = await listed(client, "?include_stations=true")
    stations = await body_of(await client.get("/api/v1/stations"))
    object.__setattr__(station, "model", "written anew")
    for query in ("", "&search=Дордой", "&city=бишкек", "&min_power=20"):
        assert await listed(client, f"?include_stations=true{query}") == whole
        assert await body_of(await client.get(f"/api/v1/stations?{quote(query, safe=SAFE)}")) == stations


async def test_the_detail_has_its_fields_at_the_top_and_under_location(client: Phone) -> None:
    body = await body_of(await client.get("/api/v1/locations/EVP-LOC-001"))
    assert body["location"]["stations"][0]["id"] == "EVP-001-01"
    assert {name: body[name] for name in body["location"]} == body["location"]
    assert body["success"] is True


@pytest.mark.parametrize("path", ["EVP-LOC-999", "%27%3B--", "%D0%9E%D1%88", "%00", "%FF%FE", "x" * 5000])
async def test_an_unknown_location_is_404_and_named(client: Phone, path: str) -> None:
    body = await body_of(await client.get(f"/api/v1/locations/{path}"), 404)
    assert body["error"] == "not_found"
    assert body["message"].startswith("Локация ")


async def test_refreshing_drops_what_is_cached(world: World, client: Phone) -> None:
    body = await body_of(await client.post("/api/v1/locations/EVP-LOC-001/refresh-status"))
    assert (body["message"], body["location"]["id"], world.locations.forgotten) == (
        "Статус локации обновлен",
        "EVP-LOC-001",
        1,
    )


async def test_a_refreshed_location_comes_with_its_stations(client: Phone) -> None:
    body = await body_of(await client.post("/api/v1/locations/EVP-LOC-001/refresh-status"))
    assert (body["success"], body["location"]["stations"][0]["id"]) == (True, "EVP-001-01")


@pytest.mark.parametrize("path", ["X", "%27%3B--", "%00"])
async def test_refreshing_an_unknown_location_is_404(client: Phone, path: str) -> None:
    body = await body_of(await client.post(f"/api/v1/locations/{path}/refresh-status"), 404)
    assert (body["success"], body["error"]) == (False, "not_found")


@pytest.mark.parametrize("body", [b"", b"{", b"[1]", b"\xff", b'{"any": "thing"}'])
async def test_refreshing_asks_for_no_body_and_reads_none(client: Phone, body: bytes) -> None:
    await body_of(await client.post("/api/v1/locations/EVP-LOC-001/refresh-status", data=body))


async def test_a_list_that_cannot_be_read_is_503(world: World, client: Phone) -> None:
    async def gone() -> tuple[NetworkPicture, bool]:
        raise DatabaseUnavailable("no PostgreSQL at /secret")

    world.locations.picture = gone  # type: ignore[method-assign]
    for path in ("locations", "stations"):
        body = await body_of(await client.get(f"/api/v1/{path}"), 503)
        assert (body["success"], body["error"]) == (False, "service_unavailable")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "locations"),
        ("DELETE", "locations/EVP-LOC-001"),
        ("GET", "locations/EVP-LOC-001/refresh-status"),
        ("POST", "stations"),
        ("PUT", "station/status/EVP-001-01"),
    ],
)
async def test_another_method_is_405(client: Phone, method: str, path: str) -> None:
    body = await body_of(await client.open(f"/api/v1/{path}", method=method), 405)
    assert body["error"] == "method_not_allowed"


async def test_stations_are_those_of_the_list(client: Phone) -> None:
    of_the_list = (await listed(client, "?include_stations=true"))["locations"][0]["stations"]
    body = await body_of(await client.get("/api/v1/stations"))
    assert body == {"success": True, "stations": of_the_list, "total": 1}


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("connector_type=gbt", 1),
        ("connector_type=CCS", 0),
        ("min_power=22&max_power=22", 1),
        ("min_power=22.5", 0),
        ("location_id=EVP-LOC-001", 1),
        ("location_id=X", 0),
        ("city=бишкек", 1),
        ("search=EVPCS", 1),
        ("search=nothing", 0),
    ],
)
async def test_stations_have_the_lists_filters(client: Phone, query: str, count: int) -> None:
    body = await body_of(await client.get(f"/api/v1/stations?{quote(query, safe=SAFE)}"))
    assert (len(body["stations"]), body["total"]) == (count, count)


async def test_a_fee_and_a_dynamic_price_are_those_a_start_would_use(world: World, client: Phone) -> None:
    dear = replace(LISTED, rate_per_kwh=Decimal("9.75"), session_fee=Decimal("20.00"))
    world.locations.picture_answer = NetworkPicture((replace(LOCATION, stations=(dear,)),), NOON)
    shown = (await listed(client, "?include_stations=true"))["locations"][0]["stations"][0]
    assert shown["tariff"] == {"price_per_kwh": 9.75, "session_fee": 20, "currency": "KGS"}

"""What a charge costs at a station (contract/rest-api §7.6), through its doors."""

from __future__ import annotations

import pytest

from tests.worlds.charging import CLIENT, World
from tests.worlds.phone_doors import PhoneDoors, token_of

PRICING = "/pricing/EVP-001-01"


async def with_plan(world: World) -> None:
    """Night 23:00–07:00 at 8, the rest of a weekday at 15; 60 kW and more cost 20 in the evening."""
    await world.sql("INSERT INTO tariff_plans (id, name) VALUES ('P', 'P')")
    await world.sql(
        "INSERT INTO tariff_rules (id, tariff_plan_id, name, tariff_type, price, time_start, time_end, power_range_min,"
        " priority) VALUES ('day', 'P', 'day', 'per_kwh', 15, NULL, NULL, 0, 0),"
        " ('night', 'P', 'night', 'per_kwh', 8, '23:00', '07:00', 0, 1),"
        " ('fast', 'P', 'fast', 'per_kwh', 20, '18:00', '23:00', 60, 2)"
    )
    await world.sql("UPDATE stations SET tariff_plan_id = 'P'")


async def test_the_price_is_the_one_a_start_uses(world: World) -> None:
    await with_plan(world)
    await world.give(500_00)
    answer = await PhoneDoors(world).ask("GET", PRICING)
    started = await world.order(energy_wh=1_000)
    assert (answer["station_id"], answer["pricing"]["rate_per_kwh"]) == ("EVP-001-01", 15)
    assert answer["pricing"]["rate_per_kwh"] == float(started.price.rate_per_kwh)
    assert (answer["pricing"]["active_rule"], answer["pricing"]["time_based"]) == ("day", True)


@pytest.mark.parametrize(
    ("query", "rate"),
    [
        ("at=2026-11-23T23:00:00%2B06:00", 8),
        ("at=2026-11-23T23:00:00+06:00", 8),
        ("at=2026-11-23T16:59:59Z", 15),
        ("at=2026-11-23T17:00:00", 8),
        ("at=2026-11-24T01:00:00Z", 15),
        ("at=2026-11-23T18:00:00%2B06:00&power_kw=60", 20),
        ("at=2026-11-23T18:00:00%2B06:00&power_kw=59.9", 15),
        ("at=2026-11-23T18:00:00%2B06:00", 15),
    ],
)
async def test_the_price_at_a_moment_and_a_power(world: World, query: str, rate: float) -> None:
    await with_plan(world)
    assert (await PhoneDoors(world).ask("GET", f"{PRICING}?{query}"))["pricing"]["rate_per_kwh"] == rate


async def test_a_day_has_half_open_windows_from_midnight_to_midnight(world: World) -> None:
    await with_plan(world)
    answer = await PhoneDoors(world).ask("GET", f"{PRICING}/schedule?date=2026-11-23&power_kw=60")
    assert [(w["begins_at"][:16], w["ends_at"][:16], w["pricing"]["rate_per_kwh"]) for w in answer["windows"]] == [
        ("2026-11-22T18:00", "2026-11-23T01:00", 8),
        ("2026-11-23T01:00", "2026-11-23T12:00", 15),
        ("2026-11-23T12:00", "2026-11-23T17:00", 20),
        ("2026-11-23T17:00", "2026-11-23T18:00", 8),
    ]
    assert answer["date"] == "2026-11-23"
    assert (await PhoneDoors(world).ask("GET", f"{PRICING}/schedule?power_kw=60"))["windows"] == answer["windows"]


async def test_one_price_is_one_window(world: World) -> None:
    answer = await PhoneDoors(world).ask("GET", f"{PRICING}/schedule")
    assert [w["pricing"]["rate_per_kwh"] for w in answer["windows"]] == [13.5]


async def test_a_client_sees_its_own_agreement_and_nobody_elses(world: World) -> None:
    await world.give(1)
    await world.sql(
        "INSERT INTO client_tariffs (id, client_id, fixed_rate_per_kwh, valid_from) VALUES ('a', %s, 9, '2020-01-01')",
        CLIENT,
    )
    doors = PhoneDoors(world)
    for path in (PRICING, f"{PRICING}?client_id={CLIENT}"):
        assert (await doors.ask("GET", path))["pricing"]["rate_per_kwh"] == 9
    assert (await doors.ask("GET", PRICING, token=None))["pricing"]["rate_per_kwh"] == 13.5
    await doors.ask("GET", f"{PRICING}?client_id={CLIENT}", token=token_of("other"), status=403)
    required = PhoneDoors(world, "required")
    named = await required.ask("GET", f"{PRICING}?client_id={CLIENT}", token=None)
    assert named["pricing"]["rate_per_kwh"] == 13.5


@pytest.mark.parametrize("path", ["", "/schedule"])
async def test_a_serial_number_names_a_station_and_what_is_not_shown_is_404(world: World, path: str) -> None:
    doors = PhoneDoors(world)
    assert (await doors.ask("GET", f"/pricing/EVPCS-001{path}"))["station_id"] == "EVP-001-01"
    await world.sql("UPDATE stations SET status = 'inactive'")
    for name in ("EVP-001-01", "EVP-404", "a%01b"):
        assert (await doors.ask("GET", f"/pricing/{name}{path}", status=404))["error"] == "station_not_found"


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("?at=now", "at"),
        ("?at=0001-01-01T00:00:00%2B14:00", "at"),
        ("?at=9999-12-31T23:59:59-14:00", "at"),
        ("?power_kw=-1", "power_kw"),
        ("?client_id=no%20id", "client_id"),
        ("/schedule?date=23.11.2026", "date"),
        ("/schedule?date=9999-12-31", "date"),
        ("/schedule?date=0001-01-01", "date"),
    ],
)
async def test_what_cannot_be_read_is_400_with_its_field(world: World, path: str, field: str) -> None:
    refused = await PhoneDoors(world).ask("GET", f"{PRICING}{path}", token=None, status=400)
    assert (refused["error"], refused["detail"][0]["field"]) == ("validation_error", field)

"""The doors of forecasts, over PostgreSQL (roadmap/forecast-navigation §4)."""

from __future__ import annotations

from datetime import timedelta

from evpower.http.wire.values import instant
from tests.worlds.charging import ONE, TWO, World
from tests.worlds.phone_doors import PhoneDoors

HERE = "/locations/EVP-LOC-001"
#: So many days of hours that are free until noon, and half free after it.
PAST = """
INSERT INTO evpower.availability_hours
SELECT 'EVP-LOC-001', kind, h, 3600,
       CASE WHEN extract(hour FROM h AT TIME ZONE 'Asia/Bishkek') < 12 THEN 3600 ELSE 1800 END, 9
FROM generate_series(%s::timestamptz, %s::timestamptz, interval '1 hour') h, unnest(array['*', 'gbt']) kind
"""

#: No change of those days is kept, so each would be scored in vain.
NOTHING_TO_SCORE = """
INSERT INTO evpower.forecast_scores SELECT d::date, 0, '', 0, 0
FROM generate_series(%s::timestamptz, %s::timestamptz, interval '1 day') d
"""


async def with_past(world: World, days: int) -> PhoneDoors:
    now = world.clock.now()
    await world.sql(PAST, now - timedelta(days=days), now - timedelta(hours=1))
    await world.sql(NOTHING_TO_SCORE, now - timedelta(days=30), now)
    await world.app.forecast_keeper.work()
    await world.app.forecast_nightly.work()
    await world.app.forecasts.refresh()
    return PhoneDoors(world)


async def test_the_coming_hours_of_a_location(world: World) -> None:
    """Monday 12:00 of Bishkek, both connectors free, three weeks of past."""
    doors = await with_past(world, 21)
    world.clock.advance(300)
    answer = await doors.ask("GET", f"{HERE}/forecast?connector_type=gbt&hours=24", token=None)
    hours = answer.pop("forecast")
    now = world.clock.now()
    assert answer == {
        "success": True,
        "location_id": "EVP-LOC-001",
        "connector_type": "GBT",
        "last_updated": instant(now),
        "ttl": 300,
        "now": {"available": 2, "total": 2},
        "method": "shrinkage-1",
        "skill": {},
    }
    assert hours[0]["start"] == instant(now + timedelta(minutes=55))
    assert len(hours) == 24
    night, evening = hours[14], hours[6]
    assert night["probability"] > 0.85 > 0.65 > evening["probability"] > 0.35
    assert night["low"] < night["probability"] <= night["high"] <= 0.95
    assert (night["basis"], night["confidence"]) == ("history", "high")
    assert hours[0]["probability"] > hours[3]["probability"]


async def test_an_answer_may_be_five_minutes_old_and_no_older(world: World) -> None:
    doors = await with_past(world, 21)
    world.clock.advance(60)
    first = await doors.ask("GET", f"{HERE}/forecast")
    await world.say("Charging", connector=ONE)
    await world.say("Charging", connector=TWO)
    world.clock.advance(299)
    long_ago = instant(world.clock.now() - timedelta(hours=9))
    assert await doors.ask("GET", f"{HERE}/forecast?from={long_ago}&hours=24") == first
    response = await doors.phone.get(f"/api/v1{HERE}/forecast")
    assert response.headers["Cache-Control"] == "public, max-age=300"
    world.clock.advance(1)
    later = await doors.ask("GET", f"{HERE}/forecast")
    assert later["now"] == {"available": 0, "total": 2}
    assert later["forecast"][0]["probability"] < first["forecast"][0]["probability"]


async def test_without_a_week_of_past_nothing_is_invented(world: World) -> None:
    doors = await with_past(world, 6)
    answer = await doors.ask("GET", f"{HERE}/forecast")
    assert (answer["forecast"], answer["reason"]) == ([], "not_enough_data")
    best = await doors.ask("GET", f"{HERE}/best-times")
    assert (best["best_times"], best["reason"]) == ([], "not_enough_data")
    assert "available_at_arrival" not in (await doors.ask("GET", "/locations?arrive_in=25"))["locations"][0]


async def test_the_quietest_times_of_a_week(world: World) -> None:
    doors = await with_past(world, 21)
    times = (await doors.ask("GET", f"{HERE}/best-times?connector_type=GBT"))["best_times"]
    assert len(times) == 3
    assert all(each["probability"] >= 0.9 and each["start"] < each["end"] for each in times)


async def test_the_list_says_what_an_arrival_would_find(world: World) -> None:
    doors = await with_past(world, 21)
    (here,) = (await doors.ask("GET", "/locations?arrive_in=25&include_stations=true"))["locations"]
    assert here["available_at_arrival"]["probability"] > 0.6
    assert here["available_at_arrival"]["confidence"] == "high"
    assert here["stations"]


async def test_the_plain_list_is_the_same_with_forecasts_and_without(world: World) -> None:
    """Byte for byte, also after somebody asked for an arrival."""
    doors, without = await with_past(world, 21), PhoneDoors(world, forecasts=None)
    for query in ("", "?include_stations=true", "?connector_type=GBT"):
        await doors.phone.get("/api/v1/locations?arrive_in=25")
        asked = [await each.phone.get(f"/api/v1/locations{query}") for each in (doors, without)]
        first, second = [await each.get_data() for each in asked]
        assert first == second != b""


async def test_a_charge_whose_limit_ends_it_is_known(world: World) -> None:
    """Both are taken; by its power a charge reaches its limit shortly before 14:00."""
    doors = await with_past(world, 21)
    await world.give(1_000_00)
    started = await world.order(energy_wh=1_000)
    begun = await world.begin(await world.tag_of(started.session.session_id))
    await world.meter(begun.wire_transaction_id, 1_000, power_w=505)
    await world.say("Charging", connector=ONE)
    await world.say("Charging", connector=TWO)
    world.clock.advance(1)
    hours = (await doors.ask("GET", f"{HERE}/forecast?hours=4"))["forecast"]
    assert hours[0]["probability"] < 0.5 < 0.85 < hours[1]["probability"]
    await world.end(begun.wire_transaction_id, 1_000)


async def test_connectors_that_are_kept_for_somebody_are_known(world: World) -> None:
    """One for a card, the other for a client."""
    doors, now = await with_past(world, 21), world.clock.now()
    until = now + timedelta(minutes=70)
    await world.sql(
        "INSERT INTO evpower.ocpp_reservations (station_id, connector_id, id_tag, expires_at, status, created_at)"
        " VALUES ('EVP-001-01', 1, 'CARD', %s, 'Active', %s)",
        until,
        now,
    )
    await world.sql("INSERT INTO clients (id) VALUES ('kept-for')")
    await world.sql(
        "INSERT INTO evpower.reservations (id, wire_id, client_id, station_id, connector_id, any_connector, status,"
        " scheduled, minutes, created_at, blocks_from, starts_at, expires_at, free_cancel_until, per_minute,"
        " no_show_fee, hold_tyiyn, guaranteed)"
        " VALUES ('r', 7, 'kept-for', 'EVP-001-01', 2, false, 'reserved', true, 60, %s, %s, %s, %s, %s, 0, 0, 0, true)",
        now,
        now + timedelta(minutes=30),
        now + timedelta(minutes=30),
        until,
        now,
    )
    hours = (await doors.ask("GET", f"{HERE}/forecast?hours=3"))["forecast"]
    assert [each["basis"] for each in hours] == ["history", "known", "history"]
    assert hours[1]["probability"] == 0.05


async def test_what_cannot_be_read_is_400(world: World) -> None:
    doors = PhoneDoors(world)
    for query, field in (("hours=0", "hours"), ("hours=169", "hours"), ("hours=x", "hours"), ("from=soon", "from")):
        refused = await doors.ask("GET", f"{HERE}/forecast?{query}", status=400)
        assert [each["field"] for each in refused["detail"]] == [field]


async def test_unknown_is_404_and_so_is_switched_off(world: World) -> None:
    doors, off = PhoneDoors(world), PhoneDoors(world, forecasts=None)
    for what in ("forecast", "best-times"):
        assert (await doors.ask("GET", f"/locations/EVP-LOC-404/{what}", status=404))["error"] == "not_found"
        await doors.ask("GET", f"/locations/a%01/{what}", status=404)
        other = await doors.ask("GET", f"{HERE}/{what}?connector_type=CCS", status=404)
        assert other["error"] == "connector_not_found"
        assert (await off.ask("GET", f"{HERE}/{what}", status=404))["error"] == "not_found"
    assert (await off.ask("GET", "/locations?arrive_in=25"))["total"] == 1
    await doors.ask("GET", "/locations?arrive_in=-1", status=400)

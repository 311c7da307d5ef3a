"""The nightly scores, over PostgreSQL (roadmap/forecast-navigation §3)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from quart import Blueprint

from evpower.http.operators.charges.forecast import forecast_score_routes
from evpower.http.wire.application import HttpApplication, RequestLimits
from evpower.http.wire.rights import act_as
from tests.attention.test_door import EVERYBODY
from tests.worlds.charging import World
from tests.worlds.fakes import CountingIds

#: A midnight of Bishkek; the day before the day before is scored then.
MIDNIGHT = datetime(2026, 11, 23, 18, tzinfo=UTC)
DAY = timedelta(days=1)
#: One location is free every morning, the other every afternoon.
PLACES = """
INSERT INTO locations (id, name, address) VALUES ('EVP-LOC-002', 'Other', 'Street');
INSERT INTO stations (id, serial_number, location_id) VALUES ('EVP-002-01', 'EVPCS-002', 'EVP-LOC-002');
INSERT INTO connectors (id, station_id, connector_number) VALUES ('EVP-002-01-1', 'EVP-002-01', 1);
"""
HOURS = """
INSERT INTO evpower.availability_hours
SELECT place, '*', h, 3600,
       CASE WHEN (extract(hour FROM h AT TIME ZONE 'Asia/Bishkek') < 12) = (place = 'EVP-LOC-001') THEN 3600 ELSE 0 END,
       9
FROM generate_series(%s::timestamptz, %s::timestamptz, interval '1 hour') h,
     unnest(array['EVP-LOC-001', 'EVP-LOC-002']) place
"""
FREE = """
INSERT INTO evpower.free_times (station_id, connector_number, began_at, ended_at)
SELECT station, 1, b, b + interval '12 hours'
FROM generate_series(%s::timestamptz, %s::timestamptz, interval '1 day') d,
     unnest(array['EVP-001-01', 'EVP-002-01']) station,
     LATERAL (SELECT CASE WHEN station = 'EVP-001-01' THEN d ELSE d + interval '12 hours' END AS b) l
"""


@pytest.fixture
async def past(world: World) -> World:
    """Twelve days of two locations."""
    began_at = MIDNIGHT - 12 * DAY
    await world.sql(PLACES)
    await world.sql("UPDATE stations SET created_at = %s", began_at)
    await world.sql(
        "INSERT INTO evpower.forecast_watermark (began_at, looked_at, hours_until) VALUES (%s, %s, %s)",
        began_at,
        MIDNIGHT,
        MIDNIGHT,
    )
    await world.sql(HOURS, began_at, MIDNIGHT - timedelta(hours=1))
    await world.sql(FREE, began_at, MIDNIGHT - DAY)
    world.clock.advance((MIDNIGHT - world.clock.now()).total_seconds() + 60)
    return world


async def scores(world: World) -> list[tuple[object, ...]]:
    rows = await world.sql("SELECT * FROM evpower.forecast_scores ORDER BY day, horizon_min, method")
    return [tuple(row.values()) for row in rows]


async def test_each_day_behind_a_week_is_scored_once_its_targets_are_past(past: World) -> None:
    await past.app.forecast_nightly.work()
    days = {row[0] for row in await scores(past)}
    assert sorted(f"{day}" for day in days) == ["2026-11-19", "2026-11-20", "2026-11-21", "2026-11-22"]
    first = await scores(past)
    await past.app.forecast_nightly.work()
    assert await scores(past) == first


async def test_a_pattern_of_every_day_has_skill(past: World) -> None:
    await past.app.forecast_nightly.work()
    found = await past.app.forecasts.scores()
    assert found.days == 4
    assert found.says.skill[360] > 0.5
    assert found.says.skill[1440] <= 0
    assert found.scores.count(15, "model") == 2 * 4 * 24


async def test_what_came_after_a_day_does_not_reach_its_scores(past: World) -> None:
    """§7 #7, of the SQL: hours after a scored day's midnight are altered, and of its day everything else stays."""
    await past.app.forecast_nightly.work()
    before = [row for row in await scores(past) if f"{row[0]}" == "2026-11-19"]
    await past.sql("DELETE FROM evpower.forecast_scores")
    await past.sql("DELETE FROM evpower.forecast_reliability")
    midnight = MIDNIGHT - 5 * DAY
    await past.sql("UPDATE evpower.availability_hours SET free_s = 3600 - free_s WHERE hour_start >= %s", midnight)
    await past.sql("DELETE FROM evpower.free_times WHERE began_at >= %s", midnight + 2 * DAY)
    await past.app.forecast_nightly.work()
    assert [row for row in await scores(past) if f"{row[0]}" == "2026-11-19"] == before
    assert len({row[0] for row in await scores(past)}) == 4


async def test_moments_that_nobody_watched_are_not_scored(past: World) -> None:
    await past.sql("INSERT INTO evpower.unwatched_times VALUES (%s, %s)", MIDNIGHT - 5 * DAY, MIDNIGHT - 4 * DAY)
    await past.app.forecast_nightly.work()
    counts = await past.sql(
        "SELECT n FROM evpower.forecast_scores WHERE day = '2026-11-19' AND method = 'model' AND horizon_min = 15"
    )
    assert counts == []


async def test_while_another_process_scores_this_one_does_not(past: World) -> None:
    await past.sql("UPDATE evpower.forecast_watermark SET scoring_until = %s", past.clock.now() + timedelta(minutes=1))
    await past.app.forecast_nightly.work()
    assert await scores(past) == []
    past.clock.advance(120)
    await past.app.forecast_nightly.work()
    assert await scores(past)


async def test_a_new_score_is_a_new_model(past: World) -> None:
    await past.sql("UPDATE evpower.forecast_watermark SET cells_of = %s", (MIDNIGHT - DAY).date())
    await past.app.forecasts.refresh()
    first = past.app.forecasts._model
    await past.app.forecast_nightly.work()
    await past.app.forecasts.refresh()
    second = past.app.forecasts._model
    assert (first.scored.skill, set(second.scored.skill)) == ({}, {15, 60, 360, 1440})
    await past.app.forecasts.refresh()
    assert past.app.forecasts._model is second


async def test_staff_see_the_scores_and_what_came_true(past: World) -> None:
    await past.app.forecast_nightly.work()
    app, routes = HttpApplication("test", ids=CountingIds(), limits=RequestLimits()), Blueprint("door", __name__)
    routes.before_request(partial(act_as, EVERYBODY))
    routes.register_blueprint(forecast_score_routes(past.app.forecasts))
    app.register_blueprint(routes)
    data = (await (await app.test_client().get("/forecast/scores")).get_json())["data"]
    assert (data["days"], data["tau_min"], len(data["by_day"])) == (4, 45, 4)
    assert [(each["horizon_min"], each["n"]) for each in data["horizons"]] == [(n, 192) for n in (15, 60, 360, 1440)]
    assert set(data["horizons"][2]["brier"]) == {"model", "served", "persistence", "location_mean", "network_curve"}
    assert data["horizons"][2]["skill"] > 0.5
    assert sum(each["n"] for each in data["reliability"]) == 4 * 192
    assert all(0.05 <= each["predicted"] <= 0.95 for each in data["reliability"])

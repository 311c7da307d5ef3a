"""What is observed of connectors, over PostgreSQL (roadmap/forecast-navigation §1)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from evpower.db.unit_of_work import reading
from evpower.forecast.calendar import HOUR, Calendar
from evpower.forecast.rows.cells import CELL, read_sums
from evpower.identifiers import ClientId
from tests.worlds.charging import ONE, TWO, World

PLACE = "EVP-LOC-001"
ZONE = ZoneInfo("Asia/Bishkek")


async def look_for(world: World, minutes: int, every: int = 1) -> None:
    """A look a minute for so long."""
    for _ in range(minutes // every):
        world.clock.advance(every * 60)
        await world.app.forecast_keeper.work()


async def hours(world: World, connector_type: str = "*") -> list[tuple[int, int, int]]:
    rows = await world.sql(
        "SELECT * FROM evpower.availability_hours WHERE connector_type = %s ORDER BY hour_start", connector_type
    )
    return [(each["observed_s"], each["free_s"], each["arrivals"]) for each in rows]


@pytest.fixture
async def watched(world: World) -> World:
    """From 12:00 of Bishkek on, both connectors free."""
    await world.sql("UPDATE stations SET created_at = %s, last_heartbeat_at = %s", *2 * [world.clock.now()])
    await world.app.forecast_keeper.work()
    return world


async def test_an_hour_counts_while_at_least_one_of_a_type_is_free(watched: World) -> None:
    """One taken for twenty minutes, the other for the ten in their middle."""
    await watched.sql("UPDATE connectors SET connector_type = 'CCS' WHERE connector_number = 2")
    await watched.say("Charging", connector=ONE)
    await look_for(watched, 5)
    await watched.say("Charging", connector=TWO)
    await look_for(watched, 10)
    await watched.say("Available", connector=TWO)
    await look_for(watched, 5)
    await watched.say("Available", connector=ONE)
    await look_for(watched, 42)
    assert await hours(watched) == [(3600, 3600 - 600, 0)]
    assert await hours(watched, "gbt") == [(3600, 3600 - 1200, 0)]
    assert await hours(watched, "ccs") == [(3600, 3600 - 600, 0)]


async def test_a_station_that_is_offline_is_observed_and_not_free(watched: World) -> None:
    """§7 #4. The silence counts from when it was heard of last, not from when it was noticed."""
    await look_for(watched, 5)
    await watched.sql("UPDATE stations SET is_available = false, last_heartbeat_at = %s", watched.clock.now())
    await look_for(watched, 120)
    assert await hours(watched) == [(3600, 300, 0), (3600, 0, 0)]


async def test_maintenance_is_observed_and_not_free(watched: World) -> None:
    await look_for(watched, 60)
    await watched.sql("UPDATE stations SET status = 'maintenance'")
    await look_for(watched, 60)
    assert (await hours(watched))[1] == (3600, 60, 0)


async def test_a_charge_is_an_arrival_and_takes_its_connector_from_its_start(watched: World) -> None:
    await watched.give(1_000_00)
    await look_for(watched, 30)
    started = await watched.order(energy_wh=1_000)
    await watched.charge(started.session.session_id, 1_000)
    await look_for(watched, 31)
    assert await hours(watched) == [(3600, 3600, 1)]


async def test_time_in_which_nobody_looked_is_not_observed(watched: World) -> None:
    await look_for(watched, 10)
    watched.clock.advance(30 * 60)
    await look_for(watched, 20)
    assert await hours(watched) == [(3600 - 1860, 3600 - 1860, 0)]


async def test_an_hour_of_less_than_thirty_minutes_is_no_observation(watched: World) -> None:
    await look_for(watched, 28)
    watched.clock.advance(4 * 3600 + 300)
    await look_for(watched, 92, every=4)
    assert [row[0] for row in await hours(watched)] == [28 * 60, 23 * 60, 3600]
    now = watched.clock.now()
    async with reading(watched.pool) as conn:
        found = await read_sums(conn, Calendar(ZONE), [PLACE], now - timedelta(days=9), Calendar(ZONE).hour(now))
    assert found[PLACE].hours == 1


async def test_hours_can_be_computed_anew_and_come_out_the_same(watched: World) -> None:
    await look_for(watched, 30)
    await watched.say("Charging", connector=ONE)
    await watched.say("Charging", connector=TWO)
    await look_for(watched, 31)
    before = await watched.sql("SELECT * FROM evpower.availability_hours ORDER BY 1, 2, 3")
    await watched.sql("DELETE FROM evpower.availability_hours")
    await watched.app.forecast_keeper.recompute(watched.clock.now() - HOUR, watched.clock.now())
    assert await watched.sql("SELECT * FROM evpower.availability_hours ORDER BY 1, 2, 3") == before != []


async def test_while_the_clock_is_in_doubt_nothing_is_observed(watched: World) -> None:
    watched.clock.jump(7200)
    await watched.app.forecast_keeper.work()
    (mark,) = await watched.sql("SELECT looked_at FROM evpower.forecast_watermark")
    assert mark["looked_at"] < watched.clock.now()


async def test_who_was_refused_while_nothing_was_free_was_turned_away_once(watched: World) -> None:
    await watched.give(1_000_00)
    await watched.say("Charging", connector=ONE)
    await look_for(watched, 1)
    await refused(watched, "a")
    await watched.say("Charging", connector=TWO)
    await look_for(watched, 1)
    for client in ("b", "b", "c"):
        await refused(watched, client)
    await look_for(watched, 60)
    assert [(each["refused"], each["waiting"]) for each in await watched.sql("SELECT * FROM evpower.turned_away")] == [
        (2, 0)
    ]


async def test_who_waits_while_nothing_is_free_is_counted_once(watched: World) -> None:
    for connector in (ONE, TWO):
        await waits(watched, f"early-{connector}")
        await watched.say("Charging", connector=connector)
        await look_for(watched, 1)
    await waits(watched, "late")
    await look_for(watched, 3)
    assert [each["waiting"] for each in await watched.sql("SELECT * FROM evpower.turned_away")] == [2]


async def waits(world: World, client: str) -> None:
    await world.sql("INSERT INTO clients (id) VALUES (%s)", client)
    await world.sql(
        "INSERT INTO evpower.favorite_watches (client_id, location_id, created_at, until) VALUES (%s, %s, %s, %s)",
        client,
        PLACE,
        world.clock.now() + timedelta(seconds=30),
        world.clock.now() + timedelta(hours=2),
    )


async def refused(world: World, client: str) -> None:
    await world.sql(
        "INSERT INTO evpower.start_attempts (attempted_at, client_id, station_id, connector_id, door, answer)"
        " VALUES (%s, %s, 'EVP-001-01', 1, 'phone', 'connector_occupied')",
        world.clock.now(),
        ClientId(client),
    )


async def test_the_week_of_the_database_is_the_calendars(watched: World) -> None:
    """Ordinary days, a holiday of each year and one of this year, at every hour."""
    calendar = Calendar(ZONE, frozenset({"03-08", "2026-11-25"}))
    moments = [datetime(2026, 11, 22, tzinfo=UTC) + n * HOUR for n in range(170)]
    moments += [datetime(2027, 3, 7, 20, tzinfo=UTC) + n * HOUR for n in range(30)]
    rows = await cells_of(watched, calendar, moments)
    assert [row["cell"] for row in rows] == [calendar.cell(at) for at in moments]
    assert calendar.cell(datetime(2026, 11, 25, 6, tzinfo=UTC)) == 6 * 24 + 12


async def cells_of(world: World, calendar: Calendar, moments: list[datetime]) -> list[dict[str, object]]:
    async with reading(world.pool) as conn:
        cursor = await conn.execute(
            f"SELECT {CELL} AS cell FROM unnest(%(at)s::timestamptz[]) WITH ORDINALITY a (at, n)"
            " CROSS JOIN LATERAL (SELECT a.at AT TIME ZONE %(zone)s AS local) l ORDER BY n",
            {"at": moments, "zone": calendar.zone.key, "holidays": list(calendar.holidays)},
        )
        return list(await cursor.fetchall())


async def test_cells_are_made_of_what_was_before_the_day(watched: World) -> None:
    """At midnight of Bishkek, twelve hours later: twelve observations of a Monday."""
    await look_for(watched, 12 * 60 + 1, every=4)
    await watched.app.forecast_nightly.work()
    (cells,) = await watched.sql("SELECT * FROM evpower.forecast_cells WHERE connector_type = '*'")
    assert cells["hours"] == 12
    assert [n for n, weight in enumerate(cells["weights"]) if weight] == list(range(12, 24))
    assert 0.98 < cells["weights"][12] < cells["weights"][23] < 1
    assert cells["connectors"] == 2

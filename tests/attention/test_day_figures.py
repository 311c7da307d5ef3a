"""Start success: reached charging, of those that reached it and those that failed (operator-pages §3.4)."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from evpower.attention.beneath import Beneath, disk_room
from evpower.attention.overview import Starts
from evpower.charging.errors import SessionFailed
from evpower.errors import EvPowerError
from evpower.identifiers import ClientId
from evpower.link.ports import Outcome
from evpower.pages.frame.sparkline import sparkline
from tests.worlds.charging import STATION, World
from tests.worlds.pages import Browser


async def starts(world: World) -> Starts:
    await world.app.pictures.look()
    assert world.app.pictures.latest is not None
    return world.app.pictures.latest.day.starts


async def test_a_clients_own_refusal_is_no_failure_and_its_word_is_shown(world: World) -> None:
    await world.give(1_000_00)
    started = await world.order(energy_wh=1_000)
    await world.charge(started.session.session_id, 1_000)
    world.link.outcome = Outcome.REJECTED
    with pytest.raises(SessionFailed):
        await world.order(energy_wh=1_000)
    for name in ("poor", "poorer"):
        with pytest.raises(EvPowerError):
            await world.order(energy_wh=1_000, client=ClientId(name))
    assert await starts(world) == Starts(2, 1, (("insufficient_balance", 2), ("session_failed", 1)))


async def test_a_start_that_is_not_decided_yet_counts_for_nothing(world: World) -> None:
    await world.give(1_000_00)
    await world.order(energy_wh=1_000)
    assert await starts(world) == Starts(0, 0, ())


async def test_the_picture_has_the_last_24_hours_of_each_figure(world: World) -> None:
    await world.app.availability.work()
    await world.app.pictures.look()
    assert world.app.pictures.latest is not None
    assert {len(curve) for curve in world.app.pictures.latest.day.curves.values()} == {24}


def test_a_line_has_a_gap_where_there_is_nothing_and_none_of_one_point() -> None:
    assert 'd="M0.0 10.0M64.0 1.0L96.0 1.0"' in sparkline([0.5, None, 1, 1], "x", 1)
    assert sparkline([None, 1, None], "x") == ""
    assert "&lt;" in sparkline([0, 0], "<")


async def test_a_disk_that_fills_is_raised_since_it_was_seen_and_withdrawn(world: World) -> None:
    room = [(9, 100), (9, 100), (10, 100)]
    beneath = Beneath(world.clock, world.app.journal, dict, "no/such/place", lambda _path: room.pop(0), tuple)
    first = (await beneath.read()).short_since
    world.clock.advance(60)
    assert (await beneath.read()).short_since == first == world.clock.now() - timedelta(seconds=60)
    assert (await beneath.read()).short_since is None


def test_a_place_that_is_not_there_yet_has_the_room_above_it() -> None:
    assert disk_room(Path("no/such/place"))[1] == disk_room(Path.cwd())[1]


async def test_the_networks_uptime_is_of_the_time_its_stations_were_known(world: World) -> None:
    """Ten days known, one of them away; one that is new counts for its day, a closed one not at all."""
    now = world.clock.now()
    await world.sql("UPDATE stations SET created_at = %s, last_heartbeat_at = %s", now - timedelta(days=10), now)
    for name, known, status in (("NEW", 1, "active"), ("OFF", 30, "maintenance")):
        await world.sql(
            "INSERT INTO stations (id, serial_number, location_id, status, created_at, last_heartbeat_at)"
            " VALUES (%s, %s, 'EVP-LOC-001', %s, %s, %s)",
            name,
            name,
            status,
            now - timedelta(days=known),
            now,
        )
    for hour in range(24):
        for name in (STATION, "OFF"):
            await world.sql(
                "INSERT INTO evpower.station_hours VALUES (%s, %s, 3600, 0, 0, 0, 0, 0)",
                name,
                now - timedelta(days=2, hours=hour),
            )
    assert await world.app.availability.network_uptime() == pytest.approx(1 - 1 / 11)
    assert await world.app.availability.network_uptime(days=1) == 1
    browser = await Browser(world).sign_in()
    assert "90.91 % of 30 days" in (await browser.get("/")).text
    await world.sql("UPDATE stations SET last_heartbeat_at = NULL")
    assert await world.app.availability.network_uptime() is None

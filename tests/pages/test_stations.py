"""A station's page: its state, its tabs in three languages, its frames as they pass (contract/operator-pages §4)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import trio

from evpower.http.operators.tracing import TraceFeed
from evpower.identifiers import StationId
from evpower.link.ports import SocketNow
from evpower.pages.live import LONGEST_STREAM_S
from evpower.pages.stations.trace import FrameFilter, TraceStream
from evpower.texts.catalogue import LANGUAGES
from tests.pages.test_lookups import settled
from tests.worlds.charging import STATION, World
from tests.worlds.fakes import NOON
from tests.worlds.frames import call, result
from tests.worlds.pages import Browser, KeptFrames

PAGE = f"/stations/{STATION}"
TABS = ("", "/charges", "/readings", "/availability", "/configuration", "/money", "/history")


async def is_connected(world: World, *, address: str = "10.0.0.7") -> None:
    await world.sql("INSERT INTO evpower.processes VALUES ('p1', %s, %s)", NOON, NOON + timedelta(hours=1))
    query = "INSERT INTO evpower.charger_connections VALUES (%s, 'p1', %s, %s)"
    await world.sql(query, STATION, NOON, address)


@pytest.mark.parametrize("language", LANGUAGES)
async def test_every_tab_reads_in_every_language(browser: Browser, world: World, language: str) -> None:
    await settled(world)
    await is_connected(world)
    await world.boot()
    browser.frames.kept += [call("Heartbeat", {}), result({"status": "Rejected"})]
    browser.sockets.now[STATION] = SocketNow("Accepted", True, True, NOON, {"no time zone": 3}, {})
    await world.sql("INSERT INTO evpower.ocpp_configuration VALUES (%s, 'A', '1', true, true, %s)", STATION, NOON)
    await browser.post("/choices", language=language, next="/")
    for tab in TABS:
        page = await browser.get(PAGE + tab)
        assert f'lang="{language}"' in page.html
        assert "10.0.0.7" in page.text
        assert "no time zone ×3" in page.text
        assert len(page.ids) == len(set(page.ids)), tab


async def test_a_station_that_never_came_shows_the_exact_address_and_its_last_refusal(
    browser: Browser, world: World
) -> None:
    await world.sql("UPDATE stations SET last_heartbeat_at = NULL")
    await world.app.reports.login_refused(STATION, "10.0.0.9", "wrong password")
    await world.app.reports.login_refused(STATION, "10.0.0.9", "no credentials")
    page = await browser.get(PAGE)
    assert "never connected" in page.text
    assert f"ws://localhost:9000/ws/{STATION}" in page.text
    assert "No password is set." in page.text
    assert "from 10.0.0.9, no credentials, 2 in all" in page.text


async def test_a_refused_login_of_an_unknown_name_leaves_no_row(world: World) -> None:
    """Any name can be made up."""
    await world.sql("SELECT 1")
    with pytest.raises(Exception, match="refused_logins"):
        await world.app.reports.login_refused(StationId("made-up"), "10.0.0.9", "wrong password")
    assert await world.sql("SELECT * FROM evpower.refused_logins") == []


async def test_a_login_refused_from_the_same_address_is_on_the_page(browser: Browser, world: World) -> None:
    await is_connected(world)
    await world.sql("INSERT INTO stations (id, serial_number, location_id) VALUES ('OTHER', 'x', 'EVP-LOC-001')")
    await world.app.reports.login_refused(StationId("OTHER"), "10.0.0.7", "wrong password")
    assert "From the same address OTHER was refused" in (await browser.get(PAGE)).text


async def test_a_stranger_has_a_page_for_who_may_accept_it(browser: Browser, world: World) -> None:
    query = """INSERT INTO evpower.ocpp_strangers (identity, status, vendor, model, address, boots, first_seen_at,
               last_seen_at) VALUES ('NEW-1', 'pending', 'V', 'M', '10.0.0.8', 2, %s, %s)"""
    await world.sql(query, NOON, NOON)
    page = await browser.get("/stations/NEW-1")
    assert "unknown station" in page.text
    assert "/network/strangers" in page.links
    await browser.get("/stations/NOBODY", 404)
    await (await Browser(world).sign_in("operator", "bek")).get("/stations/NEW-1", 403)


async def test_a_setting_unlike_those_of_siblings_is_marked(browser: Browser, world: World) -> None:
    await world.sql(
        "INSERT INTO stations (id, serial_number, location_id) SELECT 'S' || n, 's' || n, 'EVP-LOC-001' "
        "FROM generate_series(1, 3) n"
    )
    settings = [
        (STATION, "Interval", "900"),
        ("S1", "interval", "60"),
        ("S2", "Interval", "60"),
        ("S3", "Interval", "9"),
    ]
    settings += [(STATION, "Same", "1"), ("S1", "Same", "1"), (STATION, "Alone", "x")]
    for station, key, value in settings:
        query = "INSERT INTO evpower.ocpp_configuration VALUES (%s, %s, %s, false, false, %s)"
        await world.sql(query, station, key, value, NOON)
    page = await browser.get(PAGE + "/configuration")
    assert "1 unlike its siblings" in page.text
    assert "Interval ≠ 900 60 2/3" in page.text


async def test_money_shows_the_price_and_what_came_in(browser: Browser, world: World) -> None:
    await settled(world)
    page = await browser.get(PAGE + "/money")
    assert "13.5 som/kWh" in page.text
    assert "67.50 som" in page.text


async def test_outages_have_their_cause_and_days_their_uptime(browser: Browser, world: World) -> None:
    assert "never out of sight" in (await browser.get(PAGE + "/availability")).text
    query = """INSERT INTO evpower.station_outages (station_id, began_at, ended_at, cause, close_code)
               VALUES (%s, %s, %s, 'silence', 1006)"""
    await world.sql("UPDATE stations SET created_at = %s", NOON - timedelta(days=3))
    await world.sql(query, STATION, NOON - timedelta(hours=2), NOON - timedelta(hours=1))
    page = await browser.get(PAGE + "/availability")
    assert "its socket was open, and nothing came 1006: cut, without a goodbye" in page.text
    assert "60 min" in page.text
    assert 'class="away"' in page.html


async def test_an_inactive_station_has_no_price_and_its_page_reads(browser: Browser, world: World) -> None:
    await world.sql("UPDATE stations SET status = 'inactive'")
    assert "inactive" in (await browser.get(PAGE + "/money")).text


async def test_frames_are_filtered_by_action_by_trouble_and_by_time(browser: Browser, world: World) -> None:
    browser.frames.kept += [
        call("Heartbeat", {}),
        call("Authorize", {"idTag": "CARD"}, after_s=60),
        {**result({"status": "Rejected"}), "at": NOON + timedelta(seconds=120)},
    ]
    assert "asks about card CARD" in (await browser.get(PAGE)).text
    narrowed = (await browser.get(PAGE + "?action=heartbeat")).text
    assert "is alive" in narrowed
    assert "CARD" not in narrowed
    troubles = (await browser.get(PAGE + "?errors=1")).text
    assert "Reset answered: Rejected" in troubles
    assert "is alive" not in troubles
    later = await browser.get(PAGE + "?since=2026-11-23T12:01")  # UTC+6
    assert "is alive" not in later.text
    assert "CARD" in later.text
    assert "data-stream" not in later.html


async def test_a_station_of_others_is_not_streamed(world: World) -> None:
    await (await Browser(world).sign_in("operator")).get(PAGE + "/trace", 403)


def stream_of(frames: KeptFrames, wanted: FrameFilter, after: Any = None, *, elsewhere: bool = False) -> TraceStream:
    feed = TraceFeed(frames, lambda: elsewhere, STATION, after, 100, follow=True)
    return TraceStream(feed, wanted, after, lambda entry: str(entry["action"]), {})


async def test_frames_come_as_they_pass_and_none_twice() -> None:
    """Who connects anew names the last one that was seen."""
    frames = KeptFrames()
    seen, missed = call("Seen", {}), call("Missed", {}, after_s=1)
    frames.kept += [seen, missed]
    async with stream_of(frames, FrameFilter(), NOON) as stream:
        assert (await stream.__anext__()).startswith(b": connected")
        frames.passes(call("Later", {}, after_s=2))
        with trio.fail_after(20):
            batches = [(await stream.__anext__()).decode() for _ in range(3)]
    assert batches[0] == ": not wanted\n\n"
    assert "data: Missed" in batches[1]
    assert batches[2] == "id: 2026-11-23T06:00:02+00:00\ndata: Later\n\n"


async def test_frames_of_a_station_at_another_process_come_by_its_rows(autojump_clock: object) -> None:
    frames = KeptFrames()
    async with stream_of(frames, FrameFilter(), elsewhere=True) as stream:
        await stream.__anext__()
        frames.kept.append(call("There", {}))
        assert "data: There" in (await stream.__anext__()).decode()


async def test_a_stream_of_a_quiet_station_is_alive_and_ends_by_itself(autojump_clock: object) -> None:
    async with stream_of(KeptFrames(), FrameFilter(troubles=True)) as stream:
        await stream.__anext__()
        assert (await stream.__anext__()).startswith(b"event: alive")
        began_at_s = trio.current_time()
        with pytest.raises(StopAsyncIteration):
            while True:
                await stream.__anext__()
        assert trio.current_time() - began_at_s <= LONGEST_STREAM_S

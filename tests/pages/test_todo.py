"""The To do list on the first screen: what rows raise is shown with the button, and leaves by itself (§3.1)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from evpower.attention.conditions import Condition, ConditionKind
from evpower.attention.folding import Item
from evpower.attention.service import forget_marks
from evpower.attention.todo import Todo, TodoEntry
from evpower.charging.errors import SessionFailed
from evpower.clock import SystemClock
from evpower.events import StationChanged
from evpower.network.status import StatusReport
from evpower.pages.frame.assets import read_assets
from evpower.pages.frame.rendering import Renderer
from evpower.pages.system import LogLine
from evpower.pages.why import FRAMES, LINES
from evpower.settings.config import Config
from evpower.texts.catalogue import LANGUAGES, Language
from tests.worlds.charging import ONE, STATION, World
from tests.worlds.fakes import NOON, CountingIds
from tests.worlds.frames import call
from tests.worlds.pages import Browser, Page

KEY = "0123456789abcdef"
FACTS: dict[str, str | int] = {
    "connector": 1,
    "session": "1703a9f7",
    "energy_wh": 900,
    "word": "<GroundFailure>",
    "failed": 3,
    "tried": 5,
    "worked": 2,
    "provider": "odengi",
    "order": "42",
    "reason": "why",
    "count": 2,
    "name": "7",
    "days": 3,
    "free_mib": 900,
}


async def silence(world: World) -> None:
    """The station is not heard of for longer than it may be silent."""
    await world.boot()
    await world.sql("UPDATE stations SET last_heartbeat_at = %s", world.clock.now())
    world.clock.advance(301)


async def test_nothing_to_do_says_so_and_what_was_last(browser: Browser, world: World) -> None:
    await world.sql("UPDATE stations SET last_heartbeat_at = %s", world.clock.now())
    assert "Nothing needs you." in (await browser.get("/")).text
    await silence(world)
    page = await browser.get("/")
    assert f"{STATION} is offline" in page.text
    assert "1 to do (0 urgent)" in page.text
    await world.sql("UPDATE stations SET last_heartbeat_at = %s", world.clock.now())
    world.clock.advance(3)
    page = await browser.get("/")
    assert f"Nothing needs you. Last: {STATION} is offline" in page.text
    assert "ended 12:05:04" in page.text
    assert "0 to do (0 urgent)" in page.text


async def test_a_row_is_somebodys_and_may_wait_and_both_are_kept(browser: Browser, world: World) -> None:
    await silence(world)
    item = f"station_offline:{STATION}"
    form = (await browser.get("/")).form("/todo")
    assert form["item"] == item
    assert (await browser.post("/todo", key=form["key"], item=item, act="mine")).status_code == 303
    assert "operator:aida takes care" in (await browser.get("/")).text
    assert (await browser.post("/todo", key=KEY, item=item, act="snooze")).status_code == 303
    page = await browser.get("/")
    assert "put off until 13:05:01" in page.text
    assert "0 to do" in page.text
    acts = await world.sql("SELECT act, target, actor FROM evpower.operator_acts ORDER BY act")
    assert [(each["act"], each["target"], each["actor"]) for each in acts] == [
        ("mine", item, "operator:aida"),
        ("snooze", item, "operator:aida"),
    ]
    world.clock.advance(timedelta(hours=1).total_seconds())
    assert "1 to do" in (await browser.get("/")).text


@pytest.mark.parametrize(
    ("item", "act", "status"),
    [("station_offline:nowhere", "mine", 404), ("", "mine", 404), (f"station_offline:{STATION}", "delete", 400)],
)
async def test_a_row_that_is_not_there_or_an_act_that_is_none_is_refused(
    browser: Browser, world: World, item: str, act: str, status: int
) -> None:
    await silence(world)
    assert (await browser.post("/todo", key=KEY, item=item, act=act)).status_code == status
    assert await world.sql("SELECT key FROM evpower.attention_marks") == []


async def test_an_operator_without_stations_sees_no_row_and_takes_none(world: World) -> None:
    await silence(world)
    browser = await Browser(world).sign_in("operator")
    page = await browser.get("/")
    assert STATION not in page.text
    assert "held 0.00" in page.text
    assert (await browser.post("/todo", key=KEY, item=f"station_offline:{STATION}", act="mine")).status_code == 404


async def test_rows_of_every_statement_are_raised(world: World) -> None:
    """A charge that hangs, an estimate that awaits its stop, starts that fail, a report that matched nothing."""
    await world.give(100_000)
    started = await world.order(amount_tyiyn=10_000)
    await world.sql("UPDATE stations SET last_heartbeat_at = now() + interval '1 day'")
    await world.sql(
        "INSERT INTO evpower.ocpp_parked (station_id, action, reason, payload, received_at)"
        " VALUES (%s, 'StopTransaction', 'unknown', '{}', %s)",
        STATION,
        world.clock.now(),
    )
    for client in ("a", "b", "c"):
        await world.sql(
            "INSERT INTO evpower.start_attempts (attempted_at, client_id, station_id, connector_id, door, answer)"
            " VALUES (%s, %s, %s, 2, 'phone', %s)",
            world.clock.now(),
            client,
            STATION,
            SessionFailed.code,
        )
    await world.sql("UPDATE evpower.session_phases SET phase = 'starting'")
    world.clock.advance(91)
    await world.app.pictures.look()
    picture = world.app.pictures.latest
    assert picture is not None
    (entry,) = picture.todo.entries
    assert {part.kind.value for part in entry.item.parts} == {"start_hangs", "starts_fail", "report_parked"}
    assert entry.item.money_tyiyn == 10_000
    assert started.session.session_id in {part.session_id for part in entry.item.parts}


WHY = f"/todo/why?item=station_offline%3A{STATION}"


async def why(browser: Browser, address: str = WHY) -> Page:
    """The piece that a row gets when it is opened."""
    return await browser.get(address, **{"HX-Request": "true"}, status=200)


async def test_why_a_row_is_there_is_read_when_it_is_opened(browser: Browser, world: World) -> None:
    """The row itself asks for no frame; without JavaScript it leads to them."""
    browser.frames.kept += [call("Heartbeat", {}, after_s=at) for at in range(5)]
    await silence(world)
    page = await browser.get("/")
    assert f'hx-get="{WHY}" hx-trigger="toggle once"' in page.html
    assert f'<a href="/stations/{STATION}/live">' in page.html
    assert "is alive" not in page.text
    browser.frames.kept += [call("Authorize", {"idTag": "CARD"}, after_s=9)]
    piece = await why(browser)
    assert piece.text.count("is alive") == FRAMES - 1
    assert "12:00:09 ← asks about card CARD" in piece.text
    assert "<html" not in piece.html


async def test_a_station_without_frames_says_so_and_why(browser: Browser, world: World) -> None:
    await silence(world)
    assert (await why(browser)).text.endswith("in the time that frames are kept.")
    browser.frames.is_recording = False
    assert "ocpp.record_frames" in (await why(browser)).text


async def test_frames_of_a_station_of_others_are_not_read(world: World) -> None:
    await silence(world)
    await (await Browser(world).sign_in("operator")).get(WHY, 404)


async def test_a_row_of_a_location_has_the_last_frames_of_its_stations_by_name(browser: Browser, world: World) -> None:
    await world.sql("INSERT INTO stations (id, serial_number, location_id) VALUES ('EVP-2', 'N-1', 'EVP-LOC-001')")
    await silence(world)
    browser.frames.kept += [call("Heartbeat", {}, after_s=at) for at in range(9)]
    page = await browser.get("/")
    assert 'hx-get="/todo/why?item=location%3AEVP-LOC-001"' in page.html
    assert '<a href="/todo/why?item=location%3AEVP-LOC-001">' in page.html
    page = await browser.get("/todo/why?item=location:EVP-LOC-001")
    assert "<html" in page.html, "a page of its own without JavaScript"
    assert "2 of 2 stations offline" in page.text
    assert page.text.count("is alive") == FRAMES
    assert "EVP-2 ← is alive" in page.text
    assert f"{STATION} ← is alive" in page.text


async def test_a_row_of_no_station_has_the_log_lines_that_name_it(browser: Browser, world: World) -> None:
    await world.sql(
        "INSERT INTO evpower.ledger_checks (began_at, ended_at, entries, problems)"
        " VALUES (now(), now(), 1, '{\"a\": 2}')"
    )
    browser.lines += [
        LogLine(NOON, "WARNING", "evpower.money", f"the ledger: {number} rows are broken") for number in range(7)
    ]
    browser.lines += [LogLine(NOON, "ERROR", "evpower.money", "ledgers are not the ledger-thing")]
    piece = await why(browser, "/todo/why?item=ledger_finding:ledger")
    assert piece.text.count("rows are broken") == LINES
    assert "6 rows are broken" in piece.text
    assert "ledgers" not in piece.text
    browser.lines.clear()
    assert "No warning" in (await why(browser, "/todo/why?item=ledger_finding:ledger")).text


async def test_log_lines_are_for_who_sees_the_whole_network(world: World) -> None:
    await silence(world)
    await world.sql("UPDATE locations SET user_id = 'bek'")
    operator, admin = await Browser(world).sign_in("operator", "bek"), await Browser(world).sign_in("admin")
    for browser, is_shown in ((operator, False), (admin, True)):
        browser.lines.append(LogLine(NOON, "ERROR", "evpower.ocpp", f"station {STATION} broke the door"))
        browser.lines.append(LogLine(NOON, "ERROR", "evpower.ocpp", f"station {STATION}-2 is another one"))
        text = (await why(browser)).text
        assert ("broke the door" in text) is is_shown
        assert "another one" not in text


async def test_what_ended_while_nobody_looked_has_no_moment(browser: Browser, world: World) -> None:
    await silence(world)
    await browser.get("/")
    world.clock.advance(1800)
    await world.sql("UPDATE stations SET last_heartbeat_at = %s", world.clock.now())
    assert "ended between 12:05:01 and 12:35:01" in (await browser.get("/")).text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", ConditionKind)
def test_every_condition_has_a_sentence_in_every_language_with_nothing_left_open(
    kind: ConditionKind, language: Language
) -> None:
    head = Condition(kind, "x", NOON, True, 500, STATION, "L1", "ТЦ", facts=FACTS)
    item = Item("k", "station", (head, head))
    render = Renderer(SystemClock(), CountingIds(), Config().billing.timezone, read_assets())
    html = render.text("now/todo.html", language, glance=_Seen(Todo((TodoEntry(item),))))
    assert "{" not in html
    assert "<GroundFailure>" not in html


class _Seen:
    def __init__(self, todo: Todo) -> None:
        self.todo = todo


async def test_what_people_made_of_rows_is_forgotten_after_days(world: World) -> None:
    await world.app.marks.take("k", "a")
    await forget_marks(world.pool, world.clock.now() + timedelta(days=1))
    assert len(await world.sql("SELECT key FROM evpower.attention_marks")) == 1
    await forget_marks(world.pool, world.clock.now() + timedelta(days=3))
    assert await world.sql("SELECT key FROM evpower.attention_marks") == []


async def test_a_fault_has_its_makers_words_for_as_long_as_it_is_the_last_status(
    browser: Browser, world: World
) -> None:
    await world.sql("UPDATE stations SET last_heartbeat_at = %s", world.clock.now())
    at = world.clock.now()
    report = StatusReport(ONE, "Faulted", "OtherError", at, "door open", "Delta", "E-31")
    await world.app.reports.connector_status(STATION, report)
    assert f"{STATION}/1 is faulted: OtherError (Delta E-31 door open)" in (await browser.get("/")).text
    world.clock.advance(10)
    await world.say("Faulted", error="OtherError")
    world.app.bus.publish(StationChanged(STATION))
    await world.at_rest()
    assert f"{STATION}/1 is faulted: OtherError " in (await browser.get("/")).text
    assert "Delta" not in (await browser.get("/")).text

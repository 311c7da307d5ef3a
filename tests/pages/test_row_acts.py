"""What a row of To do offers: forms of the station's page, the stop of its charge, the page that decides (§3.1)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from evpower.attention.conditions import Condition, ConditionKind
from evpower.attention.folding import Item, Scope
from evpower.attention.todo import Todo, TodoEntry
from evpower.clock import SystemClock
from evpower.identifiers import StationId
from evpower.pages.frame.assets import read_assets
from evpower.pages.frame.rendering import Renderer
from evpower.pages.frame.row_acts import STATION_ACTS, decided_at, order_asked_about, station_acts
from evpower.pages.stations.acts import BY_NAME
from evpower.settings.config import Config
from evpower.staff.rights import Right
from tests.pages.test_money import parked
from tests.pages.test_todo import FACTS, _Seen
from tests.worlds.charging import STATION, World
from tests.worlds.fakes import NOON, CountingIds
from tests.worlds.pages import Browser


def test_every_act_is_one_of_the_stations_own() -> None:
    assert {name for names in STATION_ACTS.values() for name in names} <= set(BY_NAME)


def test_forms_are_filled_from_the_row() -> None:
    row = Condition(ConditionKind.STARTS_FAIL, "x", NOON, station_id=STATION, facts={"connector": 2})
    assert [each.address for each in station_acts(row)] == [
        "/stations/EVP-001-01/do/reset?connector=2",
        "/stations/EVP-001-01/do/availability?connector=2",
    ]


@pytest.mark.parametrize(
    ("kind", "subject", "address"),
    [
        (ConditionKind.PAYMENT_PARKED, "7", "/money#parked-7"),
        (ConditionKind.STRANGER_WAITS, "A/B", "/network/strangers#A%2FB"),
        (ConditionKind.REFUND_OPEN, "12", "/money#refund-12"),
        (ConditionKind.STATION_OFFLINE, "A", None),
    ],
)
def test_what_a_person_decides_has_its_page(kind: ConditionKind, subject: str, address: str | None) -> None:
    assert decided_at(Condition(kind, subject, NOON)) == address


def test_a_provider_that_decides_nothing_has_the_question_that_waits_longest() -> None:
    row = Condition(ConditionKind.PAYMENTS_UNDECIDED, "odengi", NOON, facts={"order": "tu/7"})
    assert decided_at(row) == "/money#undecided-tu%2F7"
    assert order_asked_about(row) == "tu/7"
    assert decided_at(Condition(ConditionKind.PAYMENTS_UNDECIDED, "odengi", NOON)) == "/money#undecided-"


async def test_a_provider_that_decides_nothing_is_asked_from_its_row(browser: Browser, world: World) -> None:
    await parked(world, "processing")
    world.clock.advance(11 * 60)
    form = (await browser.get("/todo")).form("/money/ask")
    assert form["order"] == "tu_7"
    for _ in range(2):
        response = await browser.send("/money/ask", form)
    page = await browser.get(response.headers["Location"].partition("#")[0])
    assert "undecided-tu_7" in page.ids
    assert "asked the provider → done" in page.text
    assert (await world.sql("SELECT due_why FROM evpower.top_up_orders"))[0]["due_why"] == "forced"
    # A form of an old page, once the provider has decided.
    await world.sql("UPDATE evpower.top_up_orders SET phase = 'canceled'")
    response = await browser.send("/money/ask", {**form, "key": "f" * 16})
    assert response.status_code == 303
    assert (
        "the provider has decided it already"
        in (await browser.get(response.headers["Location"].partition("#")[0])).text
    )


async def test_an_error_beside_another_status_is_counted_where_its_row_is(browser: Browser, world: World) -> None:
    await world.sql("UPDATE stations SET last_heartbeat_at = %s", world.clock.now())
    await world.say("Available", error="HighTemperature")
    page = await browser.get("/")
    assert "1 faulted" in page.text
    assert "is faulted: HighTemperature" in page.text
    assert [given["class"] for tag, given in page.tags if tag == "i"][:1] == ["f e"]


async def test_a_faulted_connector_offers_a_reset_to_who_may(world: World) -> None:
    await world.sql("UPDATE stations SET last_heartbeat_at = %s", world.clock.now())
    await world.say("Faulted", error="GroundFailure")
    browser = await Browser(world).sign_in()
    page = await browser.get("/")
    assert f"/stations/{STATION}/do/reset?connector=1" in page.links
    assert f"/stations/{STATION}/do/availability?connector=1" in page.links
    await browser.get(f"/stations/{STATION}/do/availability?connector=1")


async def test_who_may_not_ask_the_station_gets_no_act() -> None:
    row = Condition(ConditionKind.START_HANGS, "x", NOON, station_id=STATION, session_id="s-1", facts=FACTS)
    render = Renderer(SystemClock(), CountingIds(), Config().billing.timezone, read_assets())

    def shown(*, may: bool) -> str:
        entry = TodoEntry(Item("k", "one", (row,)))
        return render.text("now/todo.html", "en", glance=_Seen(Todo((entry,))), visitor=_Visitor(is_allowed=may))

    assert "/charges/s-1/stop" in shown(may=True)
    assert "/charges/s-1/stop" not in shown(may=False)


@pytest.mark.parametrize(("scope", "is_called"), [("one", True), ("location", True), ("network", False)])
def test_a_silent_station_or_place_has_a_call_sheet_and_a_silent_network_has_none(
    scope: Scope, is_called: bool
) -> None:
    """Whom would somebody call when the reason is ours?"""
    silent = Condition(ConditionKind.STATION_OFFLINE, STATION, NOON, station_id=STATION, location_name="L")
    entry = TodoEntry(Item("k", scope, (silent, silent), 4))
    render = Renderer(SystemClock(), CountingIds(), Config().billing.timezone, read_assets())
    html = render.text("now/todo.html", "en", glance=_Seen(Todo((entry,))), visitor=None)
    assert (f"/stations/{STATION}/call-sheet" in html) == is_called


class _Visitor:
    def __init__(self, *, is_allowed: bool) -> None:
        self._is_allowed = is_allowed

    def may(self, right: Right, station_id: StationId) -> bool:
        assert (right, station_id) == (Right.COMMAND, STATION)
        return self._is_allowed


async def test_a_start_that_hangs_is_given_up_from_its_row_once(world: World) -> None:
    await world.give(1_000_00)
    started = await world.order(energy_wh=1_000)
    world.clock.advance(91)
    await world.sql("UPDATE stations SET last_heartbeat_at = %s", world.clock.now())
    browser = await Browser(world).sign_in()
    action = f"/charges/{started.session.session_id}/stop"
    form = (await browser.get("/todo")).form(action)
    for _ in range(2):
        assert (await browser.send(action, form)).status_code == 303
    assert (await world.session(started.session.session_id)).status != "started"
    assert await world.balance() == 1_000_00


async def test_what_a_check_of_the_ledger_found_stands_in_the_list_until_one_finds_nothing(world: World) -> None:
    async def checked(problems: dict[str, int]) -> str:
        world.clock.advance(timedelta(minutes=1).total_seconds())
        await world.sql(
            "INSERT INTO evpower.ledger_checks (began_at, ended_at, entries, problems) VALUES (%s, %s, 1, %s::jsonb)",
            world.clock.now(),
            world.clock.now(),
            str(problems).replace("'", '"'),
        )
        await world.sql("UPDATE stations SET last_heartbeat_at = %s", world.clock.now())
        return (await (await Browser(world).sign_in(name=f"a{world.clock.now():%M}")).get("/")).text

    assert "found 2 broken rows (entries do not balance)" in await checked({"entries do not balance": 2})
    assert "broken rows (entries do not balance). Do not" not in (await checked({})).split("Nothing needs you")[0]

"""Power groups written on a page: by whom, once, by REST's rules, and never over what somebody changed meanwhile."""

from __future__ import annotations

import re
from typing import Any

import pytest
import trio
from werkzeug.datastructures import Headers, MultiDict

from tests.worlds.charging import STATION, World
from tests.worlds.pages import ORIGIN, Browser, Page

LIST = "/network/power"
NEW = f"{LIST}/new"
PLACE = f"{NEW}?location=EVP-LOC-001"
ONE, TWO = f"{STATION}/1", f"{STATION}/2"
GROUP = {"name": "Ввод", "limit": "40", "unit": "a", "failsafe_a": "6,5", f"{ONE}.in": "on", f"{ONE}.max_a": "32"}
PEAK = {"h0.from": "18:00", "h0.to": "22:00", "h0.limit_kw": "15,5", "h0.day1": "on", "h0.day7": "on"}
NIGHT = {**PEAK, "h0.from": "23:00", "h0.to": "05:00"}
#: The form of hours says how many rows it has.
ROWS = [("row", str(number)) for number in range(3)]


def unticked(form: dict[str, str]) -> dict[str, str]:
    """As a browser sends it: a box that is not ticked is not sent."""
    boxes = re.compile(r".*\.(in|dc|day\d)")
    return {name: value for name, value in form.items() if not boxes.fullmatch(name)}


def many(form: dict[str, str], more: list[tuple[str, str]]) -> MultiDict[str, str]:
    """A form with a field that stands in it several times."""
    return MultiDict([*((name, value) for name, value in form.items() if name != "row"), *more])


async def made(browser: Browser, **other: str) -> str:
    """A group with one connector; its page."""
    form = unticked((await browser.get(PLACE)).form(NEW))
    response = await browser.send(NEW, {**form, **GROUP, **other})
    assert response.status_code == 303, browser.text
    return response.headers["Location"]


async def groups(world: World) -> list[dict[str, Any]]:
    return await world.sql(
        "SELECT g.name, g.limit_a, g.limit_kw, g.failsafe_a, g.active, m.connector_id, m.max_a, m.dc"
        " FROM evpower.power_groups g LEFT JOIN evpower.power_group_members m ON m.group_id = g.id ORDER BY g.id, 6"
    )


async def test_a_new_group_is_written_once_and_its_page_comes(browser: Browser, world: World) -> None:
    assert NEW in (await browser.get(LIST)).links
    assert "EVP-LOC-001" in (await browser.get(NEW)).html
    form = {**unticked((await browser.get(PLACE)).form(NEW)), **GROUP}
    places = {(await browser.send(NEW, form)).headers["Location"] for _ in range(2)}
    assert len(places) == 1
    (row,) = await groups(world)
    assert (row["name"], float(row["limit_a"]), float(row["failsafe_a"]), row["active"]) == ("Ввод", 40, 6.5, True)
    assert (row["connector_id"], float(row["max_a"]), row["dc"]) == (1, 32, False)
    page = await browser.get(places.pop())
    assert "Limit 40.0 A" in page.text
    acts = await world.sql("SELECT act, target, outcome FROM evpower.operator_acts WHERE act LIKE 'power%%'")
    assert acts == [{"act": "power_groups-add", "target": "EVP-LOC-001", "outcome": "done"}]


async def test_a_group_is_changed_by_a_form_of_what_it_is(browser: Browser, world: World) -> None:
    at = await made(browser)
    edit = f"{at}/edit"
    form = unticked((await browser.get(edit)).form(edit))
    assert (form["name"], form["limit"], form[f"{ONE}.max_a"]) == ("Ввод", "40", "32")
    changed = {**form, "limit": "22", "unit": "kw", f"{TWO}.in": "on", f"{TWO}.dc": "on"}
    for _ in range(2):
        assert (await browser.send(edit, changed)).headers["Location"] == at
    assert [(float(row["limit_kw"]), row["connector_id"], row["dc"]) for row in await groups(world)] == [(22, 2, True)]
    assert "changed a group of sockets" in (await browser.get("/journal")).text


async def test_a_form_of_a_group_that_somebody_changed_meanwhile_writes_nothing(browser: Browser, world: World) -> None:
    at = await made(browser)
    for action, more in ((f"{at}/edit", {f"{ONE}.in": "on"}), (f"{at}/schedule", PEAK)):
        form = {**unticked((await browser.get(action)).form(action)), **more}
        await world.sql("UPDATE evpower.power_groups SET limit_a = limit_a + 1")
        assert (await browser.send(action, form)).status_code == 409
        assert "somebody has changed it meanwhile" in browser.text
        assert await world.sql("SELECT 1 FROM evpower.power_schedules") == []


@pytest.mark.parametrize("door", ["edit", "schedule"])
async def test_of_two_forms_of_one_state_that_are_sent_at_once_one_is_refused(
    browser: Browser, world: World, door: str
) -> None:
    at = await made(browser)
    action = f"{at}/{door}"
    forms = [unticked((await browser.get(action)).form(action)) for _ in range(2)]
    answers: list[int] = []

    async def send(form: dict[str, str], other: dict[str, str]) -> None:
        response = await browser.client.post(action, form=many({**form, **other}, ROWS), headers=ORIGIN)
        answers.append(response.status_code)

    async with trio.open_nursery() as both:
        both.start_soon(send, forms[0], {f"{ONE}.in": "on", "limit": "30"} if door == "edit" else PEAK)
        both.start_soon(send, forms[1], {f"{TWO}.in": "on", "limit": "50"} if door == "edit" else NIGHT)
    assert sorted(answers) == [303, 409]


async def test_a_form_that_is_wrong_is_still_one_of_what_it_was_made_of(browser: Browser, world: World) -> None:
    """Mended and sent again it writes nothing over what somebody changed before it was sent the first time."""
    at = await made(browser)
    edit = f"{at}/edit"
    form = {**unticked((await browser.get(edit)).form(edit)), f"{ONE}.in": "on"}
    await world.sql("UPDATE evpower.power_groups SET limit_a = limit_a + 1")
    await browser.send(edit, {**form, "limit": "much"})
    page = Page(browser.text, Headers())
    assert (await browser.send(edit, {**page.form(edit), f"{ONE}.in": "on", "limit": "30"})).status_code == 409


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"name": ""}, "Name: is needed"),
        ({"limit": "much"}, "Limit: a number from 0"),
        ({"limit": "NaN"}, "Limit: a number from 0"),
        ({"limit": ""}, "Limit: a number from 0"),
        ({"failsafe_a": "1e9"}, "Failsafe of each connector, A: a number"),
        ({"phases": "2"}, "Phases: 3 or 1"),
        ({"parent_id": "77"}, "Beneath: another group"),
        ({f"{ONE}.max_a": "5"}, f"{ONE}, Most, A: a number from 0 to 1,000, not below the least"),
        ({f"{ONE}.priority": "x"}, f"{ONE}, Priority: a whole number"),
        ({"limit": "6"}, "the failsafes of all connectors together must stay below each limit"),
    ],
)
async def test_a_wrong_field_is_named_and_nothing_is_written(
    browser: Browser, world: World, wrong: dict[str, str], said: str
) -> None:
    form = {**unticked((await browser.get(PLACE)).form(NEW)), **GROUP, **wrong}
    assert (await browser.send(NEW, form)).status_code == 400
    assert said in browser.text
    assert "Nothing was done" in browser.text
    assert 'value="6,5"' in browser.text or "failsafe_a" in wrong
    assert await groups(world) == []


async def test_peak_hours_are_filled_in_and_written_in_place_of_what_was(browser: Browser, world: World) -> None:
    at = await made(browser)
    action = f"{at}/schedule"
    peaks = (await browser.get(f"{action}?peaks=1")).form(action)
    assert (peaks["h0.from"], peaks["h0.to"], peaks["h1.from"], peaks["h1.to"]) == ("07:00", "09:00", "18:00", "22:00")
    form = unticked((await browser.get(action)).form(action))
    for _ in range(2):
        response = await browser.client.post(action, form=many({**form, **PEAK}, ROWS), headers=ORIGIN)
        assert response.status_code == 303
    (row,) = await world.sql("SELECT days, since::text, until::text, limit_kw FROM evpower.power_schedules")
    assert (row["days"], row["since"], row["until"], float(row["limit_kw"])) == ([1, 7], "18:00:00", "22:00:00", 15.5)
    assert "By the clock: Mo Su 18:00–22:00: 15.5 kW" in (await browser.get(at)).text
    wrong = {**unticked((await browser.get(action)).form(action)), **PEAK, "h0.to": "25:00", "h0.limit_kw": "x"}
    response = await browser.client.post(action, form=many(wrong, ROWS), headers=ORIGIN)
    assert response.status_code == 400
    text = await response.get_data(as_text=True)
    assert "1. To: a time such as 09:00" in text
    assert len(await world.sql("SELECT 1 FROM evpower.power_schedules")) == 1


async def test_a_group_with_groups_beneath_it_is_not_deleted_and_one_without_is(browser: Browser, world: World) -> None:
    at = await made(browser)
    beneath = await made(browser, parent_id=at.rpartition("/")[2], name="Щит", failsafe_a="0", **{f"{ONE}.in": ""})
    for path, status, left in ((at, 409, 2), (beneath, 303, 1), (at, 303, 0)):
        form = (await browser.get(f"{path}/edit")).form(f"{path}/delete")
        assert (await browser.send(f"{path}/delete", form)).status_code == status
        assert len(await world.sql("SELECT 1 FROM evpower.power_groups")) == left
    assert await world.sql("SELECT 1 FROM evpower.power_group_members") == []


async def test_an_operator_writes_no_group(browser: Browser, world: World) -> None:
    at = await made(browser)
    other = await Browser(world).sign_in("operator", "bek")
    for path in (NEW, PLACE, f"{at}/edit", f"{at}/schedule"):
        await other.get(path, 403)
    for path in (NEW, f"{at}/edit", f"{at}/schedule", f"{at}/delete"):
        assert (await other.send(path, {"key": "f" * 16, **GROUP})).status_code == 403
    assert "admin" in other.text
    assert len(await groups(world)) == 1

"""Commands typed into the search: the station's form asks once more, does it once, and says the answer (§2, §9)."""

from __future__ import annotations

import pytest

from evpower.link.errors import ChargerOffline, CommandTimedOut
from evpower.pages.commands import WORDS, read_command
from evpower.pages.stations.acts import BY_NAME
from tests.worlds.charging import STATION, World
from tests.worlds.pages import Browser

KEY = "0123456789abcdef"


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("reset EVP-001-01", "reset?kind=soft"),
        ("  RESET-HARD   EVP-001-01 ", "reset?kind=hard"),
        ("disable EVP-001-01/2", "availability?operative=inoperative&connector=2"),
        ("enable EVP-001-01", "availability?operative=operative"),
        ("unlock EVP-001-01/1", "unlock?connector=1"),
        ("clear-cache EVP-001-01", "clear_cache"),
    ],
)
def test_a_text_is_a_command(text: str, form: str) -> None:
    command = read_command(text)
    assert command is not None
    assert command.form == f"/stations/{STATION}/do/{form}"


def test_every_word_is_an_act_of_the_stations_page() -> None:
    assert {act for act, _, _ in WORDS.values()} <= BY_NAME.keys()


@pytest.mark.parametrize(
    "text", ["", "reset", "reset EVP/1", "unlock EVP-001-01", "resett EVP-001-01", "reset EVP 001", "disable EVP/x"]
)
def test_any_other_text_is_searched_for(text: str) -> None:
    assert read_command(text) is None


async def typed(browser: Browser, text: str) -> str | None:
    """Where a text in the search leads."""
    return (await browser.client.get("/search", query_string={"q": text})).headers.get("Location")


async def test_a_command_is_asked_once_more_and_done_once(browser: Browser, world: World) -> None:
    world.link.replies["ChangeAvailability"] = {"status": "Accepted"}
    path = await typed(browser, "disable EVP-001-01/2")
    assert path is not None
    page = await browser.get(path)
    assert 'value="2" selected' in page.html
    assert 'value="inoperative" selected' in page.html
    assert world.link.commanded == []
    action = path.partition("?")[0]
    form = {**page.form(action), "connector": "2", "operative": "inoperative"}
    for _ in range(2):
        assert (await browser.send(action, form)).status_code == 303
    assert len(world.link.commanded) == 1
    (act,) = await world.sql("SELECT actor, act, target, outcome FROM evpower.operator_acts")
    assert act == {"actor": "operator:aida", "act": "availability", "target": STATION, "outcome": "done"}


async def test_a_command_without_fields_is_a_form_too(browser: Browser, world: World) -> None:
    world.link.replies["ClearCache"] = {"status": "Rejected"}
    path = await typed(browser, "clear-cache EVP-001-01")
    assert path is not None
    response = await browser.send(path, (await browser.get(path)).form(path))
    assert "Rejected" in (await browser.get(response.headers["Location"])).text, "the station's answer is shown"


async def test_a_station_that_is_away_is_a_reason_and_no_answer_is_not_called_a_failure(
    browser: Browser, world: World
) -> None:
    path = f"/stations/{STATION}/do/reset"
    for number, (reply, shown) in enumerate(((ChargerOffline(), "offline"), (CommandTimedOut(), "no answer"))):
        world.link.replies["Reset"] = reply
        response = await browser.send(path, {"key": f"{KEY}{number}", "kind": "soft"})
        page = await browser.get(response.headers["Location"])
        assert shown in page.text
        assert "it may still act on it" in page.text


async def test_what_is_no_command_or_no_station_of_ours_does_nothing(world: World, browser: Browser) -> None:
    assert await typed(browser, "burn EVP-001-01") is None
    path = await typed(browser, "reset NOWHERE")
    assert path is not None
    await browser.get(path, 404)
    operator = await Browser(world).sign_in("operator", name="bakyt")
    assert await typed(operator, "reset EVP-001-01") is None
    await operator.get(f"/stations/{STATION}/do/reset", 403)

"""Commands typed into the search: asked once more, done once, and their answer or that there was none (§2, §9)."""

from __future__ import annotations

import pytest

from evpower.link.errors import ChargerOffline, CommandTimedOut
from evpower.pages.commands import read_command
from tests.worlds.charging import STATION, World
from tests.worlds.pages import Browser

KEY = "0123456789abcdef"


@pytest.mark.parametrize(
    ("text", "operation"),
    [
        ("reset EVP-001-01", ("reset", {"kind": "soft"})),
        ("  RESET-HARD   EVP-001-01 ", ("reset", {"kind": "hard"})),
        ("disable EVP-001-01/2", ("change-availability", {"operative": False, "connector_id": 2})),
        ("enable EVP-001-01", ("change-availability", {"operative": True})),
        ("unlock EVP-001-01/1", ("unlock", {"connector_id": 1})),
    ],
)
def test_a_text_is_a_command(text: str, operation: tuple[str, dict[str, object]]) -> None:
    command = read_command(text)
    assert command is not None
    assert command.operation == operation


@pytest.mark.parametrize(
    "text", ["", "reset", "reset EVP/1", "unlock EVP-001-01", "resett EVP-001-01", "reset EVP 001", "disable EVP/x"]
)
def test_any_other_text_is_searched_for(text: str) -> None:
    assert read_command(text) is None


async def send(browser: Browser, command: str, key: str = KEY) -> int:
    return (await browser.send("/commands", {"key": key, "command": command})).status_code


async def test_a_command_is_asked_once_more_and_done_once(browser: Browser, world: World) -> None:
    world.link.replies["Reset"] = {"status": "Accepted"}
    page = await browser.get("/search?q=reset EVP-001-01")
    form = page.form("/commands")
    assert "Do it: reset EVP-001-01" in page.text
    assert world.link.commanded == []
    for _ in range(2):
        assert (await browser.send("/commands", form)).status_code == 200
    assert len(world.link.commanded) == 1
    (act,) = await world.sql("SELECT actor, act, target, outcome FROM evpower.operator_acts")
    assert act == {"actor": "operator:aida", "act": "reset", "target": "reset EVP-001-01", "outcome": "done"}


async def test_the_station_s_answer_is_shown(browser: Browser, world: World) -> None:
    world.link.replies["Reset"] = {"status": "Rejected"}
    await send(browser, "reset EVP-001-01")
    assert "Rejected" in browser.text


async def test_a_station_that_is_away_is_a_reason_and_no_answer_is_not_called_a_failure(
    browser: Browser, world: World
) -> None:
    world.link.connected.discard(STATION)
    world.link.replies["Reset"] = ChargerOffline()
    assert await send(browser, "reset EVP-001-01") == 409
    assert "✘" in browser.text
    world.link.connected.add(STATION)
    world.link.replies["Reset"] = CommandTimedOut()
    assert await send(browser, "reset EVP-001-01", KEY + "2") == 200
    assert "We do not know" in browser.text
    assert "✘" not in browser.text


async def test_what_is_no_command_or_no_station_of_ours_does_nothing(world: World, browser: Browser) -> None:
    assert await send(browser, "burn EVP-001-01") == 404
    assert await send(browser, "reset NOWHERE", KEY + "2") == 409
    operator = await Browser(world).sign_in("operator", name="bakyt")
    assert await send(operator, "reset EVP-001-01", KEY + "3") == 403
    assert "Do it" not in (await operator.get("/search?q=reset EVP-001-01")).text
    assert world.link.commanded == []

"""What is done to a station from its page: once for each form, with the right for it, its answer in its place (§4)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import trio

from evpower.errors import DatabaseUnavailable
from evpower.link.errors import CommandTimedOut
from evpower.pages.stations.acts import ACTS
from evpower.pages.stations.asking import act_stage
from evpower.staff.acts import Intent
from evpower.staff.records import Acting
from evpower.staff.rows.acts import OperatorAct
from tests.worlds.charging import CLIENT, STATION, World
from tests.worlds.fakes import NOON
from tests.worlds.pages import Browser

PAGE = f"/stations/{STATION}"
KEY = "0123456789abcdef"


async def acts(world: World) -> list[dict[str, Any]]:
    return await world.sql("SELECT actor, act, outcome, answer, detail FROM evpower.operator_acts ORDER BY acted_at")


async def do(browser: Browser, act: str, *, key: str = KEY, **fields: str) -> str:
    """Send an act's form, and read what came of it."""
    response = await browser.send(f"{PAGE}/do/{act}", {"key": key, **fields})
    assert response.status_code == 303, browser.text
    return (await browser.get(response.headers["Location"])).text


async def test_every_act_has_a_form_and_a_button(browser: Browser, world: World) -> None:
    await world.sql(
        "INSERT INTO evpower.ocpp_station_status (station_id, ocpp_version) SELECT id, '2.0.1' FROM public.stations"
    )
    page = await browser.get(PAGE)
    for act in ACTS:
        assert f"{PAGE}/do/{act.name}" in page.links
        form = (await browser.get(f"{PAGE}/do/{act.name}")).form(f"{PAGE}/do/{act.name}")
        assert set(form) == {"key", *(each.name for each in act.fields)}


@pytest.mark.parametrize(
    ("act", "fields", "sent"),
    [
        ("reset", {"kind": "hard"}, ("Reset", {"type": "Hard"})),
        ("unlock", {"connector": "2"}, ("UnlockConnector", {"connectorId": 2})),
        ("trigger", {"message": "Heartbeat"}, ("TriggerMessage", {"requestedMessage": "Heartbeat"})),
        (
            "trigger",
            {"message": "StatusNotification", "connector": "1"},
            ("TriggerMessage", {"requestedMessage": "StatusNotification", "connectorId": 1}),
        ),
        (
            "availability",
            {"connector": "0", "operative": "inoperative"},
            ("ChangeAvailability", {"connectorId": 0, "type": "Inoperative"}),
        ),
        ("configuration", {"setting": "A", "value": "5"}, ("ChangeConfiguration", {"key": "A", "value": "5"})),
        ("configuration", {"setting": "A"}, ("ChangeConfiguration", {"key": "A", "value": ""})),
    ],
)
async def test_a_command_is_sent_once_and_its_answer_shown(
    browser: Browser, world: World, act: str, fields: dict[str, str], sent: tuple[str, dict[str, Any]]
) -> None:
    if act == "unlock":
        world.link.replies["UnlockConnector"] = {"status": "Unlocked"}
    for _ in range(2):
        text = await do(browser, act, key=KEY, **fields)
        assert "asked 12:00:00 → done" in text
        assert ("Unlocked" if act == "unlock" else "Accepted") in text
    assert world.link.commanded == [sent]
    (kept,) = await acts(world)
    assert (kept["actor"], kept["act"], kept["outcome"]) == ("operator:aida", act, "done")
    assert "aida" in (await browser.get(f"{PAGE}/history")).text


async def test_a_refusal_of_the_station_is_shown_in_its_own_word(browser: Browser, world: World) -> None:
    world.link.replies["Reset"] = {"status": "Rejected"}
    assert "Rejected : Rejected" in await do(browser, "reset", kind="soft")


async def test_a_station_that_is_away_may_still_have_acted(browser: Browser, world: World) -> None:
    world.link.connected.clear()
    text = await do(browser, "reset", kind="soft")
    assert "offline" in text
    assert "it may still act on it" in text
    assert "Here is how to look" in text


async def test_no_answer_may_still_be_acted_on(browser: Browser, world: World) -> None:
    world.link.replies["Reset"] = CommandTimedOut()
    assert "no answer — it may still act on it" in await do(browser, "reset", kind="soft")


async def test_an_answer_that_is_awaited_is_shown_when_it_comes(
    browser: Browser, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page does not wait for the station, and the act does not end with the page."""
    monkeypatch.setattr("evpower.staff.asked_acts.AT_ONCE_S", 0.05)
    answered, ask = trio.Event(), world.link.ask

    async def slow(*args: Any) -> Any:
        await answered.wait()
        return await ask(*args)

    monkeypatch.setattr(world.link, "ask", slow)
    assert "waiting 0 s of 30" in await do(browser, "reset", kind="soft")
    assert 'http-equiv="refresh"' in browser.text
    world.clock.advance(12)
    assert "waiting 12 s of 30" in (await browser.get(f"{PAGE}/asked/{KEY}")).text
    answered.set()
    await world.at_rest()
    text = (await browser.get(f"{PAGE}/asked/{KEY}")).text
    assert "done : Accepted" in text
    assert 'http-equiv="refresh"' not in browser.text


KEPT = OperatorAct(KEY, NOON, "operator:a", "reset", "S", None, None, None)


@pytest.mark.parametrize(
    ("outcome", "age_s", "stage"),
    [
        (None, 30, "waiting"),
        (None, 31, "late"),
        (None, 120, "late"),
        (None, 121, "unknown"),
        ("done", 500, "done"),
        ("station_offline", 1, "maybe"),
        ("command_timeout", 1, "maybe"),
        ("command_rejected", 1, "refused"),
    ],
)
def test_how_far_an_act_is_is_known_by_its_row(outcome: str | None, age_s: float, stage: str) -> None:
    assert act_stage(replace(KEPT, outcome=outcome), NOON + timedelta(seconds=age_s), 30) == stage


async def test_nobody_knows_what_was_done_when_the_database_went_away(world: World) -> None:
    """Not a refusal: the station may have been asked already."""

    async def loses() -> None:
        raise DatabaseUnavailable("away")

    act = await world.app.asked_acts.ask(Acting("operator:a"), Intent(KEY, "reset", STATION), loses)
    assert act.outcome is None


async def test_a_lost_answer_says_that_we_do_not_know(browser: Browser, world: World) -> None:
    query = "INSERT INTO evpower.operator_acts (key, acted_at, actor, act, target) VALUES (%s, %s, 'x', 'reset', %s)"
    await world.sql(query, KEY, NOON, STATION)
    world.clock.advance(600)
    text = (await browser.get(f"{PAGE}/asked/{KEY}")).text
    assert "we do not know what became of it" in text
    assert "Here is how to look" in text
    assert "failed" not in text.lower()


@pytest.mark.parametrize(
    ("act", "fields", "reason"),
    [
        ("reset", {"kind": "harder"}, "How: is none of the choices"),
        ("reset", {}, "How: is needed"),
        ("unlock", {"connector": "0"}, "Connector: there is no such connector"),
        ("unlock", {"connector": "²"}, "Connector: there is no such connector"),
        ("firmware", {"location": "ftp://x/y", "retrieve_at": "soon"}, "Not before: is no time"),
        ("start", {"client": "nobody", "connector": "1"}, "nobody is found"),
        ("start", {"client": CLIENT, "connector": "1", "amount": "-5"}, "must be above 0"),
        ("start", {"client": CLIENT, "connector": "1", "amount": "1,234"}, "is no sum"),
        ("stop", {}, "Charge: is needed"),
    ],
)
async def test_bad_input_gets_the_form_again_with_the_field_and_the_reason(
    browser: Browser, world: World, act: str, fields: dict[str, str], reason: str
) -> None:
    await world.give(100)
    response = await browser.send(f"{PAGE}/do/{act}", {"key": KEY, **fields})
    if response.status_code == 303:  # only a service could say what is wrong
        await browser.get(response.headers["Location"])
    else:
        assert await acts(world) == []
    assert reason in browser.text
    assert "Nothing was done" in browser.text
    for name, value in fields.items():
        assert value in browser.text or name in ("kind", "connector")  # a choice that there is not cannot be chosen
    assert world.link.commanded == []
    assert world.link.started == []


async def test_what_only_a_service_can_refuse_gets_the_form_again_with_what_was_filled_in(
    browser: Browser, world: World
) -> None:
    text = await do(browser, "configuration", setting="AuthorizationKey", value="0123456789abcdef0")
    assert "Nothing was done" in text
    assert "0123456789abcdef0" in browser.text
    assert "AuthorizationKey: пароль станции меняется отдельной командой" in text
    assert world.link.commanded == []


async def test_a_charge_is_started_for_a_driver_and_stopped(browser: Browser, world: World) -> None:
    await world.give(50_000)
    text = await do(browser, "start", client=CLIENT, connector="1", amount="100,50")
    assert "done" in text
    (session,) = await world.sql("SELECT id, reserved_amount FROM charging_sessions")
    assert str(session["reserved_amount"]) == "100.50"
    attempts = await world.sql("SELECT door, answer FROM evpower.start_attempts")
    assert attempts == [{"door": "command", "answer": "accepted"}]
    await world.begin(await world.tag_of(session["id"]))
    form = (await browser.get(f"{PAGE}/do/stop")).html
    assert session["id"] in form
    await do(browser, "stop", key=f"{KEY}2", session=session["id"])
    assert len(world.link.stopped) == 1


async def test_a_stop_of_a_charge_elsewhere_is_refused(browser: Browser, world: World) -> None:
    """The right was looked at for this station."""
    await world.give(50_000)
    started = await world.order(amount_tyiyn=10_000)
    query = "INSERT INTO stations (id, serial_number, location_id) VALUES ('OTHER', 'x', 'EVP-LOC-001')"
    await world.sql(query)
    path = "/stations/OTHER/do/stop"
    response = await browser.post(path, key=KEY, session=started.session.session_id)
    await browser.get(response.headers["Location"])
    assert "there is no such charge here" in browser.text
    assert world.link.stopped == []


async def test_a_station_is_closed_to_drivers_and_opened_again(browser: Browser, world: World) -> None:
    for number, mode in enumerate(("maintenance", "active")):
        await do(browser, "maintenance", key=f"{KEY}{number}", mode=mode)
        assert (await world.sql("SELECT status FROM stations"))[0]["status"] == mode


async def test_a_password_is_kept_nowhere(browser: Browser, world: World) -> None:
    await do(browser, "password", password="secret-secret-secret", push="here")
    (kept,) = await acts(world)
    assert "secret-secret" not in str(kept)
    assert "secret-secret" not in browser.text
    assert kept["outcome"] == "done"
    await do(browser, "password", key=f"{KEY}2", password="short", push="here")
    assert "Nothing was done" in browser.text
    assert "short" not in str(await acts(world))


async def test_an_operator_commands_their_own_stations_alone(world: World) -> None:
    await world.sql("UPDATE locations SET user_id = 'bek'")
    browser = await Browser(world).sign_in("operator", "bek")
    page = await browser.get(PAGE)
    assert f"{PAGE}/do/reset" in page.links
    for needs_more in ("start", "maintenance", "password"):
        assert f"{PAGE}/do/{needs_more}" not in page.links
        assert "admin, superadmin" in (await browser.get(f"{PAGE}/do/{needs_more}", 403)).text
        assert (await browser.post(f"{PAGE}/do/{needs_more}", key=KEY)).status_code == 403
    assert "done" in await do(browser, "reset", kind="soft")
    other = await Browser(world).sign_in("operator", "other")
    assert (await other.post(f"{PAGE}/do/reset", key=f"{KEY}2", kind="soft")).status_code == 403
    await other.get(f"{PAGE}/asked/{KEY}", 403)
    assert len(world.link.commanded) == 1


@pytest.mark.parametrize("path", ["/do/explode", "/asked/0123456789abcdeX", "/nonsense"])
async def test_what_is_not_there_is_404(browser: Browser, path: str) -> None:
    await browser.get(PAGE + path, 404)

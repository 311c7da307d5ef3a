"""What is done on pages: once for each form, by who has the right, and kept with their name (§1, §9)."""

from __future__ import annotations

import pytest

from evpower.errors import IdempotencyMismatch, SessionNotFound
from evpower.staff.acts import Intent
from evpower.staff.records import Acting
from tests.worlds.charging import World
from tests.worlds.pages import Browser

KEY = "0123456789abcdef"


async def running(world: World) -> str:
    await world.give(50_000)
    started = await world.order(amount_tyiyn=10_000)
    await world.begin(await world.tag_of(started.session.session_id))
    return started.session.session_id


async def acts(world: World) -> list[tuple[str, str, str, str]]:
    rows = await world.sql("SELECT actor, act, target, outcome FROM evpower.operator_acts ORDER BY acted_at")
    return [(row["actor"], row["act"], row["target"], row["outcome"]) for row in rows]


async def test_a_running_charge_is_stopped_from_the_first_screen(browser: Browser, world: World) -> None:
    session_id = await running(world)
    page = await browser.get("/")
    form = page.form(f"/charges/{session_id}/stop")
    assert (await browser.send(f"/charges/{session_id}/stop", form)).status_code == 303
    assert await acts(world) == [("operator:aida", "stop", session_id, "done")]
    phases = await world.sql("SELECT stop_requested_by FROM evpower.session_phases")
    assert phases == [{"stop_requested_by": "operator:aida"}]


async def test_a_form_that_is_sent_twice_acts_once(browser: Browser, world: World) -> None:
    session_id = await running(world)
    for _ in range(2):
        assert (await browser.post(f"/charges/{session_id}/stop", key=KEY)).status_code == 303
    assert len(await acts(world)) == 1
    assert len(world.link.stopped) == 1


async def test_a_key_of_another_act_is_refused(world: World) -> None:
    done: list[str] = []

    async def perform() -> None:
        done.append("once")

    await world.app.acts.once(Acting("operator:a"), Intent(KEY, "stop", "1"), perform)
    for acting, act, target in (("operator:b", "stop", "1"), ("operator:a", "reset", "1"), ("operator:a", "stop", "2")):
        with pytest.raises(IdempotencyMismatch):
            await world.app.acts.once(Acting(acting), Intent(KEY, act, target), perform)
    assert done == ["once"]


async def test_a_refusal_is_kept_with_its_name(world: World) -> None:
    async def refuse() -> None:
        raise SessionNotFound

    with pytest.raises(SessionNotFound):
        await world.app.acts.once(Acting("operator:a"), Intent(KEY, "stop", "1"), refuse)
    assert await acts(world) == [("operator:a", "stop", "1", "session_not_found")]


async def test_an_act_whose_process_died_has_no_outcome(world: World) -> None:
    async def die() -> None:
        raise SystemExit

    with pytest.raises(SystemExit):
        await world.app.acts.once(Acting("operator:a"), Intent(KEY, "stop", "1"), die)
    kept = await world.app.acts.act(KEY)
    assert kept is not None
    assert kept.outcome is None


async def test_an_operator_stops_nothing_at_other_peoples_stations(world: World) -> None:
    session_id = await running(world)
    browser = await Browser(world).sign_in("operator")
    refused = await browser.post(f"/charges/{session_id}/stop", key=KEY)
    assert refused.status_code == 403
    assert "admin, superadmin" in browser.text
    assert await acts(world) == []


@pytest.mark.parametrize("key", ["", "short", "x" * 65, "ключ-ключ-ключ-ключ"])
async def test_a_form_without_its_key_does_nothing(browser: Browser, world: World, key: str) -> None:
    session_id = await running(world)
    assert (await browser.post(f"/charges/{session_id}/stop", key=key)).status_code == 400
    assert await acts(world) == []

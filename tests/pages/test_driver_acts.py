"""What is done for a driver: a card blocked, a start, the provider asked, a payment given back (§6)."""

from __future__ import annotations

import pytest

from tests.worlds.charging import CLIENT, STATION, World
from tests.worlds.fakes import NOON
from tests.worlds.pages import Browser

KEY = "0123456789abcdef"
CARD = "INSERT INTO evpower.ocpp_authorization (id_tag, parent_id_tag, client_id, created_at) VALUES (%s, 'G', %s, %s)"


async def test_a_card_is_blocked_and_keeps_its_client_and_its_group(browser: Browser, world: World) -> None:
    await world.give(100)
    await world.sql(CARD, "CARD-1", CLIENT, NOON)
    for number, (act, status) in enumerate((("block_card", "Blocked"), ("unblock_card", "Accepted"))):
        assert f"/drivers/{CLIENT}/do/{act}?tag=CARD-1" in (await browser.get(f"/drivers/{CLIENT}")).links
        given = {"key": f"{KEY}{number}", "tag": "CARD-1"}
        assert (await browser.send(f"/drivers/{CLIENT}/do/{act}", given)).status_code == 303
        query = "SELECT status, parent_id_tag, client_id FROM evpower.ocpp_authorization WHERE id_tag = 'CARD-1'"
        assert await world.sql(query) == [{"status": status, "parent_id_tag": "G", "client_id": CLIENT}]


@pytest.mark.parametrize("tag", ["CARD-2", "NONE"])
async def test_a_card_of_somebody_else_is_left_alone(browser: Browser, world: World, tag: str) -> None:
    await world.give(100)
    await world.give(100, client="other")  # type: ignore[arg-type]
    await world.sql(CARD, "CARD-2", "other", NOON)
    response = await browser.send(f"/drivers/{CLIENT}/do/block_card", {"key": KEY, "tag": tag})
    assert response.status_code == 409
    assert "Nothing was done" in browser.text
    assert (await world.sql("SELECT status FROM evpower.ocpp_authorization"))[0]["status"] == "Accepted"


async def test_a_start_for_a_driver_is_the_form_of_the_station(browser: Browser, world: World) -> None:
    await world.give(50_000)
    response = await browser.client.get(f"/drivers/{CLIENT}/start?station={STATION}")
    assert response.headers["Location"] == f"/stations/{STATION}/do/start?client={CLIENT}"
    assert f'value="{CLIENT}"' in (await browser.get(response.headers["Location"])).html


async def test_a_charge_that_runs_is_stopped_from_its_drivers_page(browser: Browser, world: World) -> None:
    await world.give(50_000)
    session_id = (await world.order(amount_tyiyn=10_000)).session.session_id
    await world.begin(await world.tag_of(session_id))
    assert (await browser.get(f"/drivers/{CLIENT}")).form(f"/charges/{session_id}/stop")


@pytest.mark.parametrize("act", ["refund", "ask_provider"])
async def test_a_payment_that_is_not_theirs_is_left_alone(browser: Browser, world: World, act: str) -> None:
    await world.give(100)
    given = {"key": KEY, "order": "nobody's", "reason": "r", "amount": "5"}
    assert (await browser.send(f"/drivers/{CLIENT}/do/{act}", given)).status_code == 409
    assert "no such payment" in browser.text


@pytest.mark.parametrize("act", ["adjust", "refund", "ask_provider", "block_card", "unblock_card"])
async def test_an_operator_has_no_drivers(world: World, act: str) -> None:
    browser = await Browser(world).sign_in("operator")
    await browser.get(f"/drivers/{CLIENT}/do/{act}", 403)
    assert (await browser.post(f"/drivers/{CLIENT}/do/{act}", key=KEY)).status_code == 403
    await (await Browser(world).sign_in("admin", "bek")).get(f"/drivers/{CLIENT}/do/explode", 404)

"""What is done for a driver: a card blocked, a start, the provider asked, a payment given back (§6)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from evpower.errors import ProviderTimeout
from tests.payments.test_decisions import credited
from tests.worlds.charging import CLIENT, STATION, World
from tests.worlds.fakes import NOON
from tests.worlds.pages import Browser
from tests.worlds.payments import World as PaidWorld

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


@pytest.mark.parametrize(
    ("given", "says", "says_not"),
    [
        ("reason = NULL", "nobody asked the provider yet", "its last word"),
        ("reason = 'invoice is not paid'", "its last word: invoice is not paid", "nobody asked"),
        ("checks_done = 3, reason = NULL", "asked at 12:00:00 (3 in all): it has confirmed no payment", "nobody asked"),
        ("checks_done = 3, reason = 'not paid'", "(3 in all), its last word: not paid", "confirmed no payment"),
        ("phase = 'canceled', reason = NULL", "nobody asked the provider yet", "confirmed"),
    ],
)
async def test_a_payment_that_nobody_asked_about_does_not_read_as_a_no(
    browser: Browser, world: World, given: str, says: str, says_not: str
) -> None:
    order = (await PaidWorld(world.pool, clock=world.clock).qr()).order
    await world.sql(f"UPDATE evpower.top_up_orders SET {given}")
    if "checks_done" in given:
        await world.sql("UPDATE balance_topups SET last_status_check_at = %s", NOON)
    for path in (f"/drivers/{order.client_id}", "/money")[: 1 if "canceled" in given else 2]:
        text = (await browser.get(path)).text
        assert says in text
        assert says_not not in text


async def test_a_start_and_a_charge_show_how_their_connector_is_now(browser: Browser, world: World) -> None:
    await world.give(50_000)
    session_id = (await world.order(amount_tyiyn=10_000)).session.session_id
    await world.sql("UPDATE stations SET last_heartbeat_at = %s", world.clock.now())
    await world.say("Faulted", error="GroundFailure")
    assert "EVP-001-01/1 now ▲ faulted GroundFailure" in (await browser.get(f"/drivers/{CLIENT}")).text
    world.clock.advance(400)
    page = await browser.get(f"/drivers/{CLIENT}")
    assert "EVP-001-01/1 now ✕ offline, 6 min" in page.text
    assert session_id in page.html


@asynccontextmanager
async def paid_by(world: World) -> AsyncIterator[tuple[Browser, PaidWorld, str]]:
    """A driver who paid 100 som by a provider that answers; the chief administrator's browser, and the invoice."""
    money = PaidWorld(world.pool, clock=world.clock)
    order = await credited(money)
    world.app = replace(world.app, payments=money.payments)
    yield await Browser(world).sign_in(), money, order.invoice_id


@pytest.mark.parametrize(("amount", "left_tyiyn"), [("", 0), ("30,50", 69_50)])
async def test_a_payment_is_given_back_once_by_the_form_on_its_drivers_page(
    world: World, amount: str, left_tyiyn: int
) -> None:
    async with paid_by(world) as (browser, money, invoice_id):
        path = f"/drivers/{CLIENT}/do/refund"
        (link,) = [each for each in (await browser.get(f"/drivers/{CLIENT}")).links if each.startswith(path)]
        form = (await browser.get(link)).form(path)
        assert form["order"] == invoice_id
        for _ in range(2):
            response = await browser.send(path, {**form, "amount": amount, "reason": "paid twice"})
            assert response.status_code == 303
        assert money.odengi.refunds == [("90017755", 100_00 - left_tyiyn)]
        assert await world.balance() == left_tyiyn
        page = await browser.get(response.headers["Location"])
        assert f"completed: {100 - left_tyiyn / 100:.2f} → {left_tyiyn / 100:.2f}" in page.text


async def test_a_refund_whose_answer_never_came_is_not_called_failed(world: World) -> None:
    async with paid_by(world) as (browser, money, invoice_id):
        money.odengi.refund_error = ProviderTimeout()
        path, given = f"/drivers/{CLIENT}/do/refund", {"key": KEY, "order": invoice_id, "reason": "r"}
        for _ in range(2):
            response = await browser.send(path, given)
        assert len(money.odengi.refunds) <= 1
        assert await world.balance() == 0, "held until it is known"
        text = browser.text if response.status_code != 303 else (await browser.get(response.headers["Location"])).text
        assert "failed" not in text
        (act,) = await world.sql("SELECT outcome, answer FROM evpower.operator_acts WHERE act = 'refund'")
        assert act["outcome"] is None or "completed" not in (act["answer"] or "")


@pytest.mark.parametrize("amount", ["100,01", "0", "-1", "x"])
async def test_a_wrong_sum_to_give_back_gets_the_form_again(world: World, amount: str) -> None:
    async with paid_by(world) as (browser, money, invoice_id):
        given = {"key": KEY, "order": invoice_id, "amount": amount, "reason": "r"}
        response = await browser.send(f"/drivers/{CLIENT}/do/refund", given)
        assert response.status_code in (400, 409)
        assert "Nothing was done" in browser.text
        assert f'value="{invoice_id}"' in browser.text
        assert (money.odengi.refunds, await world.balance()) == ([], 100_00)


@pytest.mark.parametrize("act", ["adjust", "refund", "ask_provider", "block_card", "unblock_card"])
async def test_an_operator_has_no_drivers(world: World, act: str) -> None:
    browser = await Browser(world).sign_in("operator")
    await browser.get(f"/drivers/{CLIENT}/do/{act}", 403)
    assert (await browser.post(f"/drivers/{CLIENT}/do/{act}", key=KEY)).status_code == 403
    await (await Browser(world).sign_in("admin", "bek")).get(f"/drivers/{CLIENT}/do/explode", 404)

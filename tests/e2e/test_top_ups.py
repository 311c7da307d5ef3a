"""Money in, over a started server and both providers' real wires: webhooks, polls, refunds (contract/payments)."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from html import unescape
from pathlib import Path

import httpx2
import pytest
import trio

from evpower.simulator.providers.obank.cards import CHALLENGE_PAN, DECLINED_PAN, SUCCESS_PAN
from evpower.simulator.providers.sandbox import Sandbox
from evpower.simulator.providers.surroundings.courier import WebhookFault
from evpower.simulator.providers.surroundings.faults import Fault
from tests.e2e.conftest import url_of
from tests.e2e.money_in import NEVER_S, Payer, banked_server, seen
from tests.e2e.process import Server, poll
from tests.e2e.street import WITHIN_S
from tests.ports import free_port


@pytest.fixture
async def bank(database_url: str, tmp_path: Path) -> AsyncIterator[tuple[Server, Sandbox]]:
    """Only webhooks, and what a person forces, make this server ask."""
    settings = {"payments_poll_interval_s": NEVER_S, "payments_slow_interval_s": NEVER_S}
    async with banked_server(url_of(database_url), tmp_path, free_port(), **settings) as both:
        yield both


@pytest.fixture
async def polled_bank(database_url: str, tmp_path: Path) -> AsyncIterator[tuple[Server, Sandbox]]:
    """A server that asks often."""
    settings = {"payments_poll_interval_s": 0.1, "payments_max_checks": 1000}
    async with banked_server(url_of(database_url), tmp_path, free_port(), **settings) as both:
        yield both


async def test_a_qr_code_paid_on_the_page_is_credited_by_the_webhook(bank: tuple[Server, Sandbox]) -> None:
    server, _ = bank
    phone = Payer(server)
    order = await phone.top_up(100)
    assert (order["status"], order["amount"]) == ("processing", 100)
    async with httpx2.AsyncClient() as browser:
        paid = await browser.post(f"{order['app_link']}/approve", follow_redirects=True)
    assert paid.status_code == 200
    status = await phone.payment_is(order["invoice_id"], 1)
    assert (status["paid_amount"], status["can_start_charging"]) == (100, True)
    account = await phone.request("GET", f"balance/{phone.client_id}")
    assert account["balance"] == 1100
    assert account["last_topup_at"] is not None
    line = f"💳 TOPUP: client_id={phone.client_id}, amount=100.00, invoice_id={order['invoice_id']}, provider=ODENGI"
    assert server.log().count(line) == 1


async def test_without_webhooks_the_poll_credits(polled_bank: tuple[Server, Sandbox]) -> None:
    server, sandbox = polled_bank
    sandbox.courier.faults.append(WebhookFault(provider="odengi", kind="drop", times=100))
    phone = Payer(server)
    order = await phone.top_up(100)
    sandbox.act_on_invoice("pay", order_id=order["order_id"])
    await phone.payment_is(order["invoice_id"], 1)
    assert await phone.balance() == 1100


async def test_a_card_is_paid_at_once(bank: tuple[Server, Sandbox]) -> None:
    server, _ = bank
    phone = Payer(server)
    answer = await phone.pay_by_card(SUCCESS_PAN)
    assert (answer["status"], answer["current_balance"]) == ("approved", 1100)
    line = f"💳 TOPUP: client_id={phone.client_id}, amount=100.00, invoice_id={answer['invoice_id']}, provider=OBANK"
    assert server.log().count(line) == 1


async def test_a_card_with_3_d_secure_is_paid_once_the_browser_is_back(bank: tuple[Server, Sandbox]) -> None:
    server, sandbox = bank
    sandbox.courier.faults.append(WebhookFault(provider="obank", kind="drop", times=100))
    phone = Payer(server)
    answer = await phone.pay_by_card(CHALLENGE_PAN)
    assert (answer["status"], answer["requires_3ds"]) == ("processing", True)
    challenge = {"MD": answer["md"], "PaReq": answer["pa_req"], "TermUrl": answer["term_url"]}
    async with httpx2.AsyncClient() as browser:
        asked = await browser.post(answer["acs_url"], data=challenge)
        assert 'name="code"' in asked.text
        origin = answer["acs_url"].split("/acs")[0]
        form = {"MD": answer["md"], "TermUrl": answer["term_url"], "code": "1234", "act": "confirm"}
        passed = await browser.post(f"{origin}/acs/answer", data=form)
        fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', unescape(passed.text)))
        back = await browser.post(answer["term_url"], data=fields)
    assert back.status_code == 200
    assert "Вернитесь в приложение" in back.text
    await phone.payment_is(answer["invoice_id"], 1)
    assert await phone.balance() == 1100


async def test_a_declined_card_moves_nothing(bank: tuple[Server, Sandbox]) -> None:
    server, _ = bank
    phone = Payer(server)
    answer = await phone.pay_by_card(DECLINED_PAN)
    assert (answer["success"], answer["reason"], answer["current_balance"]) == (False, "payment_declined", 1000)
    assert await phone.balance() == 1000


async def test_a_code_paid_after_its_cancel_is_credited_late(bank: tuple[Server, Sandbox]) -> None:
    server, sandbox = bank
    phone = Payer(server)
    order = await phone.top_up(100)
    canceled = await phone.request("POST", f"payment/cancel/{order['invoice_id']}")
    assert canceled["new_status"] == "canceled"
    await phone.payment_is(order["invoice_id"], 2)
    await seen(lambda: sandbox.odengi.book.find(order_id=order["order_id"]).is_canceled)
    sandbox.act_on_invoice("pay", order_id=order["order_id"])
    await phone.payment_is(order["invoice_id"], 1)
    assert await phone.balance() == 1100


async def test_copies_of_a_webhook_credit_once_and_are_all_answered(bank: tuple[Server, Sandbox]) -> None:
    server, sandbox = bank
    phone = Payer(server)
    sandbox.courier.faults.append(WebhookFault(provider="odengi", kind="duplicate", copies=10))
    order = await phone.top_up(100)
    sandbox.act_on_invoice("pay", order_id=order["order_id"])
    await seen(lambda: len(sandbox.courier.delivered) == 10)
    await phone.payment_is(order["invoice_id"], 1)
    assert {each.status for each in sandbox.courier.delivered} == {200}
    sandbox.courier.again(1)
    await seen(lambda: len(sandbox.courier.delivered) == 11)
    assert await phone.balance() == 1100


async def test_fifty_copies_at_once_racing_polls_and_forced_checks_credit_once(
    polled_bank: tuple[Server, Sandbox],
) -> None:
    server, sandbox = polled_bank
    sandbox.courier.faults.append(WebhookFault(provider="odengi", kind="drop", times=1))
    phone = Payer(server)
    order = await phone.top_up(100)
    invoice = sandbox.odengi.book.find(order_id=order["order_id"])
    attempt = sandbox.odengi.book.pay(invoice, invoice.amount_tyiyn)
    letter = sandbox.odengi.letter(invoice, attempt, 3)
    assert letter is not None
    answers: list[int] = []

    async def send() -> None:
        async with httpx2.AsyncClient(timeout=30, verify=False) as client:
            headers = {"Content-Type": letter.content_type}
            answers.append((await client.post(letter.url, content=letter.body, headers=headers)).status_code)

    async with trio.open_nursery() as racing:
        for _ in range(50):
            racing.start_soon(send)
        racing.start_soon(phone.request, "POST", f"payment/status-check/{order['invoice_id']}")
    assert answers == [200] * 50
    await phone.payment_is(order["invoice_id"], 1)
    assert await phone.balance() == 1100


async def test_calls_beyond_the_limit_of_an_address_are_told_when_to_come_again(
    database_url: str, tmp_path: Path
) -> None:
    settings = {"payments_webhook_per_minute": 2}
    async with (
        banked_server(url_of(database_url), tmp_path, free_port(), **settings) as (server, _),
        httpx2.AsyncClient(base_url=server.http_url) as bank,
    ):
        answers = [await bank.post("/api/v1/payment/webhook/odengi", json={}) for _ in range(3)]
    assert [each.status_code == 429 for each in answers] == [False, False, True]
    assert 0 < int(answers[2].headers["Retry-After"]) <= 60


async def test_an_outage_is_seen_by_operators_and_its_end_credits_what_was_paid_meanwhile(
    polled_bank: tuple[Server, Sandbox],
) -> None:
    server, sandbox = polled_bank
    phone = Payer(server)
    order = await phone.top_up(100)
    sandbox.courier.faults.append(WebhookFault(provider="odengi", kind="drop", times=100))
    sandbox.faults.add(Fault(provider="odengi", kind="503", times=1000))
    sandbox.act_on_invoice("pay", order_id=order["order_id"])
    async with httpx2.AsyncClient(base_url=server.http_url) as operator:

        async def odengi() -> dict[str, str]:
            health = await operator.get("/health")
            assert (health.status_code, health.json()["status"]) == (200, "healthy")
            assert health.json()["payments"]["OBANK"] == {"state": "up"}
            shown: dict[str, str] = health.json()["payments"]["ODENGI"]
            return shown

        async def is_failing() -> bool:
            return (await odengi())["state"] == "failing"

        with trio.fail_after(WITHIN_S):
            await poll(is_failing)
        assert (await odengi())["last_error"] == "provider_timeout"
        figures = (await operator.get("/metrics")).text
        assert 'evpower_provider_up{provider="ODENGI"} 0.0' in figures
        assert 'evpower_provider_calls_total{operation="status",outcome="timeout",provider="ODENGI"}' in figures
        status = await server.control("GET", "status")
        assert status["payment_providers"]["ODENGI"]["state"] == "failing"
        assert await phone.balance() == 1000
        sandbox.faults.clear()
        await phone.top_up(50)  # a phone's answer ends the pause
        assert await odengi() == {"state": "up"}
    await phone.payment_is(order["invoice_id"], 1)
    assert await phone.balance() == 1100


async def test_a_forged_webhook_moves_nothing(bank: tuple[Server, Sandbox]) -> None:
    server, sandbox = bank
    phone = Payer(server)
    order = await phone.top_up(100)
    sandbox.act_on_invoice("forge", order_id=order["order_id"])
    await seen(lambda: sandbox.courier.delivered)
    assert sandbox.courier.delivered[0].status == 401
    assert (await phone.payment(order["invoice_id"]))["status"] == 0
    assert await phone.balance() == 1000


async def test_webhooks_in_the_wrong_order_end_as_paid(bank: tuple[Server, Sandbox]) -> None:
    server, sandbox = bank
    phone = Payer(server)
    order = await phone.top_up(100)
    sandbox.courier.faults.append(WebhookFault(provider="odengi", kind="reorder"))
    sandbox.act_on_invoice("scan", order_id=order["order_id"])
    sandbox.act_on_invoice("pay", order_id=order["order_id"])
    await seen(lambda: len(sandbox.courier.delivered) == 2)
    await phone.payment_is(order["invoice_id"], 1)
    assert await phone.balance() == 1100


@pytest.mark.parametrize("by_card", [False, True])
async def test_an_operator_gives_a_part_and_then_the_rest_back(bank: tuple[Server, Sandbox], by_card: bool) -> None:
    server, sandbox = bank
    phone = Payer(server)
    if by_card:
        order = await phone.pay_by_card(SUCCESS_PAN)
    else:
        order = await phone.top_up(100)
        sandbox.act_on_invoice("pay", order_id=order["order_id"])
    await phone.payment_is(order["invoice_id"], 1)
    path = f"payments/{order['invoice_id']}/refund"
    part = await server.control("POST", path, json={"amount": 40, "reason": "a part"})
    assert (part["state"], part["amount"]) == ("completed", 40)
    assert (await phone.payment_is(order["invoice_id"], 4))["status_text"] == "partial_refund"
    assert await phone.balance() == 1060
    rest = await server.control("POST", path, json={"reason": "the rest"})
    assert (rest["state"], rest["amount"]) == ("completed", 60)
    await phone.payment_is(order["invoice_id"], 3)
    assert await phone.balance() == 1000
    await seen(lambda: len(sandbox.courier.delivered) == 3)  # paid, a part back, the rest back
    assert await server.control("GET", "payments", params={"parked": "1"}) == []


@pytest.mark.parametrize("by_card", [False, True])
async def test_a_return_the_bank_made_unasked_is_shown_and_waits_for_a_person(
    bank: tuple[Server, Sandbox], by_card: bool
) -> None:
    server, sandbox = bank
    phone = Payer(server)
    if by_card:
        order = await phone.pay_by_card(SUCCESS_PAN)
        [number] = sandbox.obank.book.by_number
        await phone.payment_is(order["invoice_id"], 1)
        sandbox.act_on_operation("refund", id=number)
    else:
        order = await phone.top_up(100)
        paid = sandbox.act_on_invoice("pay", order_id=order["order_id"])
        await phone.payment_is(order["invoice_id"], 1)
        sandbox.act_on_invoice("refund", trans_id=paid["trans_id"])
    await phone.payment_is(order["invoice_id"], 3)
    [parked] = await server.control("GET", "payments", params={"parked": "1"})
    assert (parked["reason"], parked["amount"]) == ("refund", 100)
    assert await phone.balance() == 1100

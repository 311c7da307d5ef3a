"""OBANK's notices over a started server: hints, repeated, out of order or forged; only our own question moves money."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import httpx2
import pytest
import trio

from evpower.payments.gateways.obank_notice import notify_token
from evpower.simulator.providers.obank.cards import CHALLENGE_PAN
from evpower.simulator.providers.obank.operations import DONE, CardOperation
from evpower.simulator.providers.obank.server import NOTICE_SHAPES
from evpower.simulator.providers.sandbox import Sandbox
from evpower.simulator.providers.surroundings.courier import Letter, WebhookFault
from tests.e2e.conftest import url_of
from tests.e2e.money_in import NEVER_S, NOTIFY_KEY, Payer, banked_server, seen
from tests.e2e.process import Server, poll
from tests.e2e.street import WITHIN_S
from tests.ports import free_port

UNKNOWN = 7


@dataclass
class Pending:
    """A card payment that waits for 3-D Secure, and the bank that knows its outcome first."""

    server: Server
    sandbox: Sandbox
    phone: Payer
    invoice_id: str
    operation: CardOperation

    def letter(self) -> Letter:
        """A genuine notice of the operation as it stands."""
        letter = self.sandbox.obank.letter(self.operation)
        assert letter is not None
        return letter

    async def approve(self) -> None:
        """The payer has answered 3-D Secure."""
        self.sandbox.act_on_operation("approve", id=self.operation.number)

    async def has_asked(self, times: int) -> None:
        """Our server has asked the bank so often."""
        received = self.sandbox.received
        with trio.fail_after(WITHIN_S):
            await received.wait_until(lambda: len(received.entries("obank", "status")) >= times)


async def deliver(letter: Letter) -> httpx2.Response:
    """Somebody brings a notice."""
    async with httpx2.AsyncClient(timeout=WITHIN_S, verify=False) as client:
        headers = {"Content-Type": letter.content_type}
        return await client.request(letter.method, letter.url, content=letter.body, headers=headers)


async def challenged(server: Server, sandbox: Sandbox) -> Pending:
    """One more payment that waits."""
    phone = Payer(server)
    answer = await phone.pay_by_card(CHALLENGE_PAN)
    assert answer["status"] == "processing"
    return Pending(server, sandbox, phone, answer["invoice_id"], [*sandbox.obank.book.by_number.values()][-1])


@pytest.fixture
async def pending(database_url: str, tmp_path: Path) -> AsyncIterator[Pending]:
    """Only notices make this server ask."""
    settings = {"payments_poll_interval_s": NEVER_S, "payments_slow_interval_s": NEVER_S}
    async with banked_server(url_of(database_url), tmp_path, free_port(), **settings) as (server, sandbox):
        yield await challenged(server, sandbox)


async def test_copies_of_a_notice_in_any_shape_credit_once_and_are_all_answered(pending: Pending) -> None:
    sandbox, balance = pending.sandbox, 1000
    for shape in NOTICE_SHAPES:
        sandbox.behave(notice_shape=shape)
        sandbox.courier.faults.append(WebhookFault(provider="obank", kind="duplicate", copies=10))
        sandbox.courier.delivered.clear()
        await pending.approve()
        await seen(lambda: len(sandbox.courier.delivered) == 10)
        await pending.phone.payment_is(pending.invoice_id, 1)
        sandbox.courier.again(1)
        await seen(lambda: len(sandbox.courier.delivered) == 11)
        assert {each.status for each in sandbox.courier.delivered} == {200}
        balance += 100
        assert await pending.phone.balance() == balance, shape
        pending = await challenged(pending.server, sandbox)


async def test_an_old_notice_after_a_new_one_changes_nothing(pending: Pending) -> None:
    old = pending.letter()
    await pending.approve()
    await pending.phone.payment_is(pending.invoice_id, 1)
    assert (await deliver(old)).json()["status"] == "received"
    assert (await pending.phone.payment(pending.invoice_id))["status"] == 1
    assert await pending.phone.balance() == 1100


async def test_a_notice_with_a_strangers_token_or_of_an_unknown_payment_makes_nobody_ask(pending: Pending) -> None:
    genuine = pending.letter()
    address, _, token = genuine.url.rpartition("/")
    of_unknown = f"{address}/{notify_token(NOTIFY_KEY, UNKNOWN)}"
    without_token = address.replace("webhook/obank", "obank/notify")
    for forged in (f"{address}/{'0' * len(token)}", f"{address}/{token[:-1]}", of_unknown, without_token):
        answer = await deliver(replace(genuine, url=forged))
        assert (answer.status_code, answer.json()["error"]) == (401, "unauthorized"), forged
    answer = await deliver(replace(genuine, url=of_unknown, body=f"order.id={UNKNOWN}&state={DONE}".encode()))
    assert (answer.status_code, answer.json()) == (200, {"status": "payment_not_found"})
    assert pending.sandbox.received.entries("obank", "status") == []
    assert await pending.phone.balance() == 1000


async def test_what_a_notice_claims_is_not_believed(pending: Pending) -> None:
    """It has the right token: say, it was read in somebody's log. The bank still waits for the payer."""
    claims = f"order.id={pending.operation.number}&state={DONE}&sum=10000000".encode()
    assert (await deliver(replace(pending.letter(), body=claims))).status_code == 200
    await pending.has_asked(1)
    assert (await pending.phone.payment(pending.invoice_id))["status"] == 0
    await pending.approve()
    await pending.phone.payment_is(pending.invoice_id, 1)
    assert await pending.phone.balance() == 1100


async def test_another_sum_at_the_bank_waits_for_a_person(pending: Pending) -> None:
    pending.operation.sum = 1_000_000
    await pending.approve()
    await pending.has_asked(1)

    async def is_parked() -> bool:
        parked = await pending.server.control("GET", "payments", params={"parked": "1"})
        return [(each["reason"], each["amount"]) for each in parked] == [("other_sum", 10_000)]

    with trio.fail_after(WITHIN_S):
        await poll(is_parked)
    assert (await pending.phone.payment(pending.invoice_id))["status"] == 0
    assert await pending.phone.balance() == 1000

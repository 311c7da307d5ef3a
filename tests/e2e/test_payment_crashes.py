"""kill -9 before and after every commit of a payment's path leaves one credit (ARCHITECTURE.md, "Crash points").

One server lives and dies through each test; every death has a client of its own. The phone, the payer and the operator
do what such people do: repeat what was not answered, pay what they can pay once, and look.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import httpx2
import pytest
import trio

from evpower.simulator.providers.obank.cards import CHALLENGE_PAN, SUCCESS_PAN
from evpower.simulator.providers.obank.operations import DONE
from evpower.simulator.providers.odengi.invoices import InvoiceRefused
from evpower.simulator.providers.surroundings.courier import WebhookFault
from evpower.simulator.providers.surroundings.faults import Provider
from tests.e2e.conftest import url_of
from tests.e2e.crash import Bank, Moment, WhileAsked, around, counted_commits, die_and_rise
from tests.e2e.money_in import Payer, banked_server
from tests.e2e.process import poll
from tests.e2e.street import WITHIN_S
from tests.ports import free_port

QR_COMMITS = ("the order", "the invoice", "the answer", "the webhook", "the claim", "the credit")
CARD_COMMITS = ("the order", "the bank's answer", "the credit", "the answer")
NOTICE_COMMITS = ("the notice", "the claim", "the credit")
REFUND_COMMITS = ("the refund", "its sending", "its end")
SOM, BACK_SOM = 100, 40
#: Seldom enough that nobody asks by the clock; time that passes while the server is dead makes it due.
SETTINGS = {"payments_poll_interval_s": 60}
CREDITS = """
SELECT p.amount_tyiyn FROM evpower.ledger_postings p JOIN evpower.ledger_entries e ON e.id = p.entry_id
WHERE e.kind = 'balance_topup' AND p.account = 'client' AND p.client_id = %s
"""
STATEMENT = """
SELECT type, amount, balance_before, balance_after FROM public.payment_transactions WHERE client_id = %s ORDER BY id
"""
REFUNDS = """
SELECT r.state, r.amount_tyiyn FROM evpower.top_up_refunds r JOIN public.balance_topups t ON t.id = r.topup_id
WHERE t.client_id = %s
"""
#: Ended, or asked about in vain.
FOLLOWED = """
SELECT FROM evpower.top_up_refunds r JOIN public.balance_topups t ON t.id = r.topup_id
WHERE t.invoice_id = %s AND (r.state <> 'open' OR r.checks_done > 0)
"""


@pytest.fixture
async def bank(database_url: str, tmp_path: Path) -> AsyncIterator[Bank]:
    with counted_commits(database_url) as commits:
        async with banked_server(url_of(database_url), tmp_path, free_port(), **SETTINGS) as (server, sandbox):
            yield Bank(server, sandbox, commits)


def without_notices(bank: Bank, provider: Provider) -> None:
    """Its calls are lost from here on: its answer and our own questions are all there is."""
    bank.sandbox.courier.faults[:] = [WebhookFault(provider=provider, kind="drop", times=1000)]


class Customer(Payer):
    """Somebody who wants their money on their balance, whatever happens to the server."""

    def __init__(self, bank: Bank, client_id: str) -> None:
        super().__init__(bank.server, client_id)
        self.bank = bank
        self.keys = 0

    @property
    def key(self) -> str:
        return f"{self.client_id}-{self.keys}"

    async def persist(self, ask: Callable[[str], Awaitable[dict[str, Any]]]) -> dict[str, Any]:
        """Repeat a request under its key until it is answered."""
        with trio.fail_after(2 * WITHIN_S):
            while True:
                try:
                    return await ask(self.key)
                except httpx2.TransportError:
                    await trio.sleep(0.05)

    async def pay_by_code(self) -> dict[str, Any]:
        """Ask for a code and pay it once; an invoice whose answer was lost is paid too, if the provider has it."""
        while True:
            self.keys += 1
            answer = await self.persist(lambda key: self.top_up(SOM, key))
            if "order_id" in answer and self._pay(answer["order_id"]):
                await self.payment_is(answer["order_id"], 1)
                again = await self.persist(lambda key: self.top_up(SOM, key))
                assert again["order_id"] == answer["order_id"]
                return answer

    def _pay(self, order_id: str) -> bool:
        try:
            self.bank.sandbox.act_on_invoice("pay", order_id=order_id)
        except InvoiceRefused:  # the provider has never heard of it
            return False
        return True

    async def pay_by_card(self, pan: str = SUCCESS_PAN, som: float = SOM, key: str | None = None) -> dict[str, Any]:
        """Pay; after an answer that tells nothing wait for the outcome before the card is used again."""
        while True:
            self.keys += 1
            answer = await self.persist(lambda key: super(Customer, self).pay_by_card(pan, som, key))
            if answer["success"]:
                return answer
            if answer["error"] == "provider_timeout" and await self._outcome(answer["order_id"]) == 1:
                return answer

    async def _outcome(self, order_id: str) -> int:
        async def look() -> int | None:
            status: int = (await self.persist(lambda _: self.payment(order_id)))["status"]
            return status or None

        with trio.fail_after(WITHIN_S):
            outcome: int = await poll(look)
        return outcome

    async def confirm(self, invoice_id: str) -> None:
        """Answer 3-D Secure, and look until it is paid."""
        [number] = [each.number for each in self.bank.sandbox.obank.book.by_number.values() if not each.is_final]
        self.bank.sandbox.act_on_operation("approve", id=number)
        await self.payment_is(invoice_id, 1)

    async def has_been_credited_once(self) -> None:
        """On the balance, in the ledger and on the statement."""
        assert await self.balance() == SOM
        assert self.bank.commits.rows(CREDITS, self.client_id) == [(SOM * 100,)]
        assert self.bank.commits.rows(STATEMENT, self.client_id) == [
            ("balance_topup", Decimal(SOM), Decimal(0), Decimal(SOM))
        ]
        await self.bank.server.check_ledger()


async def survive(bank: Bank, moment: Moment, story: Callable[[], Awaitable[Any]]) -> Any:
    """What a story ends with when the server dies in the middle of it."""
    moment.prepare(bank)
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(die_and_rise, bank, moment)
            outcome = await story()
    except BaseException as error:
        error.add_note(f"killed {moment.name}")
        raise
    return outcome


async def test_a_code_that_was_paid_is_credited_once_wherever_the_server_was_killed(bank: Bank) -> None:
    moments = [*around(QR_COMMITS), WhileAsked("odengi", "createInvoice"), WhileAsked("odengi", "statusPayment")]
    for number, moment in enumerate(moments):
        customer = Customer(bank, f"qr-{number}")
        await survive(bank, moment, customer.pay_by_code)
        await customer.has_been_credited_once()
    paid = [invoice for invoice in bank.sandbox.odengi.book.by_id.values() if invoice.attempts]
    assert len(paid) == len(moments)


async def test_a_card_is_charged_and_credited_once_wherever_the_server_was_killed(bank: Bank) -> None:
    without_notices(bank, "obank")
    moments = [*around(CARD_COMMITS), WhileAsked("obank", "payment")]
    for number, moment in enumerate(moments):
        customer = Customer(bank, f"card-{number}")
        await survive(bank, moment, customer.pay_by_card)
        await customer.has_been_credited_once()
    charged = [operation.sum for operation in bank.sandbox.obank.book.by_number.values() if operation.state == DONE]
    assert charged == [SOM * 100] * len(moments)


async def test_a_card_with_3_d_secure_is_credited_once_wherever_the_server_was_killed_after_it(bank: Bank) -> None:
    moments = [*around(NOTICE_COMMITS), WhileAsked("obank", "status")]
    for number, moment in enumerate(moments):
        customer = Customer(bank, f"3ds-{number}")
        invoice_id = (await customer.pay_by_card(CHALLENGE_PAN))["invoice_id"]
        await survive(bank, moment, partial(customer.confirm, invoice_id))
        await customer.has_been_credited_once()
    assert len(bank.sandbox.received.entries("obank", "payment")) == len(moments)


async def test_a_refund_leaves_the_balance_once_and_is_sent_at_most_once_wherever_the_server_was_killed(
    bank: Bank,
) -> None:
    for number, moment in enumerate([*around(REFUND_COMMITS), WhileAsked("odengi", "refundPayment")]):
        customer = Customer(bank, f"refund-{number}")
        bank.sandbox.courier.faults.clear()
        invoice_id = (await customer.pay_by_code())["invoice_id"]
        without_notices(bank, "odengi")
        sent = len(bank.sandbox.received.entries(command="refundPayment"))
        await survive(bank, moment, partial(give_back, bank, invoice_id))
        sent = len(bank.sandbox.received.entries(command="refundPayment")) - sent
        # That it may have been sent is written first: then it is only asked about, and stays a person's to decide.
        unsent = moment.name == "after the commit of its sending"
        assert sent == (0 if unsent else 1), f"killed {moment.name}"
        assert await customer.balance() == SOM - BACK_SOM, f"killed {moment.name}"
        assert bank.commits.rows(REFUNDS, customer.client_id) == [("open" if unsent else "completed", BACK_SOM * 100)]
        await bank.server.check_ledger()


async def give_back(bank: Bank, invoice_id: str) -> None:
    """An operator gives a part back, asks again if nothing came of it, and looks until the provider has been asked."""

    async def ask() -> bool:
        with suppress(httpx2.TransportError):
            body = {"amount": BACK_SOM, "reason": "a part"}
            await bank.server.control("POST", f"payments/{invoice_id}/refund", json=body)
        return await refunded(bank, invoice_id)

    async def has_been_followed() -> bool:
        return bool(bank.commits.rows(FOLLOWED, invoice_id))

    with trio.fail_after(2 * WITHIN_S):
        await poll(ask)
        await poll(has_been_followed)


async def refunded(bank: Bank, invoice_id: str) -> bool:
    """Whether a refund is written; asked until the server tells."""
    while True:
        with suppress(httpx2.TransportError):
            payments = await bank.server.control("GET", "payments")
            return any(each["invoice_id"] == invoice_id and each["refunded_amount"] for each in payments)
        await trio.sleep(0.05)


async def test_no_commit_of_these_paths_was_forgotten(bank: Bank) -> None:
    customer = Customer(bank, "undisturbed")
    bank.commits.arm(1000)
    invoice_id = (await customer.pay_by_code())["invoice_id"]
    assert bank.commits.count == len(QR_COMMITS)
    invoice_3ds = (await customer.pay_by_card(CHALLENGE_PAN))["invoice_id"]
    bank.commits.arm(1000)
    await customer.confirm(invoice_3ds)
    assert bank.commits.count == len(NOTICE_COMMITS)
    without_notices(bank, "obank")
    bank.commits.arm(1000)
    await customer.pay_by_card()
    assert bank.commits.count == len(CARD_COMMITS)
    without_notices(bank, "odengi")
    bank.commits.arm(1000)
    await give_back(bank, invoice_id)
    assert bank.commits.count == len(REFUND_COMMITS)

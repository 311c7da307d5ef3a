"""A payment provider at the port: it does as its script says, and remembers what it was asked."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

import trio

from evpower.errors import InvalidRequest, Unauthorized
from evpower.payments.gateway import (
    Card,
    CardAnswer,
    HostedPage,
    Notice,
    OrderState,
    OrderStatus,
    Payer,
    Payment,
    ProviderOrder,
    QrInvoice,
)

SIGNATURE = "signed"
PROCESSING = OrderStatus(OrderState.PROCESSING)
CANCELED = OrderStatus(OrderState.CANCELED, reason="canceled")
NOT_FOUND = OrderStatus(OrderState.NOT_FOUND)


def paid(
    tyiyn: int | None, trans_id: str = "90017755", *, currency: str | None = None, is_test: bool = False
) -> OrderStatus:
    """What a provider says of a paid order."""
    return OrderStatus(OrderState.APPROVED, (Payment(trans_id, tyiyn, currency),), is_test=is_test)


@dataclass
class ScriptedProvider:
    """ODENGI or OBANK as a test wants it: an exception in place of an answer is raised."""

    name: str
    #: What `status` answers, for every order or for one.
    answer: OrderStatus | Exception = PROCESSING
    answers: dict[str, OrderStatus | Exception] = field(default_factory=dict)
    creation: Exception | None = None
    card_answer: CardAnswer | Exception = field(default_factory=lambda: CardAnswer(PROCESSING))
    storing_error: Exception | None = None
    cancel_error: Exception | None = None
    refund_error: Exception | None = None
    #: Awaited in every call, before it answers.
    pause: Callable[[], Awaitable[object]] | None = None
    #: Called when `create_invoice` was reached: what happens at the provider before its answer arrives.
    before_answer: Callable[[ProviderOrder], Awaitable[object]] | None = None
    calls: list[tuple[str, ProviderOrder]] = field(default_factory=list)
    refunds: list[tuple[str, int]] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    asking: int = 0
    asked_at_once_most: int = 0

    def count(self, call: str) -> int:
        """How often it was asked this."""
        return sum(1 for name, _ in self.calls if name == call)

    @property
    def orders(self) -> list[ProviderOrder]:
        """The orders it was asked to make or charge."""
        return [order for name, order in self.calls if name in ("create_invoice", "pay", "pay_with_token")]

    async def _called(self, name: str, order: ProviderOrder) -> None:
        self.calls.append((name, order))
        self.asking += 1
        self.asked_at_once_most = max(self.asked_at_once_most, self.asking)
        try:
            await trio.lowlevel.checkpoint()
            if self.pause is not None:
                await self.pause()
        finally:
            self.asking -= 1

    async def create_invoice(self, order: ProviderOrder) -> QrInvoice:
        await self._called("create_invoice", order)
        if self.before_answer is not None:
            await self.before_answer(order)
        if self.creation is not None:
            raise self.creation
        invoice_id = str(530912448169 + self.count("create_invoice"))
        url = f"https://qr.example/{invoice_id}.png"
        return QrInvoice(invoice_id, f"000201{invoice_id}", url, f"https://app.example/{invoice_id}")

    async def status(self, order: ProviderOrder) -> OrderStatus:
        await self._called("status", order)
        answer = self.answers.get(order.order_id, self.answer)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def cancel(self, order: ProviderOrder) -> None:
        await self._called("cancel", order)
        if self.cancel_error is not None:
            raise self.cancel_error

    async def refund(self, order: ProviderOrder, payment: Payment, amount_tyiyn: int) -> None:
        await self._called("refund", order)
        self.refunds.append((payment.trans_id, amount_tyiyn))
        if self.refund_error is not None:
            raise self.refund_error

    async def pay(self, order: ProviderOrder, card: Card, payer: Payer) -> CardAnswer:
        await self._called("pay", order)
        return self._card_answer()

    async def pay_with_token(self, order: ProviderOrder, token: str, payer: Payer) -> CardAnswer:
        await self._called("pay_with_token", order)
        self.tokens.append(token)
        return self._card_answer()

    def _card_answer(self) -> CardAnswer:
        if isinstance(self.card_answer, Exception):
            raise self.card_answer
        return self.card_answer

    async def store_card(self, days: int) -> HostedPage:
        if self.storing_error is not None:
            raise self.storing_error
        return HostedPage(f"https://bank.example/store?days={days}", "token-key")

    def notify_token(self, order: ProviderOrder) -> str:
        return f"token-{order.number}"

    def read_notice(self, body: bytes, headers: Mapping[str, str], query: Mapping[str, str]) -> Notice:
        """JSON `{order_id, number, state, trans_id, amount, test}` with a header that says it is signed."""
        if headers.get("X-Signature") != SIGNATURE and not query.get("notify_token", "").startswith("token-"):
            raise Unauthorized
        try:
            told = json.loads(body)
        except ValueError:
            raise InvalidRequest(("body", "unreadable")) from None
        payment = Payment(str(told["trans_id"]), told.get("amount")) if "trans_id" in told else None
        return Notice(
            told.get("order_id"), told.get("number"), OrderState(told["state"]), payment, bool(told.get("test"))
        )

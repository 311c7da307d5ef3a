"""O!Dengi's book: invoices, and the attempts of people to pay them (contract/payments §2.3-2.7). No wire.

A person may pay as long as the code is in front of them: after a cancel or an expiry too, and more than once.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from evpower.errors import EvPowerError
from evpower.simulator.providers.surroundings.clock import ProviderClock

#: `status_pay` of a webhook (payments §2.7).
WAITING, CANCELED, PAID, PART_RETURNED = 1, 2, 3, 6
#: The SDK's codes of payments §2.8; the server's own table is not known.
UNKNOWN, NO_ORDER, FIELDS_MISSING = 3, 4, 5


class InvoiceRefused(EvPowerError):
    """O!Dengi's refusal: `number` is `data.error`, the message `data.desc`."""

    def __init__(self, number: int, text: str) -> None:
        self.number = number
        super().__init__(text)


@dataclass(slots=True)
class Attempt:
    """One person's payment of an invoice; `amount_tyiyn` None is a payment reported without its sum."""

    trans_id: str
    payment_id: str
    status: str
    amount_tyiyn: int | None
    currency: str
    at: datetime
    returned_tyiyn: int = 0

    @property
    def left_tyiyn(self) -> int:
        """What has not been given back."""
        return (self.amount_tyiyn or 0) - self.returned_tyiyn


@dataclass(slots=True)
class Invoice:
    """What a merchant asked for."""

    invoice_id: str
    order_id: str
    amount_tyiyn: int
    description: str
    is_test: bool
    result_url: str | None
    created_at: datetime
    expires_at: datetime | None
    is_canceled: bool = False
    attempts: list[Attempt] = field(default_factory=list)

    @property
    def status(self) -> str:
        """The invoice's own status; single attempts may have other ones."""
        if any(attempt.status == "approved" for attempt in self.attempts):
            return "approved"
        was_paid = any(attempt.returned_tyiyn for attempt in self.attempts)
        return "canceled" if self.is_canceled or was_paid else "processing"


#: Called after a change of an attempt, with its `status_pay`.
Notify = Callable[[Invoice, Attempt, int], None]


class InvoiceBook:
    """All invoices, by both ids."""

    def __init__(self, clock: ProviderClock, choices: random.Random, notify: Notify) -> None:
        self._clock = clock
        self._random = choices
        self._notify = notify
        self._last_trans_id = 90_000_000 + choices.randrange(1_000_000)
        self._by_order: dict[str, Invoice] = {}
        self.by_id: dict[str, Invoice] = {}

    def create(
        self,
        order_id: str,
        amount_tyiyn: int,
        description: str,
        *,
        is_test: bool,
        result_url: str | None,
        expires_at: datetime | None,
    ) -> Invoice:
        """A new invoice; what a repeated `order_id` means is decided before."""
        invoice_id = f"53{self._random.randrange(10**10):010}"
        while invoice_id in self.by_id:
            invoice_id = f"53{self._random.randrange(10**10):010}"
        invoice = Invoice(
            invoice_id, order_id, amount_tyiyn, description, is_test, result_url, self._clock.now(), expires_at
        )
        self.by_id[invoice_id] = self._by_order[order_id] = invoice
        return invoice

    def find(self, invoice_id: str | None = None, order_id: str | None = None) -> Invoice:
        """By either id, or by both when they agree. Raises Refused."""
        invoice = self.by_id.get(invoice_id) if invoice_id is not None else self._by_order.get(order_id or "")
        if invoice is None or (order_id is not None and invoice.order_id != order_id):
            raise InvoiceRefused(NO_ORDER, "Счёт не найден")
        return invoice

    def with_order(self, order_id: str) -> Invoice | None:
        """The invoice of an order, if there is one."""
        return self._by_order.get(order_id)

    def is_expired(self, invoice: Invoice) -> bool:
        """Whether its time is over; it can be paid all the same."""
        return invoice.expires_at is not None and invoice.expires_at <= self._clock.now()

    def scan(self, invoice: Invoice) -> Attempt:
        """A person has the code on their screen and has not decided."""
        attempt = self._attempt(invoice, "processing", invoice.amount_tyiyn, "KGS")
        self._notify(invoice, attempt, WAITING)
        return attempt

    def pay(self, invoice: Invoice, amount_tyiyn: int | None = None, currency: str = "KGS") -> Attempt:
        """The person pays; None is a payment whose sum is not reported."""
        attempt = self._undecided(invoice) or self._attempt(invoice, "approved", amount_tyiyn, currency)
        attempt.status, attempt.amount_tyiyn, attempt.currency = "approved", amount_tyiyn, currency
        attempt.at = self._clock.now()
        self._notify(invoice, attempt, PAID)
        return attempt

    def refuse(self, invoice: Invoice) -> Attempt:
        """The person decides against it; somebody else may still pay."""
        attempt = self._undecided(invoice) or self._attempt(invoice, "canceled", invoice.amount_tyiyn, "KGS")
        attempt.status = "canceled"
        self._notify(invoice, attempt, CANCELED)
        return attempt

    def cancel(self, invoice: Invoice) -> None:
        """The merchant takes the invoice back; a repetition is a success too. Raises Refused when it is paid."""
        if invoice.status == "approved":
            raise InvoiceRefused(UNKNOWN, "Счёт уже оплачен")
        invoice.is_canceled = True

    def refund(self, trans_id: str, amount_tyiyn: int | None = None) -> Attempt:
        """Give back a part, or all that is left. Raises Refused."""
        for invoice in self.by_id.values():
            for attempt in invoice.attempts:
                if attempt.trans_id == trans_id and attempt.status == "approved":
                    return self._refund(invoice, attempt, amount_tyiyn)
        raise InvoiceRefused(NO_ORDER, "Платёж не найден")

    def _refund(self, invoice: Invoice, attempt: Attempt, amount_tyiyn: int | None) -> Attempt:
        amount = attempt.left_tyiyn if amount_tyiyn is None else amount_tyiyn
        if not 0 < amount <= attempt.left_tyiyn:
            raise InvoiceRefused(UNKNOWN, "Сумма возврата больше суммы платежа")
        attempt.returned_tyiyn += amount
        if attempt.left_tyiyn == 0:
            attempt.status = "canceled"
        self._notify(invoice, attempt, CANCELED if attempt.left_tyiyn == 0 else PART_RETURNED)
        return attempt

    def _undecided(self, invoice: Invoice) -> Attempt | None:
        return next((each for each in invoice.attempts if each.status == "processing"), None)

    def _attempt(self, invoice: Invoice, status: str, amount_tyiyn: int | None, currency: str) -> Attempt:
        self._last_trans_id += self._random.randint(1, 20)
        payment_id = str(self._random.randrange(10**11, 10**12))
        attempt = Attempt(str(self._last_trans_id), payment_id, status, amount_tyiyn, currency, self._clock.now())
        invoice.attempts.append(attempt)
        return attempt

"""What a payment provider can be asked, whatever its wire (contract/payments §2-3; design §9.1-4).

A gateway returns facts. What they mean for an order and for money is decided by `billing`, never by a gateway; each
provider's own status texts, numbers and signatures stay inside its module in `billing/gateways/`.

Every call ends in one of four ways, and they must not be confused:

    it returns           the provider answered
    ProviderError        the provider refused for good: nothing will be paid by this call
    ProviderUnavailable  nothing was sent: the provider is off, or no connection could be made
    ProviderTimeout      the outcome is unknown (time-out, 5xx, an unreadable answer): it may have happened: ask

The caller sets the time-out (`trio.move_on_after`); a gateway that is cancelled has an unknown outcome too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Protocol

#: Under this name the route puts the last part of the webhook's path (OBANK's token) into a notice's `query`, over
#: whatever the caller sent by that name.
NOTIFY_TOKEN = "notify_token"


@dataclass(frozen=True)
class ProviderOrder:
    """One top-up as its provider knows it. The row with `order_id` and `number` exists before anything is sent."""

    #: Ours, unique: O!Dengi's `order_id`.
    order_id: str
    #: Ours, unique and rising: OBANK's int64 `id`.
    number: int
    amount_tyiyn: int
    #: What the payer reads.
    description: str
    created_at: datetime
    expires_at: datetime
    #: The provider's own id of it, once its answer is stored.
    invoice_id: str | None = None
    currency: str = "KGS"


class OrderState(Enum):
    """What a provider says of an order; any status we do not know is PROCESSING (never a success, never final)."""

    PROCESSING = "processing"
    APPROVED = "approved"
    CANCELED = "canceled"
    #: The provider has never heard of it; final only after a grace time, which is the caller's to judge.
    NOT_FOUND = "not_found"
    REFUNDED = "refunded"
    PARTIAL_REFUND = "partial_refund"


@dataclass(frozen=True)
class Payment:
    """Money that a provider says it has taken."""

    #: The provider's id of this payment: the exactly-once key together with the provider's name.
    trans_id: str
    #: None when the provider named no sum, or none that can be read.
    amount_tyiyn: int | None
    #: ISO 4217 letters; None when the provider did not say.
    currency: str | None = None


@dataclass(frozen=True)
class OrderStatus:
    """The answer to a status query of ours, over our own signed or mutually authenticated connection."""

    state: OrderState
    #: Every payment the provider calls paid, or given back. APPROVED without any: it says "paid" and names no payment
    #: of this order, which a person must look at. CANCELED: attempts that came to nothing, or were returned once paid.
    payments: tuple[Payment, ...] = ()
    #: What was given back, in total; None when nothing or not reported.
    refunded_tyiyn: int | None = None
    #: The provider's own status or code, for the log and the operator.
    reason: str = ""
    #: Whether it says so of a test payment.
    is_test: bool = False


@dataclass(frozen=True)
class QrInvoice:
    """An invoice a person can pay by a QR code; what the provider left out is None."""

    invoice_id: str
    qr_code: str | None = None
    qr_code_url: str | None = None
    app_link: str | None = None


@dataclass(frozen=True)
class Card:
    """A card as a person typed it, in memory for one request only; its repr shows nothing of it (payments §7)."""

    pan: str = field(repr=False)
    holder: str = field(repr=False)
    cvv: str = field(repr=False)
    #: Two digits each.
    year: str = field(repr=False)
    month: str = field(repr=False)

    @property
    def mask(self) -> str:
        """First six and last four: all of it that may be kept or shown."""
        return f"{self.pan[:6]}******{self.pan[-4:]}"


@dataclass(frozen=True)
class Payer:
    """What the card provider wants to know of the payer; personal data, never logged."""

    email: str = field(repr=False)
    phone: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Challenge:
    """3-D Secure: the payer's browser posts these to `acs_url`, or just goes there when `pa_req` is None."""

    acs_url: str
    pa_req: str | None = None
    md: str | None = None
    term_url: str | None = None


@dataclass(frozen=True)
class CardAnswer:
    """What came of a card payment; with a challenge it is PROCESSING, and only `status` decides."""

    status: OrderStatus
    #: The provider's key of it, when it gave one; `challenge` when it asks for 3-D Secure.
    auth_key: str | None = None
    challenge: Challenge | None = None


@dataclass(frozen=True)
class HostedPage:
    """A page of the provider's where a person pays or stores a card."""

    url: str
    key: str | None = None


@dataclass(frozen=True)
class Notice:
    """A provider's call to our webhook, read and checked. It is never believed alone: it makes us ask `status`."""

    #: Either names the order; O!Dengi promises only `order_id`.
    order_id: str | None
    number: int | None
    state: OrderState
    #: The payment it speaks of, when it does.
    payment: Payment | None = None
    is_test: bool = False


class PaymentGateway(Protocol):
    """One provider. Raises as the module says."""

    #: `ODENGI` or `OBANK`, as stored in `balance_topups.payment_provider`.
    name: str

    async def status(self, order: ProviderOrder) -> OrderStatus:
        """What became of the order."""
        ...

    async def cancel(self, order: ProviderOrder) -> None:
        """Ask that it can no longer be paid; returning proves nothing, `status` must be asked once more."""
        ...

    async def refund(self, order: ProviderOrder, payment: Payment, amount_tyiyn: int) -> None:
        """Give back money of this payment. ProviderError when the provider does not or will not."""
        ...

    def read_notice(self, body: bytes, headers: Mapping[str, str], query: Mapping[str, str]) -> Notice:
        """Check and read a webhook call. Raises Unauthorized (signature or token) and InvalidRequest (unreadable)."""
        ...


class QrGateway(PaymentGateway, Protocol):
    """A provider whose invoices are paid by QR code."""

    async def create_invoice(self, order: ProviderOrder) -> QrInvoice:
        """Make the invoice. The order's row exists; after ProviderTimeout it is found again by `status`."""
        ...


class CardGateway(PaymentGateway, Protocol):
    """A provider that takes cards."""

    async def pay(self, order: ProviderOrder, card: Card, payer: Payer) -> CardAnswer:
        """Charge a card entered through our API (host to host)."""
        ...

    async def pay_with_token(self, order: ProviderOrder, token: str, payer: Payer) -> CardAnswer:
        """Charge a card the provider has stored."""
        ...

    async def store_card(self, days: int) -> HostedPage:
        """A page where a person stores a card for `days` (1-14)."""
        ...

    def notify_token(self, order: ProviderOrder) -> str:
        """What ends the webhook address of this order (payments §3.9): it keeps strangers from making us ask."""
        ...


@dataclass(frozen=True)
class Gateways:
    """Who takes money for us; None is off."""

    qr: QrGateway | None = None
    card: CardGateway | None = None

    @property
    def by_name(self) -> dict[str, PaymentGateway]:
        """Those that are on, by what is stored as `payment_provider`."""
        return {one.name: one for one in (self.qr, self.card) if one is not None}

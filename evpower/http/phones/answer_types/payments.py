"""What the doors to payments answer (contract/rest-api §5.2-5.5): money in som."""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

from evpower.http.wire.described import Currency, Instant, Success

PaymentStatus = Literal["processing", "approved", "canceled", "refunded", "partial_refund"]


class CommonBody(TypedDict):
    """What every accepted top-up answers."""

    success: Success
    invoice_id: str
    order_id: str
    status: PaymentStatus
    amount: float
    client_id: str
    current_balance: float
    currency: Currency


class QrBody(CommonBody):
    """A code to pay by."""

    qr_code: NotRequired[str]
    qr_code_url: NotRequired[str]
    app_link: NotRequired[str]
    qr_expires_at: Instant
    invoice_expires_at: Instant
    qr_lifetime_seconds: int
    invoice_lifetime_seconds: int


class CardBody(CommonBody):
    """A payment by card, or by a stored one; with `requires_3ds` the browser posts to `acs_url`."""

    auth_key: str
    transaction_id: NotRequired[str]
    card_mask: NotRequired[str]
    requires_3ds: NotRequired[bool]
    acs_url: NotRequired[str]
    md: NotRequired[str]
    pa_req: NotRequired[str]
    term_url: NotRequired[str]


class PaymentStatusBody(TypedDict):
    """A top-up now. `status`: 0 processing, 1 approved, 2 canceled, 3 refunded, 4 partial_refund."""

    success: Success
    status: Literal[0, 1, 2, 3, 4]
    status_text: PaymentStatus
    message: str
    amount: float
    paid_amount: float | None
    invoice_id: str
    order_id: str
    client_id: str
    currency: Currency
    provider: str
    can_proceed: bool
    can_start_charging: bool
    qr_expired: bool
    invoice_expired: bool
    qr_expires_at: Instant | None
    invoice_expires_at: Instant | None
    last_status_check_at: Instant | None
    needs_callback_check: bool


class CheckStartedBody(TypedDict):
    """The provider is being asked."""

    success: Success
    message: str
    invoice_id: str


class CanceledBody(TypedDict):
    """An open payment that was given up."""

    success: Success
    message: str
    invoice_id: str
    status: Literal["canceled"]
    client_id: str
    amount: float
    previous_status: PaymentStatus
    new_status: PaymentStatus
    provider: str


class H2hStatusBody(TypedDict):
    """A payment by card now, in the bank's own statuses."""

    success: Success
    transaction_id: str
    invoice_id: str
    status: Literal["pending", "approved", "canceled", "refunded"]
    client_id: str
    amount: float


class TokenPageBody(TypedDict):
    """The bank's page on which a card is stored."""

    success: Success
    token_url: str
    token: str
    token_expires_in_days: int
    message: str

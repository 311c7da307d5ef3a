"""Orders, payments that wait for a person, and refunds, as operators read them: money in som."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, NotRequired, TypedDict

from evpower.money import som_number
from evpower.payments.decisions import ParkedPayment
from evpower.payments.refunds import Refund
from evpower.payments.top_up import Method, Phase, TopUp


class ProviderBody(TypedDict):
    """How a payment provider answers this process."""

    provider: str
    state: Literal["up", "failing", "off"]
    failing_since: NotRequired[datetime]
    last_error: NotRequired[str]


class PaymentDecidedBody(TypedDict):
    """What was decided of a payment."""

    id: int
    decision: Literal["credit", "debit", "dismiss"]


class OrderBody(TypedDict):
    """One order."""

    invoice_id: str
    order_id: str
    client_id: str
    provider: str
    method: Method
    status: str
    phase: Phase
    amount: float
    paid_amount: float
    refunded_amount: float
    reason: str | None
    flags: list[str]
    created_at: datetime
    last_check_at: datetime | None
    next_check_at: datetime | None
    checks_done: int


def order_body(order: TopUp) -> OrderBody:
    """One order."""
    return {
        "invoice_id": order.invoice_id,
        "order_id": order.order_id,
        "client_id": order.client_id,
        "provider": order.provider,
        "method": order.method,
        "status": order.status,
        "phase": order.phase,
        "amount": som_number(order.amount_tyiyn),
        "paid_amount": som_number(order.paid_tyiyn),
        "refunded_amount": som_number(order.refunded_tyiyn),
        "reason": order.reason,
        "flags": list(order.flags),
        "created_at": order.created_at,
        "last_check_at": order.last_check_at,
        "next_check_at": order.next_check_at,
        "checks_done": order.checks_done,
    }


class ParkedPaymentBody(TypedDict):
    """What waits for a person, and what was decided; `resolved` is the sum that a decision moved."""

    id: int
    reason: str
    order_id: str
    invoice_id: str
    client_id: str
    provider: str
    trans_id: str | None
    amount: float | None
    currency: str | None
    ordered: float
    phase: Phase
    detail: str | None
    parked_at: datetime
    resolution: str | None
    resolved: float | None
    resolved_at: datetime | None
    resolved_by: str | None
    resolution_reason: str | None


def parked_payment_body(payment: ParkedPayment) -> ParkedPaymentBody:
    """What waits for a person, and what was decided; `resolved` is the sum that a decision moved."""
    return {
        "id": payment.id,
        "reason": payment.reason,
        "order_id": payment.order_id,
        "invoice_id": payment.invoice_id,
        "client_id": payment.client_id,
        "provider": payment.provider,
        "trans_id": payment.trans_id,
        "amount": _som(payment.amount_tyiyn),
        "currency": payment.currency,
        "ordered": som_number(payment.ordered_tyiyn),
        "phase": payment.phase,
        "detail": payment.detail,
        "parked_at": payment.parked_at,
        "resolution": payment.resolution,
        "resolved": _som(payment.resolved_tyiyn),
        "resolved_at": payment.resolved_at,
        "resolved_by": payment.resolved_by,
        "resolution_reason": payment.resolution_reason,
    }


class RefundBody(TypedDict):
    """A refund as far as its provider has decided it."""

    id: int
    state: str
    amount: float
    error: str | None


def refund_body(refund: Refund) -> RefundBody:
    """A refund as far as its provider has decided it."""
    return {
        "id": refund.id,
        "state": refund.state,
        "amount": som_number(refund.amount_tyiyn),
        "error": refund.error,
    }


def _som(tyiyn: int | None) -> int | float | None:
    return None if tyiyn is None else som_number(tyiyn)

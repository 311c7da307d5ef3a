"""Orders, payments that wait for a person, and refunds, as operators read them: money in som."""

from __future__ import annotations

from evpower.http.wire.values import Body
from evpower.money import som_number
from evpower.payments.decisions import ParkedPayment
from evpower.payments.refunds import Refund
from evpower.payments.top_up import TopUp


def order_body(order: TopUp) -> Body:
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


def parked_payment_body(payment: ParkedPayment) -> Body:
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


def refund_body(refund: Refund) -> Body:
    """A refund as far as its provider has decided it."""
    return {
        "id": refund.id,
        "state": refund.state,
        "amount": som_number(refund.amount_tyiyn),
        "error": refund.error,
    }


def _som(tyiyn: int | None) -> int | float | None:
    return None if tyiyn is None else som_number(tyiyn)

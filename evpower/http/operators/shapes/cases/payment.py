"""The case file of a top-up as operators read it: money in som."""

from __future__ import annotations

from datetime import datetime
from typing import TypedDict

from evpower.case_files.payment_case import ParkedQuestion, PaymentCase, PaymentStep
from evpower.http.operators.shapes.cases.charge import PostingBody, posting_body
from evpower.money import som_number


class CasePaymentBody(TypedDict):
    """The order."""

    invoice_id: str
    order_id: str
    client_id: str
    provider: str
    method: str
    phase: str
    phase_at: datetime
    created_at: datetime
    expires_at: datetime | None
    amount: float
    paid_amount: float
    refunded_amount: float
    reason: str | None
    flags: list[str]
    checks_done: int
    last_check_at: datetime | None
    next_check_at: datetime | None


class PaymentStepBody(TypedDict):
    """What was done, by whom; `call`: the provider called."""

    at: datetime
    what: str
    who: str
    phase_before: str | None
    phase_after: str | None
    amount: float | None
    trans_id: str | None
    detail: str | None
    correlation_id: str | None


class ParkedQuestionBody(TypedDict):
    """What of it waits for a person, or waited."""

    id: int
    reason: str
    parked_at: datetime
    amount: float | None
    detail: str | None
    resolution: str | None
    resolved_by: str | None
    resolution_reason: str | None


class PaymentCaseBody(TypedDict):
    """Everything that is known of a top-up."""

    payment: CasePaymentBody
    steps: list[PaymentStepBody]
    postings: list[PostingBody]
    parked: list[ParkedQuestionBody]


def payment_case_body(case: PaymentCase) -> PaymentCaseBody:
    """Everything that is known of a top-up."""
    payment = case.payment
    return {
        "payment": {
            "invoice_id": payment.invoice_id,
            "order_id": payment.order_id,
            "client_id": payment.client_id,
            "provider": payment.provider,
            "method": payment.method,
            "phase": payment.phase,
            "phase_at": payment.phase_at,
            "created_at": payment.created_at,
            "expires_at": payment.expires_at,
            "amount": som_number(payment.amount_tyiyn),
            "paid_amount": som_number(payment.paid_tyiyn),
            "refunded_amount": som_number(payment.refunded_tyiyn),
            "reason": payment.reason,
            "flags": payment.flags,
            "checks_done": payment.checks_done,
            "last_check_at": payment.last_check_at,
            "next_check_at": payment.next_check_at,
        },
        "steps": [_step(each) for each in case.steps],
        "postings": [posting_body(each) for each in case.postings],
        "parked": [_parked(each) for each in case.parked],
    }


def _step(step: PaymentStep) -> PaymentStepBody:
    return {
        "at": step.at,
        "what": step.what,
        "who": step.who,
        "phase_before": step.phase_before,
        "phase_after": step.phase_after,
        "amount": _som(step.amount_tyiyn),
        "trans_id": step.trans_id,
        "detail": step.detail,
        "correlation_id": step.correlation_id,
    }


def _parked(parked: ParkedQuestion) -> ParkedQuestionBody:
    return {
        "id": parked.id,
        "reason": parked.reason,
        "parked_at": parked.parked_at,
        "amount": _som(parked.amount_tyiyn),
        "detail": parked.detail,
        "resolution": parked.resolution,
        "resolved_by": parked.resolved_by,
        "resolution_reason": parked.resolution_reason,
    }


def _som(tyiyn: int | None) -> float | None:
    return None if tyiyn is None else som_number(tyiyn)

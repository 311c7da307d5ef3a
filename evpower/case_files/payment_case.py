"""Everything that is known of one top-up; sums in tyiyn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class CasePayment:
    """The order, and what its provider has said so far."""

    topup_id: int
    invoice_id: str
    order_id: str
    client_id: str
    provider: str
    method: str
    phase: str
    phase_at: datetime
    created_at: datetime
    expires_at: datetime | None
    amount_tyiyn: int
    paid_tyiyn: int
    refunded_tyiyn: int
    reason: str | None
    flags: list[str]
    checks_done: int
    last_check_at: datetime | None
    next_check_at: datetime | None


@dataclass(frozen=True)
class PaymentStep:
    """What was done, by whom; `what` is an operation of the audit log, or `call` with what became of it."""

    at: datetime
    what: str
    who: str
    phase_before: str | None
    phase_after: str | None
    amount_tyiyn: int | None
    trans_id: str | None
    detail: str | None
    correlation_id: str | None


@dataclass(frozen=True)
class PaymentPosting:
    """One side of an entry that the payment moved."""

    created_at: datetime
    kind: str
    key: str
    account: str
    amount_tyiyn: int
    actor: str


@dataclass(frozen=True)
class ParkedQuestion:
    """What of it waits for a person, or waited."""

    id: int
    reason: str
    parked_at: datetime
    amount_tyiyn: int | None
    detail: str | None
    resolution: str | None
    resolved_by: str | None
    resolution_reason: str | None


@dataclass(frozen=True)
class PaymentCase:
    """The case file of a top-up; its steps are the oldest first."""

    payment: CasePayment
    steps: Sequence[PaymentStep]
    postings: Sequence[PaymentPosting]
    parked: Sequence[ParkedQuestion]

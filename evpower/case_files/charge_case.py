"""Everything that is known of one charge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from evpower.case_files.timeline import CaseAttempt, CaseSession, CaseTransaction, ReadingGap, Step
from evpower.history.bill_evidence import BillEvidence
from evpower.history.evidence import ChargePosting, RegisterFact


@dataclass(frozen=True)
class CasePrice:
    """The price of the charge as it was when it began, and which rule of whose plan gave it."""

    rate_per_kwh: Decimal
    rate_per_minute: Decimal
    session_fee: Decimal
    rule_name: str | None
    rule_id: str | None
    tariff_plan_id: str | None
    #: Of the rule, as it was; its window is among them.
    rule_details: object
    calculated_at: datetime | None


@dataclass(frozen=True)
class CaseIdleFee:
    """What a car that kept its connector has to pay by its plan; the sums are None until it has left."""

    rate_per_minute: Decimal
    grace_minutes: int
    cap_tyiyn: int
    ended_at: datetime | None
    minutes: int | None
    fee_tyiyn: int | None
    taken_tyiyn: int | None
    #: From when until when waiting was paid for.
    times: Sequence[tuple[datetime, datetime]]


@dataclass(frozen=True)
class CaseQuestion:
    """What a person is asked about the charge, or has decided."""

    id: int
    what: str
    since: datetime
    decided: str | None
    decided_by: str | None


@dataclass(frozen=True)
class ChargeCase:
    """The case file of a charge."""

    session: CaseSession
    transaction: CaseTransaction | None
    price: CasePrice
    registers: Sequence[RegisterFact]
    #: Whole entries of the charge, with who posted each.
    postings: Sequence[ChargePosting]
    #: The bill by its formula; None while there is none.
    bill: BillEvidence | None
    #: None where its plan takes none.
    idle_fee: CaseIdleFee | None
    #: The numbers of its receipt and corrections, when each was issued, and its sum in tyiyn.
    receipts: Sequence[tuple[str, datetime, int]]
    attempts: Sequence[CaseAttempt]
    gaps: Sequence[ReadingGap]
    doubts: Sequence[CaseQuestion]
    parked: Sequence[CaseQuestion]
    steps: Sequence[Step]

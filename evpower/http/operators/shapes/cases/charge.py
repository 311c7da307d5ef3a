"""The case file of a charge as operators read it: money in som, energy in Wh where a meter has it so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, TypedDict

from evpower.case_files.charge_case import CaseIdleFee, CaseQuestion, ChargeCase
from evpower.case_files.payment_case import PaymentPosting
from evpower.case_files.timeline import CaseAttempt, CaseSession, Step, StepKind
from evpower.history.bill_evidence import BillEvidence
from evpower.history.evidence import ChargePosting, RegisterFact
from evpower.http.wire.values import instant
from evpower.metering.boundaries import Crossing, DeliveredBy
from evpower.money import som_number

#: Facts of a step that are sums.
TYIYN = "_tyiyn"


class CaseSessionBody(TypedDict):
    """The charge itself."""

    session_id: str
    client_id: str
    station_id: str
    connector_id: int
    status: str
    phase: str
    created_at: datetime
    start_time: datetime
    stop_time: datetime | None
    settled_at: datetime | None
    energy_kwh: Decimal
    amount: float | None
    reserved_amount: float
    refunded_amount: float
    additional_charge: float
    debt_amount: float
    limit_type: str
    limit_value: Decimal | None
    end_cause: str | None
    stop_reason: str | None
    stop_requested_by: str | None
    estimated: bool
    corrected_at: datetime | None
    overshoot_wh: int | None
    unbilled_wh: int
    unbilled_som: float
    transaction_id: str | None


class StepBody(TypedDict):
    """A step of the timeline; `facts` depend on its kind."""

    at: datetime
    step: StepKind
    facts: dict[str, str | float | None]


class RegisterBody(TypedDict):
    """A register that the bill stands on."""

    context: str
    register_wh: int
    measured_at: datetime | None


class CasePriceBody(TypedDict):
    """The price as it was when the charge began; `rule_details` are those of the rule then."""

    rate_per_kwh: Decimal
    rate_per_minute: Decimal
    session_fee: Decimal
    rule: str | None
    rule_id: str | None
    tariff_plan_id: str | None
    rule_details: Any
    calculated_at: datetime | None


class EnergyAtBody(TypedDict):
    """What the charge had delivered by a moment."""

    at: datetime
    energy_kwh: Decimal


class RateBoundaryBody(EnergyAtBody):
    """The same of a moment at which a rate began: between two readings, which are far apart when it is estimated."""

    before: EnergyAtBody
    after: EnergyAtBody
    estimated: bool


class BillPartBody(TypedDict):
    """So much of the energy at one rate."""

    energy_kwh: Decimal
    rate_per_kwh: Decimal


class BillBody(TypedDict):
    """The formula over what was billed, and what is stored; `equal`: all three sums are one.

    `rate_boundaries`: where its price moved, the readings around the moments at which it did.
    """

    energy_kwh: Decimal
    minutes: int
    recomputed: float
    stored: float | None
    sold: float
    equal: bool
    parts: list[BillPartBody]
    rate_boundaries: list[RateBoundaryBody]


class IdleTimeBody(TypedDict):
    """A time of waiting that is paid for."""

    since: datetime
    until: datetime


class IdleFeeBody(TypedDict):
    """What a car that kept its connector has to pay, in som; the last three are null until it has left."""

    rate_per_minute: Decimal
    grace_minutes: int
    cap: float
    times: list[IdleTimeBody]
    ended_at: datetime | None
    minutes: int | None
    fee: float | None
    taken: float | None


class PostingBody(TypedDict):
    """One side of an entry, and who had it posted."""

    at: datetime
    entry: str
    key: str
    account: str
    amount: float
    actor: str


class CaseReceiptBody(TypedDict):
    """A document of the charge."""

    number: str
    issued_at: datetime
    amount: float


class CaseAttemptBody(TypedDict):
    """A start that was tried; `sentence` is what the driver read when it was refused."""

    attempted_at: datetime
    client_id: str | None
    station_id: str
    connector_id: int | None
    door: str
    answer: str
    correlation_id: str | None
    session_id: str | None
    sentence: str | None
    reason: str | None


class CaseQuestionBody(TypedDict):
    """What a person is asked, or has decided."""

    id: int
    what: str
    since: datetime
    decided: str | None
    decided_by: str | None


class ChargeCaseBody(TypedDict):
    """Everything that is known of one charge; without `frames` where they are kept no longer."""

    session: CaseSessionBody
    timeline: list[StepBody]
    registers: list[RegisterBody]
    tariff: CasePriceBody
    bill: BillBody | None
    idle_fee: IdleFeeBody | None
    postings: list[PostingBody]
    receipts: list[CaseReceiptBody]
    attempts: list[CaseAttemptBody]
    doubts: list[CaseQuestionBody]
    parked: list[CaseQuestionBody]
    start_payload: Any
    stop_payload: Any
    frames: list[dict[str, Any]]
    #: Whether there may be more of them than are here (`evpower trace --since` shows those).
    frames_left_out: bool


def charge_case_body(case: ChargeCase, frames: Sequence[Mapping[str, Any]], *, frames_left_out: bool) -> ChargeCaseBody:
    """Everything that is known of one charge."""
    transaction = case.transaction
    return {
        "session": _session(case.session, None if transaction is None else transaction.wire_transaction_id),
        "timeline": [_step(each) for each in case.steps],
        "registers": [_register(each) for each in case.registers],
        "tariff": {
            "rate_per_kwh": case.price.rate_per_kwh,
            "rate_per_minute": case.price.rate_per_minute,
            "session_fee": case.price.session_fee,
            "rule": case.price.rule_name,
            "rule_id": case.price.rule_id,
            "tariff_plan_id": case.price.tariff_plan_id,
            "rule_details": case.price.rule_details,
            "calculated_at": case.price.calculated_at,
        },
        "bill": None if case.bill is None else _bill(case.bill),
        "idle_fee": None if case.idle_fee is None else _idle_fee(case.idle_fee),
        "postings": [posting_body(each) for each in case.postings],
        "receipts": [
            {"number": number, "issued_at": at, "amount": som_number(tyiyn)} for number, at, tyiyn in case.receipts
        ],
        "attempts": [case_attempt_body(each) for each in case.attempts],
        "doubts": [_question(each) for each in case.doubts],
        "parked": [_question(each) for each in case.parked],
        "start_payload": None if transaction is None else transaction.start_payload,
        "stop_payload": None if transaction is None else transaction.stop_payload,
        "frames": [dict(each) for each in frames],
        "frames_left_out": frames_left_out,
    }


def _session(session: CaseSession, transaction_id: str | None) -> CaseSessionBody:
    return {
        "session_id": session.session_id,
        "client_id": session.client_id,
        "station_id": session.station_id,
        "connector_id": session.connector_id,
        "status": session.status,
        "phase": session.phase,
        "created_at": session.created_at,
        "start_time": session.started_at,
        "stop_time": session.ended_at,
        "settled_at": session.settled_at,
        "energy_kwh": Decimal(session.energy_wh) / 1000,
        "amount": None if session.amount_tyiyn is None else som_number(session.amount_tyiyn),
        "reserved_amount": som_number(session.reserved_tyiyn),
        "refunded_amount": som_number(session.refunded_tyiyn),
        "additional_charge": som_number(session.additional_tyiyn),
        "debt_amount": som_number(session.debt_tyiyn),
        "limit_type": session.limit_type,
        "limit_value": session.limit_value,
        "end_cause": session.end_cause,
        "stop_reason": session.stop_reason,
        "stop_requested_by": session.stop_requested_by,
        "estimated": session.estimated,
        "corrected_at": session.corrected_at,
        "overshoot_wh": session.overshoot_wh,
        "unbilled_wh": session.unbilled_wh,
        "unbilled_som": som_number(session.unbilled_tyiyn),
        "transaction_id": transaction_id,
    }


def _step(step: Step) -> StepBody:
    facts: dict[str, str | float | None] = {}
    for name, value in step.facts.items():
        if name.endswith(TYIYN) and isinstance(value, int):
            facts[name.removesuffix(TYIYN)] = som_number(value)
        else:
            facts[name] = instant(value) if isinstance(value, datetime) else value
    return {"at": step.at, "step": step.kind, "facts": facts}


def _register(fact: RegisterFact) -> RegisterBody:
    return {"context": fact.context, "register_wh": fact.register_wh, "measured_at": fact.measured_at}


def _bill(bill: BillEvidence) -> BillBody:
    stored = bill.charge.amount_tyiyn
    return {
        "energy_kwh": Decimal(bill.charge.energy_wh) / 1000,
        "minutes": bill.minutes,
        "recomputed": som_number(bill.recomputed_tyiyn),
        "stored": None if stored is None else som_number(stored),
        "sold": som_number(bill.sold_tyiyn),
        "equal": bill.equal,
        "parts": [{"energy_kwh": Decimal(each.energy_wh) / 1000, "rate_per_kwh": each.per_kwh} for each in bill.parts],
        "rate_boundaries": [_boundary(each) for each in bill.rate_changes],
    }


def _idle_fee(fee: CaseIdleFee) -> IdleFeeBody:
    return {
        "rate_per_minute": fee.rate_per_minute,
        "grace_minutes": fee.grace_minutes,
        "cap": som_number(fee.cap_tyiyn),
        "times": [{"since": since, "until": until} for since, until in fee.times],
        "ended_at": fee.ended_at,
        "minutes": fee.minutes,
        "fee": None if fee.fee_tyiyn is None else som_number(fee.fee_tyiyn),
        "taken": None if fee.taken_tyiyn is None else som_number(fee.taken_tyiyn),
    }


def _boundary(crossing: Crossing) -> RateBoundaryBody:
    return {
        "at": crossing.at.at,
        "energy_kwh": Decimal(crossing.at.energy_wh) / 1000,
        "before": _energy_at(crossing.before),
        "after": _energy_at(crossing.after),
        "estimated": crossing.is_estimated,
    }


def _energy_at(delivered: DeliveredBy) -> EnergyAtBody:
    return {"at": delivered.at, "energy_kwh": Decimal(delivered.energy_wh) / 1000}


def posting_body(posting: ChargePosting | PaymentPosting) -> PostingBody:
    """One side of an entry of the ledger."""
    return {
        "at": posting.created_at,
        "entry": posting.kind,
        "key": posting.key,
        "account": posting.account,
        "amount": som_number(posting.amount_tyiyn),
        "actor": posting.actor,
    }


def case_attempt_body(attempt: CaseAttempt) -> CaseAttemptBody:
    """A start that was tried."""
    return {
        "attempted_at": attempt.attempted_at,
        "client_id": attempt.client_id,
        "station_id": attempt.station_id,
        "connector_id": attempt.connector_id,
        "door": attempt.door,
        "answer": attempt.answer,
        "correlation_id": attempt.correlation_id,
        "session_id": attempt.session_id,
        "sentence": attempt.sentence,
        "reason": attempt.reason,
    }


def _question(question: CaseQuestion) -> CaseQuestionBody:
    return {
        "id": question.id,
        "what": question.what,
        "since": question.since,
        "decided": question.decided,
        "decided_by": question.decided_by,
    }

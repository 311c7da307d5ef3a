"""A charge step by step, with what is missing in it. Pure.

Steps are what the rows have; of what was said on the wire there are the station's frames, as long as they are kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal, TypeAlias, get_args

from evpower.history.evidence import ChargePosting

StepKind: TypeAlias = Literal[
    "asked",
    "held",
    "began",
    "gap",
    "silent",
    "rebooted",
    "stop_asked",
    "stopped",
    "no_stop",
    "ended",
    "settled",
    "released",
    "reopened",
    "corrected",
]
StepFacts: TypeAlias = dict[str, str | int | datetime | None]
#: Of one moment, what follows from what.
ORDER: tuple[StepKind, ...] = get_args(StepKind)
#: What moves a driver's money for a charge, by the kind of its entry.
MONEY: dict[str, StepKind] = {"settle": "settled", "correction": "corrected"}
#: Readings come every minute or so; a longer silence is a question.
GAP_AFTER = timedelta(minutes=5)


@dataclass(frozen=True)
class Step:
    """What happened when; `facts` are for the sentence of its kind."""

    at: datetime
    kind: StepKind
    facts: StepFacts = field(default_factory=dict)


@dataclass(frozen=True)
class CaseTransaction:
    """The station's record of the charge; registers in Wh, times by the station's clock but the received ones."""

    wire_transaction_id: str
    status: str
    meter_start_wh: int
    meter_last_wh: int
    meter_stop_wh: int | None
    started_at: datetime
    received_at: datetime
    last_sample_at: datetime | None
    stopped_at: datetime | None
    stop_received_at: datetime | None
    stop_reason: str | None
    stops_asked: int
    start_payload: object
    stop_payload: object


@dataclass(frozen=True)
class CaseSession:
    """A session's rows; sums in tyiyn, energy in Wh."""

    session_id: str
    client_id: str
    station_id: str
    connector_id: int
    status: str
    phase: str
    phase_at: datetime
    created_at: datetime
    started_at: datetime
    ended_at: datetime | None
    settled_at: datetime | None
    energy_wh: int
    amount_tyiyn: int | None
    reserved_tyiyn: int
    refunded_tyiyn: int
    additional_tyiyn: int
    debt_tyiyn: int
    limit_type: str
    limit_value: Decimal | None
    id_tag: str | None
    end_cause: str | None
    stop_reason: str | None
    stop_requested_at: datetime | None
    stop_requested_by: str | None
    rebooted_at: datetime | None
    reopened_at: datetime | None
    estimated: bool
    corrected_at: datetime | None
    overshoot_wh: int | None
    unbilled_wh: int
    unbilled_tyiyn: int


@dataclass(frozen=True)
class ReadingGap:
    """No reading came between these two."""

    since: datetime
    until: datetime


@dataclass(frozen=True)
class CaseAttempt:
    """A start that was tried."""

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


def timeline(
    session: CaseSession,
    transaction: CaseTransaction | None,
    attempts: Sequence[CaseAttempt],
    postings: Sequence[ChargePosting],
    gaps: Sequence[ReadingGap],
    now: datetime,
) -> list[Step]:
    """Every step, the oldest first; of one moment in the order in which they follow from each other."""
    steps = [
        *(Step(each.attempted_at, "asked", {"door": each.door, "answer": each.answer}) for each in attempts),
        *_of_money(postings),
        *(() if transaction is None else _of_transaction(transaction)),
        *(Step(each.since, "gap", {"until": each.until}) for each in gaps),
        *_of_session(session, transaction, now),
    ]
    return sorted(steps, key=lambda each: (each.at, ORDER.index(each.kind)))


def _of_money(postings: Sequence[ChargePosting]) -> Iterator[Step]:
    held = [each for each in postings if each.kind == "reserve" and each.account == "held"]
    yield from (Step(each.created_at, "held", {"amount_tyiyn": each.amount_tyiyn}) for each in held)
    for posting in postings:
        kind = MONEY.get(posting.kind)
        if kind is not None and posting.account == "revenue":
            yield Step(posting.created_at, kind, {"amount_tyiyn": posting.amount_tyiyn, "actor": posting.actor})


def _of_transaction(transaction: CaseTransaction) -> Iterator[Step]:
    begin: StepFacts = {"register_wh": transaction.meter_start_wh, "transaction_id": transaction.wire_transaction_id}
    yield Step(transaction.received_at, "began", {**begin, "station_at": transaction.started_at})
    if transaction.stop_received_at is not None:
        end: StepFacts = {"register_wh": transaction.meter_stop_wh, "reason": transaction.stop_reason}
        yield Step(transaction.stop_received_at, "stopped", {**end, "station_at": transaction.stopped_at})


def _of_session(session: CaseSession, transaction: CaseTransaction | None, now: datetime) -> Iterator[Step]:
    if session.reopened_at is not None:
        yield Step(session.reopened_at, "reopened")
    if session.rebooted_at is not None:
        yield Step(session.rebooted_at, "rebooted")
    if session.stop_requested_at is not None:
        yield Step(session.stop_requested_at, "stop_asked", {"by": session.stop_requested_by})
    if session.phase == "released":
        yield Step(session.phase_at, "released", {"cause": session.end_cause, "reason": session.stop_reason})
    elif session.ended_at is not None:
        yield Step(
            _known_at(session, transaction), "ended", {"cause": session.end_cause, "energy_wh": session.energy_wh}
        )
    if transaction is not None and transaction.stop_received_at is None:
        last_at = transaction.last_sample_at or transaction.received_at
        if session.ended_at is not None:
            yield Step(
                session.ended_at, "no_stop", {"last_reading_at": last_at, "stops_asked": transaction.stops_asked}
            )
        elif now - last_at > GAP_AFTER:
            yield Step(last_at, "silent", {"register_wh": transaction.meter_last_wh})


def _known_at(session: CaseSession, transaction: CaseTransaction | None) -> datetime:
    """When we knew of the end: the station's clock may say another time."""
    assert session.ended_at is not None
    received_at = None if transaction is None else transaction.stop_received_at
    known_at = received_at or session.ended_at
    return known_at if session.settled_at is None else min(known_at, session.settled_at)

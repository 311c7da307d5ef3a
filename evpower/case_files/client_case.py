"""Everything that is known of one client's money, starts and charges; sums in tyiyn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from evpower.case_files.timeline import CaseAttempt


@dataclass(frozen=True)
class CaseClient:
    """Who they are, and what they have: what is free, and what charges, refunds and reservations hold of it."""

    client_id: str
    name: str | None
    phone: str | None
    email: str | None
    status: str
    created_at: datetime
    merged_into: str | None
    free_tyiyn: int
    held_by_charges_tyiyn: int
    held_by_refunds_tyiyn: int
    held_by_reservations_tyiyn: int
    debt_tyiyn: int


@dataclass(frozen=True)
class CaseCharge:
    """A charge in one line."""

    session_id: str
    station_id: str
    connector_id: int
    phase: str
    start_time: datetime
    energy_kwh: Decimal | None
    reserved_tyiyn: int
    amount_tyiyn: int | None
    debt_tyiyn: int
    end_cause: str | None
    estimated: bool


@dataclass(frozen=True)
class CaseLine:
    """A line of the statement; the balance after it is the running one."""

    created_at: datetime
    type: str
    amount_tyiyn: int
    balance_after_tyiyn: int
    description: str | None
    session_id: str | None
    invoice_id: str | None


@dataclass(frozen=True)
class CaseCard:
    """A card of the client."""

    id_tag: str
    status: str
    parent_id_tag: str | None
    expiry_date: datetime | None


@dataclass(frozen=True)
class CaseTopUp:
    """A top-up, paid or not."""

    invoice_id: str
    provider: str
    phase: str
    created_at: datetime
    amount_tyiyn: int
    paid_tyiyn: int
    refunded_tyiyn: int
    reason: str | None
    flags: list[str]
    #: How often its provider was asked, and when it was last and is next; None: never yet, and never again.
    checks_done: int
    last_check_at: datetime | None
    next_check_at: datetime | None


@dataclass(frozen=True)
class ClientCase:
    """The case file of a client; of each list the newest."""

    client: CaseClient
    attempts: Sequence[CaseAttempt]
    charges: Sequence[CaseCharge]
    statement: Sequence[CaseLine]
    cards: Sequence[CaseCard]
    top_ups: Sequence[CaseTopUp]

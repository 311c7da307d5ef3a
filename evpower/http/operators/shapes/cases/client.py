"""The case file of a client as operators read it: money in som."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TypedDict

from evpower.case_files.client_case import CaseCard, CaseCharge, CaseClient, CaseLine, CaseTopUp, ClientCase
from evpower.http.operators.shapes.cases.charge import CaseAttemptBody, case_attempt_body
from evpower.money import som_number


class CaseClientBody(TypedDict):
    """`balance` is all that is the client's: what is free, and what is held."""

    client_id: str
    name: str | None
    phone: str | None
    email: str | None
    status: str
    created_at: datetime
    merged_into: str | None
    balance: float
    free: float
    held_by_charges: float
    held_by_refunds: float
    held_by_reservations: float
    debt_amount: float


class CaseChargeBody(TypedDict):
    """A charge in one line."""

    session_id: str
    station_id: str
    connector_id: int
    phase: str
    start_time: datetime
    energy_kwh: Decimal | None
    reserved_amount: float
    amount: float | None
    debt_amount: float
    end_cause: str | None
    estimated: bool


class CaseLineBody(TypedDict):
    """A line of the statement."""

    created_at: datetime
    type: str
    amount: float
    balance_after: float
    description: str | None
    session_id: str | None
    invoice_id: str | None


class CaseCardBody(TypedDict):
    """A card."""

    id_tag: str
    status: str
    parent_id_tag: str | None
    expiry_date: datetime | None


class CaseTopUpBody(TypedDict):
    """A top-up, paid or not."""

    invoice_id: str
    provider: str
    phase: str
    created_at: datetime
    amount: float
    paid_amount: float
    refunded_amount: float
    reason: str | None
    flags: list[str]
    checks_done: int
    last_check_at: datetime | None
    next_check_at: datetime | None


class ClientCaseBody(TypedDict):
    """Everything that is known of one client; of each list the newest."""

    client: CaseClientBody
    attempts: list[CaseAttemptBody]
    charges: list[CaseChargeBody]
    statement: list[CaseLineBody]
    cards: list[CaseCardBody]
    top_ups: list[CaseTopUpBody]


def client_case_body(case: ClientCase) -> ClientCaseBody:
    """Everything that is known of one client."""
    return {
        "client": _client(case.client),
        "attempts": [case_attempt_body(each) for each in case.attempts],
        "charges": [_charge(each) for each in case.charges],
        "statement": [_line(each) for each in case.statement],
        "cards": [_card(each) for each in case.cards],
        "top_ups": [_top_up(each) for each in case.top_ups],
    }


def _client(client: CaseClient) -> CaseClientBody:
    held_tyiyn = client.held_by_charges_tyiyn + client.held_by_refunds_tyiyn + client.held_by_reservations_tyiyn
    return {
        "client_id": client.client_id,
        "name": client.name,
        "phone": client.phone,
        "email": client.email,
        "status": client.status,
        "created_at": client.created_at,
        "merged_into": client.merged_into,
        "balance": som_number(client.free_tyiyn + held_tyiyn),
        "free": som_number(client.free_tyiyn),
        "held_by_charges": som_number(client.held_by_charges_tyiyn),
        "held_by_refunds": som_number(client.held_by_refunds_tyiyn),
        "held_by_reservations": som_number(client.held_by_reservations_tyiyn),
        "debt_amount": som_number(client.debt_tyiyn),
    }


def _charge(charge: CaseCharge) -> CaseChargeBody:
    return {
        "session_id": charge.session_id,
        "station_id": charge.station_id,
        "connector_id": charge.connector_id,
        "phase": charge.phase,
        "start_time": charge.start_time,
        "energy_kwh": charge.energy_kwh,
        "reserved_amount": som_number(charge.reserved_tyiyn),
        "amount": None if charge.amount_tyiyn is None else som_number(charge.amount_tyiyn),
        "debt_amount": som_number(charge.debt_tyiyn),
        "end_cause": charge.end_cause,
        "estimated": charge.estimated,
    }


def _line(line: CaseLine) -> CaseLineBody:
    return {
        "created_at": line.created_at,
        "type": line.type,
        "amount": som_number(line.amount_tyiyn),
        "balance_after": som_number(line.balance_after_tyiyn),
        "description": line.description,
        "session_id": line.session_id,
        "invoice_id": line.invoice_id,
    }


def _card(card: CaseCard) -> CaseCardBody:
    return {
        "id_tag": card.id_tag,
        "status": card.status,
        "parent_id_tag": card.parent_id_tag,
        "expiry_date": card.expiry_date,
    }


def _top_up(top_up: CaseTopUp) -> CaseTopUpBody:
    return {
        "invoice_id": top_up.invoice_id,
        "provider": top_up.provider,
        "phase": top_up.phase,
        "created_at": top_up.created_at,
        "amount": som_number(top_up.amount_tyiyn),
        "paid_amount": som_number(top_up.paid_tyiyn),
        "refunded_amount": som_number(top_up.refunded_tyiyn),
        "reason": top_up.reason,
        "flags": top_up.flags,
        "checks_done": top_up.checks_done,
        "last_check_at": top_up.last_check_at,
        "next_check_at": top_up.next_check_at,
    }

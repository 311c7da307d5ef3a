"""Clients as the owner's app reads them at the administrators' door (contract/rest-api §7.7)."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Literal, TypedDict

from evpower.administration.records import ClientAccount
from evpower.billing.account import BalanceAdjustment
from evpower.http.operators.shapes.charges import ChargeBody
from evpower.money import som_number


class ClientBody(TypedDict):
    """One client."""

    id: str
    balance: float
    status: Literal["active", "blocked"]
    sessions_count: int
    total_energy_kwh: Decimal
    total_spent_som: float
    anonymized: bool
    name: str | None
    email: str | None
    phone: str | None
    created_at: datetime | None
    updated_at: datetime | None
    debt_amount: float


class ClientPageBody(TypedDict):
    """A page of clients, and how many match in all."""

    clients: list[ClientBody]
    total: int
    limit: int
    offset: int


class ClientDetailBody(ClientBody):
    """One client with the newest charges."""

    recent_sessions: list[ChargeBody]


class ClientStatusBody(TypedDict):
    """What a client's status was and is."""

    client_id: str
    old_status: Literal["active", "blocked"]
    new_status: Literal["active", "blocked"]


class AdjustmentBody(TypedDict):
    """What a correction did to a balance."""

    client_id: str
    old_balance: float
    new_balance: float
    adjustment: float
    reason: str


def client_body(client: ClientAccount) -> ClientBody:
    """One client."""
    return {
        "id": client.id,
        "balance": som_number(client.balance_tyiyn),
        "status": shown_status(client.status),
        "sessions_count": client.sessions_count,
        "total_energy_kwh": client.energy_kwh,
        "total_spent_som": som_number(client.spent_tyiyn),
        "anonymized": client.anonymized,
        "name": client.name,
        "email": client.email,
        "phone": client.phone,
        "created_at": client.created_at,
        "updated_at": client.updated_at,
        "debt_amount": som_number(client.debt_tyiyn),
    }


def shown_status(status: str) -> Literal["active", "blocked"]:
    """The app knows two values: who is deleted is blocked."""
    return "active" if status == "active" else "blocked"


def adjustment_body(done: BalanceAdjustment) -> AdjustmentBody:
    """What a correction did to a balance."""
    return {
        "client_id": done.client_id,
        "old_balance": som_number(done.old_balance_tyiyn),
        "new_balance": som_number(done.new_balance_tyiyn),
        "adjustment": som_number(done.amount_tyiyn),
        "reason": done.reason,
    }

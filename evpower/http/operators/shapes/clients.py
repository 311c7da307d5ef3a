"""Clients as the owner's app reads them at the administrators' door (contract/rest-api §7.7)."""

from __future__ import annotations

from evpower.administration.records import ClientAccount
from evpower.billing.account import BalanceAdjustment
from evpower.http.wire.values import Body
from evpower.money import som_number


def client_body(client: ClientAccount) -> Body:
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


def shown_status(status: str) -> str:
    """The app knows two values: who is deleted is blocked."""
    return "active" if status == "active" else "blocked"


def adjustment_body(done: BalanceAdjustment) -> Body:
    """What a correction did to a balance."""
    return {
        "client_id": done.client_id,
        "old_balance": som_number(done.old_balance_tyiyn),
        "new_balance": som_number(done.new_balance_tyiyn),
        "adjustment": som_number(done.amount_tyiyn),
        "reason": done.reason,
    }

"""A client's money as the doors show it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from evpower.billing.errors import ClientBlocked, ClientDeleted
from evpower.identifiers import ClientId, SessionId


@dataclass(frozen=True)
class BalanceView:
    """`GET /balance/{client_id}` (contract/rest-api §5.1)."""

    client_id: ClientId
    status: str
    balance_tyiyn: int
    reserved_tyiyn: int
    debt_tyiyn: int
    total_spent_tyiyn: int
    last_topup_at: datetime | None
    active_session_ids: tuple[SessionId, ...]


def check_client(status: str) -> None:
    """Blocked and deleted clients neither start a charge nor pay in (contract/rest-api §1.8).

    Raises ClientBlocked, ClientDeleted.
    """
    if status == "blocked":
        raise ClientBlocked
    if status != "active":
        raise ClientDeleted


@dataclass(frozen=True)
class BalanceAdjustment:
    """A correction of a balance by hand. `is_new` is false for a repeat, which shows what the first one did."""

    client_id: ClientId
    amount_tyiyn: int
    old_balance_tyiyn: int
    reason: str
    is_new: bool
    #: What of a credit paid debts at once (design §9.5).
    debt_paid_tyiyn: int = 0

    @property
    def new_balance_tyiyn(self) -> int:
        return self.old_balance_tyiyn + self.amount_tyiyn - self.debt_paid_tyiyn

"""A client's row, for units of work that move a client's money: locked first, always (billing-rules §10)."""

from __future__ import annotations

from evpower.billing.rows.clients import (
    Client,
    ensure_client,
    lock_client,
    lock_known_client,
    read_balance,
    read_free_money,
)

__all__ = ["Client", "ensure_client", "lock_client", "lock_known_client", "read_balance", "read_free_money"]

"""Accounts that end, and ids that became aliases, as operators read them: money in som."""

from __future__ import annotations

from datetime import datetime
from typing import TypedDict

from evpower.accounts.deletion import Deletion
from evpower.accounts.merging import ClientMerge
from evpower.money import som_number


class DeletionBody(TypedDict):
    """One account that ends."""

    client_id: str
    status: str
    name: str | None
    phone: str | None
    email: str | None
    balance: float
    debt_amount: float
    paid_out: float
    requested_at: datetime
    restorable_until: datetime
    erased_at: datetime | None


def deletion_body(deletion: Deletion) -> DeletionBody:
    """One account; name, phone and e-mail are null once it is erased."""
    return {
        "client_id": deletion.client_id,
        "status": deletion.status,
        "name": deletion.name,
        "phone": deletion.phone,
        "email": deletion.email,
        "balance": som_number(deletion.balance_tyiyn),
        "debt_amount": som_number(deletion.debt_tyiyn),
        "paid_out": som_number(deletion.paid_out_tyiyn),
        "requested_at": deletion.requested_at,
        "restorable_until": deletion.restorable_until,
        "erased_at": deletion.erased_at,
    }


class MergeBody(TypedDict):
    """An id that is an alias of `client_id`, and what it brought along."""

    merged_id: str
    client_id: str
    balance: float
    debt_amount: float
    actor: str
    reason: str
    merged_at: datetime


def merge_body(merge: ClientMerge) -> MergeBody:
    """An id that is an alias of `client_id`, and what it brought along."""
    return {
        "merged_id": merge.old_id,
        "client_id": merge.into_id,
        "balance": som_number(merge.balance_tyiyn),
        "debt_amount": som_number(merge.debt_tyiyn),
        "actor": merge.actor,
        "reason": merge.reason,
        "merged_at": merge.merged_at,
    }

"""Refunds of top-ups through their provider."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from evpower.db.connection import Conn
from evpower.identifiers import ClientId
from evpower.narrowing import ROWS_MAX

INSERT = """
INSERT INTO evpower.top_up_refunds (topup_id, trans_id, amount_tyiyn, before_tyiyn, state, asked_by, reason, created_at,
    next_check_at)
VALUES (%(topup_id)s, %(trans_id)s, %(amount_tyiyn)s, %(before_tyiyn)s, 'open', %(actor)s, %(reason)s, %(at)s, %(at)s)
RETURNING id
"""
SELECT = """
SELECT r.id, r.topup_id, t.client_id, r.trans_id, r.amount_tyiyn, r.before_tyiyn, r.state, r.created_at, r.sent_at,
       r.checks_done, r.error
FROM evpower.top_up_refunds r JOIN public.balance_topups t ON t.id = r.topup_id
"""
LIST_OPEN = """
SELECT r.id, t.order_id, t.invoice_id, t.client_id, t.payment_provider AS provider, r.amount_tyiyn, r.asked_by,
       r.reason, r.created_at, r.sent_at, r.checks_done, r.next_check_at, r.error
FROM evpower.top_up_refunds r JOIN public.balance_topups t ON t.id = r.topup_id
WHERE r.state = 'open' ORDER BY r.id LIMIT %(limit)s
"""
READ = f"{SELECT} WHERE r.id = %(id)s"
OPEN_OF = f"{SELECT} WHERE r.topup_id = %(topup_id)s AND r.state = 'open'"
LOCK = f"{SELECT} WHERE r.id = %(id)s FOR UPDATE OF r"
# A refund is claimed by moving its next check ahead: if the process dies, it becomes due again.
CLAIM = f"""
WITH due AS (
    SELECT id FROM evpower.top_up_refunds WHERE state = 'open' AND next_check_at <= %(at)s
    ORDER BY next_check_at LIMIT 1 FOR UPDATE SKIP LOCKED
), claimed AS (
    UPDATE evpower.top_up_refunds u SET next_check_at = %(until)s FROM due WHERE u.id = due.id RETURNING u.id
)
{SELECT} JOIN claimed ON claimed.id = r.id
"""
SENT = """
UPDATE evpower.top_up_refunds SET sent_at = %(at)s, next_check_at = %(next)s WHERE id = %(id)s AND sent_at IS NULL
RETURNING id
"""
AGAIN = """
UPDATE evpower.top_up_refunds SET next_check_at = %(next)s, checks_done = checks_done + 1, error = %(error)s
WHERE id = %(id)s
"""
END = """
UPDATE evpower.top_up_refunds SET state = %(state)s, ended_at = %(at)s, error = %(error)s, next_check_at = NULL
WHERE id = %(id)s
"""
BY_PAYMENT = """
SELECT trans_id, sum(amount_tyiyn)::bigint AS tyiyn FROM evpower.top_up_refunds
WHERE topup_id = %(topup_id)s AND state <> 'returned' GROUP BY trans_id
"""
MAKE_ALL_DUE = """
UPDATE evpower.top_up_refunds SET next_check_at = %(at)s WHERE state = 'open' AND next_check_at > %(at)s
"""


@dataclass(frozen=True)
class Refund:
    """Money on its way back; `before_tyiyn` is what had been given back of the order before."""

    id: int
    topup_id: int
    client_id: ClientId
    trans_id: str
    amount_tyiyn: int
    before_tyiyn: int
    state: str
    created_at: datetime
    sent_at: datetime | None
    checks_done: int
    error: str | None


@dataclass(frozen=True)
class OpenRefund:
    """A refund that is under way, with its order and who asked for it."""

    id: int
    order_id: str
    invoice_id: str
    client_id: ClientId
    provider: str
    amount_tyiyn: int
    asked_by: str
    reason: str
    created_at: datetime
    sent_at: datetime | None
    checks_done: int
    next_check_at: datetime | None
    error: str | None


async def insert_refund(
    conn: Conn,
    *,
    topup_id: int,
    trans_id: str,
    amount_tyiyn: int,
    before_tyiyn: int,
    actor: str,
    reason: str,
    at: datetime,
) -> int:
    """A new open refund; its id."""
    parameters = {
        "topup_id": topup_id,
        "trans_id": trans_id,
        "amount_tyiyn": amount_tyiyn,
        "before_tyiyn": before_tyiyn,
        "actor": actor,
        "reason": reason,
        "at": at,
    }
    row = await (await conn.execute(INSERT, parameters)).fetchone()
    assert row is not None, "an INSERT that succeeds returns its row"
    return int(row["id"])


async def read_refund(conn: Conn, refund_id: int) -> Refund:
    """One that exists."""
    return await _one(conn, READ, {"id": refund_id})


async def lock_refund(conn: Conn, refund_id: int) -> Refund:
    """Take one for this unit of work, after its client and its order."""
    return await _one(conn, LOCK, {"id": refund_id})


async def open_refund(conn: Conn, topup_id: int) -> Refund | None:
    """The refund of an order that is under way."""
    row = await (await conn.execute(OPEN_OF, {"topup_id": topup_id})).fetchone()
    return None if row is None else Refund(**row)


async def list_open(conn: Conn) -> list[OpenRefund]:
    """Every refund that is under way, the oldest first."""
    return [OpenRefund(**row) for row in await (await conn.execute(LIST_OPEN, {"limit": ROWS_MAX})).fetchall()]


async def make_all_refunds_due(conn: Conn, at: datetime) -> None:
    """Every open refund that is to be asked about some day is, at once."""
    await conn.execute(MAKE_ALL_DUE, {"at": at})


async def claim_due_refund(conn: Conn, at: datetime, until: datetime) -> Refund | None:
    """An open refund that is due, kept from others until then."""
    row = await (await conn.execute(CLAIM, {"at": at, "until": until})).fetchone()
    return None if row is None else Refund(**row)


async def mark_sent(conn: Conn, refund_id: int, at: datetime, next_check_at: datetime) -> bool:
    """From here it may have reached the provider; False when somebody was faster."""
    parameters = {"id": refund_id, "at": at, "next": next_check_at}
    return await (await conn.execute(SENT, parameters)).fetchone() is not None


async def ask_again(conn: Conn, refund_id: int, next_check_at: datetime, error: str | None) -> None:
    """Its outcome is not known yet: plan the next check."""
    await conn.execute(AGAIN, {"id": refund_id, "next": next_check_at, "error": error})


async def end_refund(conn: Conn, refund_id: int, state: str, at: datetime, error: str | None) -> None:
    """It is known what became of it."""
    await conn.execute(END, {"id": refund_id, "state": state, "at": at, "error": error})


async def refunded_by_payment(conn: Conn, topup_id: int) -> dict[str, int]:
    """What is given back, or on its way back, of each payment of an order."""
    rows = await (await conn.execute(BY_PAYMENT, {"topup_id": topup_id})).fetchall()
    return {row["trans_id"]: row["tyiyn"] for row in rows}


async def _one(conn: Conn, query: str, parameters: dict[str, Any]) -> Refund:
    row = await (await conn.execute(query, parameters)).fetchone()
    if row is None:
        raise LookupError("no such refund")
    return Refund(**row)

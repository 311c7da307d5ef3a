"""Accounts that end: rows of `account_deletions`.

The rules of the request and of the way back are the database's, which has two doors to them (migration 0031).
"""

from __future__ import annotations

from datetime import datetime

from evpower.accounts.deletion import Deletion
from evpower.db.connection import Conn
from evpower.identifiers import ClientId

REQUEST = "SELECT evpower.request_deletion(%(id)s, %(at)s) AS answer"
RESTORE = "SELECT evpower.restore_account(%(id)s, %(at)s) AS answer"
SELECT = """
SELECT d.client_id, c.status, c.name, c.phone, c.email, (c.balance * 100)::bigint AS balance_tyiyn,
       (c.debt_amount * 100)::bigint AS debt_tyiyn,
       (SELECT coalesce(sum(p.amount_tyiyn), 0)::bigint FROM evpower.ledger_postings p
        WHERE p.client_id = c.id AND p.account = 'bank') AS paid_out_tyiyn,
       d.requested_at, d.restorable_until, d.erased_at
FROM evpower.account_deletions d JOIN public.clients c ON c.id = d.client_id
"""
READ = f"{SELECT} WHERE d.client_id = %(id)s"
# What a person still has to do something about: it can be taken back, or money waits.
LIST = f"{SELECT} WHERE %(all)s OR d.erased_at IS NULL OR c.balance > 0 ORDER BY d.requested_at, d.client_id"
# An erasure is claimed by moving it ahead: if the process dies, it becomes due again.
CLAIM = """
UPDATE evpower.account_deletions SET due_at = %(until)s
WHERE client_id = (SELECT client_id FROM evpower.account_deletions WHERE due_at <= %(at)s
                   ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING client_id
"""
LOCK_OPEN = """
SELECT FROM evpower.account_deletions WHERE client_id = %(id)s AND erased_at IS NULL AND restorable_until <= %(at)s
FOR UPDATE
"""
POSTPONE = "UPDATE evpower.account_deletions SET due_at = %(until)s WHERE client_id = %(id)s AND erased_at IS NULL"
FORGET = "DELETE FROM evpower.account_deletions WHERE client_id = %(id)s"
NOT_ASKED = "UPDATE public.clients SET delete_requested_at = NULL WHERE id = %(id)s"
ERASED = "UPDATE evpower.account_deletions SET erased_at = %(at)s, due_at = NULL WHERE client_id = %(id)s"


async def request_deletion(conn: Conn, client_id: ClientId, at: datetime) -> str:
    """`requested`, or why not: `unknown`, `running`, `debt`; takes the client's row first."""
    return await _answer(conn, REQUEST, client_id, at)


async def restore_account(conn: Conn, client_id: ClientId, at: datetime) -> str:
    """`restored`, also when nothing was to be, or why not: `unknown`, `too_late`; takes the client's row first."""
    return await _answer(conn, RESTORE, client_id, at)


async def _answer(conn: Conn, query: str, client_id: ClientId, at: datetime) -> str:
    row = await (await conn.execute(query, {"id": client_id, "at": at})).fetchone()
    assert row is not None
    return str(row["answer"])


async def read_deletion(conn: Conn, client_id: ClientId) -> Deletion | None:
    """The account's end; None when none was asked for."""
    row = await (await conn.execute(READ, {"id": client_id})).fetchone()
    return None if row is None else Deletion(**row)


async def list_deletions(conn: Conn, *, settled_too: bool) -> list[Deletion]:
    """Oldest first; without `settled_too` those that can be restored, or that money waits in."""
    return [Deletion(**row) for row in await (await conn.execute(LIST, {"all": settled_too})).fetchall()]


async def claim_due(conn: Conn, at: datetime, until: datetime) -> ClientId | None:
    """An account whose erasure is due, taken until then; None when none is."""
    row = await (await conn.execute(CLAIM, {"at": at, "until": until})).fetchone()
    return None if row is None else ClientId(row["client_id"])


async def lock_open(conn: Conn, client_id: ClientId, at: datetime) -> bool:
    """Take the row of an account that is to be erased now, after its client's; whether it still is."""
    return (await conn.execute(LOCK_OPEN, {"id": client_id, "at": at})).rowcount == 1


async def postpone(conn: Conn, client_id: ClientId, until: datetime) -> None:
    """Look at it again then."""
    await conn.execute(POSTPONE, {"id": client_id, "until": until})


async def forget(conn: Conn, client_id: ClientId) -> None:
    """The account goes on."""
    await conn.execute(FORGET, {"id": client_id})
    await conn.execute(NOT_ASKED, {"id": client_id})


async def mark_erased(conn: Conn, client_id: ClientId, at: datetime) -> None:
    """Nothing is left to be erased."""
    await conn.execute(ERASED, {"id": client_id, "at": at})

"""Rows of `clients`, and their money as the phone reads it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from evpower.billing.account import BalanceView
from evpower.db.connection import Conn
from evpower.identifiers import ClientId, SessionId

ENSURE_CLIENT = """
INSERT INTO public.clients (id, balance, status, created_at, updated_at)
VALUES (%(id)s, 0, 'active', %(at)s, %(at)s) ON CONFLICT (id) DO NOTHING
"""

LOCK_CLIENT = """
SELECT id, status, (balance * 100)::bigint AS balance_tyiyn, (debt_amount * 100)::bigint AS debt_tyiyn, merged_into,
       CASE WHEN NOT EXISTS (SELECT FROM evpower.unverified_phones u WHERE u.client_id = c.id) THEN phone END
           AS verified_phone
FROM public.clients c WHERE id = %(id)s FOR UPDATE
"""

READ_BALANCE = """
SELECT c.id, c.status, (c.balance * 100)::bigint AS balance_tyiyn, (c.debt_amount * 100)::bigint AS debt_tyiyn,
       (coalesce(s.reserved, 0) * 100)::bigint + coalesce(k.hold_tyiyn, 0) AS reserved_tyiyn, s.sessions,
       (coalesce(t.spent, 0) * 100)::bigint AS total_spent_tyiyn, t.last_topup_at
FROM public.clients c
CROSS JOIN LATERAL (
    SELECT sum(reserved_amount) AS reserved, array_agg(id ORDER BY created_at) AS sessions
    FROM public.charging_sessions WHERE user_id = c.id AND settled_at IS NULL) s
CROSS JOIN LATERAL (
    SELECT -sum(amount) FILTER (WHERE type IN ('charge_reserve', 'charge_refund', 'charge_payment')) AS spent,
           max(created_at) FILTER (WHERE type = 'balance_topup') AS last_topup_at
    FROM public.payment_transactions WHERE client_id = c.id) t
LEFT JOIN evpower.reservations k ON k.client_id = c.id AND k.status IN ('pending', 'reserved')
WHERE c.id = %(id)s
"""


READ_FREE_MONEY = """
SELECT (balance * 100)::bigint AS free_tyiyn, (debt_amount * 100)::bigint AS debt_tyiyn
FROM public.clients WHERE id = %(id)s
"""

DISPLACED_PHONES = """
SELECT d.client_id, d.phone, d.reason, k.id AS kept_by
FROM evpower.displaced_phones d JOIN public.clients c ON c.id = d.client_id
LEFT JOIN public.clients k ON k.phone = d.phone
WHERE c.phone IS NULL AND c.merged_into IS NULL ORDER BY d.displaced_at, d.client_id
"""


@dataclass(frozen=True)
class DisplacedPhone:
    """A client's phone that was taken from it; the client has none now.

    `reason` is `duplicate` or `not_e164` (from before each was one client's and in E.164's writing), or `unverified`:
    the client wrote it, and `kept_by` is vouched for.
    """

    client_id: ClientId
    phone: str
    reason: str
    kept_by: ClientId | None


@dataclass(frozen=True)
class Client:
    """A locked client row."""

    id: ClientId
    status: str
    #: None also for a number that the client wrote and nobody vouched for.
    verified_phone: str | None
    balance_tyiyn: int
    debt_tyiyn: int


async def ensure_client(conn: Conn, client_id: ClientId, at: datetime) -> None:
    """Create the client on its first request; two first requests at once make one row (rest-api §1.8)."""
    await conn.execute(ENSURE_CLIENT, {"id": client_id, "at": at})


async def lock_client(conn: Conn, client_id: ClientId) -> Client:
    """Take the client's row for this unit of work: always the first lock (billing-rules §10).

    Of an id that was merged it is the survivor's, also when that happened while the lock was waited for.
    """
    client = await lock_known_client(conn, client_id)
    if client is None:
        raise LookupError(f"client {client_id} does not exist")
    return client


async def lock_known_client(conn: Conn, client_id: ClientId) -> Client | None:
    """As `lock_client`, of an id that somebody named: None when there is no such client."""
    row = await (await conn.execute(LOCK_CLIENT, {"id": client_id})).fetchone()
    if row is None:
        return None
    survivor = row.pop("merged_into")
    return Client(**row) if survivor is None else await lock_client(conn, ClientId(survivor))


async def displaced_phones(conn: Conn) -> list[DisplacedPhone]:
    """Those whose clients still have no phone, in the order they were found."""
    return [DisplacedPhone(**row) for row in await (await conn.execute(DISPLACED_PHONES)).fetchall()]


async def read_balance(conn: Conn, client_id: ClientId) -> BalanceView:
    """The client's money; the row exists."""
    balance = await find_balance(conn, client_id)
    if balance is None:
        raise LookupError(f"client {client_id} does not exist")
    return balance


async def read_free_money(conn: Conn, client_id: ClientId, credited_tyiyn: int) -> int:
    """What the client can spend once so much is credited, which pays debts first, in tyiyn; the row exists.

    Unlike the whole view it reads none of their history.
    """
    row = await (await conn.execute(READ_FREE_MONEY, {"id": client_id})).fetchone()
    if row is None:
        raise LookupError(f"client {client_id} does not exist")
    if credited_tyiyn == 0:  # nothing comes in that a debt could be paid from
        return int(row["free_tyiyn"])
    return max(0, int(row["free_tyiyn"]) + credited_tyiyn - int(row["debt_tyiyn"]))


async def find_balance(conn: Conn, client_id: ClientId) -> BalanceView | None:
    """The client's money, if there is such a client."""
    row = await (await conn.execute(READ_BALANCE, {"id": client_id})).fetchone()
    if row is None:
        return None
    return BalanceView(
        client_id=ClientId(row["id"]),
        status=row["status"],
        balance_tyiyn=row["balance_tyiyn"],
        reserved_tyiyn=row["reserved_tyiyn"],
        debt_tyiyn=row["debt_tyiyn"],
        total_spent_tyiyn=row["total_spent_tyiyn"],
        last_topup_at=row["last_topup_at"],
        active_session_ids=tuple(SessionId(text) for text in row["sessions"] or ()),
    )

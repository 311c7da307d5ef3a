"""Clients as administrators list them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from evpower.administration.records import ClientAccount, Page
from evpower.db.connection import Conn
from evpower.identifiers import ClientId

WANTED = r"""
FROM public.clients c
WHERE c.merged_into IS NULL
  AND (%(id)s::text IS NULL OR c.id = (SELECT coalesce(a.merged_into, a.id) FROM public.clients a WHERE a.id = %(id)s))
  AND (%(status)s::text IS NULL OR (c.status = 'active') = (%(status)s = 'active'))
  AND (%(search)s::text IS NULL OR concat_ws(E'\n', c.id, c.name, c.phone, c.email) ILIKE %(search)s
       OR EXISTS (SELECT FROM public.clients a WHERE a.merged_into = c.id AND a.id ILIKE %(search)s))
"""
# What was spent is counted as the driver's own balance page counts it.
LIST = f"""
SELECT c.*, s.sessions_count, s.energy_kwh, t.spent_tyiyn
FROM (SELECT c.id, c.name, c.email, c.phone, c.status, c.anonymized, c.created_at, c.updated_at,
             (c.balance * 100)::bigint AS balance_tyiyn, (c.debt_amount * 100)::bigint AS debt_tyiyn
      {WANTED} ORDER BY c.created_at DESC, c.id LIMIT %(limit)s OFFSET %(offset)s) c
CROSS JOIN LATERAL (
    SELECT count(*) AS sessions_count, coalesce(sum(energy), 0) AS energy_kwh
    FROM public.charging_sessions WHERE user_id = c.id) s
CROSS JOIN LATERAL (
    SELECT (coalesce(-sum(amount), 0) * 100)::bigint AS spent_tyiyn FROM public.payment_transactions
    WHERE client_id = c.id AND type IN ('charge_reserve', 'charge_refund', 'charge_payment')) t
ORDER BY c.created_at DESC, c.id
"""
COUNT = f"SELECT count(*) AS total {WANTED}"

SET_STATUS = "UPDATE public.clients SET status = %(status)s, updated_at = %(at)s WHERE id = %(id)s"

GivenStatus = Literal["active", "blocked"]


async def list_clients(
    conn: Conn, search: str | None, status: GivenStatus | None, page: Page
) -> tuple[tuple[ClientAccount, ...], int]:
    """A page of clients, newest first, and how many match; an id that was merged finds whose it is."""
    wanted = {"id": None, "search": _pattern(search), "status": status, **vars(page)}
    rows = await (await conn.execute(LIST, wanted)).fetchall()
    counts = await (await conn.execute(COUNT, wanted)).fetchall()
    return tuple(_account(row) for row in rows), counts[0]["total"]


async def read_client(conn: Conn, client_id: ClientId) -> ClientAccount | None:
    """One of them, the survivor of an id that was merged."""
    wanted = {"id": client_id, "search": None, "status": None, "limit": 1, "offset": 0}
    row = await (await conn.execute(LIST, wanted)).fetchone()
    return None if row is None else _account(row)


async def set_status(conn: Conn, client_id: ClientId, status: GivenStatus, at: datetime) -> None:
    """The client, whose row is locked, is blocked, or no more."""
    await conn.execute(SET_STATUS, {"id": client_id, "status": status, "at": at})


def _account(row: dict[str, Any]) -> ClientAccount:
    return ClientAccount(**row)


def _pattern(search: str | None) -> str | None:
    """Any text with this in it; its own wildcards are letters."""
    if search is None:
        return None
    for special in ("\\", "%", "_"):
        search = search.replace(special, f"\\{special}")
    return f"%{search}%"

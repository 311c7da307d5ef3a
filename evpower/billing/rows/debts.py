"""What sessions left unpaid."""

from __future__ import annotations

from dataclasses import dataclass

from evpower.db.connection import Conn
from evpower.identifiers import ClientId, SessionId
from evpower.money import som

READ_DEBTS = """
SELECT id AS session_id, (debt_amount * 100)::bigint AS debt_tyiyn FROM public.charging_sessions
WHERE user_id = %(client_id)s AND debt_amount > 0 ORDER BY created_at, id FOR UPDATE
"""
REDUCE_DEBT = "UPDATE public.charging_sessions SET debt_amount = debt_amount - %(less)s WHERE id = %(id)s"


@dataclass(frozen=True)
class Debt:
    session_id: SessionId
    debt_tyiyn: int


async def read_debts(conn: Conn, client_id: ClientId) -> list[Debt]:
    """The client's unpaid sessions, oldest first, taken for this unit of work."""
    cursor = await conn.execute(READ_DEBTS, {"client_id": client_id})
    return [Debt(**row) for row in await cursor.fetchall()]


async def reduce_debt(conn: Conn, session_id: SessionId, less_tyiyn: int) -> None:
    """A session's debt was paid or forgiven, in part or whole."""
    await conn.execute(REDUCE_DEBT, {"id": session_id, "less": som(less_tyiyn)})

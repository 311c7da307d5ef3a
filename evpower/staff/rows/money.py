"""Rows of `staff_money`: what the daily limit is counted from."""

from __future__ import annotations

from datetime import datetime

from evpower.db.connection import Conn
from evpower.staff.records import StaffId

# Whoever decides at the same time waits here, so that two decisions are not counted beside each other.
LOCK = "SELECT FROM public.users WHERE id = %(id)s FOR UPDATE"
MOVED_SINCE = """
SELECT coalesce(sum(amount_tyiyn), 0)::bigint AS tyiyn FROM evpower.staff_money
WHERE user_id = %(id)s AND decided_at >= %(since)s
"""
ADD = """
INSERT INTO evpower.staff_money (user_id, decided_at, amount_tyiyn) VALUES (%(id)s, %(at)s, %(amount)s) RETURNING id
"""
FORGET = "DELETE FROM evpower.staff_money WHERE id = %(row)s"


async def lock_moved(conn: Conn, staff_id: StaffId, since: datetime) -> int:
    """What a person moved since then, in tyiyn; nobody adds to it until this unit of work ends."""
    await conn.execute(LOCK, {"id": staff_id})
    row = await (await conn.execute(MOVED_SINCE, {"id": staff_id, "since": since})).fetchone()
    assert row is not None
    return int(row["tyiyn"])


async def add(conn: Conn, staff_id: StaffId, amount_tyiyn: int, at: datetime) -> int:
    """The id of a new row."""
    row = await (await conn.execute(ADD, {"id": staff_id, "amount": amount_tyiyn, "at": at})).fetchone()
    assert row is not None
    return int(row["id"])


async def forget(conn: Conn, row: int) -> None:
    """A decision was refused."""
    await conn.execute(FORGET, {"row": row})

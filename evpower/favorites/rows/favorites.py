"""Rows of `user_favorites`; the client's row is locked where one is added."""

from __future__ import annotations

from datetime import datetime

from evpower.db.connection import Conn
from evpower.identifiers import ClientId

# A location that is not shown keeps its place and comes back with it.
LIST = """
SELECT f.location_id FROM public.user_favorites f
JOIN public.locations l ON l.id = f.location_id AND l.status = 'active'
WHERE f.user_id = %(client_id)s ORDER BY f.created_at DESC, f.id DESC
"""
IS_ONE = "SELECT FROM public.user_favorites WHERE user_id = %(client_id)s AND location_id = %(location_id)s"
IS_SHOWN = "SELECT FROM public.locations WHERE id = %(location_id)s AND status = 'active'"
COUNT = "SELECT count(*) AS favorites FROM public.user_favorites WHERE user_id = %(client_id)s"
# The app may write the same row directly (field ruling 6.8); it takes the client's lock too (`limit_favorites`).
INSERT = """
INSERT INTO public.user_favorites (user_id, location_id, created_at, updated_at)
VALUES (%(client_id)s, %(location_id)s, %(at)s, %(at)s) ON CONFLICT (user_id, location_id) DO NOTHING
"""
DELETE = "DELETE FROM public.user_favorites WHERE user_id = %(client_id)s AND location_id = %(location_id)s"


async def list_favorites(conn: Conn, client_id: ClientId) -> list[str]:
    """The favorites that are shown, the newest first."""
    rows = await (await conn.execute(LIST, {"client_id": client_id})).fetchall()
    return [row["location_id"] for row in rows]


async def is_favorite(conn: Conn, client_id: ClientId, location_id: str) -> bool:
    """Whether it is one, shown or not."""
    cursor = await conn.execute(IS_ONE, {"client_id": client_id, "location_id": location_id})
    return cursor.rowcount > 0


async def is_shown(conn: Conn, location_id: str) -> bool:
    """Whether the public sees this location."""
    return (await conn.execute(IS_SHOWN, {"location_id": location_id})).rowcount > 0


async def count_favorites(conn: Conn, client_id: ClientId) -> int:
    """All of them, those that are not shown too."""
    row = await (await conn.execute(COUNT, {"client_id": client_id})).fetchone()
    return 0 if row is None else int(row["favorites"])


async def insert_favorite(conn: Conn, client_id: ClientId, location_id: str, at: datetime) -> None:
    """One more; one that is there stays as it is."""
    await conn.execute(INSERT, {"client_id": client_id, "location_id": location_id, "at": at})


async def delete_favorite(conn: Conn, client_id: ClientId, location_id: str) -> bool:
    """One less; whether it was one."""
    return (await conn.execute(DELETE, {"client_id": client_id, "location_id": location_id})).rowcount > 0

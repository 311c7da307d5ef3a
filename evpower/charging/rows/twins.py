"""The mark of a charge whose charger's socket was taken over while it was alive."""

from __future__ import annotations

from datetime import datetime

from evpower.db.connection import Conn
from evpower.identifiers import SessionId, StationId

MARK = """
UPDATE evpower.session_phases p SET twin_at = coalesce(p.twin_at, %(at)s) FROM public.charging_sessions s
WHERE s.id = p.session_id AND s.station_id = %(station_id)s AND s.status = 'started' RETURNING s.id
"""


async def mark_twin(conn: Conn, station_id: StationId, at: datetime) -> list[SessionId]:
    """The charges that run at the station, each marked."""
    cursor = await conn.execute(MARK, {"station_id": station_id, "at": at})
    return sorted(SessionId(row["id"]) for row in await cursor.fetchall())

"""Rows of `refused_logins`: the last login of each configured station that was refused."""

from __future__ import annotations

from datetime import datetime

from evpower.db.connection import Conn
from evpower.identifiers import StationId

NOTE = """
INSERT INTO evpower.refused_logins (station_id, address, reason, refused_at)
VALUES (%(station_id)s, %(address)s, %(reason)s, %(at)s)
ON CONFLICT (station_id) DO UPDATE SET address = excluded.address, reason = excluded.reason,
    refused_at = excluded.refused_at, times = evpower.refused_logins.times + 1
"""


async def note_refused_login(conn: Conn, station_id: StationId, address: str, reason: str, at: datetime) -> None:
    """The station was refused at the door, for this reason."""
    await conn.execute(NOTE, {"station_id": station_id, "address": address, "reason": reason, "at": at})

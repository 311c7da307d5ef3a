"""Stations that charge tags without an owner for free."""

from __future__ import annotations

from datetime import datetime

from evpower.db.connection import Conn
from evpower.identifiers import StationId

GIVES_AWAY = "SELECT free_vend FROM evpower.station_policies WHERE station_id = %(station_id)s"

SET_FREE_VEND = """
INSERT INTO evpower.station_policies (station_id, free_vend, created_at, updated_at)
VALUES (%(station_id)s, %(free_vend)s, %(at)s, %(at)s)
ON CONFLICT (station_id) DO UPDATE SET free_vend = excluded.free_vend, updated_at = excluded.updated_at
"""


async def gives_away(conn: Conn, station_id: StationId) -> bool:
    """Whether tags without an owner charge here for free."""
    row = await (await conn.execute(GIVES_AWAY, {"station_id": station_id})).fetchone()
    return bool(row and row["free_vend"])


async def set_free_vend(conn: Conn, station_id: StationId, free_vend: bool, at: datetime) -> None:
    """From now on; charges that run go on as they began."""
    await conn.execute(SET_FREE_VEND, {"station_id": station_id, "free_vend": free_vend, "at": at})

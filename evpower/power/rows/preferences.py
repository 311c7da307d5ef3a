"""Rows of `power_preferences`."""

from __future__ import annotations

from datetime import datetime

from evpower.db.connection import Conn
from evpower.identifiers import SessionId

STORE = """
INSERT INTO evpower.power_preferences (session_id, profile_type, departure_at, energy_need_wh, updated_at)
VALUES (%(session_id)s, %(profile_type)s, %(departure_at)s, %(energy_need_wh)s, %(at)s)
ON CONFLICT (session_id) DO UPDATE SET profile_type = excluded.profile_type, departure_at = excluded.departure_at,
    energy_need_wh = excluded.energy_need_wh, updated_at = excluded.updated_at, is_of_car = false
"""


async def store_preferences(
    conn: Conn,
    session_id: SessionId,
    profile_type: str,
    departure_at: datetime | None,
    energy_need_wh: int | None,
    at: datetime,
) -> None:
    """Those of the session from now on."""
    parameters = {
        "session_id": session_id,
        "profile_type": profile_type,
        "departure_at": departure_at,
        "energy_need_wh": energy_need_wh,
        "at": at,
    }
    await conn.execute(STORE, parameters)

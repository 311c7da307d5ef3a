"""Reservations that their drivers cannot use, by what the rows of stations and clients say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from evpower.db.connection import Conn
from evpower.identifiers import StationId

#: Its client is blocked; its station is out of service, broken, or silent.
LostWhy: TypeAlias = Literal["client_blocked", "blocked", "broken_charger", "offline"]

# At a place that is lost nothing can be kept; a client that is blocked could not begin.
LOST = """
SELECT v.id, v.station_id,
       CASE WHEN h.status <> 'active' THEN 'client_blocked'
            WHEN s.status <> 'active' OR NOT coalesce(c.is_enabled, false) THEN 'blocked'
            WHEN o.status = 'Faulted' OR c.ocpp_status = 'Faulted' THEN 'broken_charger'
            WHEN o.status = 'Unavailable' OR c.ocpp_status = 'Unavailable' THEN 'blocked'
            ELSE 'offline' END AS why
FROM evpower.reservations v
JOIN public.clients h ON h.id = v.client_id
JOIN public.stations s ON s.id = v.station_id
LEFT JOIN public.connectors c ON c.station_id = v.station_id AND c.connector_number = v.connector_id
LEFT JOIN evpower.ocpp_station_status o ON o.station_id = v.station_id
WHERE v.status IN ('pending', 'reserved') AND (%(id)s::text IS NULL OR v.id = %(id)s)
  AND (h.status <> 'active'
       OR v.is_blocking AND v.starts_at <= %(now)s
          AND (s.status <> 'active' OR NOT coalesce(c.is_enabled, false) OR c.ocpp_status IN ('Faulted', 'Unavailable')
               OR o.status IN ('Faulted', 'Unavailable')
               OR s.last_heartbeat_at IS NULL OR s.last_heartbeat_at < %(silent)s))
"""


@dataclass(frozen=True)
class LostReservation:
    """A live one that cannot be used, and where it is kept."""

    id: str
    station_id: StationId
    why: LostWhy


async def lost_reservations(
    conn: Conn, now: datetime, silent: datetime, reservation_id: str | None = None
) -> Sequence[LostReservation]:
    """Those that cannot be used, or this one alone; `silent`: not heard since then is away."""
    rows = await (await conn.execute(LOST, {"now": now, "silent": silent, "id": reservation_id})).fetchall()
    return [LostReservation(**row) for row in rows]

"""What is planned: charges whose limit ends them, and connectors that are promised to somebody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from evpower.db.connection import Conn
from evpower.identifiers import ConnectorId, SessionId, StationId

LIMITED = """
SELECT s.location_id, r.station_id, r.connector_id, r.id AS session_id FROM public.charging_sessions r
JOIN public.stations s ON s.id = r.station_id
WHERE r.status = 'started' AND r.limit_type <> 'none' AND s.location_id = coalesce(%(location_id)s, s.location_id)
"""
# Each source of promises is one more SELECT of this union.
PROMISED = """
SELECT s.location_id, p.station_id, p.connector_id, p.begins_at, p.ends_at FROM (
    SELECT o.station_id, o.connector_id, o.created_at AS begins_at, o.expires_at AS ends_at
    FROM evpower.ocpp_reservations o WHERE o.status = 'Active' AND o.connector_id > 0
    UNION ALL
    SELECT r.station_id, r.connector_id, r.blocks_from, r.expires_at
    FROM evpower.reservations r WHERE r.status IN ('pending', 'reserved')
) p JOIN public.stations s ON s.id = p.station_id
WHERE p.ends_at > %(now)s AND s.location_id = coalesce(%(location_id)s, s.location_id)
"""


@dataclass(frozen=True)
class LimitedCharge:
    """A running charge that will be stopped at its limit."""

    location_id: str
    station_id: StationId
    connector_id: ConnectorId
    session_id: SessionId


@dataclass(frozen=True)
class Promise:
    """A connector that is kept for somebody."""

    location_id: str
    station_id: StationId
    connector_id: ConnectorId
    begins_at: datetime
    ends_at: datetime


async def limited_charges(conn: Conn, location_id: str | None) -> Sequence[LimitedCharge]:
    """Those that run at a location, or anywhere."""
    cursor = await conn.execute(LIMITED, {"location_id": location_id})
    return [LimitedCharge(**row) for row in await cursor.fetchall()]


async def promises(conn: Conn, location_id: str | None, now: datetime) -> Sequence[Promise]:
    """Those at a location, or anywhere, that are not over."""
    cursor = await conn.execute(PROMISED, {"location_id": location_id, "now": now})
    return [Promise(**row) for row in await cursor.fetchall()]

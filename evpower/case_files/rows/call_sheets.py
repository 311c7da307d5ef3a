"""Rows of a call sheet."""

from __future__ import annotations

from datetime import datetime

from evpower.case_files.call_sheet import (
    SheetConnector,
    SheetHold,
    SheetNeighbour,
    SheetOutage,
    SheetPerson,
    SheetPlace,
)
from evpower.db.connection import Conn
from evpower.identifiers import StationId
from evpower.metering.energy_sql import ENERGY_WH

SHOWN = 50

PLACE = """
SELECT latitude, longitude, coalesce(directions, '{}') AS directions FROM public.locations WHERE id = %(location)s
"""
PEOPLE = """
SELECT u.id, u.phone, u.email FROM evpower.staff_locations l JOIN public.users u ON u.id = l.user_id
WHERE l.location_id = %(location)s AND u.is_active ORDER BY u.id LIMIT %(limit)s
"""
CONNECTORS = """
SELECT connector_number AS number, ocpp_status, error_code, last_status_update AS changed_at
FROM public.connectors WHERE station_id = %(id)s ORDER BY connector_number
"""
OUTAGE = """
SELECT began_at, cause, close_code FROM evpower.station_outages WHERE station_id = %(id)s AND ended_at IS NULL
"""
HOLDS = f"""
SELECT s.id AS session_id, s.user_id AS client_id, c.name AS client_name, c.phone AS client_phone, s.connector_id,
       p.phase, s.start_time AS since, CASE WHEN t.id IS NOT NULL THEN {ENERGY_WH}::bigint END AS energy_wh,
       t.last_sample_at AS read_at, (s.reserved_amount * 100)::bigint AS held_tyiyn
FROM evpower.session_phases p JOIN public.charging_sessions s ON s.id = p.session_id
JOIN public.clients c ON c.id = s.user_id
LEFT JOIN LATERAL (SELECT * FROM evpower.ocpp_transactions WHERE charging_session_id = s.id ORDER BY id DESC LIMIT 1) t
     ON true
WHERE s.station_id = %(id)s AND p.phase NOT IN ('settled', 'released')
UNION ALL
SELECT NULL, r.client_id, c.name, c.phone, r.connector_id, 'reserved', r.starts_at, NULL, NULL, r.hold_tyiyn
FROM evpower.reservations r JOIN public.clients c ON c.id = r.client_id
WHERE r.station_id = %(id)s AND r.ended_at IS NULL
ORDER BY since LIMIT %(limit)s
"""
NEIGHBOURS = """
SELECT id AS station_id, serial_number, last_heartbeat_at AS last_seen_at,
       coalesce(last_heartbeat_at < %(heard_since)s, true) AS is_silent
FROM public.stations WHERE location_id = %(location)s AND id <> %(id)s AND status = 'active' ORDER BY id LIMIT %(limit)s
"""


async def read_place(conn: Conn, location_id: str) -> SheetPlace:
    """Where it is."""
    row = await (await conn.execute(PLACE, {"location": location_id})).fetchone()
    return SheetPlace(None, None, {}) if row is None else SheetPlace(**row)


async def read_people(conn: Conn, location_id: str) -> list[SheetPerson]:
    """The place's own operators."""
    cursor = await conn.execute(PEOPLE, {"location": location_id, "limit": SHOWN})
    return [SheetPerson(**row) for row in await cursor.fetchall()]


async def read_connectors(conn: Conn, station_id: StationId) -> list[SheetConnector]:
    """What they reported last."""
    return [SheetConnector(**row) for row in await (await conn.execute(CONNECTORS, {"id": station_id})).fetchall()]


async def read_outage(conn: Conn, station_id: StationId) -> SheetOutage | None:
    """The outage that lasts."""
    row = await (await conn.execute(OUTAGE, {"id": station_id})).fetchone()
    return None if row is None else SheetOutage(**row)


async def read_holds(conn: Conn, station_id: StationId) -> list[SheetHold]:
    """Charges that are not settled, and kept connectors, the oldest first."""
    rows = await (await conn.execute(HOLDS, {"id": station_id, "limit": SHOWN})).fetchall()
    return [SheetHold(**row) for row in rows]


async def read_neighbours(
    conn: Conn, station_id: StationId, location_id: str, heard_since: datetime
) -> list[SheetNeighbour]:
    """The other active stations of the place; silent is what was not heard since then."""
    parameters = {"id": station_id, "location": location_id, "heard_since": heard_since, "limit": SHOWN}
    return [SheetNeighbour(**row) for row in await (await conn.execute(NEIGHBOURS, parameters)).fetchall()]

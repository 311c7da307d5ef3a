"""Rows of the network as administrators see and change them, inactive ones too (contract/rest-api §7.7)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from psycopg import AsyncConnection

from evpower.identifiers import StationId
from evpower.network.status_sql import SAID
from evpower.network_file.tables import Table

LIST_LOCATIONS = """
SELECT l.id, l.name, l.address, l.city, l.country, l.latitude, l.longitude, l.status, l.stations_count,
       l.connectors_count, l.user_id, l.admin_id, l.created_at, l.updated_at
FROM public.locations l
WHERE (%(id)s::text IS NULL OR l.id = %(id)s) AND (%(status)s::text IS NULL OR l.status = %(status)s)
ORDER BY l.id LIMIT %(limit)s OFFSET %(offset)s
"""
COUNT_LOCATIONS = "SELECT count(*) AS total FROM public.locations WHERE %(status)s::text IS NULL OR status = %(status)s"

# Which are online is known outside the rows, so their ids come first, and the rows of a page after them.
FIND_STATIONS = """
SELECT id, last_heartbeat_at FROM public.stations
WHERE (%(status)s::text IS NULL OR status = %(status)s)
      AND (%(location_id)s::text IS NULL OR location_id = %(location_id)s)
ORDER BY id
"""

READ_STATIONS = f"""
SELECT s.id, s.serial_number, nullif(s.model, '') AS model, nullif(s.manufacturer, '') AS manufacturer, s.location_id,
       l.name AS location_name, l.address AS location_address, s.power_capacity, s.connectors_count, s.status,
       s.tariff_plan_id, s.price_per_kwh, s.session_fee, s.currency, s.firmware_version, s.last_heartbeat_at,
       s.created_at, s.updated_at, o.status AS whole_status,
       coalesce(json_agg(json_build_object(
           'id', c.id, 'connector_number', c.connector_number, 'connector_type', nullif(c.connector_type, ''),
           'power_kw', c.power_kw, 'is_enabled', c.is_enabled, 'ocpp_status', {SAID}, 'busy', r.id IS NOT NULL,
           'error_code', nullif(c.error_code, 'NoError')) ORDER BY c.connector_number)
           FILTER (WHERE c.id IS NOT NULL), '[]') AS connectors
FROM public.stations s JOIN public.locations l ON l.id = s.location_id
LEFT JOIN public.connectors c ON c.station_id = s.id
LEFT JOIN public.charging_sessions r ON r.station_id = s.id AND r.connector_id = c.connector_number
     AND r.status = 'started'
LEFT JOIN evpower.ocpp_station_status o ON o.station_id = s.id
WHERE s.id = ANY(%(ids)s) GROUP BY s.id, l.id, o.status ORDER BY s.id
"""

KNOWN_LOCATION = "SELECT id, name, address FROM public.locations WHERE id = %(id)s"
KNOWN_STATION = "SELECT id, location_id, serial_number, connectors_count FROM public.stations WHERE id = %(id)s"
CONNECTOR_NUMBERS = "SELECT connector_number FROM public.connectors WHERE station_id = %(id)s"


async def list_locations(
    conn: AsyncConnection[Any], status: str | None, limit: int, offset: int
) -> tuple[list[dict[str, Any]], int]:
    """A page of locations by id, and how many there are."""
    wanted = {"id": None, "status": status, "limit": limit, "offset": offset}
    rows = await (await conn.execute(LIST_LOCATIONS, wanted)).fetchall()
    counts: list[dict[str, Any]] = await (await conn.execute(COUNT_LOCATIONS, wanted)).fetchall()
    return rows, counts[0]["total"]


async def read_location(conn: AsyncConnection[Any], location_id: str) -> dict[str, Any] | None:
    """One location."""
    wanted = {"id": location_id, "status": None, "limit": 1, "offset": 0}
    return await (await conn.execute(LIST_LOCATIONS, wanted)).fetchone()


async def find_stations(
    conn: AsyncConnection[Any], status: str | None, location_id: str | None
) -> list[tuple[StationId, datetime | None]]:
    """The ids of stations, each with the heartbeat that is stored."""
    cursor = await conn.execute(FIND_STATIONS, {"status": status, "location_id": location_id})
    return [(StationId(row["id"]), row["last_heartbeat_at"]) for row in await cursor.fetchall()]


async def read_stations(conn: AsyncConnection[Any], ids: Sequence[StationId]) -> list[dict[str, Any]]:
    """Stations with their connectors, by id."""
    return await (await conn.execute(READ_STATIONS, {"ids": list(ids)})).fetchall()


async def known_location(conn: AsyncConnection[Any], location_id: str) -> dict[str, Any] | None:
    """What every row of this location has."""
    return await (await conn.execute(KNOWN_LOCATION, {"id": location_id})).fetchone()


async def known_station(conn: AsyncConnection[Any], station_id: StationId) -> dict[str, Any] | None:
    """What every row of this station has."""
    return await (await conn.execute(KNOWN_STATION, {"id": station_id})).fetchone()


async def connector_numbers(conn: AsyncConnection[Any], station_id: StationId) -> set[int]:
    """The numbers of its configured connectors."""
    cursor = await conn.execute(CONNECTOR_NUMBERS, {"id": station_id})
    return {row["connector_number"] for row in await cursor.fetchall()}


async def empty(
    conn: AsyncConnection[Any], table: Table, key: Mapping[str, object], columns: Sequence[str], at: datetime
) -> None:
    """Empty these columns of one row; none is fine."""
    if columns:
        await conn.execute(table.emptying(columns), {**key, "at": at})

"""Rows of the network as administrators see and change them, inactive ones too (contract/rest-api §7.7)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from evpower.administration.records import ConnectorRecord, LocationRecord, Page, StationRecord
from evpower.db.connection import Conn
from evpower.identifiers import StationId
from evpower.network.spots.evses_sql import CONFIGURED
from evpower.network.status import effective_status
from evpower.network.status_sql import SAID
from evpower.network_file.tables import Table

LIST_LOCATIONS = """
SELECT l.id, l.name, l.address, l.city, l.country, l.latitude, l.longitude, l.status, l.stations_count,
       l.connectors_count, l.user_id, l.admin_id, l.created_at, l.updated_at, l.entrance_latitude, l.entrance_longitude,
       l.directions, l.height_limit_m, l.opening_hours
FROM public.locations l
WHERE (%(id)s::text IS NULL OR l.id = %(id)s) AND (%(status)s::text IS NULL OR l.status = %(status)s)
  AND (%(of)s::text[] IS NULL OR l.id = ANY(%(of)s))
ORDER BY l.id LIMIT %(limit)s OFFSET %(offset)s
"""
COUNT_LOCATIONS = """
SELECT count(*) AS total FROM public.locations
WHERE (%(status)s::text IS NULL OR status = %(status)s) AND (%(of)s::text[] IS NULL OR id = ANY(%(of)s))
"""

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
       s.created_at, s.updated_at, o.status AS whole_status, o.reported_evses,
       {CONFIGURED} AS configured_evses,
       coalesce(json_agg(json_build_object(
           'id', c.id, 'connector_number', c.connector_number, 'connector_type', nullif(c.connector_type, ''),
           'power_kw', c.power_kw, 'evse_id', coalesce(e.evse_id, c.connector_number),
           'evse_connector', coalesce(e.evse_connector, 1),
           'is_enabled', c.is_enabled, 'ocpp_status', {SAID}, 'busy', r.id IS NOT NULL,
           'error_code', nullif(c.error_code, 'NoError')) ORDER BY c.connector_number)
           FILTER (WHERE c.id IS NOT NULL), '[]') AS connectors
FROM public.stations s JOIN public.locations l ON l.id = s.location_id
LEFT JOIN public.connectors c ON c.station_id = s.id
LEFT JOIN evpower.connector_evses e ON e.station_id = s.id AND e.connector_number = c.connector_number
LEFT JOIN public.charging_sessions r ON r.station_id = s.id AND r.connector_id = c.connector_number
     AND r.status = 'started'
LEFT JOIN evpower.ocpp_station_status o ON o.station_id = s.id
WHERE s.id = ANY(%(ids)s) GROUP BY s.id, l.id, o.station_id ORDER BY s.id
"""

KNOWN_LOCATION = "SELECT id, name, address FROM public.locations WHERE id = %(id)s"
KNOWN_STATION = "SELECT id, location_id, serial_number, connectors_count FROM public.stations WHERE id = %(id)s"
CONNECTOR_NUMBERS = "SELECT connector_number FROM public.connectors WHERE station_id = %(id)s"


@dataclass(frozen=True)
class KnownLocation:
    """What every row of a location has."""

    id: str
    name: str
    address: str


@dataclass(frozen=True)
class KnownStation:
    """What every row of a station has."""

    id: StationId
    location_id: str
    serial_number: str
    connectors_count: int


async def list_locations(
    conn: Conn, status: str | None, page: Page, of: Collection[str] | None = None
) -> tuple[tuple[LocationRecord, ...], int]:
    """A page of locations by id, and how many there are; `of` these alone, when given."""
    wanted = {"id": None, "status": status, "of": None if of is None else list(of), **vars(page)}
    rows = await (await conn.execute(LIST_LOCATIONS, wanted)).fetchall()
    counts = await (await conn.execute(COUNT_LOCATIONS, wanted)).fetchall()
    return tuple(LocationRecord(**row) for row in rows), counts[0]["total"]


async def read_location(conn: Conn, location_id: str) -> LocationRecord | None:
    """One location."""
    wanted = {"id": location_id, "status": None, "of": None, "limit": 1, "offset": 0}
    row = await (await conn.execute(LIST_LOCATIONS, wanted)).fetchone()
    return None if row is None else LocationRecord(**row)


async def find_stations(
    conn: Conn, status: str | None, location_id: str | None
) -> list[tuple[StationId, datetime | None]]:
    """The ids of stations, each with the heartbeat that is stored."""
    cursor = await conn.execute(FIND_STATIONS, {"status": status, "location_id": location_id})
    return [(StationId(row["id"]), row["last_heartbeat_at"]) for row in await cursor.fetchall()]


async def read_stations(conn: Conn, ids: Sequence[StationId]) -> tuple[StationRecord, ...]:
    """Stations with their connectors, by id."""
    rows = await (await conn.execute(READ_STATIONS, {"ids": list(ids)})).fetchall()
    return tuple(_station(**row) for row in rows)


def _station(*, whole_status: str | None, connectors: list[dict[str, Any]], **row: Any) -> StationRecord:
    return StationRecord(**row, connectors=tuple(_connector(whole_status, **each) for each in connectors))


def _connector(whole_status: str | None, *, ocpp_status: str | None, busy: bool, **row: Any) -> ConnectorRecord:
    return ConnectorRecord(**row, status=effective_status(ocpp_status, whole_status), busy=busy)


async def known_location(conn: Conn, location_id: str) -> KnownLocation | None:
    """The location, when there is one."""
    row = await (await conn.execute(KNOWN_LOCATION, {"id": location_id})).fetchone()
    return None if row is None else KnownLocation(**row)


async def known_station(conn: Conn, station_id: StationId) -> KnownStation | None:
    """The station, when there is one."""
    row = await (await conn.execute(KNOWN_STATION, {"id": station_id})).fetchone()
    return None if row is None else KnownStation(**row)


async def connector_numbers(conn: Conn, station_id: StationId) -> set[int]:
    """The numbers of its configured connectors."""
    cursor = await conn.execute(CONNECTOR_NUMBERS, {"id": station_id})
    return {row["connector_number"] for row in await cursor.fetchall()}


async def empty(conn: Conn, table: Table, key: Mapping[str, object], columns: Sequence[str], at: datetime) -> None:
    """Empty these columns of one row; none is fine."""
    if columns:
        await conn.execute(table.emptying(columns), {**key, "at": at})

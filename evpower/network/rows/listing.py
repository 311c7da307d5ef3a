"""Rows of the whole network, of one location or of some stations, as the public reads them (contract/rest-api §2)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from evpower.db.connection import Conn
from evpower.identifiers import StationId
from evpower.network.status import AdminStatus
from evpower.network.status_sql import SAID

# `{one}` is nothing, or the condition of one location or of some stations: an `IS NULL OR` in its place would be
# planned at every reading.
READ_LOCATIONS = """
SELECT l.id, l.name, l.address, l.city, l.country, l.latitude, l.longitude
FROM public.locations l
WHERE (l.status = 'active' OR %(hidden)s) {one}
ORDER BY l.name, l.id
"""

READ_STATIONS = """
SELECT s.id, s.location_id, s.serial_number, coalesce(s.model, '') AS model,
       coalesce(s.manufacturer, '') AS manufacturer, s.status AS admin_status, s.power_capacity, s.connectors_count,
       s.is_available, s.last_heartbeat_at, o.status AS whole_status
FROM public.stations s JOIN public.locations l ON l.id = s.location_id
LEFT JOIN evpower.ocpp_station_status o ON o.station_id = s.id
WHERE s.status <> 'inactive' AND (l.status = 'active' OR %(hidden)s) {one}
ORDER BY s.id
"""

READ_CONNECTORS = f"""
SELECT c.station_id, c.connector_number, coalesce(c.connector_type, '') AS connector_type, c.power_kw,
       {SAID} AS ocpp_status, r.id IS NOT NULL AS busy,
       EXISTS (SELECT FROM evpower.connector_health h WHERE h.station_id = c.station_id
               AND h.connector_number = c.connector_number AND h.doubt IS NOT NULL) AS doubtful
FROM public.connectors c
JOIN public.stations s ON s.id = c.station_id
LEFT JOIN public.charging_sessions r ON r.station_id = c.station_id AND r.connector_id = c.connector_number
     AND r.status = 'started'
WHERE s.status <> 'inactive' {{one}}
ORDER BY c.station_id, c.connector_number
"""

#: The condition of some stations.
SOME = "AND s.id = ANY(%(station_ids)s)"


@dataclass(frozen=True)
class LocationRow:
    """A visible location."""

    id: str
    name: str
    address: str
    city: str | None
    country: str | None
    latitude: float | None
    longitude: float | None


@dataclass(frozen=True)
class ConnectorRow:
    """A configured connector and whether a session runs on it."""

    station_id: StationId
    connector_number: int
    connector_type: str
    power_kw: float | None
    ocpp_status: str | None
    busy: bool
    #: Starts fail here, or nobody begins here any more (health/).
    doubtful: bool = False


@dataclass(frozen=True)
class StationRow:
    """A visible station of a visible location."""

    id: StationId
    location_id: str
    serial_number: str
    model: str
    manufacturer: str
    admin_status: AdminStatus
    power_capacity: float
    connectors_count: int
    #: What the watchdog wrote last; the truth is the age of `last_heartbeat_at`.
    is_available: bool
    last_heartbeat_at: datetime | None
    whole_status: str | None


@dataclass(frozen=True)
class NetworkRows:
    """The three tables, in the order of the list."""

    locations: list[LocationRow]
    stations: list[StationRow]
    connectors: list[ConnectorRow]


async def read_network(conn: Conn, location_id: str | None = None, *, hidden: bool = False) -> NetworkRows:
    """Every visible location with its stations and connectors, or one of them; `hidden` ones too."""
    one = "" if location_id is None else "AND {} = %(location_id)s"
    only = {"location_id": location_id, "hidden": hidden}
    at_location = one.format("s.location_id")
    locations = await (await conn.execute(READ_LOCATIONS.format(one=one.format("l.id")), only)).fetchall()
    stations = await (await conn.execute(READ_STATIONS.format(one=at_location), only)).fetchall()
    connectors = await (await conn.execute(READ_CONNECTORS.format(one=at_location), only)).fetchall()
    return NetworkRows(
        [LocationRow(**row) for row in locations],
        [StationRow(**row) for row in stations],
        [ConnectorRow(**row) for row in connectors],
    )


async def read_stations(conn: Conn, station_ids: Collection[StationId]) -> NetworkRows:
    """The visible ones of these stations, with their connectors and without their locations."""
    only = {"station_ids": list(station_ids), "hidden": False}
    stations = await (await conn.execute(READ_STATIONS.format(one=SOME), only)).fetchall()
    connectors = await (await conn.execute(READ_CONNECTORS.format(one=SOME), only)).fetchall()
    return NetworkRows([], [StationRow(**row) for row in stations], [ConnectorRow(**row) for row in connectors])

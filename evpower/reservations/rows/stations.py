"""What is known of stations where connectors are kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from evpower.db.connection import Conn
from evpower.identifiers import ClientId, ConnectorId, StationId

# What OCPP 1.6 calls settings and 2.0.1 variables; one that is not known does not say no.
ABILITIES = """
SELECT NOT EXISTS (SELECT FROM evpower.ocpp_configuration
                   WHERE station_id = %(id)s AND lower(key) = 'supportedfeatureprofiles'
                     AND NOT 'reservation' = ANY (string_to_array(replace(lower(coalesce(value, '')), ' ', ''), ',')))
   AND NOT EXISTS (SELECT FROM evpower.device_variables
                   WHERE station_id = %(id)s AND component = 'ReservationCtrlr' AND variable IN ('Available', 'Enabled')
                     AND attribute = 'Actual' AND lower(value) = 'false') AS keeps,
       EXISTS (SELECT FROM evpower.ocpp_configuration
               WHERE station_id = %(id)s AND lower(key) = 'reserveconnectorzerosupported' AND lower(value) = 'true')
    OR EXISTS (SELECT FROM evpower.device_variables
               WHERE station_id = %(id)s AND component = 'ReservationCtrlr' AND variable = 'NonEvseSpecific'
                 AND attribute = 'Actual' AND lower(value) = 'true') AS keeps_any
"""
# By which the client's own cards open what is kept; of 2.0.1 alone (contract reservations §4).
GROUP = """
SELECT a.parent_id_tag FROM evpower.ocpp_authorization a
JOIN evpower.ocpp_station_status o ON o.station_id = %(id)s AND o.ocpp_version <> '1.6'
WHERE a.client_id = %(client_id)s AND a.parent_id_tag IS NOT NULL AND a.status = 'Accepted'
  AND a.tag_type IS DISTINCT FROM 'app' ORDER BY a.created_at, a.id_tag LIMIT 1
"""
CONNECTORS = "SELECT connector_number AS id FROM public.connectors WHERE station_id = %(id)s ORDER BY connector_number"
LOCATIONS = "SELECT id, location_id FROM public.stations WHERE id = ANY(%(ids)s)"
# Of the same type, at the same station first.
ALTERNATIVES = """
SELECT o.station_id, o.connector_number
FROM public.connectors c JOIN public.stations s ON s.id = c.station_id
JOIN public.stations t ON t.location_id = s.location_id AND t.status = 'active'
JOIN public.connectors o ON o.station_id = t.id AND o.is_enabled
     AND lower(coalesce(o.connector_type, '')) = lower(coalesce(c.connector_type, ''))
WHERE c.station_id = %(station_id)s AND c.connector_number = %(connector_id)s
  AND (o.station_id, o.connector_number) <> (c.station_id, c.connector_number)
ORDER BY o.station_id <> c.station_id, o.station_id, o.connector_number
"""
# Where another client has kept what is left: nobody else can begin there now.
TAKEN_BY_OTHERS = """
SELECT bool_or(k.client_id IS NOT NULL) AND NOT bool_or(k.client_id IS NULL AND c.is_enabled AND r.id IS NULL) AS taken
FROM public.connectors c
LEFT JOIN evpower.kept_connectors k ON k.station_id = c.station_id AND k.connector_id = c.connector_number
     AND k.client_id IS DISTINCT FROM %(client_id)s
LEFT JOIN public.charging_sessions r ON r.station_id = c.station_id AND r.connector_id = c.connector_number
     AND r.status = 'started'
WHERE c.station_id = %(station_id)s
"""


@dataclass(frozen=True)
class Abilities:
    """Whether a station keeps connectors, and whether any of its own choice."""

    keeps: bool
    keeps_any: bool


async def read_abilities(conn: Conn, station_id: StationId) -> Abilities:
    """As far as the station has said."""
    row = await (await conn.execute(ABILITIES, {"id": station_id})).fetchone()
    assert row is not None
    return Abilities(**row)


async def group_of(conn: Conn, station_id: StationId, client_id: ClientId) -> str | None:
    """The group of the client's cards that the station is to know."""
    row = await (await conn.execute(GROUP, {"id": station_id, "client_id": client_id})).fetchone()
    return None if row is None else str(row["parent_id_tag"])


async def connectors_of(conn: Conn, station_id: StationId) -> Sequence[ConnectorId]:
    """Its configured connectors, in order."""
    rows = await (await conn.execute(CONNECTORS, {"id": station_id})).fetchall()
    return [ConnectorId(row["id"]) for row in rows]


async def locations_of(conn: Conn, station_ids: Sequence[StationId]) -> dict[StationId, str]:
    """Where stations are."""
    rows = await (await conn.execute(LOCATIONS, {"ids": list(station_ids)})).fetchall()
    return {StationId(row["id"]): row["location_id"] for row in rows}


async def alternatives(
    conn: Conn, station_id: StationId, connector_id: ConnectorId
) -> Sequence[tuple[StationId, ConnectorId]]:
    """Other connectors of the same type at the same location, the same station's first."""
    parameters = {"station_id": station_id, "connector_id": connector_id}
    rows = await (await conn.execute(ALTERNATIVES, parameters)).fetchall()
    return [(StationId(row["station_id"]), ConnectorId(row["connector_number"])) for row in rows]


async def is_taken_by_others(conn: Conn, station_id: StationId, client_id: ClientId | None) -> bool:
    """Whether others have reserved all that is left at the station."""
    parameters = {"station_id": station_id, "client_id": client_id}
    row = await (await conn.execute(TAKEN_BY_OTHERS, parameters)).fetchone()
    return bool(row and row["taken"])

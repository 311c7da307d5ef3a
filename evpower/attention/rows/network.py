"""Stations and connectors as the grid shows them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

import trio

from evpower.attention.cells import ConnectorFacts, StationFactsNow
from evpower.db.connection import Conn
from evpower.identifiers import StationId
from evpower.network.spots.evses_sql import CONFIGURED

STATIONS = f"""
SELECT s.id, s.location_id, l.name AS location_name, coalesce(l.city, '') AS city, l.latitude, l.longitude,
       s.status AS admin_status, o.status AS whole_status, s.last_heartbeat_at AS last_seen_at, s.connectors_count,
       o.reported_evses, CASE WHEN o.reported_evses IS NOT NULL THEN {CONFIGURED} ELSE '{{}}' END AS configured_evses,
       coalesce((SELECT json_agg(json_build_array(c.connector_number, c.ocpp_status, c.error_code, c.is_enabled,
                                 r.id IS NOT NULL, extract(epoch FROM c.last_status_update),
                                 h.doubt, extract(epoch FROM h.doubted_since), coalesce(h.tried, 0),
                                 coalesce(h.worked, 0), concat_ws(' ', f.vendor_id, f.code, f.info))
                                 ORDER BY c.connector_number)
                 FROM public.connectors c
                 LEFT JOIN public.charging_sessions r ON r.station_id = c.station_id
                      AND r.connector_id = c.connector_number AND r.status = 'started'
                 LEFT JOIN evpower.connector_health h ON h.station_id = c.station_id
                      AND h.connector_number = c.connector_number
                 LEFT JOIN evpower.connector_faults f ON f.station_id = c.station_id
                      AND f.connector_number = c.connector_number AND f.reported_at = c.last_status_update
                 WHERE c.station_id = s.id), '[]') AS connectors
FROM public.stations s JOIN public.locations l ON l.id = s.location_id
LEFT JOIN evpower.ocpp_station_status o ON o.station_id = s.id
WHERE s.status <> 'inactive' AND (%(ids)s::text[] IS NULL OR s.id = ANY(%(ids)s))
ORDER BY l.city NULLS LAST, l.id, s.id
"""
#: Exactly `heartbeat_timeout_s` of silence is still online (network/status.py `is_online`).
SILENT = """
SELECT id FROM public.stations
WHERE status <> 'inactive' AND (last_heartbeat_at IS NULL OR last_heartbeat_at < %(heard_before)s)
"""


#: Rows that are made into facts, and ids that are read, before everything else in the process has its turn.
AT_ONCE, IDS_AT_ONCE = 50, 200


async def read_station_facts(conn: Conn, ids: Collection[StationId] | None = None) -> list[StationFactsNow]:
    """Every station that is not switched off, or those of `ids` alone; in the order of the grid."""
    parameters = {"ids": None if ids is None else list(ids)}
    cursor, facts = await conn.execute(STATIONS, parameters), list[StationFactsNow]()
    while rows := await cursor.fetchmany(AT_ONCE):
        facts += [_station(**row) for row in rows]
        await trio.lowlevel.checkpoint()  # thousands of rows hold up nothing else
    return facts


def _station(*, connectors: list[list[Any]], **row: Any) -> StationFactsNow:
    return StationFactsNow(**row, connectors=tuple(map(_connector, connectors)))


def _connector(values: list[Any]) -> ConnectorFacts:
    number, ocpp_status, error_code, is_enabled, busy, changed_s, doubt, doubted_s, tried, worked, maker = values
    changed_at, doubted_since = _moment(changed_s), _moment(doubted_s)
    return ConnectorFacts(
        number, ocpp_status, error_code, is_enabled, busy, changed_at, doubt, doubted_since, tried, worked, maker
    )


def _moment(epoch_s: float | None) -> datetime | None:
    return None if epoch_s is None else datetime.fromtimestamp(epoch_s, UTC)


async def silent_stations(conn: Conn, heard_before: datetime) -> frozenset[StationId]:
    """Stations that nobody has heard of since then, or ever."""
    cursor, found = await conn.execute(SILENT, {"heard_before": heard_before}), set[StationId]()
    while rows := await cursor.fetchmany(IDS_AT_ONCE):
        found.update(row["id"] for row in rows)
        await trio.lowlevel.checkpoint()
    return frozenset(found)

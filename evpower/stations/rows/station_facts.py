"""What operators are shown of a station beside its connectors: what was asked of it and what it holds."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from psycopg import AsyncConnection

from evpower.identifiers import StationId

STATIONS_AWAITED = """
SELECT station_id FROM evpower.ocpp_availability WHERE state = 'Scheduled'
UNION SELECT station_id FROM evpower.ocpp_reservations WHERE status IN ('Asked', 'Active') AND expires_at > %(at)s
"""

# One row for each fact; a station has few of each. Of transfers the last of each kind, of reservations the last few.
READ_FACTS = """
SELECT station_id, 'availability' AS fact, json_build_object(
    'connector_id', connector_id, 'wanted', wanted, 'state', state, 'requested_at', requested_at, 'done_at', done_at
) AS value FROM evpower.ocpp_availability
UNION ALL
SELECT station_id, 'transfers', json_build_object(
    'id', id, 'kind', kind, 'location', location, 'file_name', file_name, 'status', status, 'steps', steps,
    'requested_at', requested_at, 'status_at', status_at, 'ended_at', ended_at)
FROM (SELECT DISTINCT ON (station_id, kind) * FROM evpower.ocpp_transfers ORDER BY station_id, kind, id DESC) last
UNION ALL
SELECT station_id, 'reservations', json_build_object(
    'reservation_id', id, 'connector_id', connector_id, 'id_tag', id_tag, 'expires_at', expires_at,
    'status', CASE WHEN status IN ('Asked', 'Active') AND expires_at <= %(at)s THEN 'Expired' ELSE status END,
    'ended_at', coalesce(ended_at, CASE WHEN expires_at <= %(at)s THEN expires_at END))
FROM evpower.ocpp_reservations r WHERE expires_at > %(at)s - interval '1 day'
UNION ALL
SELECT station_id, 'charging_profiles', json_build_object(
    'connector_id', connector_id, 'profile_id', profile_id, 'purpose', purpose, 'stack_level', stack_level,
    'profile', profile, 'set_at', set_at)
FROM evpower.ocpp_charging_profiles
UNION ALL
SELECT station_id, 'local_list', json_build_object(
    'version', version, 'entries', (SELECT count(*) FROM jsonb_object_keys(entries)), 'synced_at', synced_at)
FROM evpower.ocpp_local_lists
"""


async def stations_awaited(conn: AsyncConnection[Any], at: datetime) -> frozenset[StationId]:
    """Stations with a change of availability or a reservation that a status can end."""
    rows = await (await conn.execute(STATIONS_AWAITED, {"at": at})).fetchall()
    return frozenset(StationId(row["station_id"]) for row in rows)


async def read_facts(conn: AsyncConnection[Any], at: datetime) -> dict[str, dict[str, list[dict[str, Any]]]]:
    """By station: `availability`, `transfers`, `reservations`, `charging_profiles`, `local_list`, those there are."""
    facts: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for row in await (await conn.execute(READ_FACTS, {"at": at})).fetchall():
        facts.setdefault(row["station_id"], {}).setdefault(row["fact"], []).append(row["value"])
    return facts

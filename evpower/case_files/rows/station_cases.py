"""Rows of one station, of every table that has some."""

from __future__ import annotations

from datetime import datetime

from evpower.case_files.station_case import (
    CaseStation,
    CaseStranger,
    KnownSetting,
    RefusedLogin,
    StationEvent,
    StationReading,
)
from evpower.db.connection import Conn
from evpower.identifiers import StationId
from evpower.narrowing import Narrowing

READINGS_SHOWN, REFUSED_SHOWN = 100, 5

STATION = """
SELECT s.id, s.serial_number, s.model, s.manufacturer, s.location_id, l.name AS location_name,
       l.address AS location_address, l.city, s.status AS admin_status, s.firmware_version, s.tariff_plan_id,
       s.created_at, s.updated_at, s.last_heartbeat_at AS last_seen_at, c.process_id, c.connected_at, c.address,
       o.status AS whole_status, o.vendor_error_code, o.info, o.vendor AS reported_vendor, o.model AS reported_model,
       o.booted_at, o.ocpp_version, k.password_hash IS NOT NULL AS has_password,
       k.pending_hash IS NOT NULL AS has_pending_password,
       EXISTS (SELECT FROM evpower.station_certificates t WHERE t.station_id = s.id AND t.ended_at IS NULL
               AND t.state IN ('signed', 'delivered')) AS has_certificate, coalesce(p.free_vend, false) AS free_vend
FROM public.stations s JOIN public.locations l ON l.id = s.location_id
LEFT JOIN evpower.charger_connections c ON c.station_id = s.id
LEFT JOIN evpower.ocpp_station_status o ON o.station_id = s.id
LEFT JOIN evpower.station_credentials k ON k.station_id = s.id
LEFT JOIN evpower.station_policies p ON p.station_id = s.id
WHERE s.id = %(id)s
"""
REFUSED = """
SELECT station_id, address, reason, refused_at, times FROM evpower.refused_logins
WHERE station_id = %(id)s OR address = %(address)s ORDER BY station_id <> %(id)s, refused_at DESC LIMIT %(limit)s
"""
STRANGER = """
SELECT identity, status, vendor, model, firmware_version, serial_number, address, boots, first_seen_at, last_seen_at
FROM evpower.ocpp_strangers WHERE identity = %(id)s
"""
# Siblings are of the same maker and model, or stand at the same place; names of settings know no case.
SETTINGS = """
WITH siblings AS (
    SELECT other.id FROM public.stations me JOIN public.stations other ON other.id <> me.id
     AND ((me.model <> '' AND (other.manufacturer, other.model) = (me.manufacturer, me.model))
          OR other.location_id = me.location_id)
    WHERE me.id = %(id)s
), theirs AS (
    SELECT lower(c.key) AS key, c.value, count(*) AS times, sum(count(*)) OVER (PARTITION BY lower(c.key)) AS siblings
    FROM evpower.ocpp_configuration c JOIN siblings ON siblings.id = c.station_id GROUP BY lower(c.key), c.value
), usual AS (
    SELECT DISTINCT ON (key) key, value, times, siblings FROM theirs ORDER BY key, times DESC, value
)
SELECT c.key, c.value, c.readonly, c.reboot_required, c.known_at, u.value AS usual, coalesce(u.times, 0) AS usual_of,
       coalesce(u.siblings, 0)::bigint AS siblings
FROM evpower.ocpp_configuration c LEFT JOIN usual u ON u.key = lower(c.key)
WHERE c.station_id = %(id)s ORDER BY lower(c.key)
"""
READINGS = """
SELECT received_at, measured_at, connector_id, wire_transaction_id, energy_wh, power_w, current_a, voltage_v,
       soc_percent, temperature_c
FROM evpower.ocpp_meter_values WHERE station_id = %(id)s AND received_at >= %(since)s
ORDER BY received_at DESC, connector_id LIMIT %(limit)s
"""
# Of an act on a page there is more where it was at a station: elsewhere it may name a person. All lines of the last
# moment come, so that nothing is left out between two pages.
EVENTS = """
SELECT * FROM (
    SELECT a.acted_at AS at, a.target, a.actor AS who, 'act' AS kind,
           concat_ws(' ', a.act, CASE WHEN strpos(a.key, ':') > 0 OR s.id IS NOT NULL THEN a.detail END) AS what,
           a.outcome, CASE WHEN strpos(a.key, ':') > 0 THEN split_part(a.key, ':', 1) ELSE 'pages' END AS door
    FROM evpower.operator_acts a LEFT JOIN public.stations s ON s.id = a.target
    UNION ALL
    SELECT requested_at, station_id, NULL, 'availability', connector_id || ': ' || wanted, state, NULL
    FROM evpower.ocpp_availability
    UNION ALL
    SELECT coalesce(requested_at, status_at), station_id, NULL, 'transfer', concat_ws(' ', kind, file_name), status,
           NULL
    FROM evpower.ocpp_transfers
    UNION ALL
    SELECT received_at, station_id, NULL, 'security', type, detail, NULL FROM evpower.ocpp_security_events
    UNION ALL
    SELECT refused_at, station_id, NULL, 'refused_login', address || ' ×' || times, reason, NULL
    FROM evpower.refused_logins
    UNION ALL
    SELECT imported_at, station_id, actor, CASE WHEN changes IS NULL THEN 'added' ELSE 'import' END,
           coalesce(changes, ''), NULL, NULL
    FROM evpower.station_imports) AS events
WHERE (%(id)s::text IS NULL OR target = %(id)s) AND (%(own)s::text[] IS NULL OR target = ANY(%(own)s))
  AND (%(since)s::timestamptz IS NULL OR at >= %(since)s) AND (%(before)s::timestamptz IS NULL OR at < %(before)s)
ORDER BY at DESC FETCH FIRST %(limit)s ROWS WITH TIES
"""


async def read_station(conn: Conn, station_id: StationId) -> CaseStation | None:
    """Its rows, and whose its socket is."""
    row = await (await conn.execute(STATION, {"id": station_id})).fetchone()
    return None if row is None else CaseStation(**row)


async def read_refused(conn: Conn, station: CaseStation) -> list[RefusedLogin]:
    """Its own last refused login first, then those of others from where it comes from."""
    parameters = {"id": station.id, "address": station.address, "limit": REFUSED_SHOWN}
    return [RefusedLogin(**row) for row in await (await conn.execute(REFUSED, parameters)).fetchall()]


async def read_stranger(conn: Conn, identity: str) -> CaseStranger | None:
    """Who asked to be let in under this name."""
    row = await (await conn.execute(STRANGER, {"id": identity})).fetchone()
    return None if row is None else CaseStranger(**row)


async def read_settings(conn: Conn, station_id: StationId) -> list[KnownSetting]:
    """Its settings as they are known, beside what its siblings have."""
    return [KnownSetting(**row) for row in await (await conn.execute(SETTINGS, {"id": station_id})).fetchall()]


async def read_readings(conn: Conn, station_id: StationId, since: datetime) -> list[StationReading]:
    """What it measured since then, the newest first."""
    parameters = {"id": station_id, "since": since, "limit": READINGS_SHOWN}
    return [StationReading(**row) for row in await (await conn.execute(READINGS, parameters)).fetchall()]


async def read_events(conn: Conn, wanted: Narrowing, before: datetime | None) -> list[StationEvent]:
    """What was done and what stations reported of themselves before then, the newest first."""
    parameters = {
        "id": wanted.station_id,
        "own": None if wanted.of_stations is None else list(wanted.of_stations),
        "since": wanted.since,
        "before": before,
        "limit": wanted.limit,
    }
    return [StationEvent(**row) for row in await (await conn.execute(EVENTS, parameters)).fetchall()]

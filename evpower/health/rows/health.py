"""Rows of `connector_health`."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta

from evpower.db.batches import batch, batch_table
from evpower.db.connection import Conn
from evpower.health.passed_over import Neighbourhood
from evpower.health.records import ConnectorHealth
from evpower.health.reliability import USUAL_CHANCE
from evpower.health.rows.starts import ConnectorPlace
from evpower.identifiers import StationId

READ = """
SELECT c.station_id, c.connector_number, coalesce(h.tried, 0) AS tried, coalesce(h.worked, 0) AS worked,
       coalesce(h.chance, %(usual)s) AS chance, h.doubt, h.doubted_since
FROM public.connectors c JOIN public.stations s ON s.id = c.station_id
LEFT JOIN evpower.connector_health h USING (station_id, connector_number)
WHERE (%(ids)s::text[] IS NULL OR c.station_id = ANY(%(ids)s)) AND s.status <> 'inactive'
ORDER BY c.station_id, c.connector_number
"""
COLUMNS = """
    station_id text, connector_number int, tried int, worked int, chance double precision, doubt text,
    doubted_since timestamptz"""
#: A station that was deleted meanwhile has no health.
WRITE = f"""
INSERT INTO evpower.connector_health AS h
    (station_id, connector_number, tried, worked, chance, doubt, doubted_since, computed_at)
SELECT r.station_id, r.connector_number, r.tried, r.worked, r.chance, r.doubt, r.doubted_since, %(at)s
FROM {batch_table(COLUMNS)} r JOIN public.stations s ON s.id = r.station_id
ORDER BY r.station_id, r.connector_number
ON CONFLICT (station_id, connector_number) DO UPDATE SET tried = excluded.tried, worked = excluded.worked,
    chance = excluded.chance, doubt = excluded.doubt, doubted_since = excluded.doubted_since,
    computed_at = excluded.computed_at
"""
DELETE_PLUG_INS = "DELETE FROM evpower.plug_ins WHERE plugged_at < %(before)s"
#: Starts that worked, of two weeks: at each connector that reports Available, and at its location.
NEIGHBOURHOODS = """
WITH worked AS (
    SELECT r.station_id, r.connector_id, s.location_id, r.start_time
    FROM public.charging_sessions r JOIN public.stations s ON s.id = r.station_id
    WHERE r.start_time >= %(since)s AND r.status <> 'error'
), here AS (
    SELECT station_id, connector_id, location_id, count(*) AS own, max(start_time) AS last_at
    FROM worked GROUP BY station_id, connector_id, location_id
)
SELECT h.station_id, h.connector_id, h.own, count(*) FILTER (WHERE w.start_time <= h.last_at) AS location,
       count(*) FILTER (WHERE w.start_time > h.last_at) AS beside_since
FROM here h JOIN worked w ON w.location_id = h.location_id
JOIN public.stations s ON s.id = h.station_id
JOIN public.connectors c ON c.station_id = h.station_id AND c.connector_number = h.connector_id
LEFT JOIN evpower.ocpp_station_status o ON o.station_id = h.station_id
WHERE s.status = 'active' AND s.is_available AND c.is_enabled AND c.ocpp_status = 'Available'
      AND coalesce(o.status, '') NOT IN ('Faulted', 'Unavailable') AND h.own >= %(own_least)s
GROUP BY h.station_id, h.connector_id, h.own, h.last_at
"""
LOOKS_BACK = timedelta(days=14)


async def read_health(conn: Conn, ids: Collection[StationId] | None = None) -> list[ConnectorHealth]:
    """Every connector of these stations, or of all that are not switched off."""
    parameters = {"ids": None if ids is None else list(ids), "usual": USUAL_CHANCE}
    return [ConnectorHealth(**row) for row in await (await conn.execute(READ, parameters)).fetchall()]


async def write_health(conn: Conn, changed: Sequence[ConnectorHealth], at: datetime) -> None:
    """Keep what changed."""
    await conn.execute(WRITE, {**batch([asdict(each) for each in changed]), "at": at})


async def read_neighbourhoods(conn: Conn, now: datetime, own_least: int) -> dict[ConnectorPlace, Neighbourhood]:
    """Of connectors that report Available and had at least so many starts."""
    cursor = await conn.execute(NEIGHBOURHOODS, {"since": now - LOOKS_BACK, "own_least": own_least})
    return {
        (StationId(row["station_id"]), row["connector_id"]): Neighbourhood(
            row["own"], row["location"], row["beside_since"]
        )
        for row in await cursor.fetchall()
    }


async def delete_plug_ins(conn: Conn, before: datetime) -> None:
    """Forget older ones."""
    await conn.execute(DELETE_PLUG_INS, {"before": before})

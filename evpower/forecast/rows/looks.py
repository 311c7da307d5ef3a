"""A look at all connectors: which are free and working now. Rows of `free_times`, `unwatched_times`, the watermark."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from evpower.db.connection import Conn
from evpower.network.status_sql import STORED

# Of several processes one looks at a time.
WATERMARK = "SELECT began_at, looked_at, hours_until FROM evpower.forecast_watermark FOR UPDATE SKIP LOCKED"
BEGIN = """
INSERT INTO evpower.forecast_watermark (began_at, looked_at, hours_until) VALUES (%(at)s, %(at)s, %(hour)s)
ON CONFLICT DO NOTHING
"""
LOOKED = "UPDATE evpower.forecast_watermark SET looked_at = %(at)s"
#: When the last look was too long ago: what was free then is known until then, and nothing of the time since.
GAP = (
    "UPDATE evpower.free_times SET ended_at = greatest(began_at, %(looked_at)s) WHERE ended_at IS NULL",
    "INSERT INTO evpower.unwatched_times VALUES (%(looked_at)s, %(at)s) ON CONFLICT DO NOTHING",
)
#: Free and working: as the list counts it, and neither offline nor in maintenance (§1).
SEEN = f"""
SELECT c.station_id, c.connector_number, s.is_available, s.last_heartbeat_at, r.start_time,
       {STORED} = 'available' AND s.is_available AND s.status = 'active' AND l.status = 'active'
       AND coalesce(o.status, '') NOT IN ('Faulted', 'Unavailable') AS is_free
FROM public.connectors c
JOIN public.stations s ON s.id = c.station_id JOIN public.locations l ON l.id = s.location_id
LEFT JOIN evpower.ocpp_station_status o ON o.station_id = s.id
LEFT JOIN public.charging_sessions r ON r.station_id = c.station_id AND r.connector_id = c.connector_number
     AND r.status = 'started'
"""
# A silence began when the station was heard of last, an occupation with its charge; else it is found at the look.
END_FREE = f"""
UPDATE evpower.free_times f SET ended_at = greatest(f.began_at, least(%(at)s,
    CASE WHEN NOT n.is_available THEN coalesce(n.last_heartbeat_at, %(at)s) ELSE coalesce(n.start_time, %(at)s) END))
FROM ({SEEN}) n
WHERE f.ended_at IS NULL AND f.station_id = n.station_id AND f.connector_number = n.connector_number AND NOT n.is_free
"""
END_GONE = """
UPDATE evpower.free_times f SET ended_at = greatest(f.began_at, %(at)s) WHERE f.ended_at IS NULL AND NOT EXISTS (
    SELECT FROM public.connectors c WHERE c.station_id = f.station_id AND c.connector_number = f.connector_number)
"""
BEGIN_FREE = f"""
INSERT INTO evpower.free_times (station_id, connector_number, began_at)
SELECT n.station_id, n.connector_number, %(at)s FROM ({SEEN}) n
WHERE n.is_free AND NOT EXISTS (SELECT FROM evpower.free_times f WHERE f.ended_at IS NULL
      AND f.station_id = n.station_id AND f.connector_number = n.connector_number)
ORDER BY n.station_id, n.connector_number ON CONFLICT DO NOTHING
"""
# A wait for a free connector ends within seconds where there is one; so it may just have been made where one is free.
COUNT_WAITING = """
INSERT INTO evpower.turned_away AS t (location_id, hour_start, waiting)
SELECT w.location_id, %(hour)s, count(*) FROM evpower.favorite_watches w JOIN public.locations l ON l.id = w.location_id
WHERE w.created_at > %(looked_at)s AND w.created_at <= %(at)s AND NOT EXISTS (
    SELECT FROM evpower.free_times f JOIN public.stations s ON s.id = f.station_id
    WHERE s.location_id = w.location_id AND f.ended_at IS NULL)
GROUP BY w.location_id
ON CONFLICT (location_id, hour_start) DO UPDATE SET waiting = t.waiting + excluded.waiting
"""
FORGET = (
    "DELETE FROM evpower.free_times WHERE ended_at < %(changes)s",
    "DELETE FROM evpower.unwatched_times WHERE ended_at < %(changes)s",
    "DELETE FROM evpower.availability_hours WHERE hour_start < %(hours)s",
    "DELETE FROM evpower.turned_away WHERE hour_start < %(hours)s",
    "DELETE FROM evpower.forecast_scores WHERE day < %(hours)s::timestamptz::date",
    "DELETE FROM evpower.forecast_reliability WHERE day < %(hours)s::timestamptz::date",
)


@dataclass(frozen=True)
class Watermark:
    """Since when connectors are looked at, the last look, until when hours are written."""

    began_at: datetime
    looked_at: datetime
    hours_until: datetime


async def begin(conn: Conn, at: datetime, hour: datetime) -> bool:
    """The first look of all; False: it was not."""
    return (await conn.execute(BEGIN, {"at": at, "hour": hour})).rowcount == 1


async def take_watermark(conn: Conn) -> Watermark | None:
    """The watermark, locked to the end of the unit of work; None: another process has it."""
    row = await (await conn.execute(WATERMARK)).fetchone()
    return None if row is None else Watermark(**row)


async def note_gap(conn: Conn, looked_at: datetime, at: datetime) -> None:
    """Nobody looked between these moments."""
    for statement in GAP:
        await conn.execute(statement, {"looked_at": looked_at, "at": at})


async def look(conn: Conn, at: datetime, hour: datetime, looked_at: datetime) -> None:
    """Write what is free now, and who waits since the last look."""
    for statement in (END_FREE, END_GONE, BEGIN_FREE):
        await conn.execute(statement, {"at": at})
    await conn.execute(COUNT_WAITING, {"at": at, "hour": hour, "looked_at": looked_at})
    await conn.execute(LOOKED, {"at": at})


async def forget(conn: Conn, changes: datetime, hours: datetime) -> None:
    """Drop free times that were over by `changes`, and what was made of them before `hours`."""
    for statement in FORGET:
        await conn.execute(statement, {"changes": changes, "hours": hours})

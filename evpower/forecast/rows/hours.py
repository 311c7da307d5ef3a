"""Rows of `availability_hours`: the hours as their changes have them."""

from __future__ import annotations

from datetime import datetime

from evpower.db.connection import Conn

#: Any type, as a type.
ANY_TYPE = "*"
#: Each visible connector, once by its type and once by any.
OF_TYPES = f"""
    SELECT s.location_id, k.connector_type, s.id AS station_id, c.connector_number, s.created_at
    FROM public.connectors c
    JOIN public.stations s ON s.id = c.station_id JOIN public.locations l ON l.id = s.location_id
    CROSS JOIN LATERAL (VALUES (lower(trim(c.connector_type))), ('{ANY_TYPE}')) k (connector_type)
    WHERE s.status <> 'inactive' AND l.status = 'active'
"""
#: The seconds of a set of times.
SECONDS = "(SELECT coalesce(sum(extract(epoch FROM upper(part) - lower(part))), 0) FROM unnest({}) part)"
#: Every hour of every location and type that was watched; doing it again changes nothing.
KEEP = f"""
WITH of_types AS ({OF_TYPES}), watched AS (
    SELECT h.hour, tstzmultirange(tstzrange(greatest(h.hour, %(began_at)s), h.hour + interval '1 hour')) - coalesce((
        SELECT range_agg(tstzrange(u.began_at, u.ended_at)) FROM evpower.unwatched_times u
        WHERE u.began_at < h.hour + interval '1 hour' AND u.ended_at > h.hour), '{{}}') AS times
    FROM generate_series(%(since)s::timestamptz, %(until)s::timestamptz - interval '1 hour', interval '1 hour') h (hour)
    WHERE h.hour + interval '1 hour' > %(began_at)s
), places AS (
    SELECT location_id, connector_type, min(created_at) AS since FROM of_types GROUP BY 1, 2
), free AS (
    SELECT t.location_id, t.connector_type, w.hour, range_agg(tstzrange(
        greatest(f.began_at, w.hour), least(coalesce(f.ended_at, 'infinity'), w.hour + interval '1 hour'))) AS times
    FROM watched w
    JOIN evpower.free_times f ON f.began_at < w.hour + interval '1 hour' AND coalesce(f.ended_at, 'infinity') > w.hour
    JOIN of_types t ON t.station_id = f.station_id AND t.connector_number = f.connector_number
    GROUP BY 1, 2, 3
), arrivals AS (
    SELECT t.location_id, t.connector_type, w.hour, count(*) AS n
    FROM watched w
    JOIN public.charging_sessions r ON r.start_time >= w.hour AND r.start_time < w.hour + interval '1 hour'
    JOIN of_types t ON t.station_id = r.station_id AND t.connector_number = r.connector_id
    GROUP BY 1, 2, 3
), seen AS (
    SELECT p.location_id, p.connector_type, w.hour, w.times * tstzmultirange(tstzrange(p.since, NULL)) AS times
    FROM places p CROSS JOIN watched w
)
INSERT INTO evpower.availability_hours AS k
       (location_id, connector_type, hour_start, observed_s, free_s, arrivals)
SELECT location_id, connector_type, hour, round(o.observed_s), round(o.free_s), coalesce(arrivals.n, 0)
FROM seen LEFT JOIN free USING (location_id, connector_type, hour)
LEFT JOIN arrivals USING (location_id, connector_type, hour)
CROSS JOIN LATERAL (SELECT {SECONDS.format("seen.times")} AS observed_s,
                           {SECONDS.format("seen.times * coalesce(free.times, '{}')")} AS free_s) o
WHERE o.observed_s >= 1
ORDER BY location_id, connector_type, hour
ON CONFLICT (location_id, connector_type, hour_start) DO UPDATE
    SET observed_s = excluded.observed_s, free_s = excluded.free_s, arrivals = excluded.arrivals
WHERE (k.observed_s, k.free_s, k.arrivals) IS DISTINCT FROM (excluded.observed_s, excluded.free_s, excluded.arrivals)
"""
# A person who asks again is one person; a start refused beside a free connector turned nobody away.
KEEP_REFUSED = """
INSERT INTO evpower.turned_away AS t (location_id, hour_start, refused)
SELECT s.location_id, h.hour, count(DISTINCT coalesce(a.client_id, a.id::text))
FROM generate_series(%(since)s::timestamptz, %(until)s::timestamptz - interval '1 hour', interval '1 hour') h (hour)
JOIN evpower.start_attempts a ON a.attempted_at >= h.hour AND a.attempted_at < h.hour + interval '1 hour'
JOIN public.stations s ON s.id = a.station_id
WHERE a.answer = 'connector_occupied' AND NOT EXISTS (
    SELECT FROM evpower.free_times f JOIN public.stations o ON o.id = f.station_id
    WHERE o.location_id = s.location_id AND f.began_at <= a.attempted_at
          AND (f.ended_at IS NULL OR f.ended_at > a.attempted_at))
GROUP BY 1, 2 ORDER BY 1, 2
ON CONFLICT (location_id, hour_start) DO UPDATE SET refused = excluded.refused
"""
NOTE_HOURS = "UPDATE evpower.forecast_watermark SET hours_until = greatest(hours_until, %(until)s)"


async def keep_hours(conn: Conn, began_at: datetime, since: datetime, until: datetime) -> None:
    """Compute the hours between these whole ones; `began_at` is when connectors were first looked at."""
    times = {"began_at": began_at, "since": since, "until": until}
    await conn.execute(KEEP, times)
    await conn.execute(KEEP_REFUSED, times)
    await conn.execute(NOTE_HOURS, times)

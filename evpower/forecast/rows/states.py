"""What was so at the moments of a day: which locations had something free, and when that is known."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from evpower.db.connection import Conn

CLAIM = """
UPDATE evpower.forecast_watermark SET scoring_until = %(until)s
WHERE scoring_until IS NULL OR scoring_until < %(now)s RETURNING began_at
"""
RELEASE = "UPDATE evpower.forecast_watermark SET scoring_until = NULL"
FREE = """
WITH moments AS (
    SELECT minute, %(midnight)s::timestamptz + minute * interval '1 minute' AS at
    FROM unnest(%(minutes)s::int[]) m (minute)
)
SELECT s.location_id, array_agg(DISTINCT m.minute) AS free
FROM evpower.free_times f
JOIN public.stations s ON s.id = f.station_id
JOIN moments m ON m.at >= f.began_at AND m.at < coalesce(f.ended_at, 'infinity')
WHERE s.location_id = ANY(%(location_ids)s) AND f.began_at <= %(last)s
      AND coalesce(f.ended_at, 'infinity') > %(midnight)s
GROUP BY s.location_id
"""
UNWATCHED = """
SELECT began_at, ended_at FROM evpower.unwatched_times WHERE began_at <= %(last)s AND ended_at > %(midnight)s
"""
SINCE = """
SELECT s.location_id, min(s.created_at) AS since FROM public.stations s
WHERE s.location_id = ANY(%(location_ids)s) AND s.status <> 'inactive' GROUP BY s.location_id
"""


async def claim_night(conn: Conn, now: datetime, lease: timedelta) -> datetime | None:
    """Since when connectors are looked at, if the night's work is ours; None: it is another process's."""
    row = await (await conn.execute(CLAIM, {"now": now, "until": now + lease})).fetchone()
    return None if row is None else row["began_at"]


async def release_night(conn: Conn) -> None:
    """Whoever comes next may do it."""
    await conn.execute(RELEASE)


async def read_free(
    conn: Conn, location_ids: Sequence[str], midnight: datetime, minutes: Sequence[int]
) -> dict[str, frozenset[int]]:
    """At which of these minutes from midnight on something was free at these locations."""
    asked = {"location_ids": list(location_ids), "midnight": midnight, "minutes": list(minutes)}
    last = midnight + timedelta(minutes=max(minutes))
    rows = await (await conn.execute(FREE, {**asked, "last": last})).fetchall()
    return {row["location_id"]: frozenset(row["free"]) for row in rows}


async def read_watched(conn: Conn, began_at: datetime, midnight: datetime, minutes: Sequence[int]) -> frozenset[int]:
    """The minutes from midnight on at which connectors were looked at; `began_at` is when that began at all."""
    last = midnight + timedelta(minutes=max(minutes))
    rows = await (await conn.execute(UNWATCHED, {"midnight": midnight, "last": last})).fetchall()
    gaps = [(row["began_at"], row["ended_at"]) for row in rows]
    return frozenset(
        minute
        for minute in minutes
        if (at := midnight + timedelta(minutes=minute)) >= began_at
        and not any(begins_at <= at < ends_at for begins_at, ends_at in gaps)
    )


async def read_since(conn: Conn, location_ids: Sequence[str]) -> dict[str, datetime]:
    """Since when these locations have stations."""
    rows = await (await conn.execute(SINCE, {"location_ids": list(location_ids)})).fetchall()
    return {row["location_id"]: row["since"] for row in rows}

"""Starts that were refused before there was a charge, as rows of the list of charges (contract/operator-pages §5)."""

from __future__ import annotations

from datetime import datetime

from evpower.administration.records import FailedStart
from evpower.administration.rows.charges import ChargeFilter
from evpower.db.connection import Conn

#: What was accepted is a charge, and so is what failed when there was one already.
WANTED = """
FROM evpower.start_attempts a
LEFT JOIN public.stations t ON t.id = a.station_id
LEFT JOIN public.locations l ON l.id = t.location_id
WHERE lower(a.answer) <> 'accepted'
  AND NOT EXISTS (SELECT FROM public.charging_sessions s WHERE s.id = a.session_id)
  AND (%(client_id)s::text IS NULL OR a.client_id IN (
        %(client_id)s, (SELECT merged_into FROM public.clients WHERE id = %(client_id)s)))
  AND (%(station)s::text IS NULL OR a.station_id = %(station)s OR t.serial_number = %(station)s)
  AND (%(of_stations)s::text[] IS NULL OR a.station_id = ANY(%(of_stations)s))
  AND (%(since)s::timestamptz IS NULL OR a.attempted_at >= %(since)s)
  AND (%(before)s::timestamptz IS NULL OR a.attempted_at < %(before)s)
"""
LIST = f"""
SELECT a.id, a.client_id, a.station_id, l.name AS location_name, a.connector_id, a.door, a.answer, a.sentence, a.reason,
       a.attempted_at AS created_at
{WANTED}
  AND (%(after_at)s::timestamptz IS NULL OR a.attempted_at < %(after_at)s
       OR (a.attempted_at = %(after_at)s AND a.id < %(after_id)s))
ORDER BY a.attempted_at DESC, a.id DESC LIMIT %(limit)s
"""
COUNT = f"SELECT count(*) AS total {WANTED}"


async def list_failed_starts(
    conn: Conn, wanted: ChargeFilter, after: tuple[datetime, int] | None, limit: int
) -> tuple[tuple[FailedStart, ...], int]:
    """The newest first, those after `after`; and how many match in all."""
    of_stations = None if wanted.of_stations is None else list(wanted.of_stations)
    after_at, after_id = after or (None, None)
    place = {"after_at": after_at, "after_id": after_id, "limit": limit}
    parameters = {**vars(wanted), **place, "of_stations": of_stations}
    rows = await (await conn.execute(LIST, parameters)).fetchall()
    counts = await (await conn.execute(COUNT, parameters)).fetchall()
    return tuple(FailedStart(**row) for row in rows), counts[0]["total"]

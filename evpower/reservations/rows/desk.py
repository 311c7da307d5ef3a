"""What operators see of reservations."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from datetime import datetime

from evpower.db.connection import Conn
from evpower.identifiers import StationId
from evpower.reservations.reservation import ReservationRecord

COLUMNS = ", ".join(f"v.{field.name}" for field in fields(ReservationRecord))
LISTED = f"""
SELECT {COLUMNS} FROM evpower.reservations v
WHERE (v.ended_at IS NULL OR NOT %(active)s)
  AND (%(of_stations)s::text[] IS NULL OR v.station_id = ANY (%(of_stations)s))
ORDER BY v.created_at DESC, v.id LIMIT %(most)s
"""
# From its start until it was over; one that was over before its start kept nobody out.
REPORT = """
SELECT s.location_id, l.name, count(*) AS reservations,
       count(*) FILTER (WHERE v.status = 'fulfilled') AS fulfilled,
       count(*) FILTER (WHERE v.status = 'no_show') AS no_shows,
       floor(sum(greatest(extract(epoch FROM least(coalesce(v.ended_at, %(now)s), v.expires_at) - v.starts_at),
                          0)) / 60)::bigint AS minutes,
       coalesce(sum(v.fee_tyiyn) FILTER (WHERE v.returned_at IS NULL), 0)::bigint AS fees_tyiyn
FROM evpower.reservations v
JOIN public.stations s ON s.id = v.station_id JOIN public.locations l ON l.id = s.location_id
WHERE v.starts_at >= %(since)s AND v.starts_at < %(before)s
  AND (%(of_stations)s::text[] IS NULL OR v.station_id = ANY (%(of_stations)s))
GROUP BY s.location_id, l.name ORDER BY l.name, s.location_id
"""


@dataclass(frozen=True)
class LocationReservations:
    """A location's reservations of a time: how many, what became of them, how long connectors were kept."""

    location_id: str
    name: str
    reservations: int
    fulfilled: int
    no_shows: int
    minutes: int
    fees_tyiyn: int


async def list_reservations(
    conn: Conn, *, active: bool, of_stations: Collection[StationId] | None, most: int
) -> Sequence[ReservationRecord]:
    """The newest first; of these stations alone, when they are given."""
    parameters = {"active": active, "of_stations": None if of_stations is None else list(of_stations), "most": most}
    return [ReservationRecord(**row) for row in await (await conn.execute(LISTED, parameters)).fetchall()]


async def report(
    conn: Conn, since: datetime, before: datetime, of_stations: Collection[StationId] | None, now: datetime
) -> Sequence[LocationReservations]:
    """By location, those that started in this time."""
    stations = None if of_stations is None else list(of_stations)
    parameters = {"since": since, "before": before, "of_stations": stations, "now": now}
    return [LocationReservations(**row) for row in await (await conn.execute(REPORT, parameters)).fetchall()]

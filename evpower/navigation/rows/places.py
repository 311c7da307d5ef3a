"""Where locations are, and how long charges last."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from evpower.db.connection import Conn
from evpower.navigation.distance import DISTANCE_SQL, Box, GeoPoint

NEAR = f"""
SELECT found.* FROM (
    SELECT l.id, l.latitude, l.longitude, l.entrance_latitude, l.entrance_longitude, l.opening_hours,
           {DISTANCE_SQL.format(latitude="l.latitude", longitude="l.longitude")} AS distance_km
    FROM public.locations l
    WHERE l.status = 'active' AND l.latitude BETWEEN %(south)s AND %(north)s
          AND l.longitude BETWEEN %(west)s AND %(east)s
) found WHERE found.distance_km <= %(radius_km)s ORDER BY found.distance_km, found.id
"""
ONE = """
SELECT l.id, l.name, l.latitude, l.longitude, l.entrance_latitude, l.entrance_longitude FROM public.locations l
WHERE l.id = %(id)s AND l.status = 'active'
"""
# Who comes at any moment finds a charge that lasts so long on: long ones are met more often than short ones.
REMAINING = """
SELECT sum(lasted ^ 2) / nullif(2 * sum(lasted), 0) AS minutes FROM (
    SELECT extract(epoch FROM stop_time - start_time)::float8 / 60 AS lasted FROM public.charging_sessions
    WHERE start_time >= %(since)s AND stop_time > start_time) charges
"""


@dataclass(frozen=True)
class LocatedPlace:
    """A location that can be driven to: by its entrance when that is known."""

    location_id: str
    place: GeoPoint
    #: Of the great circle to its coordinates; None where nobody asked from where.
    distance_km: float | None = None
    name: str = ""
    #: OCPI's Hours; None: nobody wrote them.
    hours: Mapping[str, Any] | None = None


async def places_near(conn: Conn, middle: GeoPoint, radius_km: float, box: Box) -> list[LocatedPlace]:
    """Visible locations within the radius, the nearest first."""
    asked = {**middle._asdict(), **box._asdict(), "radius_km": radius_km}
    rows = await (await conn.execute(NEAR, asked)).fetchall()
    return [LocatedPlace(row["id"], _entrance(row), row["distance_km"], hours=row["opening_hours"]) for row in rows]


async def read_place(conn: Conn, location_id: str) -> LocatedPlace | None:
    """Where a visible location is; None: unknown, or without coordinates."""
    row = await (await conn.execute(ONE, {"id": location_id})).fetchone()
    if row is None or row["latitude"] is None or row["longitude"] is None:
        return None
    return LocatedPlace(row["id"], _entrance(row), name=row["name"])


async def remaining_minutes(conn: Conn, since: datetime) -> float | None:
    """For how long a charge that is met still lasts, on the average; None without any."""
    row = await (await conn.execute(REMAINING, {"since": since})).fetchone()
    return None if row is None or row["minutes"] is None else float(row["minutes"])


def _entrance(row: dict[str, Any]) -> GeoPoint:
    entrance = row["entrance_latitude"], row["entrance_longitude"]
    latitude, longitude = entrance if None not in entrance else (row["latitude"], row["longitude"])
    return GeoPoint(latitude, longitude)

"""Rows of `forecast_cells`: the sums of the hours, by hour of the week."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from evpower.db.connection import Conn
from evpower.forecast.calendar import CELLS, HOUR, SUNDAY, Calendar
from evpower.forecast.cells import Cells
from evpower.forecast.method import HALF_LIFE_WEEKS
from evpower.forecast.rows.hours import ANY_TYPE, OF_TYPES

#: With less of it observed, an hour is no observation (§1).
OBSERVED_LEAST_S = 1800
#: `Calendar.cell` in SQL: a test compares the two.
CELL = f"""
    (CASE WHEN to_char(l.local, 'YYYY-MM-DD') = ANY(%(holidays)s) OR to_char(l.local, 'MM-DD') = ANY(%(holidays)s)
          THEN {SUNDAY} ELSE extract(isodow FROM l.local)::int - 1 END) * 24 + extract(hour FROM l.local)::int
"""
HALF_LIFE_S = HALF_LIFE_WEEKS * 7 * 86_400
#: The sums of these locations as they were at a moment: nothing that was observed from then on. Every cell has a row of
#: nothing, so that none is missing; a type that a location has no longer has no such rows, and is left out.
SUMS = f"""
WITH hours AS MATERIALIZED (
    SELECT h.hour_start, {CELL} AS cell,
           0.5 ^ (extract(epoch FROM %(before)s::timestamptz - h.hour_start)::float8 / {HALF_LIFE_S}) AS w
    FROM generate_series(%(oldest)s::timestamptz, %(before)s::timestamptz - interval '1 hour', interval '1 hour')
         h (hour_start)
    CROSS JOIN LATERAL (SELECT h.hour_start AT TIME ZONE %(zone)s AS local) l
), seen AS (
    SELECT a.location_id, a.connector_type, h.cell, h.w, h.w * a.free_s / a.observed_s AS free, a.arrivals, 1 AS n
    FROM evpower.availability_hours a JOIN hours h USING (hour_start)
    WHERE a.location_id = ANY(%(location_ids)s) AND a.observed_s >= {OBSERVED_LEAST_S}
          AND a.hour_start < %(before)s AND (a.connector_type = '{ANY_TYPE}' OR NOT %(any_alone)s)
    UNION ALL
    SELECT k.location_id, k.connector_type, c.cell, 0, 0, 0, 0
    FROM (SELECT DISTINCT t.location_id, t.connector_type FROM ({OF_TYPES}) t
          WHERE t.location_id = ANY(%(location_ids)s)) k, generate_series(0, {CELLS - 1}) c (cell)
), sums AS (
    SELECT location_id, connector_type, cell, sum(w) AS w, sum(free) AS free, sum(arrivals) AS arrivals, sum(n) AS n
    FROM seen GROUP BY 1, 2, 3
)
SELECT s.location_id, s.connector_type, array_agg(s.w::real ORDER BY s.cell) AS weights,
       array_agg(s.free::real ORDER BY s.cell) AS free, array_agg(s.arrivals::int ORDER BY s.cell) AS arrivals,
       sum(s.n)::int AS hours,
       (SELECT count(*) FROM public.connectors o JOIN public.stations t ON t.id = o.station_id
        WHERE t.location_id = s.location_id AND t.status <> 'inactive')::int AS connectors
FROM sums s GROUP BY s.location_id, s.connector_type HAVING sum(s.n) > 0 AND count(*) = {CELLS}
"""
FORGET = "DELETE FROM evpower.forecast_cells WHERE location_id = ANY(%(location_ids)s)"
STORE = f"""
INSERT INTO evpower.forecast_cells (location_id, connector_type, weights, free, arrivals, hours, connectors) {SUMS}
"""
NOTE_CELLS = "UPDATE evpower.forecast_watermark SET cells_of = %(day)s"
LOCATIONS = "SELECT id FROM public.locations WHERE status = 'active' ORDER BY id"
FORGET_HIDDEN = """
DELETE FROM evpower.forecast_cells c USING public.locations l WHERE l.id = c.location_id AND l.status <> 'active'
"""
STORED = """
SELECT location_id, connector_type, weights, free, arrivals, hours, connectors FROM evpower.forecast_cells
WHERE (location_id, connector_type) > (%(location_id)s, %(connector_type)s)
ORDER BY location_id, connector_type LIMIT %(most)s
"""
NEWEST = """
SELECT w.cells_of, (SELECT max(day) FROM evpower.forecast_scores) AS scored FROM evpower.forecast_watermark w
WHERE w.cells_of IS NOT NULL
"""

#: Whose cells they are: a location, and a type of connector in small letters.
Of = tuple[str, str]


def _asked(
    calendar: Calendar, location_ids: Sequence[str], oldest: datetime, before: datetime, *, any_alone: bool
) -> dict[str, object]:
    return {
        "zone": calendar.zone.key,
        "holidays": list(calendar.holidays),
        "location_ids": list(location_ids),
        "oldest": before - (before - oldest) // HOUR * HOUR,
        "before": before,
        "any_alone": any_alone,
    }


async def list_locations(conn: Conn) -> list[str]:
    """The visible locations, by id."""
    return [row["id"] for row in await (await conn.execute(LOCATIONS)).fetchall()]


async def read_sums(
    conn: Conn, calendar: Calendar, location_ids: Sequence[str], oldest: datetime, before: datetime
) -> dict[str, Cells]:
    """The cells of these locations, of any type, as they were at a whole hour: for the backtest."""
    asked = _asked(calendar, location_ids, oldest, before, any_alone=True)
    return {row["location_id"]: _cells(row) for row in await (await conn.execute(SUMS, asked)).fetchall()}


async def store_cells(
    conn: Conn, calendar: Calendar, location_ids: Sequence[str], oldest: datetime, before: datetime
) -> None:
    """Write the cells of these locations anew."""
    asked = _asked(calendar, location_ids, oldest, before, any_alone=False)
    await conn.execute(FORGET, asked)
    await conn.execute(STORE, asked)


async def note_cells(conn: Conn, day: date) -> None:
    """The cells of every location are those of this day's midnight."""
    await conn.execute(FORGET_HIDDEN)
    await conn.execute(NOTE_CELLS, {"day": day})


async def read_cells(conn: Conn, after: Of, most: int) -> list[tuple[Of, Cells]]:
    """The next cells behind these, as stored."""
    asked = {"location_id": after[0], "connector_type": after[1], "most": most}
    rows = await (await conn.execute(STORED, asked)).fetchall()
    return [((row["location_id"], row["connector_type"]), _cells(row)) for row in rows]


async def read_newest(conn: Conn) -> tuple[date, date | None] | None:
    """The day whose midnight the cells are of, and the last day that is scored; None: there are no cells yet."""
    row = await (await conn.execute(NEWEST)).fetchone()
    return None if row is None else (row["cells_of"], row["scored"])


def _cells(row: Mapping[str, Any]) -> Cells:
    """In arrays of machine numbers: a network has half a million of them."""
    weights, free, arrivals = array("f", row["weights"]), array("f", row["free"]), array("i", row["arrivals"])
    return Cells(weights, free, arrivals, row["hours"], row["connectors"])

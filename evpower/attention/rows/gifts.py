"""Energy that stations gave away."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from evpower.db.connection import Conn
from evpower.identifiers import StationId
from evpower.metering.energy_sql import ENERGY_WH

DAY = timedelta(hours=24)
#: Of a station; a day has no more.
MOST_CHARGES = 500
GIVEN = f"""
SELECT p.station_id, g.since, g.charges, g.energy_wh
FROM evpower.station_policies p
CROSS JOIN LATERAL (
    SELECT min(received_at) AS since, count(*) AS charges, sum({ENERGY_WH})::bigint AS energy_wh
    FROM (SELECT * FROM evpower.ocpp_transactions t WHERE t.station_id = p.station_id AND t.free_vend
          ORDER BY t.id DESC LIMIT {MOST_CHARGES}) newest
    WHERE received_at >= %(since)s) g
WHERE p.free_vend AND g.charges > 0
"""


@dataclass(frozen=True)
class GivenInADay:
    """Charges that a station gave away in the last 24 hours, the first of them begun then."""

    station_id: StationId
    since: datetime
    charges: int
    energy_wh: int


async def read_gifts(conn: Conn, now: datetime) -> tuple[GivenInADay, ...]:
    """Of each station that gives energy away now and did."""
    rows = await (await conn.execute(GIVEN, {"since": now - DAY})).fetchall()
    return tuple(GivenInADay(**row) for row in rows)

"""Stations that charge for free, and the energy they gave away."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from evpower.db.connection import Conn
from evpower.identifiers import StationId
from evpower.metering.energy_sql import ENERGY_WH

#: More rows are unreadable on a terminal.
MOST_CHARGES = 200

TOTALS = f"""
SELECT count(*) AS charges, coalesce(sum{ENERGY_WH}, 0)::bigint AS energy_wh
FROM evpower.ocpp_transactions WHERE station_id = %(station_id)s AND free_vend
"""

CHARGES = f"""
SELECT wire_transaction_id AS transaction_id, connector_id, id_tag, status, started_at, stopped_at, stop_reason,
       {ENERGY_WH}::bigint AS energy_wh
FROM evpower.ocpp_transactions WHERE station_id = %(station_id)s AND free_vend ORDER BY id DESC LIMIT %(limit)s
"""

ALL_TOTALS = f"""
SELECT station_id, coalesce(p.free_vend, false) AS enabled, coalesce(t.charges, 0) AS charges,
       coalesce(t.energy_wh, 0)::bigint AS energy_wh
FROM evpower.station_policies p
FULL JOIN (SELECT station_id, count(*) AS charges, sum{ENERGY_WH} AS energy_wh
           FROM evpower.ocpp_transactions WHERE free_vend GROUP BY station_id) t USING (station_id)
WHERE p.free_vend OR t.charges > 0
"""


@dataclass(frozen=True)
class FreeCharge:
    """A charge given away; its energy in Wh."""

    transaction_id: str
    connector_id: int
    id_tag: str
    status: str
    started_at: datetime
    stopped_at: datetime | None
    stop_reason: str | None
    energy_wh: int


@dataclass(frozen=True)
class GivenAway:
    """Whether a station gives energy away, and what it gave so far, in Wh."""

    enabled: bool
    charges: int
    energy_wh: int


async def read_given_away(conn: Conn, station_id: StationId, *, enabled: bool) -> GivenAway:
    """How many charges a station gave away, and how much energy."""
    (total,) = await (await conn.execute(TOTALS, {"station_id": station_id})).fetchall()
    return GivenAway(enabled, **total)


async def newest_charges(conn: Conn, station_id: StationId) -> tuple[FreeCharge, ...]:
    """The newest charges that a station gave away, at most `MOST_CHARGES`."""
    cursor = await conn.execute(CHARGES, {"station_id": station_id, "limit": MOST_CHARGES})
    return tuple(FreeCharge(**row) for row in await cursor.fetchall())


async def read_totals(conn: Conn) -> dict[StationId, GivenAway]:
    """By station, those that give energy away or did."""
    rows = await (await conn.execute(ALL_TOTALS)).fetchall()
    return {StationId(row.pop("station_id")): GivenAway(**row) for row in rows}

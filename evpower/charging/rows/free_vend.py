"""Stations that charge for free, and the energy they gave away."""

from __future__ import annotations

from typing import Any

from psycopg import AsyncConnection

from evpower.identifiers import StationId
from evpower.metering.belief_sql import is_believable

#: More rows are unreadable on a terminal.
MOST_CHARGES = 200

# As a session's energy: by the stop register when it can be true, else by the last reading, never below zero.
_BELIEVABLE = is_believable(
    "meter_stop_wh - meter_start_wh", "(stopped_at - started_at)", "(stop_received_at - received_at)"
)
ENERGY_WH = f"greatest(0, CASE WHEN {_BELIEVABLE} THEN meter_stop_wh ELSE meter_last_wh END - meter_start_wh)"

TOTALS = f"""
SELECT count(*) AS charges, coalesce(sum({ENERGY_WH}), 0)::bigint AS energy_wh
FROM evpower.ocpp_transactions WHERE station_id = %(station_id)s AND free_vend
"""

CHARGES = f"""
SELECT wire_transaction_id AS transaction_id, connector_id, id_tag, status, started_at, stopped_at, stop_reason,
       ({ENERGY_WH})::bigint AS energy_wh
FROM evpower.ocpp_transactions WHERE station_id = %(station_id)s AND free_vend ORDER BY id DESC LIMIT %(limit)s
"""

ALL_TOTALS = f"""
SELECT station_id, coalesce(p.free_vend, false) AS enabled, coalesce(t.charges, 0) AS charges,
       coalesce(t.energy_wh, 0)::bigint AS energy_wh
FROM evpower.station_policies p
FULL JOIN (SELECT station_id, count(*) AS charges, sum({ENERGY_WH}) AS energy_wh
           FROM evpower.ocpp_transactions WHERE free_vend GROUP BY station_id) t USING (station_id)
WHERE p.free_vend OR t.charges > 0
"""


async def read_given_away(conn: AsyncConnection[Any], station_id: StationId) -> dict[str, Any]:
    """How many charges were given away, how much energy, and the newest of them."""
    parameters = {"station_id": station_id, "limit": MOST_CHARGES}
    totals: list[dict[str, Any]] = await (await conn.execute(TOTALS, parameters)).fetchall()
    return {**totals[0], "newest": await (await conn.execute(CHARGES, parameters)).fetchall()}


async def read_totals(conn: AsyncConnection[Any]) -> dict[str, dict[str, Any]]:
    """`enabled`, `charges` and `energy_wh` of every station that gives energy away or did."""
    rows: list[dict[str, Any]] = await (await conn.execute(ALL_TOTALS)).fetchall()
    return {row.pop("station_id"): row for row in rows}

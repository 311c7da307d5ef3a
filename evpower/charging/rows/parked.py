"""Reports that matched nothing, and energy between charges that was not billed (duties 23, 31)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from psycopg import AsyncConnection

from evpower.identifiers import SessionId, WireTransactionId
from evpower.metering.meter_value import MAX_ENERGY_WH

#: More rows are unreadable on a terminal.
MOST_ROWS = 500

LIST_PARKED = """
SELECT id, station_id, action, reason, payload, received_at, resolution, resolved_at, resolved_by, resolution_reason,
       session_id
FROM evpower.ocpp_parked WHERE %(all)s OR resolved_at IS NULL ORDER BY received_at DESC, id DESC LIMIT %(limit)s
"""

LOCK_PARKED = """
SELECT id, station_id, action, payload::text AS payload, received_at, resolved_at IS NOT NULL AS resolved
FROM evpower.ocpp_parked WHERE id = %(id)s FOR UPDATE
"""

RESOLVE = """
UPDATE evpower.ocpp_parked SET resolution = %(resolution)s, resolved_at = %(at)s, resolved_by = %(actor)s,
    resolution_reason = %(reason)s, session_id = %(session_id)s
WHERE id = %(id)s
"""

LOCK_SESSION_TRANSACTION = """
SELECT station_id, wire_transaction_id, meter_start_wh, meter_stop_wh FROM evpower.ocpp_transactions
WHERE charging_session_id = %(session_id)s ORDER BY id DESC LIMIT 1 FOR UPDATE
"""

# A register that was higher at the next start than at the stop before: energy flowed that no transaction has. A start
# register that could not be read is stored as the highest there is, and is skipped.
MISSING_ENERGY = """
SELECT station_id, connector_id, previous_transaction_id, previous_stop_wh, transaction_id, meter_start_wh,
       meter_start_wh - previous_stop_wh AS missing_wh, previous_stopped_at, started_at
FROM (SELECT station_id, connector_id, wire_transaction_id AS transaction_id, meter_start_wh, started_at, received_at,
             lag(meter_stop_wh) OVER connector AS previous_stop_wh,
             lag(wire_transaction_id) OVER connector AS previous_transaction_id,
             lag(stopped_at) OVER connector AS previous_stopped_at
      FROM evpower.ocpp_transactions
      WINDOW connector AS (PARTITION BY station_id, connector_id ORDER BY received_at, id)) AS consecutive
WHERE previous_stop_wh >= 0 AND meter_start_wh > previous_stop_wh AND meter_start_wh < %(unreadable_wh)s
ORDER BY received_at DESC LIMIT %(limit)s
"""


async def list_parked(conn: AsyncConnection[Any], *, resolved_too: bool) -> list[dict[str, Any]]:
    """Parked reports with all their data, newest first, at most `MOST_ROWS`."""
    return await (await conn.execute(LIST_PARKED, {"all": resolved_too, "limit": MOST_ROWS})).fetchall()


async def lock_parked(conn: AsyncConnection[Any], parked_id: int) -> dict[str, Any] | None:
    """One parked report, its payload as text, taken for this unit of work."""
    row: dict[str, Any] | None = await (await conn.execute(LOCK_PARKED, {"id": parked_id})).fetchone()
    return row


async def resolve(
    conn: AsyncConnection[Any],
    parked_id: int,
    *,
    resolution: str,
    session_id: SessionId | None,
    actor: str,
    reason: str,
    at: datetime,
) -> None:
    """Store what a person decided; the caller holds the report's row."""
    parameters = {
        "id": parked_id,
        "resolution": resolution,
        "session_id": session_id,
        "actor": actor,
        "reason": reason,
        "at": at,
    }
    await conn.execute(RESOLVE, parameters)


async def lock_session_transaction(
    conn: AsyncConnection[Any], session_id: SessionId
) -> tuple[str, WireTransactionId, int, int | None] | None:
    """The charger's transaction of a session, taken for this unit of work: station, its id there, start register, stop
    register."""
    row = await (await conn.execute(LOCK_SESSION_TRANSACTION, {"session_id": session_id})).fetchone()
    if row is None:
        return None
    return row["station_id"], WireTransactionId(row["wire_transaction_id"]), row["meter_start_wh"], row["meter_stop_wh"]


async def list_missing_energy(conn: AsyncConnection[Any]) -> list[dict[str, Any]]:
    """Where a start register lies above the stop register before it, newest first."""
    cursor = await conn.execute(MISSING_ENERGY, {"unreadable_wh": MAX_ENERGY_WH, "limit": MOST_ROWS})
    return await cursor.fetchall()

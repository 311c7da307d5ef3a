"""Readings of a transaction that come in the order of their numbers, taken many at a time (contract/ocpp201 §3)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from evpower.db.batches import batch, batch_table
from evpower.db.connection import Conn
from evpower.identifiers import ConnectorId, StationId
from evpower.metering.meter_value import MeterReport

# The next number of a transaction that waits for nothing: whatever else comes goes the long way, by itself.
TAKE_IN_ORDER = f"""
UPDATE evpower.station_transactions t
SET next_seq_no = r.seq_no + 1, last_event_at = r.at, charging_state = coalesce(r.charging_state, t.charging_state)
FROM {batch_table("n int, station_id text, wire_id text, seq_no int, at timestamptz, charging_state text")} r
WHERE t.station_id = r.station_id AND t.wire_transaction_id = r.wire_id AND t.next_seq_no = r.seq_no
  AND NOT t.awaits_register AND t.ended_at IS NULL AND t.waiting = 0
RETURNING r.n, t.connector_id
"""


async def take_in_order(
    conn: Conn, events: Sequence[tuple[StationId, MeterReport, datetime, str | None]]
) -> list[MeterReport | None]:
    """The readings of each event that was the next of its transaction, on its connector; None for every other event."""
    if not events:
        return []
    rows = [
        {
            "n": n,
            "station_id": station_id,
            "wire_id": report.wire_transaction_id,
            "seq_no": report.number and report.number.seq_no,
            "at": at,
            "charging_state": charging_state,
        }
        for n, (station_id, report, at, charging_state) in enumerate(events)
    ]
    cursor = await conn.execute(TAKE_IN_ORDER, batch(rows))
    taken = {row["n"]: row["connector_id"] for row in await cursor.fetchall()}
    return [
        (report if report.connector_id else report._replace(connector_id=taken[n] or ConnectorId(0)))
        if n in taken
        else None
        for n, (_, report, *_rest) in enumerate(events)
    ]

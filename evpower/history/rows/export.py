"""A client's charges for a table."""

from __future__ import annotations

from datetime import datetime

from evpower.db.connection import Conn
from evpower.history.export import ROWS_MAX, ExportedCharge
from evpower.history.receipt import number_text
from evpower.identifiers import ClientId

EXPORT = """
SELECT r.year, r.serial, s.start_time AS started_at, s.stop_time AS ended_at, l.name AS location_name,
       l.address AS location_address, s.station_id, s.connector_id, coalesce(s.energy, 0) AS energy_kwh,
       CASE WHEN s.settled_at IS NOT NULL THEN s.amount END AS amount, s.debt_amount, s.status, s.id AS session_id
FROM public.charging_sessions s
JOIN public.stations st ON st.id = s.station_id
JOIN public.locations l ON l.id = st.location_id
LEFT JOIN evpower.receipts r ON r.session_id = s.id AND r.revision = 1
WHERE s.user_id = %(client_id)s AND s.created_at >= %(since)s AND s.created_at < %(before)s
ORDER BY s.created_at DESC, s.id DESC LIMIT %(limit)s
"""


async def read_exported(
    conn: Conn, client_id: ClientId, since: datetime, before: datetime
) -> list[ExportedCharge] | None:
    """The charges that were ordered in this time, newest first; None when they are too many."""
    parameters = {"client_id": client_id, "since": since, "before": before, "limit": ROWS_MAX + 1}
    rows = await (await conn.execute(EXPORT, parameters)).fetchall()
    if len(rows) > ROWS_MAX:
        return None
    numbers = [(row.pop("year"), row.pop("serial")) for row in rows]
    receipts = [None if year is None else number_text(year, serial) for year, serial in numbers]
    return [ExportedCharge(receipt=receipt, **row) for receipt, row in zip(receipts, rows, strict=True)]

"""Rows of `evpower.signed_readings`, and what they are taken from."""

from __future__ import annotations

import hashlib
from datetime import datetime
from itertools import chain

from evpower.db.batches import batch, batch_table
from evpower.db.connection import Conn
from evpower.history.evidence import ReadSigned, SignedValue
from evpower.identifiers import SessionId

#: A meter that signs every quarter of an hour fills two days.
MOST_OF_A_CHARGE = 200

RAW = """
SELECT *, count(*) OVER () AS messages FROM (
SELECT sampled_values::text AS readings, v.received_at AS at
FROM evpower.ocpp_transactions t JOIN evpower.ocpp_meter_values v
  ON v.station_id = t.station_id AND v.received_at >= t.received_at
 AND v.received_at <= coalesce(t.stop_received_at, t.meter_last_received_at, t.received_at)
 AND (v.wire_transaction_id = t.wire_transaction_id
      OR (v.wire_transaction_id IS NULL AND v.connector_id = t.connector_id))
WHERE t.charging_session_id = %(id)s AND v.sampled_values::text LIKE '%%SignedData%%'
UNION ALL
SELECT t.stop_payload::text, t.stop_received_at FROM evpower.ocpp_transactions t
WHERE t.charging_session_id = %(id)s AND t.stop_payload::text LIKE '%%SignedData%%') message
ORDER BY at LIMIT %(limit)s
"""
KEEP = f"""
INSERT INTO evpower.signed_readings (session_id, digest, context, signed_data, kept_at)
SELECT session_id, decode(digest, 'hex'), context, signed_data, kept_at
FROM {batch_table("session_id text, digest text, context text, signed_data text, kept_at timestamptz")} r
ON CONFLICT (session_id, digest) DO NOTHING
"""
READ = "SELECT context, signed_data AS value FROM evpower.signed_readings WHERE session_id = %(id)s ORDER BY id"


async def keep_signed(conn: Conn, session_id: SessionId, read: ReadSigned, at: datetime) -> int:
    """Keep what the meter signed of a charge that ended, a second time only what is new; how many are not, at least."""
    cursor = await conn.execute(RAW, {"id": session_id, "limit": MOST_OF_A_CHARGE})
    raw = await cursor.fetchall()
    values = list(dict.fromkeys(chain.from_iterable(read(each["readings"]) for each in raw)))
    unread = raw[0]["messages"] - len(raw) if raw else 0
    rows = [
        {
            "session_id": session_id,
            "digest": hashlib.sha256(each.value.encode()).hexdigest(),
            "context": each.context,
            "signed_data": each.value,
            "kept_at": at.isoformat(),
        }
        for each in values[:MOST_OF_A_CHARGE]
    ]
    if rows:
        await conn.execute(KEEP, batch(rows))
    return len(values) - len(rows) + unread


async def read_signed_values(conn: Conn, session_id: SessionId) -> list[SignedValue]:
    """What is kept of a charge."""
    return [SignedValue(**row) for row in await (await conn.execute(READ, {"id": session_id})).fetchall()]

"""Rows of `power_grants`: what was sent, and what became of it; only added."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from evpower.db.connection import Conn
from evpower.identifiers import SessionId, WireTransactionId
from evpower.power.planning import ANSWER_WITHIN
from evpower.power.possible_draw import Grant
from evpower.power.site import OutletId

SEND = """
INSERT INTO evpower.power_grants (grant_id, station_id, connector_id, session_id, transaction, "limit", unit,
                                  current_da, granted_at, lease_until, state, lease_s)
VALUES (nextval('evpower.power_grant_numbers'), %(station_id)s, %(connector_id)s, %(session_id)s, %(transaction)s,
        %(limit)s, %(unit)s, %(current_da)s, %(granted_at)s, %(lease_until)s, 'sent', %(lease_s)s)
RETURNING grant_id
"""
STEP = """
INSERT INTO evpower.power_grants (grant_id, station_id, connector_id, session_id, transaction, "limit", unit,
                                  current_da, granted_at, lease_until, acked_at, state, lease_s)
SELECT grant_id, station_id, connector_id, session_id, transaction, "limit", unit, current_da, granted_at,
       CASE WHEN %(state)s = 'accepted' AND transaction IS NOT NULL
            THEN %(at)s + make_interval(secs => lease_s) ELSE lease_until END,
       CASE WHEN %(state)s = 'accepted' THEN %(at)s::timestamptz END, %(state)s, lease_s
FROM evpower.power_grants WHERE grant_id = %(grant_id)s AND state = 'sent'
ON CONFLICT (grant_id, state) DO NOTHING
"""


async def insert_sent(
    conn: Conn,
    outlet: OutletId,
    grant: Grant,
    *,
    session_id: SessionId | None,
    transaction_id: WireTransactionId | None,
    limit: Decimal,
    unit: str,
) -> int:
    """A grant that is about to be sent: from here on it counts. Its number."""
    is_start = transaction_id is None
    parameters = {
        "station_id": outlet[0],
        "connector_id": outlet[1],
        "session_id": session_id,
        "transaction": transaction_id,
        "limit": limit,
        "unit": unit,
        "current_da": grant.current_da,
        "granted_at": grant.sent_at,
        "lease_until": None if is_start else grant.sent_at + ANSWER_WITHIN + grant.duration,
        "lease_s": int(grant.duration.total_seconds()),
    }
    row = await (await conn.execute(SEND, parameters)).fetchone()
    assert row is not None
    return int(row["grant_id"])


async def insert_answer(conn: Conn, grant_id: int, state: str, at: datetime) -> None:
    """What became of it; the first answer of a kind stays."""
    await conn.execute(STEP, {"grant_id": grant_id, "state": state, "at": at})

"""What a bill stands on: the ledger's postings, the registers, the key of the station's meter."""

from __future__ import annotations

from evpower.db.connection import Conn
from evpower.history.evidence import ChargePosting, RegisterFact, plain_key
from evpower.identifiers import SessionId
from evpower.metering.boundaries import Boundary, boundaries_of

POSTINGS = """
SELECT e.kind, e.key, p.account, p.amount_tyiyn, e.created_at, e.actor
FROM evpower.ledger_entries e JOIN evpower.ledger_postings p ON p.entry_id = e.id
WHERE e.session_id = %(id)s ORDER BY p.id
"""
REGISTERS = """
SELECT t.wire_transaction_id, t.meter_start_wh, t.started_at, t.meter_last_wh, t.meter_last_measured_at,
       t.meter_stop_wh, t.stopped_at
FROM evpower.ocpp_transactions t WHERE t.charging_session_id = %(id)s ORDER BY t.id LIMIT 1
"""
BOUNDARIES = """
SELECT rate_boundaries FROM evpower.ocpp_transactions WHERE charging_session_id = %(id)s ORDER BY id LIMIT 1
"""
# OCA's paper on signed values: the key of each connector's meter is a setting of the station.
METER_KEY = """
SELECT c.value FROM public.charging_sessions s
JOIN evpower.ocpp_configuration c ON c.station_id = s.station_id
 AND c.key IN ('MeterPublicKey', 'MeterPublicKey[' || s.connector_id || ']', 'MeterPublicKey' || s.connector_id)
WHERE s.id = %(id)s AND c.value <> '' ORDER BY length(c.key) DESC LIMIT 1
"""


async def read_postings(conn: Conn, session_id: SessionId) -> list[ChargePosting]:
    """Every posting of a charge, in order."""
    return [ChargePosting(**row) for row in await (await conn.execute(POSTINGS, {"id": session_id})).fetchall()]


async def read_registers(conn: Conn, session_id: SessionId) -> tuple[str, list[RegisterFact]]:
    """The station's transaction of a charge, and its registers: the first, the last that was believed, the stop's."""
    row = await (await conn.execute(REGISTERS, {"id": session_id})).fetchone()
    if row is None:
        return "", []
    facts = [
        RegisterFact("Transaction.Begin", row["meter_start_wh"], row["started_at"]),
        RegisterFact("Sample.Periodic", row["meter_last_wh"], row["meter_last_measured_at"]),
    ]
    if row["meter_stop_wh"] is not None:
        facts.append(RegisterFact("Transaction.End", row["meter_stop_wh"], row["stopped_at"]))
    return row["wire_transaction_id"], facts


async def read_boundaries(conn: Conn, session_id: SessionId) -> tuple[Boundary, ...]:
    """The moments at which a rate of a charge begins, with the readings around those that have passed."""
    row = await (await conn.execute(BOUNDARIES, {"id": session_id})).fetchone()
    return () if row is None else boundaries_of(row["rate_boundaries"])


async def read_meter_key(conn: Conn, session_id: SessionId) -> str | None:
    """The public key of the meter, where the station's settings have it."""
    row = await (await conn.execute(METER_KEY, {"id": session_id})).fetchone()
    return None if row is None else plain_key(row["value"])

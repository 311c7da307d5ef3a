"""Rows of one charge, of every table that has some."""

from __future__ import annotations

from datetime import datetime

from evpower.case_files.charge_case import CaseIdleFee, CasePrice, CaseQuestion
from evpower.case_files.timeline import GAP_AFTER, CaseAttempt, CaseSession, CaseTransaction, ReadingGap
from evpower.db.connection import Conn
from evpower.identifiers import SessionId

SESSION = """
SELECT s.id AS session_id, s.user_id AS client_id, s.station_id, s.connector_id, s.status, p.phase, p.phase_at,
       s.created_at, s.start_time AS started_at, s.stop_time AS ended_at, s.settled_at,
       (coalesce(s.energy, 0) * 1000)::bigint AS energy_wh,
       CASE WHEN s.settled_at IS NOT NULL THEN (s.amount * 100)::bigint END AS amount_tyiyn,
       (s.reserved_amount * 100)::bigint AS reserved_tyiyn, (s.refunded_amount * 100)::bigint AS refunded_tyiyn,
       (s.additional_charge * 100)::bigint AS additional_tyiyn, (s.debt_amount * 100)::bigint AS debt_tyiyn,
       s.limit_type, s.limit_value, s.id_tag, p.end_cause, s.stop_reason, p.stop_requested_at, p.stop_requested_by,
       p.rebooted_at, p.reopened_at, p.estimated, p.corrected_at, p.overshoot_wh, p.unbilled_wh, p.unbilled_tyiyn
FROM public.charging_sessions s JOIN evpower.session_phases p ON p.session_id = s.id
WHERE s.id = %(id)s
"""
TRANSACTION = """
SELECT wire_transaction_id, status, meter_start_wh, meter_last_wh, meter_stop_wh, started_at, received_at,
       last_sample_at, stopped_at, stop_received_at, stop_reason, stops_asked, start_payload, stop_payload
FROM evpower.ocpp_transactions WHERE charging_session_id = %(id)s ORDER BY id LIMIT 1
"""
PRICE = """
SELECT s.rate_per_kwh, s.rate_per_minute, s.session_fee, h.rule_name, h.rule_id, h.tariff_plan_id, h.rule_details,
       h.calculation_time AS calculated_at
FROM public.charging_sessions s LEFT JOIN public.pricing_history h ON h.id = s.pricing_history_id
WHERE s.id = %(id)s
"""
ATTEMPTS = """
SELECT attempted_at, client_id, station_id, connector_id, door, answer, correlation_id, session_id, sentence, reason
FROM evpower.start_attempts WHERE session_id = %(id)s ORDER BY id
"""
# A reading's partition is found by its time alone, and the station's own id of the transaction comes again.
GAPS = """
SELECT since, until FROM (
    SELECT lag(m.received_at, 1, t.received_at) OVER (ORDER BY m.received_at) AS since, m.received_at AS until
    FROM evpower.ocpp_transactions t
    JOIN evpower.ocpp_meter_values m ON m.station_id = t.station_id AND m.connector_id = t.connector_id
     AND m.wire_transaction_id = t.wire_transaction_id
     AND m.received_at BETWEEN t.received_at AND coalesce(t.stop_received_at, %(now)s)
    WHERE t.charging_session_id = %(id)s) AS consecutive
WHERE until - since > %(gap)s ORDER BY since LIMIT 100
"""
IDLE_FEE = """
SELECT rate_per_minute, grace_minutes, cap_tyiyn, ended_at, minutes, fee_tyiyn, taken_tyiyn
FROM evpower.idle_fees WHERE session_id = %(id)s
"""
IDLE_TIMES = "SELECT since, until FROM evpower.idle_times WHERE session_id = %(id)s ORDER BY since"
DOUBTS = """
SELECT id, kind AS what, first_at AS since, settled AS decided, settled_by AS decided_by
FROM evpower.doubts WHERE session_id = %(id)s ORDER BY id
"""
PARKED = """
SELECT id, action || ': ' || reason AS what, received_at AS since, resolution AS decided, resolved_by AS decided_by
FROM evpower.ocpp_parked WHERE session_id = %(id)s ORDER BY id
"""


async def read_idle_fee(conn: Conn, session_id: SessionId) -> CaseIdleFee | None:
    """What its car has to pay for waiting; None where its plan takes nothing."""
    row = await (await conn.execute(IDLE_FEE, {"id": session_id})).fetchone()
    if row is None:
        return None
    times = await (await conn.execute(IDLE_TIMES, {"id": session_id})).fetchall()
    return CaseIdleFee(**row, times=[(each["since"], each["until"]) for each in times])


async def read_session(conn: Conn, session_id: SessionId) -> CaseSession | None:
    """The session itself."""
    row = await (await conn.execute(SESSION, {"id": session_id})).fetchone()
    return None if row is None else CaseSession(**row)


async def read_transaction(conn: Conn, session_id: SessionId) -> CaseTransaction | None:
    """The station's record of it."""
    row = await (await conn.execute(TRANSACTION, {"id": session_id})).fetchone()
    return None if row is None else CaseTransaction(**row)


async def read_price(conn: Conn, session_id: SessionId) -> CasePrice:
    """What it costs, and by which rule."""
    (row,) = await (await conn.execute(PRICE, {"id": session_id})).fetchall()
    return CasePrice(**row)


async def read_attempts(conn: Conn, session_id: SessionId) -> list[CaseAttempt]:
    """The starts that made it or were repeats of that."""
    return [CaseAttempt(**row) for row in await (await conn.execute(ATTEMPTS, {"id": session_id})).fetchall()]


async def read_gaps(conn: Conn, session_id: SessionId, now: datetime) -> list[ReadingGap]:
    """Long silences between two readings."""
    cursor = await conn.execute(GAPS, {"id": session_id, "now": now, "gap": GAP_AFTER})
    return [ReadingGap(**row) for row in await cursor.fetchall()]


async def read_doubts(conn: Conn, session_id: SessionId) -> list[CaseQuestion]:
    """Figures of it that were not believed."""
    return [CaseQuestion(**row) for row in await (await conn.execute(DOUBTS, {"id": session_id})).fetchall()]


async def read_parked(conn: Conn, session_id: SessionId) -> list[CaseQuestion]:
    """Reports that a person gave to it."""
    return [CaseQuestion(**row) for row in await (await conn.execute(PARKED, {"id": session_id})).fetchall()]

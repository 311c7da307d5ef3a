"""Rows of `evpower.receipts`: numbers without gaps, each taken in the unit of work of what it is given for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg.types.json import Jsonb

from evpower.billing.rates import RateStep
from evpower.db.connection import Conn
from evpower.history.receipt import ReceiptContent, ReceiptFacts
from evpower.identifiers import SessionId
from evpower.metering.session_rates import RATES_COLUMNS, moving_price, read_steps, steps_stored, take_rates

READ_FACTS = f"""
SELECT s.id AS session_id, s.station_id, st.model AS station_model, st.serial_number AS station_serial_number,
       s.connector_id, c.connector_type, l.name AS location_name, l.address AS location_address, l.city,
       CASE WHEN EXISTS (SELECT FROM evpower.power_grants g WHERE g.session_id = s.id) THEN (
           SELECT floor(coalesce(sum(greatest(0, least((held->>1)::float8, extract(epoch FROM s.stop_time))
                                                 - (held->>0)::float8)), 0) / 60)::int
           FROM evpower.ocpp_transactions t
           CROSS JOIN LATERAL json_array_elements(evpower.paused_times(s.id, t.received_at)) held
           WHERE t.charging_session_id = s.id) ELSE 0 END AS suspended_by_site_minutes,
       s.start_time AS started_at, s.stop_time AS ended_at, (coalesce(s.energy, 0) * 1000)::bigint AS energy_wh,
       (coalesce(s.amount, 0) * 100)::bigint AS amount_tyiyn, (s.reserved_amount * 100)::bigint AS reserved_tyiyn,
       (s.refunded_amount * 100)::bigint AS refunded_tyiyn, (s.additional_charge * 100)::bigint AS additional_tyiyn,
       (s.debt_amount * 100)::bigint AS debt_tyiyn, {RATES_COLUMNS},
       p.estimated AND p.corrected_at IS NULL AS estimated,
       EXISTS (SELECT FROM evpower.signed_readings g WHERE g.session_id = s.id) AS signed
FROM public.charging_sessions s
JOIN evpower.session_phases p ON p.session_id = s.id
JOIN public.stations st ON st.id = s.station_id
JOIN public.locations l ON l.id = st.location_id
LEFT JOIN public.connectors c ON c.station_id = s.station_id AND c.connector_number = s.connector_id
WHERE s.id = %(id)s
"""
# One statement, so that the number's row is locked for it and the commit alone. A document that is there already, or
# would say what the one before says, takes no number.
ISSUE = """
WITH before AS (
    SELECT revision, energy_wh, amount_tyiyn FROM evpower.receipts WHERE session_id = %(id)s
    ORDER BY revision DESC LIMIT 1),
billed AS (
    SELECT (coalesce(energy, 0) * 1000)::bigint AS energy_wh, (coalesce(amount, 0) * 100)::bigint AS amount_tyiyn
    FROM public.charging_sessions s
    WHERE id = %(id)s AND NOT EXISTS (
        SELECT FROM before b WHERE b.energy_wh = (coalesce(s.energy, 0) * 1000)::bigint
                               AND b.amount_tyiyn = (coalesce(s.amount, 0) * 100)::bigint)),
number AS (
    INSERT INTO evpower.receipt_numbers AS n (year, last) SELECT %(year)s, 1 FROM billed
    ON CONFLICT (year) DO UPDATE SET last = n.last + 1 RETURNING year, last)
INSERT INTO evpower.receipts
    (year, serial, session_id, revision, issued_at, energy_wh, minutes, amount_tyiyn, content, rate_steps)
SELECT number.year, number.last, %(id)s, coalesce((SELECT revision FROM before), 0) + 1, %(at)s, billed.energy_wh,
       %(minutes)s, billed.amount_tyiyn, %(content)s, %(steps)s::jsonb
FROM number, billed RETURNING year, serial
"""
READ_RECEIPTS = """
SELECT year, serial, revision, issued_at, energy_wh, minutes, amount_tyiyn, content, rate_steps::text AS steps
FROM evpower.receipts WHERE session_id = %(id)s ORDER BY revision
"""


@dataclass(frozen=True)
class ReceiptRecord:
    """One document of a charge; `content` is None when it could not be written down at once."""

    year: int
    serial: int
    revision: int
    issued_at: datetime
    energy_wh: int
    minutes: int
    amount_tyiyn: int
    content: ReceiptContent | None
    #: The rates that followed the first one, as the bill was made by them.
    steps: tuple[RateStep, ...]


async def read_facts(conn: Conn, session_id: SessionId) -> ReceiptFacts:
    """What a document of this session says now."""
    row = await (await conn.execute(READ_FACTS, {"id": session_id})).fetchone()
    assert row is not None, "sessions are never deleted"
    boundaries = moving_price(row).boundaries
    rates = take_rates(row)
    return ReceiptFacts(
        **row,
        rate_per_kwh=rates.per_kwh,
        rate_per_minute=rates.per_minute,
        session_fee=rates.session_fee,
        steps=rates.steps,
        boundaries=boundaries,
    )


async def issue(
    conn: Conn,
    session_id: SessionId,
    minutes: int,
    steps: Sequence[RateStep],
    content: ReceiptContent | None,
    *,
    year: int,
    at: datetime,
) -> tuple[int, int] | None:
    """Give the session's next document its number; None when there is nothing new to say.

    The year's row stays locked until the commit: the last statement of a unit of work.
    """
    parameters = {
        "id": session_id,
        "year": year,
        "minutes": minutes,
        "steps": steps_stored(steps),
        "content": None if content is None else Jsonb(content),
        "at": at,
    }
    row = await (await conn.execute(ISSUE, parameters)).fetchone()
    return None if row is None else (row["year"], row["serial"])


async def read_receipts(conn: Conn, session_id: SessionId) -> list[ReceiptRecord]:
    """The session's documents, the receipt first."""
    cursor = await conn.execute(READ_RECEIPTS, {"id": session_id})
    return [ReceiptRecord(**{**row, "steps": read_steps(row["steps"])}) for row in await cursor.fetchall()]

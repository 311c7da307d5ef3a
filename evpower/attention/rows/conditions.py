"""The rows that conditions are raised from, in a few statements, each answered by an index of what is open."""

from __future__ import annotations

from datetime import datetime, timedelta

from evpower.attention.conditions import (
    Gathered,
    LastStarts,
    LedgerFinding,
    OpenCharge,
    Undecided,
    UnpaidCharge,
    Waiting,
    WaitingMoney,
)
from evpower.billing.books.nightly_check import read_last_check
from evpower.billing.ledger_check import LedgerCheckRecord
from evpower.charging.review.parked import list_without_session
from evpower.db.connection import Conn
from evpower.health.failed_starts import FAILED, FAILED_BY
from evpower.identifiers import StationId

CHARGES = """
WITH found AS (
    SELECT session_id FROM evpower.session_phases WHERE phase NOT IN ('settled', 'released')
    UNION
    SELECT s.id FROM public.charging_sessions s JOIN evpower.session_phases p ON p.session_id = s.id
    WHERE s.start_time >= %(recent)s AND s.settled_at >= %(day_ago)s
          AND (p.estimated AND p.corrected_at IS NULL OR p.unbilled_wh > 0)
)
SELECT s.id AS session_id, s.station_id, s.connector_id, p.phase, p.phase_at, p.stop_requested_at, s.settled_at,
       p.estimated AND p.corrected_at IS NULL AND EXISTS (
           SELECT FROM evpower.ocpp_transactions t
           WHERE t.charging_session_id = s.id AND t.stop_received_at IS NULL) AS awaits_stop,
       p.unbilled_wh, p.unbilled_tyiyn, (s.reserved_amount * 100)::bigint AS held_tyiyn,
       (coalesce(s.amount, 0) * 100)::bigint AS amount_tyiyn
FROM found f JOIN public.charging_sessions s ON s.id = f.session_id
JOIN evpower.session_phases p ON p.session_id = s.id
"""
STARTS = f"""
WITH recent AS (
    SELECT a.station_id, a.connector_id, a.client_id, a.attempted_at, a.answer,
           row_number() OVER (PARTITION BY a.station_id, a.connector_id ORDER BY a.id DESC) AS place,
           {FAILED} AS failed
    FROM evpower.start_attempts a WHERE a.attempted_at >= %(since)s AND a.connector_id IS NOT NULL
)
SELECT station_id, connector_id, count(*) AS tried, count(*) FILTER (WHERE failed) AS failed,
       count(DISTINCT client_id) FILTER (WHERE failed) AS clients,
       min(attempted_at) FILTER (WHERE failed) AS first_failed_at,
       mode() WITHIN GROUP (ORDER BY answer) FILTER (WHERE failed) AS word
FROM recent WHERE place <= 5 GROUP BY station_id, connector_id HAVING count(*) FILTER (WHERE failed) > 0
"""
MONEY = """
SELECT p.id, 'parked' AS kind, p.provider, b.order_id, coalesce(p.amount_tyiyn, 0) AS amount_tyiyn,
       p.parked_at AS since, p.reason
FROM evpower.parked_payments p JOIN public.balance_topups b ON b.id = p.topup_id WHERE p.resolved_at IS NULL
UNION ALL
SELECT r.id, 'refund', b.payment_provider, b.order_id, r.amount_tyiyn, r.created_at, r.reason
FROM evpower.top_up_refunds r JOIN public.balance_topups b ON b.id = r.topup_id WHERE r.state = 'open'
"""
UNDECIDED = """
SELECT b.payment_provider AS provider, count(*) AS count, sum(o.amount_tyiyn)::bigint AS amount_tyiyn,
       min(o.phase_at) AS oldest_at, (array_agg(b.order_id ORDER BY o.phase_at, b.id))[1] AS oldest_order
FROM evpower.top_up_orders o JOIN public.balance_topups b ON b.id = o.topup_id
WHERE o.next_check_at IS NOT NULL AND o.phase IN ('created', 'processing') AND o.phase_at < %(undecided_since)s
GROUP BY b.payment_provider
"""
WAITING = """
SELECT 'report_parked' AS kind, id::text AS subject, station_id, received_at AS since, action AS word,
       NULL::timestamptz AS until
FROM evpower.ocpp_parked WHERE resolved_at IS NULL
UNION ALL
SELECT 'doubt', id::text, station_id, first_at, kind, NULL FROM evpower.doubts WHERE settled_at IS NULL
UNION ALL
SELECT 'stranger_waits', identity, NULL, first_seen_at, vendor || ' ' || model, NULL FROM evpower.ocpp_strangers t
WHERE status = 'pending' AND last_seen_at >= %(day_ago)s
      AND NOT EXISTS (SELECT FROM public.stations s WHERE s.id = t.identity)
UNION ALL
SELECT 'certificate_ends', c.station_id, c.station_id, c.not_before, '', c.not_after
FROM (SELECT DISTINCT ON (station_id) station_id, not_before, not_after FROM evpower.station_certificates
      WHERE state = 'delivered' ORDER BY station_id, id DESC) c WHERE c.not_after < %(ends_before)s
UNION ALL
SELECT 'firmware_failed', station_id || '/' || id, station_id, status_at, status, NULL
FROM (SELECT DISTINCT ON (station_id) id, station_id, status, status_at FROM evpower.ocpp_transfers
      WHERE kind IN ('firmware', 'signed_firmware') ORDER BY station_id, id DESC) f
WHERE status_at >= %(day_ago)s
      AND status IN ('InstallationFailed', 'InstallVerificationFailed', 'DownloadFailed', 'InvalidSignature')
LIMIT 500
"""
GIVEN_AWAY = """
SELECT station_id, connector_id FROM evpower.ocpp_transactions WHERE status = 'Started' AND free_vend
"""


async def gather(conn: Conn, now: datetime) -> Gathered:
    """Every row of this moment."""
    ago = {
        "recent": now - timedelta(days=3),
        "day_ago": now - timedelta(hours=24),
        "since": now - timedelta(hours=2),
        **FAILED_BY,
        "undecided_since": now - timedelta(minutes=10),
        "ends_before": now + timedelta(days=30),
    }
    charges = await (await conn.execute(CHARGES, ago)).fetchall()
    starts = await (await conn.execute(STARTS, ago)).fetchall()
    money = await (await conn.execute(MONEY)).fetchall()
    undecided = await (await conn.execute(UNDECIDED, ago)).fetchall()
    waiting = await (await conn.execute(WAITING, ago)).fetchall()
    last = await read_last_check(conn)
    given_away = await (await conn.execute(GIVEN_AWAY)).fetchall()
    unpaid = await list_without_session(conn)
    return Gathered(
        tuple(OpenCharge(**row) for row in charges),
        tuple(
            UnpaidCharge(each.station_id, each.connector_id, each.transaction_id, each.unpaid_since, each.energy_wh)
            for each in unpaid
        ),
        tuple(LastStarts(**row) for row in starts),
        tuple(WaitingMoney(**row) for row in money),
        tuple(Undecided(**row) for row in undecided),
        tuple(Waiting(**row) for row in waiting),
        None if last is None else _finding(last),
        frozenset((StationId(row["station_id"]), row["connector_id"]) for row in given_away),
    )


def _finding(last: LedgerCheckRecord) -> LedgerFinding:
    return LedgerFinding(sum(last.problems.values()), tuple(sorted(last.problems)), last.ended_at)

"""Rows of one top-up, of every table that has some."""

from __future__ import annotations

from evpower.case_files.payment_case import CasePayment, ParkedQuestion, PaymentPosting, PaymentStep
from evpower.db.connection import Conn

STEPS_SHOWN = 200

PAYMENT = """
SELECT t.id AS topup_id, t.invoice_id, t.order_id, t.client_id, t.payment_provider AS provider, o.method, o.phase,
       o.phase_at, t.created_at, t.invoice_expires_at AS expires_at, o.amount_tyiyn, o.paid_tyiyn, o.refunded_tyiyn,
       o.reason, o.flags, o.checks_done, t.last_status_check_at AS last_check_at, o.next_check_at
FROM public.balance_topups t JOIN evpower.top_up_orders o ON o.topup_id = t.id
WHERE t.id = (SELECT id FROM public.balance_topups WHERE invoice_id = %(key)s
              UNION ALL SELECT id FROM public.balance_topups WHERE order_id = %(key)s LIMIT 1)
"""
# What is kept of a call is masked before it is stored; its body is not shown here all the same.
STEPS = """
SELECT * FROM (
    SELECT recorded_at AS at, operation AS what, source AS who, phase_before, phase_after, amount_tyiyn, trans_id,
           detail, request_id AS correlation_id, id
    FROM evpower.payment_audit_log WHERE order_id = %(order_id)s
    UNION ALL
    SELECT received_at, 'call', provider, NULL, NULL, NULL, trans_id, state || ': ' || outcome, request_id, id
    FROM evpower.provider_events WHERE topup_id = %(topup_id)s) AS steps
ORDER BY at DESC, id DESC LIMIT %(limit)s
"""
POSTINGS = """
SELECT e.created_at, e.kind, e.key, p.account, p.amount_tyiyn, e.actor
FROM evpower.ledger_entries e JOIN evpower.ledger_postings p ON p.entry_id = e.id
WHERE e.balance_topup_id = %(topup_id)s ORDER BY p.id
"""
PARKED = """
SELECT id, reason, parked_at, amount_tyiyn, detail, resolution, resolved_by, resolution_reason
FROM evpower.parked_payments WHERE topup_id = %(topup_id)s ORDER BY id
"""


async def read_payment(conn: Conn, key: str) -> CasePayment | None:
    """The top-up by its invoice or order."""
    row = await (await conn.execute(PAYMENT, {"key": key})).fetchone()
    return None if row is None else CasePayment(**row)


async def read_steps(conn: Conn, payment: CasePayment) -> list[PaymentStep]:
    """What was done, the newest `STEPS_SHOWN`, the oldest first."""
    parameters = {"order_id": payment.order_id, "topup_id": payment.topup_id, "limit": STEPS_SHOWN}
    rows = await (await conn.execute(STEPS, parameters)).fetchall()
    return [PaymentStep(**{name: value for name, value in row.items() if name != "id"}) for row in reversed(rows)]


async def read_postings(conn: Conn, payment: CasePayment) -> list[PaymentPosting]:
    """What it moved."""
    cursor = await conn.execute(POSTINGS, {"topup_id": payment.topup_id})
    return [PaymentPosting(**row) for row in await cursor.fetchall()]


async def read_parked(conn: Conn, payment: CasePayment) -> list[ParkedQuestion]:
    """What of it waits for a person, or waited."""
    cursor = await conn.execute(PARKED, {"topup_id": payment.topup_id})
    return [ParkedQuestion(**row) for row in await cursor.fetchall()]

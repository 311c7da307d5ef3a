"""Rows of one client, of every table that has some; of each the newest."""

from __future__ import annotations

from evpower.case_files.client_case import CaseCard, CaseCharge, CaseClient, CaseLine, CaseTopUp
from evpower.case_files.timeline import CaseAttempt
from evpower.db.connection import Conn
from evpower.identifiers import ClientId

ATTEMPTS_SHOWN, CHARGES_SHOWN, LINES_SHOWN, TOP_UPS_SHOWN = 20, 20, 50, 20

CLIENT = """
SELECT c.id AS client_id, c.name, c.phone, c.email, c.status, c.created_at, c.merged_into,
       (c.balance * 100)::bigint AS free_tyiyn, (c.debt_amount * 100)::bigint AS debt_tyiyn,
       (SELECT coalesce(sum(s.reserved_amount) * 100, 0)::bigint FROM public.charging_sessions s
        JOIN evpower.session_phases p ON p.session_id = s.id
        WHERE s.user_id = c.id AND p.phase NOT IN ('settled', 'released')) AS held_by_charges_tyiyn,
       (SELECT coalesce(sum(r.amount_tyiyn), 0)::bigint FROM evpower.top_up_refunds r
        JOIN public.balance_topups t ON t.id = r.topup_id
        WHERE t.client_id = c.id AND r.state = 'open') AS held_by_refunds_tyiyn,
       (SELECT coalesce(sum(v.hold_tyiyn), 0)::bigint FROM evpower.reservations v
        WHERE v.client_id = c.id AND v.ended_at IS NULL) AS held_by_reservations_tyiyn
FROM public.clients c WHERE c.id = %(id)s
"""
ATTEMPTS = """
SELECT attempted_at, client_id, station_id, connector_id, door, answer, correlation_id, session_id, sentence, reason
FROM evpower.start_attempts WHERE client_id = %(id)s ORDER BY id DESC LIMIT %(limit)s
"""
CHARGES = """
SELECT s.id AS session_id, s.station_id, s.connector_id, p.phase, s.start_time, s.energy AS energy_kwh,
       (s.reserved_amount * 100)::bigint AS reserved_tyiyn,
       CASE WHEN s.settled_at IS NOT NULL THEN (s.amount * 100)::bigint END AS amount_tyiyn,
       (s.debt_amount * 100)::bigint AS debt_tyiyn, p.end_cause, p.estimated
FROM public.charging_sessions s JOIN evpower.session_phases p ON p.session_id = s.id
WHERE s.user_id = %(id)s ORDER BY s.created_at DESC, s.id DESC LIMIT %(limit)s
"""
STATEMENT = """
SELECT l.created_at, l.type, (l.amount * 100)::bigint AS amount_tyiyn,
       (l.balance_after * 100)::bigint AS balance_after_tyiyn, l.description, l.charging_session_id AS session_id,
       t.invoice_id
FROM public.payment_transactions l LEFT JOIN public.balance_topups t ON t.id = l.balance_topup_id
WHERE l.client_id = %(id)s ORDER BY l.created_at DESC, l.id DESC LIMIT %(limit)s
"""
CARDS = """
SELECT id_tag, status, parent_id_tag, expiry_date FROM evpower.ocpp_authorization
WHERE client_id = %(id)s AND tag_type IS DISTINCT FROM 'app' ORDER BY lower(id_tag)
"""
TOP_UPS = """
SELECT t.invoice_id, t.payment_provider AS provider, o.phase, t.created_at, o.amount_tyiyn, o.paid_tyiyn,
       o.refunded_tyiyn, o.reason, o.flags, o.checks_done, t.last_status_check_at AS last_check_at, o.next_check_at
FROM public.balance_topups t JOIN evpower.top_up_orders o ON o.topup_id = t.id
WHERE t.client_id = %(id)s ORDER BY t.id DESC LIMIT %(limit)s
"""


async def read_client(conn: Conn, client_id: ClientId) -> CaseClient | None:
    """Who they are, and what they have."""
    row = await (await conn.execute(CLIENT, {"id": client_id})).fetchone()
    return None if row is None else CaseClient(**row)


async def read_attempts(conn: Conn, client_id: ClientId) -> list[CaseAttempt]:
    """Their starts, with what was answered."""
    cursor = await conn.execute(ATTEMPTS, {"id": client_id, "limit": ATTEMPTS_SHOWN})
    return [CaseAttempt(**row) for row in await cursor.fetchall()]


async def read_charges(conn: Conn, client_id: ClientId) -> list[CaseCharge]:
    """Their charges."""
    cursor = await conn.execute(CHARGES, {"id": client_id, "limit": CHARGES_SHOWN})
    return [CaseCharge(**row) for row in await cursor.fetchall()]


async def read_statement(conn: Conn, client_id: ClientId) -> list[CaseLine]:
    """Their statement."""
    cursor = await conn.execute(STATEMENT, {"id": client_id, "limit": LINES_SHOWN})
    return [CaseLine(**row) for row in await cursor.fetchall()]


async def read_cards(conn: Conn, client_id: ClientId) -> list[CaseCard]:
    """Their cards; tags that were made for one start are none."""
    return [CaseCard(**row) for row in await (await conn.execute(CARDS, {"id": client_id})).fetchall()]


async def read_top_ups(conn: Conn, client_id: ClientId) -> list[CaseTopUp]:
    """Their top-ups."""
    cursor = await conn.execute(TOP_UPS, {"id": client_id, "limit": TOP_UPS_SHOWN})
    return [CaseTopUp(**row) for row in await cursor.fetchall()]

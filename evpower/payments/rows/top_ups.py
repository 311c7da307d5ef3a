"""Rows of top-ups: the public ones (`balance_topups`) and the provider's side of each (`evpower.top_up_orders`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from psycopg.types.json import Json

from evpower.db.connection import Conn
from evpower.identifiers import ClientId
from evpower.money import som
from evpower.narrowing import ROWS_MAX, Narrowing
from evpower.payments.gateway import Challenge, QrInvoice
from evpower.payments.top_up import NUMBER, PAID, PUBLIC, Method, Phase, TopUp
from evpower.payments.top_up_schedule import NextCheck

# One row, so numbers rise with the commits; they begin at the time, so that a new installation repeats none.
NEXT_NUMBER = """
INSERT INTO evpower.top_up_numbers AS n (last) VALUES (%(floor)s)
ON CONFLICT (one) DO UPDATE SET last = greatest(n.last + 1, excluded.last) RETURNING last
"""

INSERT_PUBLIC = """
INSERT INTO public.balance_topups (invoice_id, order_id, client_id, requested_amount, status, odengi_status,
    payment_provider, description, created_at, qr_expires_at, invoice_expires_at)
VALUES (%(order_id)s, %(order_id)s, %(client_id)s, %(amount)s, 'processing', 0, %(provider)s, %(description)s,
    %(created_at)s, %(qr_expires_at)s, %(expires_at)s)
RETURNING id
"""
INSERT_ORDER = """
INSERT INTO evpower.top_up_orders (topup_id, number, method, phase, phase_at, amount_tyiyn, card_mask, next_check_at)
VALUES (%(id)s, %(number)s, %(method)s, 'created', %(created_at)s, %(amount_tyiyn)s, %(card_mask)s, %(next_check_at)s)
"""

SELECT = """
SELECT t.id, t.order_id, o.number, t.client_id, t.payment_provider AS provider, o.method, o.phase, o.amount_tyiyn,
       o.paid_tyiyn, o.refunded_tyiyn, t.currency, coalesce(t.description, '') AS description, t.invoice_id, o.auth_key,
       o.qr_code, t.qr_code_url, t.app_link, o.challenge, o.card_mask, o.reason, o.flags, t.created_at,
       t.invoice_expires_at AS expires_at, t.last_status_check_at AS last_check_at, o.next_check_at, o.due_why,
       o.checks_done, o.slow_steps
FROM public.balance_topups t JOIN evpower.top_up_orders o ON o.topup_id = t.id
"""
LOCK = f"{SELECT} WHERE t.id = %(id)s FOR UPDATE"
READ = f"{SELECT} WHERE t.id = %(id)s"
BY_ORDER_ID = f"{SELECT} WHERE t.order_id = %(key)s"
BY_NUMBER = f"{SELECT} WHERE o.number = %(key)s"
BY_CHALLENGE = f"{SELECT} WHERE o.challenge ->> 'md' = %(key)s ORDER BY o.number DESC LIMIT 1"
#: Whatever a phone may call it by; each arm has an index of its own.
BY_ANY_ID = f"""
{SELECT} WHERE t.id IN (
    SELECT id FROM public.balance_topups WHERE invoice_id = %(key)s
    UNION ALL SELECT id FROM public.balance_topups WHERE order_id = %(key)s
    UNION ALL SELECT topup_id FROM evpower.top_up_orders WHERE auth_key = %(key)s)
ORDER BY t.id LIMIT 1
"""
OLDER_OPEN_QR = f"""
{SELECT} WHERE t.client_id = %(client_id)s AND o.method = 'qr' AND o.phase IN ('created', 'processing')
  AND o.number < %(number)s ORDER BY t.id FOR UPDATE
"""
LIST = f"""
{SELECT} WHERE (%(client_id)s::text IS NULL OR t.client_id = %(client_id)s)
  AND (%(phase)s::text IS NULL OR o.phase = %(phase)s)
  AND (%(since)s::timestamptz IS NULL OR t.created_at >= %(since)s)
ORDER BY t.id DESC LIMIT %(limit)s
"""

UNDECIDED = f"""
{SELECT} WHERE o.next_check_at IS NOT NULL AND o.phase IN ('created', 'processing') ORDER BY t.id LIMIT %(limit)s
"""

MAKE_ALL_DUE = "UPDATE evpower.top_up_orders SET next_check_at = %(at)s WHERE next_check_at > %(at)s"
END_STRANGE_LEASES = "UPDATE evpower.top_up_orders SET leased_until = NULL WHERE leased_until > %(most)s"

# A process whose clock ran ahead wrote them and has died: no check is under way so late, and a mark means now.
FORGET_WRONG_TIMES = """
UPDATE evpower.top_up_orders SET next_check_at = least(next_check_at, %(at)s),
    leased_until = CASE WHEN leased_until <= %(most)s THEN leased_until END
WHERE leased_until > %(most)s OR (due_why IS NOT NULL AND next_check_at > %(most)s)
"""

# Rows somebody holds are skipped, never waited for: a claim cannot be part of a deadlock. The slow sweep comes last:
# who pays now does not wait for a week's codes, which are all due after an outage.
CLAIM_DUE = f"""
{SELECT} WHERE t.payment_provider = %(provider)s AND o.next_check_at <= %(at)s
  AND (o.leased_until IS NULL OR o.leased_until <= %(at)s)
ORDER BY o.due_why IS NULL AND o.phase NOT IN ('created', 'processing'), o.next_check_at
LIMIT %(limit)s FOR UPDATE SKIP LOCKED
"""
LEASE = """
UPDATE evpower.top_up_orders SET leased_until = %(until)s, next_check_at = %(next)s, due_why = NULL,
    checks_done = %(checks_done)s, slow_steps = %(slow_steps)s
WHERE topup_id = %(id)s
"""
COUNT_CHECK = """
UPDATE public.balance_topups SET last_status_check_at = %(at)s, status_check_count = %(count)s WHERE id = %(id)s
"""
RELEASE = """
UPDATE evpower.top_up_orders SET leased_until = NULL WHERE topup_id = %(id)s AND leased_until = %(until)s
"""
# A mark (`due_why`) was set after the answer was asked for, or it would have been taken by the claim: it stays.
MOVE_ORDER = """
UPDATE evpower.top_up_orders SET
    phase_at = CASE WHEN phase = %(phase)s THEN phase_at ELSE %(at)s END, phase = %(phase)s,
    paid_tyiyn = paid_tyiyn + %(credited)s, reason = coalesce(%(reason)s, reason),
    flags = (SELECT coalesce(array_agg(DISTINCT flag), '{}') FROM unnest(flags || %(flags)s::text[]) AS flag),
    challenge = CASE WHEN %(phase)s IN ('created', 'processing') THEN challenge END,
    next_check_at = CASE WHEN due_why IS NULL THEN %(ask_at)s ELSE next_check_at END
WHERE topup_id = %(id)s
"""
MOVE_PUBLIC = """
UPDATE public.balance_topups SET status = %(status)s, odengi_status = %(code)s, needs_status_check = %(needed)s,
    paid_amount = CASE WHEN %(credited)s > 0 THEN coalesce(paid_amount, 0) + %(credited_som)s ELSE paid_amount END,
    paid_at = CASE WHEN %(credited)s > 0 THEN coalesce(paid_at, %(at)s) ELSE paid_at END,
    completed_at = CASE WHEN %(status)s = 'processing' THEN NULL ELSE coalesce(completed_at, %(at)s) END
WHERE id = %(id)s
"""
STORE_INVOICE = """
UPDATE public.balance_topups SET invoice_id = %(invoice_id)s, qr_code_url = %(qr_code_url)s, app_link = %(app_link)s
WHERE id = %(id)s
"""
STORE_QR = "UPDATE evpower.top_up_orders SET qr_code = %(qr_code)s WHERE topup_id = %(id)s"
STORE_AUTH_KEY = "UPDATE public.balance_topups SET invoice_id = %(auth_key)s WHERE id = %(id)s"
STORE_CARD_ANSWER = """
UPDATE evpower.top_up_orders SET auth_key = coalesce(%(auth_key)s, auth_key), challenge = %(challenge)s
WHERE topup_id = %(id)s
"""
MAKE_DUE = """
UPDATE evpower.top_up_orders SET next_check_at = %(at)s, due_why = %(why)s WHERE topup_id = %(id)s
"""
COUNT_WEBHOOK = """
UPDATE public.balance_topups SET last_webhook_at = %(at)s, webhook_count = webhook_count + 1 WHERE id = %(id)s
"""
ADD_REFUNDED = """
UPDATE evpower.top_up_orders SET refunded_tyiyn = refunded_tyiyn + %(tyiyn)s WHERE topup_id = %(id)s
"""
# The key is `topup:PROVIDER:TRANS_ID`; a payment credited by hand without one ends in `parked:ID`.
BOOKED = """
SELECT substr(e.key, length('topup:' || t.payment_provider || ':') + 1) AS trans_id, p.amount_tyiyn
FROM evpower.ledger_entries e
JOIN evpower.ledger_postings p ON p.entry_id = e.id AND p.account = 'client'
JOIN public.balance_topups t ON t.id = e.balance_topup_id
WHERE e.balance_topup_id = %(id)s AND e.kind = 'balance_topup' ORDER BY e.id
"""


@dataclass(frozen=True)
class NewTopUp:
    """An order about to be written."""

    order_id: str
    client_id: ClientId
    provider: str
    method: Method
    amount_tyiyn: int
    description: str
    created_at: datetime
    expires_at: datetime
    first_check_at: datetime
    card_mask: str | None = None


async def insert_top_up(conn: Conn, new: NewTopUp) -> TopUp:
    """Write an order in phase `created`; nothing may be sent before this is committed."""
    floor = int(new.created_at.timestamp() * 1000)
    number = await _one(conn, NEXT_NUMBER, {"floor": floor})
    parameters = {
        "order_id": new.order_id,
        "client_id": new.client_id,
        "amount": som(new.amount_tyiyn),
        "provider": new.provider,
        "description": new.description,
        "created_at": new.created_at,
        "qr_expires_at": new.expires_at if new.method == "qr" else None,
        "expires_at": new.expires_at,
    }
    topup_id = (await _one(conn, INSERT_PUBLIC, parameters))["id"]
    parameters = {
        "id": topup_id,
        "number": number["last"],
        "method": new.method,
        "created_at": new.created_at,
        "amount_tyiyn": new.amount_tyiyn,
        "card_mask": new.card_mask,
        "next_check_at": new.first_check_at,
    }
    await conn.execute(INSERT_ORDER, parameters)
    return await read_top_up(conn, topup_id)


async def read_top_up(conn: Conn, topup_id: int) -> TopUp:
    """An order that exists."""
    return _top_up(await _one(conn, READ, {"id": topup_id}))


async def lock_top_up(conn: Conn, topup_id: int) -> TopUp:
    """Take an order for this unit of work; its client's row was locked before (billing-rules §10)."""
    return _top_up(await _one(conn, LOCK, {"id": topup_id}))


async def find_top_up(conn: Conn, query: str, key: str | int) -> TopUp | None:
    """The order one of the `BY_…` queries finds."""
    row = await (await conn.execute(query, {"key": key})).fetchone()
    return None if row is None else _top_up(row)


async def older_open_qr(conn: Conn, order: TopUp) -> list[TopUp]:
    """The client's earlier QR orders that are still open, locked."""
    cursor = await conn.execute(OLDER_OPEN_QR, {"client_id": order.client_id, "number": order.number})
    return [_top_up(row) for row in await cursor.fetchall()]


async def list_top_ups(conn: Conn, wanted: Narrowing) -> list[TopUp]:
    """The newest orders."""
    return [_top_up(row) for row in await (await conn.execute(LIST, wanted.parameters)).fetchall()]


async def list_undecided(conn: Conn) -> list[TopUp]:
    """Those that their provider is asked about, the oldest first."""
    return [_top_up(row) for row in await (await conn.execute(UNDECIDED, {"limit": ROWS_MAX})).fetchall()]


async def make_all_due(conn: Conn, at: datetime, leased_until_most: datetime) -> None:
    """Every order that is to be asked about some day is, at once; a lease that no check can have ends."""
    await conn.execute(MAKE_ALL_DUE, {"at": at})
    await conn.execute(END_STRANGE_LEASES, {"most": leased_until_most})


async def forget_wrong_times(conn: Conn, at: datetime, most: datetime) -> int:
    """Make due at once what is leased, or due by a mark, only after `most`; how many orders that were."""
    return (await conn.execute(FORGET_WRONG_TIMES, {"at": at, "most": most})).rowcount


async def claim_due(conn: Conn, provider: str, at: datetime, limit: int) -> list[TopUp]:
    """Orders of a provider whose check is due and not under way, locked."""
    cursor = await conn.execute(CLAIM_DUE, {"provider": provider, "at": at, "limit": limit})
    return [_top_up(row) for row in await cursor.fetchall()]


async def lease(conn: Conn, order: TopUp, plan: NextCheck, at: datetime, until: datetime) -> None:
    """Note that a check begins: it counts from here, and the next one is planned, whatever becomes of this one."""
    parameters = {
        "id": order.id,
        "until": until,
        "next": plan.at,
        "checks_done": plan.checks_done,
        "slow_steps": plan.slow_steps,
    }
    await conn.execute(LEASE, parameters)
    await conn.execute(COUNT_CHECK, {"id": order.id, "at": at, "count": plan.checks_done})


async def release(conn: Conn, topup_id: int, until: datetime) -> None:
    """The check that leased the order until then is over; another one's lease stays."""
    await conn.execute(RELEASE, {"id": topup_id, "until": until})


async def move(
    conn: Conn,
    order: TopUp,
    phase: Phase,
    at: datetime,
    *,
    credited_tyiyn: int = 0,
    flags: tuple[str, ...] = (),
    reason: str | None = None,
    ask_at: datetime | None,
) -> None:
    """Store an order's new phase and what was credited by it; ask again at `ask_at` unless a due mark says when."""
    parameters = {
        "id": order.id,
        "phase": phase,
        "status": PUBLIC[phase],
        "code": NUMBER[PUBLIC[phase]],
        "at": at,
        "credited": credited_tyiyn,
        "credited_som": som(credited_tyiyn),
        "flags": list(flags),
        "reason": reason,
        "ask_at": ask_at,
        "needed": ask_at is not None and phase not in PAID,
    }
    await conn.execute(MOVE_ORDER, parameters)
    await conn.execute(MOVE_PUBLIC, parameters)


async def store_invoice(conn: Conn, topup_id: int, invoice: QrInvoice) -> None:
    """Keep what the provider answered to createInvoice."""
    parameters = {
        "id": topup_id,
        "invoice_id": invoice.invoice_id,
        "qr_code_url": invoice.qr_code_url,
        "app_link": invoice.app_link,
        "qr_code": invoice.qr_code,
    }
    await conn.execute(STORE_INVOICE, parameters)
    await conn.execute(STORE_QR, parameters)


async def store_card_answer(conn: Conn, topup_id: int, auth_key: str | None, challenge: Challenge | None) -> None:
    """Keep the provider's key of a card payment, and what a browser needs for 3-D Secure."""
    stored = None if challenge is None else Json(asdict(challenge))
    await conn.execute(STORE_CARD_ANSWER, {"id": topup_id, "auth_key": auth_key, "challenge": stored})
    if auth_key is not None:
        await conn.execute(STORE_AUTH_KEY, {"id": topup_id, "auth_key": auth_key})


async def make_due(conn: Conn, topup_id: int, at: datetime, why: str) -> None:
    """Have the provider asked at once."""
    await conn.execute(MAKE_DUE, {"id": topup_id, "at": at, "why": why})


async def count_webhook(conn: Conn, topup_id: int, at: datetime) -> None:
    """The provider called about this order."""
    await conn.later(COUNT_WEBHOOK, {"id": topup_id, "at": at})


async def add_refunded(conn: Conn, topup_id: int, amount_tyiyn: int) -> None:
    """More of it is given back, or, below zero, less."""
    await conn.execute(ADD_REFUNDED, {"id": topup_id, "tyiyn": amount_tyiyn})


async def booked_payments(conn: Conn, topup_id: int) -> dict[str, int]:
    """What was credited by an order: tyiyn by `trans_id`."""
    rows = await (await conn.execute(BOOKED, {"id": topup_id})).fetchall()
    return {row["trans_id"]: row["amount_tyiyn"] for row in rows}


async def _one(conn: Conn, query: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    row = await (await conn.execute(query, parameters)).fetchone()
    if row is None:
        raise LookupError("no such top-up")
    return row


def _top_up(row: Mapping[str, Any]) -> TopUp:
    challenge = None if row["challenge"] is None else Challenge(**row["challenge"])
    return TopUp(
        **{**row, "client_id": ClientId(row["client_id"]), "flags": tuple(row["flags"]), "challenge": challenge}
    )

"""The ledger's one writer, and the checks an operator runs (design §5).

The running total (`clients.balance`, `clients.debt_amount`) and the statement (`payment_transactions`) are written by
the database from the postings, in the same statement: see evpower.write_statement in the first migration.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from evpower.billing.account import BalanceAdjustment
from evpower.billing.ledger import Entry
from evpower.billing.ledger_check import LedgerCheck
from evpower.db.connection import Conn
from evpower.identifiers import ClientId

POST_ENTRY = """
WITH entry AS (
    INSERT INTO evpower.ledger_entries (kind, key, session_id, balance_topup_id, actor, description, created_at)
    VALUES (%(kind)s, %(key)s, %(session_id)s, %(balance_topup_id)s, %(actor)s, %(description)s, %(at)s)
    ON CONFLICT (key) DO NOTHING RETURNING id
), posted AS (
    INSERT INTO evpower.ledger_postings (entry_id, account, client_id, amount_tyiyn, statement_type)
    SELECT entry.id, p.account, p.client_id, p.amount_tyiyn, p.statement_type
    FROM entry, jsonb_to_recordset(%(postings)s)
         AS p(account text, client_id text, amount_tyiyn bigint, statement_type text)
)
SELECT id FROM entry
"""

# Each query returns what is wrong, so that a healthy ledger returns nothing.
CHECKS = {
    "entries that do not sum to zero": """
        SELECT entry_id AS id, sum(amount_tyiyn) AS tyiyn FROM evpower.ledger_postings
        GROUP BY entry_id HAVING sum(amount_tyiyn) <> 0""",
    "entries without both sides": """
        SELECT e.id, e.key, count(p.id) AS postings FROM evpower.ledger_entries e
        LEFT JOIN evpower.ledger_postings p ON p.entry_id = e.id
        GROUP BY e.id HAVING count(p.id) < 2""",
    "clients whose balance is not the sum of their postings": """
        SELECT c.id, c.balance, coalesce(sum(p.amount_tyiyn), 0) / 100.0 AS ledger
        FROM public.clients c LEFT JOIN evpower.ledger_postings p ON p.client_id = c.id AND p.account = 'client'
        GROUP BY c.id HAVING c.balance * 100 <> coalesce(sum(p.amount_tyiyn), 0)""",
    "clients whose debt is not the sum of their receivables": """
        SELECT c.id, c.debt_amount, -coalesce(sum(p.amount_tyiyn), 0) / 100.0 AS ledger
        FROM public.clients c LEFT JOIN evpower.ledger_postings p ON p.client_id = c.id AND p.account = 'receivable'
        GROUP BY c.id HAVING c.debt_amount * 100 <> -coalesce(sum(p.amount_tyiyn), 0)""",
    "clients whose debt is not what their sessions left unpaid": """
        SELECT c.id, c.debt_amount, coalesce(sum(s.debt_amount), 0) AS sessions
        FROM public.clients c LEFT JOIN public.charging_sessions s ON s.user_id = c.id
        GROUP BY c.id HAVING c.debt_amount <> coalesce(sum(s.debt_amount), 0)""",
    "clients whose statement does not chain": """
        SELECT DISTINCT client_id AS id FROM (
            SELECT client_id, balance_before,
                   lag(balance_after, 1, 0::numeric) OVER (PARTITION BY client_id ORDER BY created_at, id) AS previous
            FROM public.payment_transactions) chain
        WHERE previous <> balance_before""",
    "statement lines that are no postings": """
        SELECT c.id, coalesce(t.total, 0) AS statement, coalesce(p.total, 0) AS ledger
        FROM public.clients c
        LEFT JOIN (SELECT client_id, sum(amount) * 100 AS total FROM public.payment_transactions GROUP BY 1) t
               ON t.client_id = c.id
        LEFT JOIN (SELECT client_id, sum(amount_tyiyn) AS total FROM evpower.ledger_postings
                   WHERE account = 'client' GROUP BY 1) p ON p.client_id = c.id
        WHERE coalesce(t.total, 0) <> coalesce(p.total, 0)""",
    "merged clients that something is left of": """
        SELECT c.id, c.balance, c.debt_amount, c.merged_into FROM public.clients c
        JOIN public.clients s ON s.id = c.merged_into
        WHERE c.balance <> 0 OR c.debt_amount <> 0 OR s.merged_into IS NOT NULL
           OR EXISTS (SELECT FROM public.charging_sessions x WHERE x.user_id = c.id)
           OR EXISTS (SELECT FROM public.balance_topups x WHERE x.client_id = c.id)""",
    "sessions whose hold is not what their phase says": """
        SELECT s.id, s.status, coalesce(sum(p.amount_tyiyn), 0) / 100.0 AS held
        FROM public.charging_sessions s
        LEFT JOIN evpower.ledger_entries e ON e.session_id = s.id
        LEFT JOIN evpower.ledger_postings p ON p.entry_id = e.id AND p.account = 'held'
        GROUP BY s.id HAVING coalesce(sum(p.amount_tyiyn), 0)
            <> CASE WHEN s.settled_at IS NULL THEN s.reserved_amount * 100 ELSE 0 END""",
    "settled sessions whose revenue is not their amount": """
        SELECT s.id, s.amount, coalesce(sum(p.amount_tyiyn), 0) / 100.0 AS revenue
        FROM public.charging_sessions s
        LEFT JOIN evpower.ledger_entries e ON e.session_id = s.id
        LEFT JOIN evpower.ledger_postings p ON p.entry_id = e.id AND p.account = 'revenue'
        WHERE s.settled_at IS NOT NULL
        GROUP BY s.id HAVING coalesce(sum(p.amount_tyiyn), 0) <> coalesce(s.amount, 0) * 100""",
    "reservations whose hold or fee is not what their status says": """
        SELECT id, r.status, coalesce(m.held, 0) AS held_tyiyn, coalesce(m.fees, 0) AS fees_tyiyn
        FROM evpower.reservations r
        FULL JOIN (SELECT split_part(e.key, ':', 2) AS id,
                          sum(p.amount_tyiyn) FILTER (WHERE p.account = 'held') AS held,
                          sum(p.amount_tyiyn) FILTER (WHERE p.account = 'fees') AS fees,
                          count(DISTINCT e.id) FILTER (WHERE e.kind = 'reservation_end') AS ends
                   FROM evpower.ledger_entries e JOIN evpower.ledger_postings p ON p.entry_id = e.id
                   WHERE e.kind IN ('reservation_hold', 'reservation_end', 'reservation_return')
                   GROUP BY 1) m USING (id)
        WHERE r.id IS NULL
           OR coalesce(m.held, 0) <> CASE WHEN r.ended_at IS NULL THEN r.hold_tyiyn ELSE 0 END
           OR coalesce(m.fees, 0) <> CASE WHEN r.returned_at IS NULL THEN coalesce(r.fee_tyiyn, 0) ELSE 0 END
           OR (coalesce(m.ends, 0) = 1) <> (r.ended_at IS NOT NULL AND r.hold_tyiyn > 0)""",
    "idle fees that are not what was taken": """
        SELECT coalesce(f.session_id, p.session_id) AS id, f.fee_tyiyn, f.taken_tyiyn, p.tyiyn AS posted_tyiyn
        FROM evpower.idle_fees f
        FULL JOIN (SELECT e.session_id, sum(p.amount_tyiyn) AS tyiyn, count(*) AS entries
                   FROM evpower.ledger_entries e
                   JOIN evpower.ledger_postings p ON p.entry_id = e.id AND p.account = 'fees'
                   WHERE e.kind = 'idle_fee' GROUP BY 1) p ON p.session_id = f.session_id
        WHERE coalesce(f.taken_tyiyn, 0) <> coalesce(p.tyiyn, 0) OR p.entries > 1""",
    "charges whose last receipt is not their bill": """
        SELECT s.id, s.amount, r.amount_tyiyn / 100.0 AS receipt FROM (
            SELECT DISTINCT ON (session_id) session_id, amount_tyiyn FROM evpower.receipts
            ORDER BY session_id, revision DESC) r
        JOIN public.charging_sessions s ON s.id = r.session_id
        WHERE s.settled_at IS NULL OR coalesce(s.amount, 0) * 100 <> r.amount_tyiyn""",
    "years whose receipts have a gap": """
        SELECT n.year AS id, n.last, count(r.serial) AS receipts FROM evpower.receipt_numbers n
        LEFT JOIN evpower.receipts r USING (year)
        GROUP BY n.year HAVING count(r.serial) <> n.last OR max(r.serial) <> n.last""",
    "top-ups whose paid amount is not what was credited": """
        SELECT t.id, t.order_id, t.paid_amount, o.paid_tyiyn, coalesce(c.tyiyn, 0) AS credited_tyiyn
        FROM public.balance_topups t JOIN evpower.top_up_orders o ON o.topup_id = t.id
        LEFT JOIN (SELECT e.balance_topup_id AS id, sum(p.amount_tyiyn) AS tyiyn FROM evpower.ledger_entries e
                   JOIN evpower.ledger_postings p ON p.entry_id = e.id AND p.account = 'client'
                   WHERE e.kind = 'balance_topup' GROUP BY 1) c ON c.id = t.id
        WHERE o.paid_tyiyn <> coalesce(c.tyiyn, 0) OR coalesce(t.paid_amount, 0) * 100 <> coalesce(c.tyiyn, 0)
           OR (t.status IN ('approved', 'refunded', 'partial_refund')) <> (coalesce(c.tyiyn, 0) > 0)""",
    "credits that no payment of their provider stands behind": """
        SELECT e.id, e.key FROM evpower.ledger_entries e
        LEFT JOIN public.balance_topups t ON t.id = e.balance_topup_id
        LEFT JOIN evpower.ledger_postings p ON p.entry_id = e.id AND p.account = 'provider:' || t.payment_provider
        WHERE e.kind = 'balance_topup' AND (p.id IS NULL OR p.amount_tyiyn >= 0
              OR NOT starts_with(e.key, 'topup:' || t.payment_provider || ':'))""",
    "top-ups whose refunds are not what left the client": """
        SELECT o.topup_id AS id, o.refunded_tyiyn, coalesce(m.client, 0) AS gone_tyiyn, coalesce(m.held, 0) AS held
        FROM evpower.top_up_orders o
        LEFT JOIN (SELECT e.balance_topup_id AS id,
                          -coalesce(sum(p.amount_tyiyn) FILTER (WHERE p.account = 'client'), 0) AS client,
                          coalesce(sum(p.amount_tyiyn) FILTER (WHERE p.account = 'held'), 0) AS held
                   FROM evpower.ledger_entries e JOIN evpower.ledger_postings p ON p.entry_id = e.id
                   WHERE e.kind IN ('topup_refund', 'topup_refund_end') GROUP BY 1) m ON m.id = o.topup_id
        LEFT JOIN (SELECT topup_id, sum(amount_tyiyn) AS tyiyn FROM evpower.top_up_refunds WHERE state = 'open'
                   GROUP BY 1) r ON r.topup_id = o.topup_id
        WHERE o.refunded_tyiyn <> coalesce(m.client, 0) OR coalesce(m.held, 0) <> coalesce(r.tyiyn, 0)
           OR o.refunded_tyiyn > o.paid_tyiyn""",
}
COUNT_PAID_OUT = """
SELECT count(*) AS times FROM evpower.ledger_postings WHERE client_id = %(client_id)s AND account = 'bank'
"""
# The balance before is the sum of what was posted before: a client's postings are made one after the other, each with
# the client's row locked.
READ_ADJUSTMENT = """
SELECT p.client_id, p.amount_tyiyn, e.description AS reason,
       (SELECT coalesce(sum(q.amount_tyiyn), 0)::bigint FROM evpower.ledger_postings q
        WHERE q.client_id = p.client_id AND q.account = 'client' AND q.id < p.id) AS old_balance_tyiyn,
       (SELECT coalesce(-sum(q.amount_tyiyn), 0)::bigint
        FROM evpower.ledger_postings q JOIN evpower.ledger_entries d ON d.id = q.entry_id
        WHERE q.client_id = p.client_id AND q.account = 'client' AND q.id > p.id
          AND d.key = 'debt_recovery:' || d.session_id || ':' || e.key) AS debt_paid_tyiyn
FROM evpower.ledger_entries e JOIN evpower.ledger_postings p ON p.entry_id = e.id AND p.account = 'client'
WHERE e.key = %(key)s
"""
COUNT_ENTRIES = "SELECT count(*) AS entries FROM evpower.ledger_entries"


async def post_entry(conn: Conn, entry: Entry, at: datetime) -> int | None:
    """Add an entry; its id, or None when an entry with this key exists (a replay) or nothing moves.

    Raises psycopg.errors.CheckViolation when a client's free money would fall below zero.
    """
    if not entry.postings:
        return None
    cursor = await conn.execute(
        POST_ENTRY,
        {
            "kind": entry.kind,
            "key": entry.key,
            "session_id": entry.session_id,
            "balance_topup_id": entry.balance_topup_id,
            "actor": entry.actor,
            "description": entry.description,
            "at": at,
            "postings": Jsonb([asdict(posting) for posting in entry.postings]),
        },
    )
    row = await cursor.fetchone()
    return None if row is None else int(row["id"])


async def count_paid_out(conn: Conn, client_id: ClientId) -> int:
    """How often a client was paid out."""
    row = await (await conn.execute(COUNT_PAID_OUT, {"client_id": client_id})).fetchone()
    assert row is not None
    return int(row["times"])


async def read_adjustment(conn: Conn, key: str) -> BalanceAdjustment | None:
    """What the entry with this key did to a balance; None when there is no such entry."""
    row = await (await conn.execute(READ_ADJUSTMENT, {"key": key})).fetchone()
    return None if row is None else BalanceAdjustment(**row, is_new=False)


async def check_ledger(conn: Conn) -> LedgerCheck:
    """Verify every invariant over all rows."""
    (count,) = await (await conn.execute(COUNT_ENTRIES)).fetchall()
    problems: dict[str, list[dict[str, Any]]] = {}
    for what, query in CHECKS.items():
        if wrong := await (await conn.execute(f"{query} LIMIT 20")).fetchall():
            problems[what] = wrong
    return LedgerCheck(count["entries"], problems)

"""Sums of the ledger beside sums of the rows that its entries are about, and the postings of a period."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from evpower.db.connection import Conn
from evpower.identifiers import ClientId, SessionId

#: More rows are unreadable on a page; a file has them all.
MOST_ROWS = 200
LINES_AT_ONCE = 2000

# `posted` is what the ledger has of each order within the period and outside of it.
POSTED_OF_TOP_UPS = """
WITH touched AS (
    SELECT DISTINCT balance_topup_id AS id FROM evpower.ledger_entries
    WHERE balance_topup_id IS NOT NULL AND kind = ANY (%(kinds)s)
      AND created_at >= %(since)s AND created_at < %(until)s
), posted AS (
    SELECT d.id,
           coalesce(sum(p.amount_tyiyn) FILTER (WHERE e.created_at >= %(since)s AND e.created_at < %(until)s), 0)
               AS within,
           coalesce(sum(p.amount_tyiyn) FILTER (WHERE e.created_at < %(since)s OR e.created_at >= %(until)s), 0)
               AS outside
    FROM touched d JOIN evpower.ledger_entries e ON e.balance_topup_id = d.id AND e.kind = ANY (%(kinds)s)
    JOIN evpower.ledger_postings p ON p.entry_id = e.id AND starts_with(p.account, 'provider:')
    GROUP BY d.id
)
"""
TOP_UPS = f"""
{POSTED_OF_TOP_UPS}
SELECT t.payment_provider AS provider, count(*) AS orders, sum(o.paid_tyiyn + posted.outside)::bigint AS rows_tyiyn,
       -sum(posted.within)::bigint AS ledger_tyiyn
FROM posted JOIN public.balance_topups t USING (id) JOIN evpower.top_up_orders o ON o.topup_id = posted.id
GROUP BY 1 ORDER BY 1
"""
REFUNDS = f"""
{POSTED_OF_TOP_UPS}
SELECT t.payment_provider AS provider, count(*) AS orders,
       sum(o.refunded_tyiyn - coalesce(r.open_tyiyn, 0) - posted.outside)::bigint AS rows_tyiyn,
       sum(posted.within)::bigint AS ledger_tyiyn
FROM posted JOIN public.balance_topups t USING (id) JOIN evpower.top_up_orders o ON o.topup_id = posted.id
LEFT JOIN (SELECT topup_id, sum(amount_tyiyn) AS open_tyiyn FROM evpower.top_up_refunds WHERE state = 'open'
           GROUP BY topup_id) r ON r.topup_id = posted.id
WHERE posted.within <> 0 GROUP BY 1 ORDER BY 1
"""
REVENUE = """
WITH touched AS (
    SELECT DISTINCT session_id FROM evpower.ledger_entries
    WHERE session_id IS NOT NULL AND created_at >= %(since)s AND created_at < %(until)s
), posted AS (
    SELECT d.session_id,
           coalesce(sum(p.amount_tyiyn) FILTER (WHERE e.created_at >= %(since)s AND e.created_at < %(until)s), 0)
               AS within,
           coalesce(sum(p.amount_tyiyn) FILTER (WHERE e.created_at < %(since)s OR e.created_at >= %(until)s), 0)
               AS outside
    FROM touched d JOIN evpower.ledger_entries e USING (session_id)
    JOIN evpower.ledger_postings p ON p.entry_id = e.id AND p.account = 'revenue'
    GROUP BY 1
)
SELECT coalesce(sum(s.amount * 100 - posted.outside), 0)::bigint AS rows_tyiyn,
       coalesce(sum(posted.within), 0)::bigint AS ledger_tyiyn
FROM posted JOIN public.charging_sessions s ON s.id = posted.session_id
"""
# Other entries write statement lines of this type too: what they wrote is outside.
ADJUSTED = """
WITH touched AS (
    SELECT DISTINCT p.client_id FROM evpower.ledger_entries e
    JOIN evpower.ledger_postings p ON p.entry_id = e.id AND p.account = 'client'
    WHERE e.kind = 'admin_adjustment' AND e.created_at >= %(since)s AND e.created_at < %(until)s
)
SELECT (SELECT coalesce(sum(t.amount) * 100, 0) FROM public.payment_transactions t JOIN touched USING (client_id)
        WHERE t.type = 'admin_adjustment')::bigint
       - (SELECT coalesce(sum(p.amount_tyiyn), 0) FROM touched
          JOIN evpower.ledger_postings p ON p.client_id = touched.client_id AND p.account = 'client'
               AND p.statement_type = 'admin_adjustment'
          JOIN evpower.ledger_entries e ON e.id = p.entry_id
          WHERE e.kind <> 'admin_adjustment' OR e.created_at < %(since)s OR e.created_at >= %(until)s)::bigint
           AS rows_tyiyn,
       (SELECT coalesce(-sum(p.amount_tyiyn), 0) FROM evpower.ledger_entries e
        JOIN evpower.ledger_postings p ON p.entry_id = e.id AND p.account = 'adjustment'
        WHERE e.kind = 'admin_adjustment' AND e.created_at >= %(since)s AND e.created_at < %(until)s)::bigint
           AS ledger_tyiyn
"""
HELD = """
SELECT (SELECT coalesce(sum(s.reserved_amount) * 100, 0) FROM evpower.session_phases p
        JOIN public.charging_sessions s ON s.id = p.session_id WHERE p.phase NOT IN ('settled', 'released'))::bigint
       + (SELECT coalesce(sum(amount_tyiyn), 0) FROM evpower.top_up_refunds WHERE state = 'open')::bigint
       + (SELECT coalesce(sum(hold_tyiyn), 0) FROM evpower.reservations WHERE ended_at IS NULL)::bigint AS rows_tyiyn,
       (SELECT coalesce(sum(amount_tyiyn), 0) FROM evpower.ledger_postings WHERE account = 'held')::bigint
           AS ledger_tyiyn
"""
DEBTS = """
SELECT (SELECT coalesce(sum(debt_amount) * 100, 0) FROM public.clients WHERE debt_amount > 0)::bigint AS rows_tyiyn,
       (SELECT coalesce(-sum(amount_tyiyn), 0) FROM evpower.ledger_postings WHERE account = 'receivable')::bigint
           AS ledger_tyiyn
"""
DEBTORS = """
SELECT c.id AS client_id, c.name, (c.debt_amount * 100)::bigint AS debt_tyiyn, (c.balance * 100)::bigint AS free_tyiyn,
       s.since
FROM public.clients c
LEFT JOIN LATERAL (SELECT min(settled_at) AS since FROM public.charging_sessions
                   WHERE user_id = c.id AND debt_amount > 0) s ON true
WHERE c.debt_amount > 0 ORDER BY c.debt_amount DESC, c.id LIMIT %(most)s
"""
ADJUSTMENTS = """
SELECT e.created_at, p.client_id, p.amount_tyiyn, e.actor, e.description AS reason
FROM evpower.ledger_entries e
JOIN evpower.ledger_postings p ON p.entry_id = e.id AND p.account = 'client'
WHERE e.kind = 'admin_adjustment' AND e.created_at >= %(since)s ORDER BY e.id DESC LIMIT %(most)s
"""
LINES = """
SELECT p.id, e.id AS entry_id, e.created_at, e.kind, p.account, p.amount_tyiyn, p.client_id, e.session_id, t.invoice_id,
       e.actor, e.description
FROM evpower.ledger_entries e JOIN evpower.ledger_postings p ON p.entry_id = e.id
LEFT JOIN public.balance_topups t ON t.id = e.balance_topup_id
WHERE e.created_at >= %(since)s AND e.created_at < %(until)s AND p.id > %(after)s ORDER BY p.id LIMIT %(most)s
"""


@dataclass(frozen=True)
class Compared:
    """A sum as the rows have it, and as the ledger has it."""

    rows_tyiyn: int
    ledger_tyiyn: int

    @property
    def agrees(self) -> bool:
        return self.rows_tyiyn == self.ledger_tyiyn


@dataclass(frozen=True)
class ProviderMoney:
    """What one provider took, or gave back, for so many orders."""

    provider: str
    orders: int
    sum: Compared


@dataclass(frozen=True)
class Debtor:
    """Who owes, and since which charge."""

    client_id: ClientId
    name: str | None
    debt_tyiyn: int
    free_tyiyn: int
    since: datetime | None


@dataclass(frozen=True)
class Adjustment:
    """A balance that was corrected by so much."""

    created_at: datetime
    client_id: ClientId
    amount_tyiyn: int
    actor: str
    reason: str | None


@dataclass(frozen=True)
class AccountLine:
    """One posting with its entry."""

    id: int
    entry_id: int
    created_at: datetime
    kind: str
    account: str
    amount_tyiyn: int
    client_id: ClientId | None
    session_id: SessionId | None
    invoice_id: str | None
    actor: str
    description: str | None


async def read_top_ups(conn: Conn, since: datetime, until: datetime) -> list[ProviderMoney]:
    """What each provider took."""
    return await _by_provider(conn, TOP_UPS, ["balance_topup"], since, until)


async def read_refunds(conn: Conn, since: datetime, until: datetime) -> list[ProviderMoney]:
    """What each provider gave back."""
    return await _by_provider(conn, REFUNDS, ["topup_refund", "topup_refund_end"], since, until)


async def read_revenue(conn: Conn, since: datetime, until: datetime) -> Compared:
    """Energy sold: bills, and what corrections added or took away."""
    return await _compared(conn, REVENUE, {"since": since, "until": until})


async def read_adjusted(conn: Conn, since: datetime, until: datetime) -> Compared:
    """What people's corrections added to balances, or took away."""
    return await _compared(conn, ADJUSTED, {"since": since, "until": until})


async def read_held(conn: Conn) -> Compared:
    """What charges and refunds hold now."""
    return await _compared(conn, HELD, {})


async def read_debts(conn: Conn) -> Compared:
    """What clients owe now."""
    return await _compared(conn, DEBTS, {})


async def list_debtors(conn: Conn) -> list[Debtor]:
    """The largest debts first."""
    return [Debtor(**row) for row in await (await conn.execute(DEBTORS, {"most": MOST_ROWS})).fetchall()]


async def list_adjustments(conn: Conn, since: datetime) -> list[Adjustment]:
    """The newest first."""
    cursor = await conn.execute(ADJUSTMENTS, {"since": since, "most": MOST_ROWS})
    return [Adjustment(**row) for row in await cursor.fetchall()]


async def read_lines(conn: Conn, since: datetime, until: datetime, after: int) -> list[AccountLine]:
    """The next postings of a period, by their number."""
    parameters = {"since": since, "until": until, "after": after, "most": LINES_AT_ONCE}
    return [AccountLine(**row) for row in await (await conn.execute(LINES, parameters)).fetchall()]


async def _by_provider(
    conn: Conn, query: str, kinds: list[str], since: datetime, until: datetime
) -> list[ProviderMoney]:
    cursor = await conn.execute(query, {"kinds": kinds, "since": since, "until": until})
    return [
        ProviderMoney(row["provider"], row["orders"], Compared(row["rows_tyiyn"], row["ledger_tyiyn"]))
        for row in await cursor.fetchall()
    ]


async def _compared(conn: Conn, query: str, parameters: dict[str, datetime]) -> Compared:
    (row,) = await (await conn.execute(query, parameters)).fetchall()
    return Compared(**row)

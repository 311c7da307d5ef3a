"""What the metrics ask of the database: counts that an index answers, so that a scrape costs nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import get_args

from evpower.billing.books.nightly_check import read_last_check
from evpower.billing.ledger_check import LedgerCheckRecord
from evpower.charging.review.parked import count_without_session, unbilled_wh
from evpower.db.connection import Conn
from evpower.payments.top_up import OPEN, Phase
from evpower.server.rows.money_figures import MoneyFigures, read_money_figures
from evpower.server.rows.network_figures import NetworkCounts, read_network_figures
from evpower.webhooks.service import WebhookFigures, read_webhook_figures

#: A provider may be asked in every phase (payments/top_up_schedule.py).
ASKED_ABOUT: tuple[Phase, ...] = get_args(Phase)

OPEN_SESSIONS = """
SELECT phase, count(*) AS sessions FROM evpower.session_phases
WHERE phase NOT IN ('settled', 'released') GROUP BY phase
"""
# While a provider is asked about it, a top-up is in an index; an open one that it is asked about no more is parked.
TOP_UPS = """
SELECT phase, count(*) AS top_ups, min(phase_at) AS oldest_at FROM evpower.top_up_orders
WHERE next_check_at IS NOT NULL GROUP BY phase
"""
PAYMENTS = """
SELECT (SELECT count(*) FROM evpower.parked_payments WHERE resolved_at IS NULL) AS parked,
       (SELECT count(*) FROM evpower.top_up_refunds WHERE state = 'open') AS open_refunds
"""
PARKED = "SELECT count(*) AS parked FROM evpower.ocpp_parked WHERE resolved_at IS NULL"


OPEN_DOUBTS = "SELECT kind, count(*) AS doubts FROM evpower.doubts WHERE settled_at IS NULL GROUP BY kind"


ENDED_ACCOUNTS = """
SELECT count(*) FILTER (WHERE d.erased_at IS NULL) AS restorable,
       count(*) FILTER (WHERE c.balance > 0) AS to_pay_out,
       min(d.restorable_until) FILTER (WHERE d.erased_at IS NULL) AS next_erasure_at
FROM evpower.account_deletions d JOIN public.clients c ON c.id = d.client_id
"""


@dataclass(frozen=True)
class EndedAccounts:
    """Accounts whose end was asked for and that are not erased; those with money that waits to be paid out; when the
    next one is to be erased."""

    restorable: int
    to_pay_out: int
    next_erasure_at: datetime | None


@dataclass(frozen=True)
class TopUpFigures:
    """Top-ups a provider is still asked about, by phase; since when the oldest undecided one is in its phase."""

    asked_about: dict[str, int]
    oldest_open_at: datetime | None
    parked: int
    open_refunds: int


@dataclass(frozen=True)
class Figures:
    """Sessions that are not final, by phase; reports that wait for a person; what nobody pays for; doubts, by kind;
    top-ups; accounts that end; the network, the money, the last check of the ledger, and webhooks out."""

    open_sessions: dict[str, int]
    parked_reports: int
    charging_without_session: int
    unbilled_wh: int
    open_doubts: dict[str, int]
    top_ups: TopUpFigures
    ended_accounts: EndedAccounts
    network: NetworkCounts
    money: MoneyFigures
    ledger_check: LedgerCheckRecord | None
    webhooks: WebhookFigures


async def read_figures(conn: Conn, now: datetime, heartbeat_timeout_s: float) -> Figures:
    """The counts of this moment."""
    phases = await (await conn.execute(OPEN_SESSIONS)).fetchall()
    parked = await (await conn.execute(PARKED)).fetchall()
    open_sessions = {row["phase"]: row["sessions"] for row in phases}
    unpaid, unbilled = await count_without_session(conn), await unbilled_wh(conn)
    doubts = await (await conn.execute(OPEN_DOUBTS)).fetchall()
    open_doubts = {row["kind"]: row["doubts"] for row in doubts}
    ended = EndedAccounts(**(await (await conn.execute(ENDED_ACCOUNTS)).fetchall())[0])
    return Figures(
        open_sessions,
        parked[0]["parked"],
        unpaid,
        unbilled,
        open_doubts,
        await _read_top_ups(conn),
        ended,
        await read_network_figures(conn, now, heartbeat_timeout_s),
        await read_money_figures(conn, now),
        await read_last_check(conn),
        await read_webhook_figures(conn),
    )


async def _read_top_ups(conn: Conn) -> TopUpFigures:
    rows = await (await conn.execute(TOP_UPS)).fetchall()
    counts = await (await conn.execute(PAYMENTS)).fetchall()
    asked_about: dict[str, int] = dict.fromkeys(ASKED_ABOUT, 0) | {row["phase"]: row["top_ups"] for row in rows}
    oldest_at = min((row["oldest_at"] for row in rows if row["phase"] in OPEN), default=None)
    return TopUpFigures(asked_about, oldest_at, counts[0]["parked"], counts[0]["open_refunds"])

"""What providers called in (an inbox: stored before acted on), and the log of who did what to a payment."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime

from evpower.db.connection import Conn

INSERT_EVENT = """
INSERT INTO evpower.provider_events (provider, topup_id, order_id, number, state, trans_id, body, peer, request_id,
    received_at, outcome, outcome_at)
VALUES (%(provider)s, %(topup_id)s, %(order_id)s, %(number)s, %(state)s, %(trans_id)s, %(body)s, %(peer)s,
    %(request_id)s, %(received_at)s, %(outcome)s, %(received_at)s)
"""
# Only what had come before the provider was asked: a later call may know more than the answer.
CONCLUDE_EVENTS = """
UPDATE evpower.provider_events SET outcome = %(outcome)s, outcome_at = %(at)s
WHERE topup_id = %(topup_id)s AND outcome = 'queued' AND id <= %(last_id)s
"""
LAST_EVENT = "SELECT coalesce(max(id), 0) AS id FROM evpower.provider_events WHERE topup_id = %(topup_id)s"

INSERT_AUDIT = """
INSERT INTO evpower.payment_audit_log (recorded_at, operation, source, client_id, order_id, trans_id, provider,
    amount_tyiyn, currency, phase_before, phase_after, detail, card_mask, peer, request_id)
VALUES (%(recorded_at)s, %(operation)s, %(source)s, %(client_id)s, %(order_id)s, %(trans_id)s, %(provider)s,
    %(amount_tyiyn)s, %(currency)s, %(phase_before)s, %(phase_after)s, %(detail)s, %(card_mask)s, %(peer)s,
    %(request_id)s)
"""


@dataclass(frozen=True)
class ProviderEvent:
    """A provider's call, read and masked; `outcome` is `queued` while its order has to be asked about."""

    provider: str
    topup_id: int | None
    order_id: str | None
    number: int | None
    state: str
    trans_id: str | None
    body: str
    peer: str | None
    request_id: str | None
    received_at: datetime
    outcome: str


@dataclass(frozen=True)
class AuditLine:
    """One line of the log (payments §7)."""

    recorded_at: datetime
    operation: str
    source: str
    client_id: str | None = None
    order_id: str | None = None
    trans_id: str | None = None
    provider: str | None = None
    amount_tyiyn: int | None = None
    currency: str | None = None
    phase_before: str | None = None
    phase_after: str | None = None
    detail: str | None = None
    card_mask: str | None = None
    peer: str | None = None
    request_id: str | None = None


async def insert_event(conn: Conn, event: ProviderEvent) -> None:
    """Keep a provider's call."""
    await conn.later(INSERT_EVENT, asdict(event))


async def last_event_id(conn: Conn, topup_id: int) -> int:
    """The newest call about an order."""
    row = await (await conn.execute(LAST_EVENT, {"topup_id": topup_id})).fetchone()
    return 0 if row is None else int(row["id"])


async def conclude_events(conn: Conn, topup_id: int, last_id: int, outcome: str, at: datetime) -> None:
    """What came of the calls that led to a check."""
    await conn.execute(CONCLUDE_EVENTS, {"topup_id": topup_id, "last_id": last_id, "outcome": outcome, "at": at})


async def write_audit(conn: Conn, line: AuditLine) -> None:
    """Add a line, in the unit of work of the change it records."""
    await conn.later(INSERT_AUDIT, asdict(line))

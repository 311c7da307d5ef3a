"""Payments that wait for a person, and what was decided."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from evpower.db.connection import Conn
from evpower.identifiers import ClientId
from evpower.payments.top_up import Parking, Phase, TopUp

MOST_ROWS = 500

# What a person has decided is not asked again; what still waits is brought up to date.
PARK = """
INSERT INTO evpower.parked_payments AS p
    (topup_id, provider, reason, trans_id, amount_tyiyn, currency, detail, parked_at)
SELECT %(topup_id)s, %(provider)s, %(reason)s, %(trans_id)s, %(amount_tyiyn)s, %(currency)s, %(detail)s, %(at)s
WHERE NOT EXISTS (
    SELECT FROM evpower.parked_payments d WHERE d.topup_id = %(topup_id)s AND d.reason = %(reason)s
      AND d.trans_id IS NOT DISTINCT FROM %(trans_id)s::text AND d.resolved_at IS NOT NULL
      AND d.amount_tyiyn IS NOT DISTINCT FROM %(amount_tyiyn)s::bigint)
ON CONFLICT (topup_id, reason, coalesce(trans_id, '')) WHERE resolved_at IS NULL
DO UPDATE SET amount_tyiyn = excluded.amount_tyiyn, currency = excluded.currency, detail = excluded.detail
WHERE p.amount_tyiyn IS DISTINCT FROM excluded.amount_tyiyn
RETURNING id
"""
SELECT = """
SELECT p.id, p.topup_id, p.reason, t.order_id, t.invoice_id, t.client_id, p.provider, p.trans_id, p.amount_tyiyn,
       p.currency, o.amount_tyiyn AS ordered_tyiyn, o.phase, p.detail, p.parked_at, p.resolution, p.resolved_tyiyn,
       p.resolved_at, p.resolved_by, p.resolution_reason
FROM evpower.parked_payments p JOIN public.balance_topups t ON t.id = p.topup_id
JOIN evpower.top_up_orders o ON o.topup_id = p.topup_id
"""
LIST = f"{SELECT} WHERE %(all)s OR p.resolved_at IS NULL ORDER BY p.id DESC LIMIT %(limit)s"
READ = f"{SELECT} WHERE p.id = %(id)s"
RESOLVE = """
UPDATE evpower.parked_payments SET resolution = %(resolution)s, resolved_tyiyn = %(tyiyn)s, resolved_at = %(at)s,
    resolved_by = %(actor)s, resolution_reason = %(reason)s
WHERE id = %(id)s AND resolved_at IS NULL RETURNING id
"""
# The payment a person was to look for has come by itself.
CLOSE_CREDITED = """
UPDATE evpower.parked_payments SET resolution = 'credited', resolved_tyiyn = 0, resolved_at = %(at)s,
    resolved_by = 'system', resolution_reason = 'credited by itself'
WHERE topup_id = %(topup_id)s AND resolved_at IS NULL AND reason IN ('no_sum', 'unresolved')
  AND (trans_id IS NULL OR trans_id = %(trans_id)s)
"""
COUNT_OPEN = """
SELECT count(*) AS open FROM evpower.parked_payments WHERE topup_id = %(topup_id)s AND resolved_at IS NULL
"""


@dataclass(frozen=True)
class ParkedPayment:
    """A payment that waits for a person, with its order as it is now, and what was decided."""

    id: int
    topup_id: int
    reason: str
    order_id: str
    invoice_id: str
    client_id: ClientId
    provider: str
    trans_id: str | None
    #: What the provider says was paid, when it says so.
    amount_tyiyn: int | None
    currency: str | None
    ordered_tyiyn: int
    phase: Phase
    detail: str | None
    parked_at: datetime
    resolution: str | None
    #: What was credited or debited.
    resolved_tyiyn: int | None
    resolved_at: datetime | None
    resolved_by: str | None
    resolution_reason: str | None

    @property
    def is_resolved(self) -> bool:
        return self.resolved_at is not None


async def park(conn: Conn, order: TopUp, parking: Parking, at: datetime, detail: str | None) -> bool:
    """Have a person look at it; False when it waits already, or was decided before."""
    parameters = {
        "topup_id": order.id,
        "provider": order.provider,
        "reason": parking.reason,
        "trans_id": parking.trans_id,
        "amount_tyiyn": parking.amount_tyiyn,
        "currency": parking.currency,
        "detail": detail,
        "at": at,
    }
    return await (await conn.execute(PARK, parameters)).fetchone() is not None


async def list_parked(conn: Conn, *, resolved_too: bool) -> list[ParkedPayment]:
    """What waits for a person, newest first."""
    cursor = await conn.execute(LIST, {"all": resolved_too, "limit": MOST_ROWS})
    return [ParkedPayment(**row) for row in await cursor.fetchall()]


async def read_parked(conn: Conn, parked_id: int) -> ParkedPayment | None:
    """One of them."""
    row = await (await conn.execute(READ, {"id": parked_id})).fetchone()
    return None if row is None else ParkedPayment(**row)


async def resolve(
    conn: Conn,
    parked_id: int,
    resolution: str,
    tyiyn: int | None,
    actor: str,
    reason: str,
    at: datetime,
) -> bool:
    """Store a decision; False when somebody had decided already."""
    parameters = {
        "id": parked_id,
        "resolution": resolution,
        "tyiyn": tyiyn,
        "actor": actor,
        "reason": reason,
        "at": at,
    }
    return await (await conn.execute(RESOLVE, parameters)).fetchone() is not None


async def close_credited(conn: Conn, topup_id: int, trans_id: str, at: datetime) -> None:
    """What waited for this payment waits no longer."""
    await conn.execute(CLOSE_CREDITED, {"topup_id": topup_id, "trans_id": trans_id, "at": at})


async def count_open(conn: Conn, topup_id: int) -> int:
    """How many matters of an order wait for a person."""
    row = await (await conn.execute(COUNT_OPEN, {"topup_id": topup_id})).fetchone()
    return 0 if row is None else int(row["open"])

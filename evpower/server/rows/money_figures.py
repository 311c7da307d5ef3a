"""What the metrics ask of the money, in tyiyn: each answered by an index of what is open, however many are not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from evpower.charging.settler import TAKES_MORE_WITHIN
from evpower.db.connection import Conn

# A refund that is under way is held too.
MONEY = """
SELECT (SELECT coalesce(sum(s.reserved_amount) * 100, 0)::bigint
        FROM evpower.session_phases p JOIN public.charging_sessions s ON s.id = p.session_id
        WHERE p.phase NOT IN ('settled', 'released')) AS held_by_sessions,
       (SELECT coalesce(sum(amount_tyiyn), 0)::bigint FROM evpower.top_up_refunds WHERE state = 'open')
           AS held_by_refunds,
       (SELECT coalesce(sum(hold_tyiyn), 0)::bigint FROM evpower.reservations WHERE status IN ('pending', 'reserved'))
           AS held_by_reservations,
       (SELECT coalesce(sum(debt_amount) * 100, 0)::bigint FROM public.clients WHERE debt_amount > 0) AS debt,
       (SELECT count(*) FROM evpower.ocpp_transactions t JOIN public.charging_sessions s ON s.id = t.charging_session_id
        JOIN evpower.session_phases p ON p.session_id = s.id
        WHERE t.stop_received_at IS NULL AND p.estimated AND p.corrected_at IS NULL
          AND s.settled_at > %(correctable_since)s) AS open_estimates
"""


@dataclass(frozen=True)
class MoneyFigures:
    """What is held for charges, refunds and reservations, what clients owe, and estimated bills that their true end may
    still raise."""

    held_by_sessions: int
    held_by_refunds: int
    held_by_reservations: int
    debt: int
    open_estimates: int


async def read_money_figures(conn: Conn, now: datetime) -> MoneyFigures:
    """The sums of this moment."""
    row = (await (await conn.execute(MONEY, {"correctable_since": now - TAKES_MORE_WITHIN})).fetchall())[0]
    return MoneyFigures(**row)

"""What a settlement and a correction write into a session (contract/billing-rules §4)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from evpower.billing.settlement import Correction, Settlement
from evpower.charging.session import Phase, PublicSessionStatus, Session
from evpower.charging.transaction import EndCause
from evpower.db.connection import Conn
from evpower.identifiers import SessionId
from evpower.money import som

SETTLE_SESSION = """
WITH phase AS (
    UPDATE evpower.session_phases
    SET phase = %(phase)s, phase_at = %(at)s, estimated = %(estimated)s, overshoot_wh = %(overshoot_wh)s,
        end_cause = coalesce(%(cause)s, end_cause)
    WHERE session_id = %(id)s)
UPDATE public.charging_sessions
SET status = %(status)s, stop_time = coalesce(stop_time, %(at)s), energy = %(energy)s, amount = %(amount)s,
    refunded_amount = %(refunded)s, additional_charge = %(additional)s, debt_amount = %(debt)s, settled_at = %(at)s,
    stop_reason = coalesce(%(reason)s, stop_reason), updated_at = %(at)s
WHERE id = %(id)s AND settled_at IS NULL
"""

CORRECT_SESSION = """
WITH phase AS (
    UPDATE evpower.session_phases
    SET corrected_at = %(at)s, unbilled_wh = %(unbilled_wh)s, unbilled_tyiyn = %(unbilled_tyiyn)s
    WHERE session_id = %(id)s)
UPDATE public.charging_sessions
SET energy = %(energy)s, amount = amount + %(amount)s, refunded_amount = refunded_amount + %(refunded)s,
    additional_charge = additional_charge + %(additional)s, updated_at = %(at)s
WHERE id = %(id)s
"""

NOTE_UNBILLED = """
UPDATE evpower.session_phases SET unbilled_wh = %(unbilled_wh)s, unbilled_tyiyn = %(unbilled_tyiyn)s
WHERE session_id = %(id)s
"""


@dataclass(frozen=True)
class SessionEnd:
    """How a session becomes final; a `reason` or a `cause` that is None leaves the one that is stored."""

    energy_wh: int
    status: PublicSessionStatus
    phase: Phase
    reason: str | None = None
    cause: EndCause | None = None
    #: No StopTransaction came: the bill is by the last reading.
    estimated: bool = False
    #: Energy beyond the limit; None without a limit.
    overshoot_wh: int | None = None


async def store_settlement(conn: Conn, session: Session, bill: Settlement, end: SessionEnd, at: datetime) -> None:
    """Make the session final with its bill."""
    await conn.later(
        SETTLE_SESSION,
        {
            "id": session.id,
            "phase": end.phase,
            "status": end.status,
            "energy": Decimal(end.energy_wh) / 1000,
            "amount": som(bill.cost_tyiyn),
            "refunded": som(bill.refund_tyiyn),
            "additional": som(bill.additional_tyiyn),
            "debt": som(bill.debt_tyiyn),
            "reason": end.reason,
            "cause": end.cause,
            "estimated": end.estimated,
            "overshoot_wh": end.overshoot_wh,
            "at": at,
        },
    )


async def store_correction(conn: Conn, session_id: SessionId, correction: Correction, at: datetime) -> None:
    """Write what the true StopTransaction changed.

    Billing has written what it changed of the debt: it is a fact that debts are paid by.
    """
    change_tyiyn = correction.additional_tyiyn - correction.refund_tyiyn - correction.forgiven_debt_tyiyn
    await conn.execute(
        CORRECT_SESSION,
        {
            "id": session_id,
            "energy": Decimal(correction.energy_wh) / 1000,
            "amount": som(change_tyiyn),
            "refunded": som(correction.refund_tyiyn),
            "additional": som(correction.additional_tyiyn),
            "unbilled_wh": correction.unbilled_wh,
            "unbilled_tyiyn": correction.unbilled_tyiyn,
            "at": at,
        },
    )


async def note_unbilled(conn: Conn, session_id: SessionId, energy_wh: int, cost_tyiyn: int) -> None:
    """Energy was delivered that is not paid for: shown to the operator (design §4)."""
    await conn.execute(NOTE_UNBILLED, {"id": session_id, "unbilled_wh": energy_wh, "unbilled_tyiyn": cost_tyiyn})

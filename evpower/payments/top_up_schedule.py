"""When a provider is asked about an order, and when no more (payments §6); pure.

Fast checks while an order is fresh, ever slower ones for a week, then a person.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from evpower.payments.gateway import OrderState
from evpower.payments.top_up import OPEN, PAID, Phase, Source, TopUp, TopUpRules

#: How long a slow sweep goes on, and its longest step (design §9.3).
SWEEP_FOR = timedelta(days=7)
SWEEP_STEP_MOST = timedelta(days=1)


@dataclass(frozen=True)
class NextCheck:
    """What a check that is about to be made leaves behind, whatever comes of it."""

    checks_done: int
    slow_steps: int
    at: datetime
    source: Source


@dataclass(frozen=True)
class Claim:
    """What a check knew when it began. A due mark is taken by the claim: one that is there later came in between."""

    #: The newest webhook call about the order.
    last_event_id: int
    #: The lease, which only this claim gives back.
    leased_until: datetime


def redated(order: TopUp, redate: Callable[[datetime], datetime]) -> TopUp:
    """The order with its age and its life as they are, after the wall clock jumped (`ClockWatch.redated`)."""
    off_by = redate(order.created_at) - order.created_at
    return replace(order, created_at=order.created_at + off_by, expires_at=order.expires_at + off_by)


def plan_check(order: TopUp, now: datetime, rules: TopUpRules) -> NextCheck:
    """Count the check that begins now, and plan the one after it (payments §6).

    Fast checks, failed ones included, are at most `max_checks`; the last of them is kept for the end of the order's
    life. What they leave open is asked ever more seldom. A webhook's check counts for neither.
    """
    if order.due_why == "webhook":
        return NextCheck(order.checks_done, order.slow_steps, _after_webhook(order, now, rules), "webhook")
    if order.phase in OPEN and order.checks_done < rules.max_checks:
        done = order.checks_done + 1
        source: Source = "forced" if order.due_why == "forced" else "poll"
        return NextCheck(done, order.slow_steps, _after_fast(order, done, now, rules), source)
    source = "forced" if order.due_why == "forced" else "sweep"
    # A person's question makes those that come by themselves no rarer. Of an order that was given up the step counts
    # all the same: it says that its invoice was cancelled (`wants_cancel`).
    is_extra = source == "forced" and order.phase in OPEN
    steps = order.slow_steps + (not is_extra)
    return NextCheck(order.checks_done, steps, now + _slow_step(order.slow_steps, rules), source)


def may_force(order: TopUp, rules: TopUpRules, *, by_operator: bool = False) -> bool:
    """Whether a forced check is left: the last fast check is kept for the end of the order's life.

    Once the fast checks are over, an operator's question need not wait for the next slow one.
    """
    left = rules.max_checks - order.checks_done
    return order.phase in OPEN and (left > 1 or (left <= 0 and by_operator))


def _after_fast(order: TopUp, done: int, now: datetime, rules: TopUpRules) -> datetime:
    left, regular = rules.max_checks - done, now + timedelta(seconds=rules.poll_interval_s)
    if left == 0 or order.is_past_life(now):
        return now + _slow_step(order.slow_steps, rules)
    return max(regular, order.expires_at) if left == 1 else regular


def _after_webhook(order: TopUp, now: datetime, rules: TopUpRules) -> datetime:
    if order.phase in OPEN and order.checks_done < rules.max_checks and not order.is_past_life(now):
        return now + timedelta(seconds=rules.poll_interval_s)
    return now + _slow_step(order.slow_steps, rules)


def _slow_step(steps: int, rules: TopUpRules) -> timedelta:
    # The exponent is bounded, so that a tiny first step cannot overflow.
    doubled: int = rules.slow_interval_s * 2 ** min(steps, 20)
    return min(timedelta(seconds=doubled), SWEEP_STEP_MOST)


def keeps_asking(order: TopUp, phase: Phase, state: OrderState | None, now: datetime) -> bool:
    """Whether the provider is asked again, once the order is in `phase`; `state` None when it gave no answer.

    A QR code may be scanned by others when it is canceled, and when it is paid: each payment is money. A card pays
    once, and a declined one was declined.
    """
    if order.method != "qr" and (phase in PAID or (phase == "canceled" and state is OrderState.CANCELED)):
        return False
    return not is_given_up(order, now)


def next_check(
    order: TopUp, phase: Phase, state: OrderState | None, now: datetime, rules: TopUpRules
) -> datetime | None:
    """When the provider is asked next, once its answer has brought the order to `phase`; None: no more.

    That is as its claim planned, except that a payment ends the fast checks.
    """
    if not keeps_asking(order, phase, state, now):
        return None
    if phase in PAID and order.phase not in PAID:
        return now + _slow_step(order.slow_steps, rules)
    return order.next_check_at


def is_unresolved(order: TopUp, phase: Phase, state: OrderState | None, now: datetime) -> bool:
    """Whether a week went by and the provider never reported how it ended: then a person asks (design §9.3)."""
    reported = state in (OrderState.CANCELED, OrderState.NOT_FOUND)
    return is_given_up(order, now) and not reported and (phase in OPEN or phase in ("canceled", "expired"))


def wants_cancel(order: TopUp, now: datetime) -> bool:
    """Whether the invoice is cancelled at the provider before its status is asked."""
    if order.method != "qr" or order.invoice_id == order.order_id:
        return False
    if order.phase in OPEN:
        return order.is_past_life(now)
    return order.phase == "canceled" and order.slow_steps == 0


def is_given_up(order: TopUp, now: datetime) -> bool:
    """Whether the slow sweep ends here, without a final status from the provider."""
    return now - order.created_at >= SWEEP_FOR

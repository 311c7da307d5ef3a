"""What a reservation holds and costs (roadmap/reservations §3). Pure; the fee is never above the hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal, TypeAlias

from evpower.money import tyiyn
from evpower.reservations.reservation import ReservationRecord

#: How it ended: used by a start, not used in time, by its driver, or by nothing the driver did.
FeeCase: TypeAlias = Literal["used", "no_show", "driver", "free"]

#: So many not used in so long, and none can be made for a while.
NO_SHOWS_MOST = 3
NO_SHOWS_WITHIN = timedelta(days=30)
NO_SHOWS_BLOCK = timedelta(days=7)


@dataclass(frozen=True)
class ReservationPrice:
    """Som for each minute, and when nobody comes."""

    per_minute: Decimal
    no_show_fee: Decimal

    def hold_tyiyn(self, minutes: int) -> int:
        """What is held for so many minutes: all that it can cost, rounded once."""
        return tyiyn(self.per_minute * minutes + self.no_show_fee)


def price_of(of: ReservationRecord) -> ReservationPrice:
    """The price when it was made."""
    return ReservationPrice(of.per_minute, of.no_show_fee)


def whole_minutes(of: ReservationRecord, at: datetime) -> int:
    """Begun from its start and completed; none before it, never more than were reserved."""
    return max(0, min(of.minutes, (at - of.starts_at) // timedelta(minutes=1)))


def fee_tyiyn(of: ReservationRecord, case: FeeCase, at: datetime) -> int:
    """What it costs that ends like this at this moment."""
    if case == "free" or (case == "driver" and at < of.free_cancel_until):
        return 0
    if case == "no_show":
        return of.hold_tyiyn
    return min(of.hold_tyiyn, tyiyn(of.per_minute * whole_minutes(of, at)))


def blocked_until(no_shows: Sequence[datetime]) -> datetime | None:
    """Until when a client makes none, by the times of those not used, in order; None: it was never too many."""
    too_many = [
        last
        for first, last in zip(no_shows, no_shows[NO_SHOWS_MOST - 1 :], strict=False)
        if last - first <= NO_SHOWS_WITHIN
    ]
    return too_many[-1] + NO_SHOWS_BLOCK if too_many else None

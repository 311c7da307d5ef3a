"""Limits at a station that are not ours: what a schedule allows at a moment, as a current of the site. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

from evpower.power.site import VOLTS, Member, da_of_watts


@dataclass(frozen=True)
class ForeignSchedule:
    """A limit by the time since its begin."""

    unit: str
    #: (seconds since the begin, limit in `unit`), in order.
    periods: tuple[tuple[float, float], ...]
    begins_at: datetime
    lasts: timedelta | None = None
    repeats: timedelta | None = None

    def limit(self, at: datetime) -> float | None:
        """What it allows at this moment; None: anything."""
        passed = at - self.begins_at
        if self.repeats is not None and passed >= timedelta(0):
            passed %= self.repeats
        if passed < timedelta(0) or (self.lasts is not None and passed >= self.lasts):
            return None
        return next((limit for start_s, limit in reversed(self.periods) if start_s <= passed.total_seconds()), None)

    @property
    def highest(self) -> float:
        """What it allows at any time."""
        return max(limit for _, limit in self.periods)


#: Of what a station, or an operator, wrote: one that names no begin began at the moment that is given.
ReadSchedules: TypeAlias = Callable[[object, datetime], Sequence[ForeignSchedule]]


def current_da(limit: float, unit: str, member: Member, volts: float | None) -> int:
    """A limit of a station as tenths of an ampere in each phase of the site, rounded down."""
    phases = len(member.phases)
    if member.is_dc:
        return da_of_watts(limit if unit == "W" else limit * (volts or VOLTS), phases)
    return da_of_watts(limit, phases) if unit == "W" else math.floor(limit * 10 + 1e-6)

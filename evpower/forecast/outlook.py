"""What is served of one location and type: each hour's probability, its interval, and what it stands on. Pure.

Known facts override what is usual (roadmap/forecast-navigation §2); a horizon at which the method was no better than
the best naive guess answers the location's mean (§3).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from evpower.forecast.calendar import Calendar
from evpower.forecast.cells import Usual
from evpower.forecast.method import TAU_MIN, Confidence, confidence, shown, wilson, with_present

#: How far ahead predictions are scored, in minutes.
HORIZONS_MIN = (15, 60, 360, 1440)

#: The location's own past; the network's, of a young location; the mean, where the method has no skill; a plan.
Basis = Literal["history", "network", "location_mean", "known"]


def horizon_of(ahead_min: float) -> int:
    """By which of the scored horizons a prediction so far ahead is judged."""
    return next((each for each in HORIZONS_MIN if ahead_min <= each), HORIZONS_MIN[-1])


@dataclass(frozen=True)
class Scored:
    """What the nightly scores say: the best τ, and the skill at each horizon that was scored."""

    tau_min: int = TAU_MIN
    skill: Mapping[int, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Known:
    """Plans: when the first running charge ends at its limit, and when every connector is promised to somebody."""

    frees_at: datetime | None = None
    taken: Sequence[tuple[datetime, datetime]] = ()

    def is_taken(self, at: datetime) -> bool:
        """Whether none can be free at this moment."""
        return any(begins_at <= at < ends_at for begins_at, ends_at in self.taken)


def all_taken(of_each: Sequence[Sequence[tuple[datetime, datetime]]]) -> tuple[tuple[datetime, datetime], ...]:
    """When all of these connectors are promised at once; none where there is no connector."""
    if not of_each:
        return ()
    found = list(of_each[0])
    for windows in of_each[1:]:
        both = [(max(a, c), min(b, d)) for a, b in found for c, d in windows]
        found = [(begins_at, ends_at) for begins_at, ends_at in both if begins_at < ends_at]
    return tuple(sorted(found))


@dataclass(frozen=True)
class ForecastSlot:
    """The hour that begins at `start`: how likely at least one connector is free and works, in steps of 0.05."""

    start: datetime
    probability: float
    low: float
    high: float
    confidence: Confidence
    basis: Basis


@dataclass(frozen=True)
class Outlook:
    """A location and type at a moment; `is_free` is what is so now."""

    usual: Usual
    calendar: Calendar
    scored: Scored
    now: datetime
    is_free: bool
    known: Known = Known()

    def at(self, at: datetime) -> ForecastSlot:
        """What is served."""
        if self.known.is_taken(at):
            return ForecastSlot(at, shown(0), shown(0), shown(0), "high", "known")
        since, is_free, frees_at = self.now, self.is_free, self.known.frees_at
        if not is_free and frees_at is not None and frees_at <= at:
            since, is_free = max(since, frees_at), True
        cell, cell_since = self.calendar.cell(at), self.calendar.cell(since)
        raw = by_method(self.usual, cell, cell_since, _minutes(at, since), self.scored.tau_min, is_free=is_free)
        probability, basis = served(self.usual, raw, _minutes(at, self.now), self.scored)
        n = self.usual.at(cell).n
        return _slot(at, probability, n, confidence(n) if basis == "history" else "low", basis)


def by_method(usual: Usual, cell: int, cell_now: int, ahead_min: float, tau_min: int, *, is_free: bool) -> float:
    """The method's probability in a cell so far ahead, not rounded; `is_free` is what is so now."""
    then, then_now = usual.at(cell).probability, usual.at(cell_now).probability
    return with_present(then, then_now, float(is_free), ahead_min, tau_min)


def served(usual: Usual, raw: float, ahead_min: float, scored: Scored) -> tuple[float, Basis]:
    """What is served instead of the method's probability where it may not be trusted (§3)."""
    if usual.is_young:
        return raw, "network"
    skill = scored.skill.get(horizon_of(ahead_min))
    return (usual.mean, "location_mean") if skill is not None and skill <= 0 else (raw, "history")


def _slot(at: datetime, probability: float, n: float, how_sure: Confidence, basis: Basis) -> ForecastSlot:
    low, high = wilson(probability, n)
    return ForecastSlot(at, shown(probability), shown(low), shown(high), how_sure, basis)


def _minutes(at: datetime, since: datetime) -> float:
    return max(0.0, (at - since).total_seconds() / 60)

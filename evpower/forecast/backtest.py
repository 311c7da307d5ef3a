"""How good forecasts were: the predictions of a day made anew from what was known then, against what became true. Pure.

The origin moves hour by hour through a day; cells are those of its midnight, and the present is that of the origin, so
nothing of a later moment can reach a prediction (roadmap/forecast-navigation §3).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from evpower.forecast.calendar import Calendar
from evpower.forecast.cells import Usual
from evpower.forecast.method import STEPS, TAUS_MIN, twentieths
from evpower.forecast.outlook import HORIZONS_MIN, Scored, by_method, served

#: Minutes of a day at which predictions are made.
ORIGINS = range(0, 24 * 60, 60)
MODEL, SERVED = "model", "served"
PERSISTENCE, LOCATION_MEAN, NETWORK_CURVE = "persistence", "location_mean", "network_curve"
NAIVE = (PERSISTENCE, LOCATION_MEAN, NETWORK_CURVE)
METHODS = (MODEL, SERVED, *NAIVE)
#: The skill is that of so many days; a better τ is looked for when there are so many.
SKILL_DAYS, TAU_DAYS = 28, 14
#: At these horizons τ matters: further ahead nothing is left of the present.
TAU_HORIZONS_MIN = (15, 60)


def tau_method(tau_min: int) -> str:
    """How the model with this τ is called among the scores."""
    return f"tau_{tau_min}"


@dataclass
class ScoreSum:
    """Squared errors of a method at a horizon, or how often what a bucket served came true."""

    n: int = 0
    total: float = 0.0

    def add(self, value: float, n: int = 1) -> None:
        self.n += n
        self.total += value

    @property
    def mean(self) -> float:
        return self.total / self.n if self.n else 0.0


@dataclass
class DayScores:
    """The scores of one day or of several, by (horizon, method); what was served, by (horizon, twentieths)."""

    squared: dict[tuple[int, str], ScoreSum] = field(default_factory=lambda: defaultdict(ScoreSum))
    served: dict[tuple[int, int], ScoreSum] = field(default_factory=lambda: defaultdict(ScoreSum))

    def brier(self, horizon_min: int, method: str) -> float:
        return self.squared[horizon_min, method].mean

    def count(self, horizon_min: int, method: str) -> int:
        """How many predictions were scored."""
        return self.squared[horizon_min, method].n

    def reliability(self) -> dict[int, ScoreSum]:
        """What was served over all horizons, by twentieths."""
        found = dict[int, ScoreSum]()
        for (_, bucket), each in sorted(self.served.items()):
            found.setdefault(bucket, ScoreSum()).add(each.total, each.n)
        return found

    def skill(self, horizon_min: int) -> float | None:
        """1 − Brier of the model ÷ that of the best naive method; None: nothing was scored there."""
        if not self.squared[horizon_min, MODEL].n:
            return None
        best = min(self.brier(horizon_min, method) for method in NAIVE)
        return 1 - self.brier(horizon_min, MODEL) / best if best else 0.0

    def reliability_error(self) -> float:
        """By how much what was served differs from what came true, on the average."""
        count = sum(each.n for each in self.served.values())
        off = sum(abs(each.total - each.n * bucket / STEPS) for (_, bucket), each in self.served.items())
        return off / count if count else 0.0


@dataclass(frozen=True)
class LocationDay:
    """One location at the midnight a day begins, and in which quarters of an hour from then on it was free.

    `watched` is when that is known; both in minutes from midnight.
    """

    usual: Usual
    free: Collection[int]
    watched: Collection[int]


def minutes_needed() -> Sequence[int]:
    """Which minutes of a day and the next one must be known: each origin, and each target."""
    return sorted({*ORIGINS, *(origin + ahead for origin in ORIGINS for ahead in HORIZONS_MIN)})


def score(
    scores: DayScores, locations: Iterable[LocationDay], midnight: datetime, calendar: Calendar, scored: Scored
) -> None:
    """Add the predictions of one day; `scored` is what the scores said when it began."""
    cells = {minute: calendar.cell(midnight + timedelta(minutes=minute)) for minute in minutes_needed()}
    for location in locations:
        for ahead in HORIZONS_MIN:
            _score_horizon(scores, location, cells, ahead, scored)


def _score_horizon(
    scores: DayScores, location: LocationDay, cells: Mapping[int, int], ahead: int, scored: Scored
) -> None:
    """The predictions of one location so far ahead."""
    usual, watched, free = location.usual, location.watched, location.free
    model, shown = scores.squared[ahead, MODEL], scores.squared[ahead, SERVED]
    persistence, mean, of_network = (scores.squared[ahead, method] for method in NAIVE)
    taus = [(tau, scores.squared[ahead, tau_method(tau)]) for tau in TAUS_MIN if ahead in TAU_HORIZONS_MIN]
    for minute in ORIGINS:
        if minute not in watched or minute + ahead not in watched:
            continue
        is_free, truth = minute in free, float(minute + ahead in free)
        cell, cell_now = cells[minute + ahead], cells[minute]
        raw = by_method(usual, cell, cell_now, ahead, scored.tau_min, is_free=is_free)
        bucket = twentieths(served(usual, raw, ahead, scored)[0])
        model.add((raw - truth) ** 2)
        shown.add((bucket / STEPS - truth) ** 2)
        persistence.add((is_free - truth) ** 2)
        mean.add((usual.mean - truth) ** 2)
        of_network.add((usual.in_network(cell) - truth) ** 2)
        scores.served[ahead, bucket].add(truth)
        for tau, tally in taus:
            tally.add((by_method(usual, cell, cell_now, ahead, tau, is_free=is_free) - truth) ** 2)


def what_scores_say(scores: DayScores, days: int) -> Scored:
    """The best τ of enough days, and the skill of each horizon."""
    skill = {ahead: found for ahead in HORIZONS_MIN if (found := scores.skill(ahead)) is not None}
    if days < TAU_DAYS:
        return Scored(skill=skill)
    squared: Mapping[int, float] = {
        tau: sum(scores.squared[ahead, tau_method(tau)].total for ahead in TAU_HORIZONS_MIN) for tau in TAUS_MIN
    }
    return Scored(min(TAUS_MIN, key=squared.__getitem__), skill)

"""The week of a location and the scores of forecasts as SVG (ADR 54): figures stand in it, colour only adds to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from evpower.forecast.backtest import DayScores
from evpower.forecast.calendar import CELLS
from evpower.forecast.method import STEPS
from evpower.forecast.outlook import HORIZONS_MIN

#: Of a cell, and of what stands before the first: hours down and days across, which a phone shows whole.
WIDE, HIGH, LEFT, TOP = 40, 22, 34, 20
HOURS = 24
#: Where it is always free; above, its figure could not be read on it, on light ground or on dark.
MOST_OPAQUE = 0.45
#: Of the two diagrams.
SIDE = 240
LONG, TALL = 600, 200
#: Skill is drawn from minus this to plus it; what is beyond lies on the edge.
SKILL_MOST = 0.5


@dataclass(frozen=True)
class HeatCell:
    """An hour of the week: where it lies, how free, in whole percent; None: nothing was observed."""

    x: int
    y: int
    percent: int | None

    @property
    def opacity(self) -> float:
        return round((self.percent or 0) * MOST_OPAQUE / 100, 2)


@dataclass(frozen=True)
class DrawnBucket:
    """Of forecasts of one probability how many came true; the more there were, the larger."""

    x: int
    y: int
    radius: int
    predicted: int
    observed: int
    n: int


@dataclass(frozen=True)
class SkillLine:
    """The skill so far ahead, day by day."""

    horizon_min: int
    points: str


def heat_map(shares: Sequence[float | None]) -> tuple[HeatCell, ...]:
    """Of 168 hours of a week."""
    percent = [None if each is None else round(each * 100) for each in shares]
    return tuple(
        HeatCell(LEFT + cell // HOURS * WIDE, TOP + cell % HOURS * HIGH, percent[cell]) for cell in range(CELLS)
    )


def reliability(scores: DayScores) -> tuple[DrawnBucket, ...]:
    """Where every bucket lies on the diagonal, forecasts come true as often as they say."""
    found = scores.reliability()
    most = max((each.n for each in found.values()), default=1)
    return tuple(
        DrawnBucket(
            round(bucket / STEPS * SIDE),
            round((1 - each.mean) * SIDE),
            round(3 + 9 * (each.n / most) ** 0.5),
            round(bucket / STEPS * 100),
            round(each.mean * 100),
            each.n,
        )
        for bucket, each in found.items()
    )


def skill_lines(by_day: Mapping[date, Mapping[int, float]]) -> tuple[SkillLine, ...]:
    """A line for each horizon with two days at least."""
    days = sorted(by_day)
    lines = []
    for ahead in HORIZONS_MIN:
        found = [(number, by_day[day][ahead]) for number, day in enumerate(days) if ahead in by_day[day]]
        if len(found) > 1:
            points = [
                f"{round(number / (len(days) - 1) * LONG)},{round((0.5 - _kept(skill) / SKILL_MOST / 2) * TALL)}"
                for number, skill in found
            ]
            lines.append(SkillLine(ahead, " ".join(points)))
    return tuple(lines)


def _kept(skill: float) -> float:
    return min(SKILL_MOST, max(-SKILL_MOST, skill))

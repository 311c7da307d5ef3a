"""A network out of a seed: what becomes free when, by a pattern of hours and by chance, in quarters of an hour."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import exp, sin, tau
from random import Random
from zoneinfo import ZoneInfo

from evpower.forecast.backtest import DayScores, LocationDay, minutes_needed, score, what_scores_say
from evpower.forecast.calendar import CELLS, Calendar
from evpower.forecast.cells import Cells, Usual, curve
from evpower.forecast.outlook import Scored

CALENDAR = Calendar(ZoneInfo("Asia/Bishkek"))
#: A Monday's midnight in Bishkek.
BEGAN = datetime(2026, 8, 31, 18, tzinfo=UTC)
QUARTERS = 96
LOCATIONS = 24
#: Of what is so now so much is left after a quarter of an hour.
STICKS = exp(-15 / 50)
WEEK_DAYS = 7


@dataclass
class Synthetic:
    """For each location, for each quarter of an hour since the beginning, whether it was free."""

    states: list[bytearray]

    @property
    def days(self) -> int:
        return len(self.states[0]) // QUARTERS

    def altered_from(self, day: int) -> Synthetic:
        """Everything from this day on is the other way round."""
        first = day * QUARTERS
        return Synthetic([each[:first] + bytearray(1 - free for free in each[first:]) for each in self.states])

    def shuffled(self, seed: int) -> Synthetic:
        """The same, without any order."""
        random = Random(seed)
        return Synthetic([bytearray(random.sample(each, len(each))) for each in self.states])


def network(days: int, seed: int = 7) -> Synthetic:
    """Locations alike in their evenings, and each with hours of its own."""
    random = Random(seed)
    states = []
    for _ in range(LOCATIONS):
        level, late, swing = random.gauss(0.5, 1.0), random.gauss(0, 2.5), random.uniform(1.2, 2.4)
        own = [random.gauss(0, 0.5) for _ in range(CELLS)]
        states.append(_location(random, days, level, late, swing, own))
    return Synthetic(states)


def _location(random: Random, days: int, level: float, late: float, swing: float, own: list[float]) -> bytearray:
    free, is_free = bytearray(days * QUARTERS), True
    for quarter in range(days * QUARTERS):
        hour, cell = quarter // 4 % 24, quarter // 4 % CELLS
        weekend = 0.9 if cell >= 5 * 24 else 0.0
        usual = 1 / (1 + exp(-(level + weekend + own[cell] - swing * sin((hour - 12 - late) / 24 * tau))))
        is_free = is_free if random.random() < STICKS else random.random() < usual
        free[quarter] = is_free
    return free


def cells_by_day(states: bytearray, days: int) -> Iterator[Cells]:
    """The cells at each midnight, as the database would make them: a day's hours added, all of them older by a day."""
    day_older = 0.5 ** (1 / 42)
    weights, free = array("d", [0.0] * CELLS), array("d", [0.0] * CELLS)
    for day in range(days):
        yield Cells(array("f", weights), array("f", free), (9,) * CELLS, day * 24)
        for cell in range(CELLS):
            weights[cell] *= day_older
            free[cell] *= day_older
        for hour in range(24):
            cell = day % WEEK_DAYS * 24 + hour
            first = (day * 24 + hour) * 4
            weight = 0.5 ** ((24 - hour) / 24 / 42)
            weights[cell] += weight
            free[cell] += weight * sum(states[first : first + 4]) / 4


def backtest(of: Synthetic, until_day: int = 1000) -> tuple[DayScores, Scored]:
    """Each day from the second week on, with what the scores of the days before said; the sums, and what they say."""
    scores, scored, tomorrow = DayScores(), Scored(), Scored()
    by_day = zip(*(cells_by_day(each, of.days) for each in of.states), strict=True)
    for day, cells in enumerate(by_day):
        if day < WEEK_DAYS or day >= min(until_day, of.days - 1):
            continue
        usual = curve(cells)
        days = [_location_day(Usual(each, usual), of.states[n], day) for n, each in enumerate(cells)]
        score(scores, days, BEGAN + timedelta(days=day), CALENDAR, scored)
        # The last targets of a day lie in the next one: what it says is known the day after.
        scored, tomorrow = tomorrow, what_scores_say(scores, day - WEEK_DAYS + 1)
    return scores, tomorrow


def _location_day(usual: Usual, states: bytearray, day: int) -> LocationDay:
    watched = set(minutes_needed())
    free = {minute for minute in watched if states[day * QUARTERS + minute // 15]}
    return LocationDay(usual, free, watched)

"""How good forecasts are on a synthetic network, and that they stay honest where there is nothing to know (§3, §7)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from evpower.forecast.backtest import LOCATION_MEAN, MODEL, NAIVE, SERVED, DayScores, ScoreSum, what_scores_say
from evpower.forecast.cells import Usual, curve
from evpower.forecast.outlook import HORIZONS_MIN, Outlook, Scored
from tests.forecast.synthetic import BEGAN, CALENDAR, Synthetic, backtest, cells_by_day, network


@pytest.fixture(scope="module")
def four_weeks() -> Synthetic:
    return network(28)


@pytest.fixture(scope="module")
def scored(four_weeks: Synthetic) -> tuple[DayScores, Scored]:
    return backtest(four_weeks)


def test_four_weeks_beat_every_naive_guess_at_every_horizon(scored: tuple[DayScores, Scored]) -> None:
    """§7 #5: skill above 0.05, and what is served comes true as often as it says."""
    scores, says = scored
    assert [ahead for ahead in HORIZONS_MIN if says.skill[ahead] <= 0.05] == []
    assert scores.reliability_error() <= 0.05
    assert says.tau_min == 60


def test_without_a_pattern_the_mean_is_served_and_says_so(four_weeks: Synthetic) -> None:
    """§7 #6: the same history, shuffled."""
    shuffled = four_weeks.shuffled(1)
    scores, says = backtest(shuffled)
    for ahead in HORIZONS_MIN:
        assert says.skill[ahead] <= 0
        assert abs(scores.brier(ahead, SERVED) - scores.brier(ahead, LOCATION_MEAN)) <= 0.02
    *_, last = (list(cells) for cells in zip(*(cells_by_day(each, 28) for each in shuffled.states), strict=True))
    outlook = Outlook(Usual(last[0], curve(last)), CALENDAR, says, BEGAN + timedelta(days=28), is_free=True)
    slots = [outlook.at(outlook.now + timedelta(minutes=ahead)) for ahead in HORIZONS_MIN]
    assert {(slot.basis, slot.confidence) for slot in slots} == {("location_mean", "low")}


def test_nothing_of_after_an_origin_reaches_its_prediction(four_weeks: Synthetic) -> None:
    """§7 #7: days 7 to 9 are scored, their last target lies in day 10."""
    before, _ = backtest(four_weeks, until_day=10)
    altered, _ = backtest(four_weeks.altered_from(11), until_day=10)
    assert altered == before
    seen, _ = backtest(four_weeks.altered_from(9), until_day=10)
    assert seen != before


def test_a_prediction_is_the_same_whatever_becomes_of_its_day(four_weeks: Synthetic) -> None:
    """The last origins of a day judge another truth, and have said the same: what was served, bucket by bucket."""
    first, _ = backtest(four_weeks, until_day=8)
    other, _ = backtest(four_weeks.altered_from(8), until_day=8)
    assert {key: each.n for key, each in other.served.items()} == {key: each.n for key, each in first.served.items()}
    assert other.brier(1440, MODEL) != first.brier(1440, MODEL)


def test_skill_is_against_the_best_of_the_naive() -> None:
    scores = DayScores()
    for method, squared in zip((MODEL, *NAIVE), (3.0, 8.0, 4.0, 5.0), strict=True):
        scores.squared[60, method] = ScoreSum(10, squared)
    assert scores.skill(60) == pytest.approx(0.25)
    assert scores.skill(15) is None


def test_where_the_mean_is_never_wrong_there_is_no_skill() -> None:
    scores = DayScores()
    for method in (MODEL, *NAIVE):
        scores.squared[60, method] = ScoreSum(10, 0.0)
    assert scores.skill(60) == 0
    assert what_scores_say(scores, 20).skill == {60: 0}


@pytest.mark.parametrize(("days", "tau"), [(13, 45), (14, 90)])
def test_a_better_tau_is_looked_for_from_the_fourteenth_day_on(days: int, tau: int) -> None:
    scores = DayScores()
    for candidate in (15, 30, 45, 60, 90):
        scores.squared[15, f"tau_{candidate}"] = ScoreSum(10, 100 - candidate)
    assert what_scores_say(scores, days).tau_min == tau

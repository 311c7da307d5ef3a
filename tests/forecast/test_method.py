"""The arithmetic of a forecast, by the numbers of roadmap/forecast-navigation §7."""

from __future__ import annotations

from math import isclose

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evpower.forecast.calendar import CELLS
from evpower.forecast.cells import NOTHING, Cells, NetworkCurve, Usual, curve
from evpower.forecast.method import confidence, lent, parent_of_location, shown, shrunk, wilson, with_present

SHARES = st.floats(0, 1)
#: Thursday, 15:00.
CELL = 3 * 24 + 15


def one_cell(weight: float, free: float, *, arrivals: int = 9, connectors: int = 2, hours: int = 500) -> Cells:
    weights, frees, came = [0.0] * CELLS, [0.0] * CELLS, [0] * CELLS
    weights[CELL], frees[CELL], came[CELL] = weight, free, arrivals
    return Cells(weights, frees, came, hours, connectors)


def flat(usual: float, hours: int = 500) -> NetworkCurve:
    return NetworkCurve([10.0] * CELLS, [usual] * CELLS, usual, hours)


def test_few_observations_are_held_by_their_parent() -> None:
    """§7 #1: x = 1, 1, 0 below 0.8."""
    assert shrunk(3, 2, 0.8) == pytest.approx(0.7556, abs=1e-4)
    assert shown(shrunk(3, 2, 0.8)) == 0.75


def test_without_observations_the_parent_is_all_there_is() -> None:
    """§7 #2."""
    assert shrunk(0, 0, 0.8) == pytest.approx(0.8)
    assert Usual(NOTHING, flat(0.7)).at(CELL).probability == pytest.approx(0.7)


def test_what_is_so_now_fades_into_what_is_usual() -> None:
    """§7 #3: free now, usually 0.6 now and 0.5 then."""
    blended = with_present(0.5, 0.6, 1, 45, 45)
    assert blended == pytest.approx(0.647, abs=1e-3)
    assert shown(blended) == 0.65


def test_the_future_is_shown_in_twentieths_and_never_certain() -> None:
    assert [shown(each) for each in (0, 1, 0.024, 0.076, 0.074)] == [0.05, 0.95, 0.05, 0.1, 0.05]


@given(SHARES, SHARES, SHARES, st.floats(0, 10_000))
def test_a_probability_is_one(then: float, usual: float, now: float, ahead: float) -> None:
    assert 0 <= with_present(then, usual, round(now), ahead, 45) <= 1


@given(SHARES, st.floats(0.01, 1000))
def test_the_interval_holds_the_probability(probability: float, n: float) -> None:
    low, high = wilson(probability, n)
    assert -1e-9 <= low <= probability + 1e-9
    assert probability - 1e-9 <= high <= 1 + 1e-9


def test_more_observations_make_the_interval_narrower() -> None:
    low, high = wilson(0.5, 10)
    assert (round(low, 3), round(high, 3)) == (0.312, 0.688)
    assert wilson(0.5, 100)[0] > low
    assert wilson(0.5, 0) == (0, 1)


def test_a_parent_lends_at_most_m() -> None:
    assert lent(1000, 0, 0) == 6
    assert lent(1000, 4, 3) == 9
    assert lent(2, 1, 3) == 6


@pytest.mark.parametrize(("n", "says"), [(8, "high"), (7.9, "medium"), (3, "medium"), (2.9, "low")])
def test_confidence_is_what_stands_behind(n: float, says: str) -> None:
    assert confidence(n) == says


def test_a_location_is_never_taken_for_always_free() -> None:
    assert parent_of_location(0.9, 1.0, 0.5) == 0.98
    assert parent_of_location(0.1, 0.0, 0.5) == 0.02
    assert isclose(parent_of_location(0.6, 0.4, 0.5), 0.5)


def test_four_levels_stand_on_each_other() -> None:
    """Network 0.5, location always free: 0.5 + 1 - 0.5 is held at 0.98, then 2 observations twice."""
    usual = Usual(one_cell(2, 2), flat(0.5))
    kind = (2 + 6 * 0.98) / 8
    assert usual.at(CELL).probability == pytest.approx((2 + 6 * kind) / 8)
    assert usual.at(CELL).n == 2 + 6


def test_the_same_hour_of_another_workday_counts_and_of_a_sunday_does_not() -> None:
    usual = Usual(one_cell(40, 0), flat(0.5))
    assert usual.at(CELL - 24).probability < 0.1
    assert usual.at(6 * 24 + 15).probability == pytest.approx(0.02)
    assert usual.at(CELL - 24).n == lent(10, 40, 0)


@pytest.mark.parametrize(("arrivals", "connectors", "own"), [(4, 1, False), (5, 1, True), (4, 2, True)])
def test_one_persons_habit_is_not_to_be_read(arrivals: int, connectors: int, own: bool) -> None:
    """A location of one connector with fewer than five charges in a cell: level 3 only (§4)."""
    at = Usual(one_cell(2, 0, arrivals=arrivals, connectors=connectors), flat(0.5)).at(CELL)
    kind = shrunk(2, 0, 0.02)
    assert at.probability == pytest.approx(shrunk(2, 0, kind) if own else kind)


def test_the_networks_curve_is_by_kind_of_day() -> None:
    half = one_cell(2, 1)
    found = curve([half, one_cell(2, 2, hours=700)])
    assert found.usual[CELL] == found.usual[CELL - 24] == 0.75
    assert found.usual[6 * 24 + 15] == found.mean == 0.75
    assert found.hours == 700
    assert curve([]).usual[CELL] == 0.5

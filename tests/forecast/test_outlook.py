"""What is served of a location: its basis, how sure it is, and plans (roadmap/forecast-navigation §2, §3)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from evpower.forecast.calendar import CELLS
from evpower.forecast.cells import NOTHING, Cells, NetworkCurve, Usual
from evpower.forecast.outlook import Known, Outlook, Scored, all_taken, horizon_of
from evpower.forecast.service import quietest_times
from tests.forecast.synthetic import CALENDAR

NOW = datetime(2026, 11, 26, 10, 5, tzinfo=UTC)
NETWORK = NetworkCurve([10.0] * CELLS, [0.7] * CELLS, 0.7, 500)
ALWAYS = Cells([9.0] * CELLS, [4.5] * CELLS, [9] * CELLS, 500)


def outlook(cells: Cells = ALWAYS, *, is_free: bool = True, **more: object) -> Outlook:
    return replace(Outlook(Usual(cells, NETWORK), CALENDAR, Scored(), NOW, is_free), **more)  # type: ignore[arg-type]


def at(look: Outlook, minutes: float) -> tuple[float, str, str]:
    slot = look.at(NOW + timedelta(minutes=minutes))
    return slot.probability, slot.confidence, slot.basis


def test_a_location_with_a_past_is_forecast_from_it() -> None:
    assert at(outlook(), 2000) == (0.5, "high", "history")
    slot = outlook().at(NOW + timedelta(hours=33))
    assert slot.low < slot.probability < slot.high


def test_a_new_location_is_as_the_network_and_says_so() -> None:
    """§7 #2."""
    assert at(outlook(NOTHING), 2000) == (0.7, "low", "network")
    assert at(outlook(replace(ALWAYS, hours=167)), 2000)[1:] == ("low", "network")
    assert at(outlook(replace(ALWAYS, hours=168)), 2000)[1:] == ("high", "history")


@pytest.mark.parametrize(
    ("minutes", "horizon"), [(0, 15), (15, 15), (16, 60), (60, 60), (61, 360), (361, 1440), (9999, 1440)]
)
def test_a_prediction_is_judged_by_the_next_horizon(minutes: float, horizon: int) -> None:
    assert horizon_of(minutes) == horizon


def test_a_horizon_without_skill_answers_the_mean() -> None:
    look = outlook(is_free=False, scored=Scored(skill={15: 0.0, 60: 0.2}))
    assert at(look, 10) == (0.5, "low", "location_mean")
    assert at(look, 30)[1:] == ("high", "history")
    assert at(look, 2000)[2] == "history"


def test_what_all_are_promised_to_others_is_not_free() -> None:
    until = NOW + timedelta(hours=2)
    look = outlook(known=Known(taken=[(NOW, until)]))
    assert at(look, 60) == (0.05, "high", "known")
    assert at(look, 120)[2] == "history"


def test_from_the_end_of_a_charge_on_its_connector_is_free() -> None:
    """Occupied now; a limit ends a charge in an hour: then it is as free as free now would be."""
    look = outlook(is_free=False, known=Known(frees_at=NOW + timedelta(hours=1)))
    assert at(look, 45)[0] < 0.5
    assert at(look, 60)[0] == at(outlook(), 0)[0] == 0.95
    assert at(look, 75)[0] == at(outlook(), 15)[0]


def test_all_are_promised_when_each_is() -> None:
    def window(first: int, last: int) -> tuple[datetime, datetime]:
        return NOW + timedelta(hours=first), NOW + timedelta(hours=last)

    assert all_taken([[window(0, 2), window(4, 6)], [window(1, 5)]]) == (window(1, 2), window(4, 5))
    assert all_taken([[window(0, 2)], []]) == ()
    assert all_taken([]) == ()


def test_quiet_times_are_the_best_two_hours_of_the_best_three_days() -> None:
    midnight = datetime(2026, 11, 25, 18, tzinfo=UTC)
    blank = outlook().at(midnight)
    worth = {3: 0.9, 4: 0.9, 5: 0.9, 30: 0.8, 31: 0.6, 50: 0.7, 51: 0.7, 80: 0.95, 81: 0.95}
    slots = [replace(blank, start=midnight + timedelta(hours=n), probability=worth.get(n, 0.1)) for n in range(120)]
    found = quietest_times(slots, CALENDAR)
    assert [(each.start - midnight) / timedelta(hours=1) for each in found] == [3, 50, 80]
    assert [each.probability for each in found] == [0.9, 0.7, 0.95]
    assert quietest_times([], CALENDAR) == []

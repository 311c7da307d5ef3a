"""The stops of a long way, on a road without bends."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evpower.navigation.distance import Way
from evpower.navigation.journey import (
    CHARGE_TO_PERCENT,
    END,
    START,
    STOPS_MOST,
    Car,
    ChargingPlace,
    longest_gap_km,
    plan_journey,
)

#: 50 kWh, 20 kWh for 100 km: two kilometres and a half for a percent.
CAR = Car(50, 20, 90, 10, 100, ("CCS",))


def road(kilometres: Sequence[float], length: float, speed_kmh: float = 60) -> dict[tuple[int, int], Way]:
    """Places at these kilometres of a road."""
    at = {START: 0.0, END: length, **dict(enumerate(kilometres))}
    return {
        (one, other): Way(abs(at[other] - at[one]), abs(at[other] - at[one]) / speed_kmh * 60, approximate=True)
        for one in at
        for other in at
        if one != other and one != END and other != START
    }


def places(count: int, power_kw: float = 100, wait: float = 0) -> list[ChargingPlace]:
    return [ChargingPlace(power_kw, wait)] * count


def test_a_short_way_has_no_stop() -> None:
    journey = plan_journey(CAR, places(1), road([100], 200))
    assert journey is not None
    assert (journey.stops, journey.total_minutes) == ((), 200)
    assert [(leg.to, round(leg.arrive_soc, 3)) for leg in journey.legs] == [(END, 10)]


def test_at_a_stop_as_much_is_charged_as_the_way_needs() -> None:
    """300 km need 120 %, of which 80 are there: 40 % are 20 kWh, at 100 kW twelve minutes."""
    journey = plan_journey(CAR, places(1), road([150], 300))
    assert journey is not None
    (stop,) = journey.stops
    assert [stop.at, stop.charge_kwh, stop.charge_minutes] == pytest.approx([0, 20, 12])
    assert journey.total_minutes == pytest.approx(312)
    assert [leg.arrive_soc for leg in journey.legs] == [pytest.approx(30), pytest.approx(10)]


def test_the_faster_charge_is_chosen_and_the_wait_counts() -> None:
    slow_first = [ChargingPlace(20, 0), ChargingPlace(100, 0)]
    journey = plan_journey(CAR, slow_first, road([140, 150], 300))
    assert journey is not None
    assert [stop.at for stop in journey.stops] == [1]
    crowded = [ChargingPlace(20, 0), ChargingPlace(100, 300)]
    other = plan_journey(CAR, crowded, road([140, 150], 300))
    assert other is not None
    assert [stop.at for stop in other.stops] == [0]


def test_at_a_strong_charger_more_is_taken_before_a_weak_one() -> None:
    """Strong at 100 km, weak at 260: the strong one gives 80 %, the weak one the rest."""
    journey = plan_journey(CAR, [ChargingPlace(100, 0), ChargingPlace(10, 0)], road([100, 260], 420))
    assert journey is not None
    assert [leg.arrive_soc for leg in journey.legs] == pytest.approx([50, 16, 10])


def test_a_car_takes_no_more_than_it_can() -> None:
    journey = plan_journey(Car(50, 20, 90, 10, 40, ("CCS",)), places(1), road([150], 300))
    assert journey is not None
    assert journey.stops[0].charge_minutes == pytest.approx(30)


def test_a_gap_that_no_charge_bridges_is_named() -> None:
    """80 % down to 10 % are 175 km."""
    ways = road([100, 300], 400)
    assert plan_journey(CAR, places(2), ways) is None
    assert longest_gap_km(2, ways) == 200
    assert plan_journey(CAR, places(2), road([100, 275], 400)) is not None


def test_no_plan_has_more_than_eight_stops() -> None:
    far = road([170 * n for n in range(1, STOPS_MOST + 2)], 170 * (STOPS_MOST + 2))
    assert plan_journey(CAR, places(STOPS_MOST + 1), far) is None
    near = road([170 * n for n in range(1, STOPS_MOST + 1)], 170 * (STOPS_MOST + 1))
    journey = plan_journey(CAR, places(STOPS_MOST), near)
    assert journey is not None
    assert len(journey.stops) == STOPS_MOST


@given(
    st.lists(st.tuples(st.floats(0, 600), st.floats(10, 150), st.floats(0, 30)), max_size=6),
    st.floats(1, 600),
    st.floats(10, 100),
)
def test_a_plan_never_runs_below_what_is_kept_nor_charges_above_eighty(
    chargers: list[tuple[float, float, float]], length: float, soc: float
) -> None:
    car = Car(50, 20, soc, 10, 100, ("CCS",))
    journey = plan_journey(
        car, [ChargingPlace(power, wait) for _, power, wait in chargers], road([at for at, _, _ in chargers], length)
    )
    if journey is None:
        return
    assert all(leg.arrive_soc >= 10 - 1e-6 for leg in journey.legs)
    assert journey.legs[-1].to == END
    for stop, arrived in zip(journey.stops, journey.legs, strict=False):
        assert 0 < stop.charge_kwh <= car.kwh_of(CHARGE_TO_PERCENT - arrived.arrive_soc) + 1e-6
    parts = [leg.way.drive_minutes for leg in journey.legs]
    parts += [stop.charge_minutes + stop.wait_minutes for stop in journey.stops]
    assert journey.total_minutes == pytest.approx(sum(parts))

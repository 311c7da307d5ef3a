"""Limits that others set at a station: what a schedule allows at a moment (OCPP 1.6 §7.13, 2.0.1 §2.12)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from evpower.ocpp.shared.stored import read_schedules
from evpower.power.at_station.schedules import current_da
from tests.power.sites import NOW, member

PERIODS = [{"startPeriod": 0, "limit": 10}, {"startPeriod": 3600, "limit": 16.5}]
SCHEDULE: dict[str, Any] = {"chargingRateUnit": "A", "chargingSchedulePeriod": PERIODS}
DAY = timedelta(days=1)


def limits(written: object, *after: timedelta) -> list[float | None]:
    (schedule,) = read_schedules(written, NOW)
    return [schedule.limit(NOW + each) for each in after]


def test_the_last_period_that_began_holds() -> None:
    hour, second = timedelta(hours=1), timedelta(seconds=1)
    assert limits(SCHEDULE, -second, timedelta(), hour - second, hour, DAY) == [None, 10, 10, 16.5, 16.5]


def test_it_is_over_with_its_duration_and_with_its_profile() -> None:
    ended = [timedelta(hours=2) - timedelta(seconds=1), timedelta(hours=2)]
    assert limits(SCHEDULE | {"duration": 7200}, *ended) == [16.5, None]
    profile = {"validTo": (NOW + timedelta(hours=2)).isoformat(), "chargingSchedule": SCHEDULE}
    assert limits(profile, *ended) == [16.5, None]


def test_it_begins_when_it_says_and_repeats_by_the_day() -> None:
    begins = {"startSchedule": "2026-01-13T06:30:00Z"}  # half an hour later than now, a day ago
    half = timedelta(minutes=30)
    daily = {"chargingProfileKind": "Recurring", "recurrencyKind": "Daily", "chargingSchedule": SCHEDULE | begins}
    assert limits(daily, half - timedelta(seconds=1), half, 3 * half, half + DAY) == [16.5, 10, 16.5, 10]
    assert limits(SCHEDULE | begins, timedelta()) == [16.5]


def test_of_2_0_1_a_profile_has_several_and_what_cannot_be_read_limits_nothing() -> None:
    unread = [{"chargingRateUnit": "V"}, "?", {"chargingRateUnit": "A", "chargingSchedulePeriod": []}]
    assert len(read_schedules({"chargingSchedule": [SCHEDULE, *unread, SCHEDULE]}, NOW)) == 2
    nothing: list[object] = [None, 7, [], {"chargingSchedule": None}]
    assert [read_schedules(each, NOW) for each in nothing] == [[]] * 4


@pytest.mark.parametrize(
    ("limit", "unit", "phases", "da"),
    [(10, "A", 3, 100), (16.57, "A", 1, 165), (11_000, "W", 3, 158), (3_680, "W", 1, 159)],
)
def test_a_limit_is_a_current_of_each_phase_rounded_down(limit: float, unit: str, phases: int, da: int) -> None:
    assert current_da(limit, unit, member(1, phases=(1, 2, 3)[:phases]), None) == da

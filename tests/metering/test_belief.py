"""What a connector can deliver, and which clocks are believed (field-rulings §1.1; duties 26 and 31)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from evpower.metering.belief import (
    CLOCK_MAX,
    SLACK,
    UNKNOWN_POWER_W,
    believed_time,
    billed_time,
    energy_max_wh,
    longest,
    power_max_w,
)
from tests.worlds.fakes import NOON

TICK, SECOND, HOUR = timedelta(microseconds=1), timedelta(seconds=1), timedelta(hours=1)
JUMP = NOON - NOON.replace(year=1970)


def test_a_connector_delivers_a_tenth_more_than_its_power_for_the_time_and_two_minutes() -> None:
    """§1.1: 1.1 x power_kw x (time + 120 s)."""
    assert timedelta(seconds=120) == SLACK
    assert energy_max_wh(HOUR, 22_000) == 22_000 * 11 // 10 * 3720 // 3600
    assert energy_max_wh(timedelta(0), 22_000) == 806
    assert energy_max_wh(HOUR - SLACK, 7_400) == 8_140


def test_the_bound_is_exact_to_the_watt_hour_and_below_it_in_the_microsecond() -> None:
    assert energy_max_wh(HOUR - SLACK, 20_000) == 22_000
    assert energy_max_wh(HOUR - SLACK - TICK, 20_000) == 21_999


@pytest.mark.parametrize("rated_power_w", [None, 0])
def test_an_unknown_power_is_400_kilowatts(rated_power_w: int | None) -> None:
    """§1.1"""
    assert UNKNOWN_POWER_W == 400_000
    assert energy_max_wh(HOUR - SLACK, rated_power_w) == 440_000
    assert power_max_w(rated_power_w) == 500_000


def test_a_power_is_one_up_to_a_quarter_more_than_the_connectors() -> None:
    """§1.1"""
    assert power_max_w(22_000) == 27_500


BY_STATION = (None, -SECOND, 0 * SECOND, 90 * SECOND + TICK, HOUR, CLOCK_MAX, CLOCK_MAX + TICK, JUMP)


@pytest.mark.parametrize("clock", BY_STATION)
def test_a_clock_is_believed_from_nothing_to_two_days(clock: timedelta | None) -> None:
    expected = clock if clock in (0 * SECOND, 90 * SECOND + TICK, HOUR, CLOCK_MAX) else None
    assert believed_time(clock) == expected


def test_the_longer_of_both_times_counts_and_a_jump_does_not() -> None:
    assert (
        longest(HOUR, 90 * SECOND) == longest(90 * SECOND, HOUR) == longest(HOUR, None) == longest(None, HOUR) == HOUR
    )
    assert longest(JUMP, HOUR) == HOUR
    assert longest(JUMP, None) == longest(-HOUR, -HOUR) == longest(None, None) == 0 * SECOND


@pytest.mark.parametrize(
    ("by_station", "by_us", "since_order", "queued", "billed"),
    [
        (10 * HOUR, HOUR, HOUR, False, HOUR),  # the clock was set forward in mid-charge
        (HOUR, 10 * HOUR, 10 * HOUR, False, HOUR),  # the stop came out of a queue
        (-HOUR, HOUR, HOUR, False, HOUR),  # the clock was set back
        (JUMP, HOUR, HOUR, False, HOUR),  # or never was set before
        (None, HOUR, HOUR, False, HOUR),
        (HOUR, None, None, False, 0 * SECOND),
        (HOUR, SECOND, 3 * HOUR, True, HOUR),  # start and stop came out of a queue
        (24 * HOUR, SECOND, HOUR, True, HOUR),  # a clock a day wrong at the start, but the order is an hour old
        (24 * HOUR, SECOND, 24 * HOUR, True, 12 * HOUR),  # the same of a card, of which there is no order
        (JUMP, SECOND, 24 * HOUR, True, SECOND),
        (HOUR, SECOND, None, True, SECOND),
    ],
)
def test_no_more_time_is_billed_than_can_have_gone_by(
    by_station: timedelta | None,
    by_us: timedelta | None,
    since_order: timedelta | None,
    queued: bool,
    billed: timedelta,
) -> None:
    """A13, safe by default §6."""
    assert billed_time(by_station, by_us, since_order, queued=queued) == billed

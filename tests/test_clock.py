"""A wall clock that jumps makes no row older or younger (money audit B2)."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

import pytest

from evpower.clock import HELD_S, ClockWatch
from tests.worlds.fakes import NOON, SetClock

DAY = 86_400.0


def watched() -> tuple[SetClock, ClockWatch]:
    clock = SetClock()
    return clock, ClockWatch(clock, clock.steady_s)


def wait(clock: SetClock, watch: ClockWatch, seconds: float) -> datetime:
    """Time goes by, with looks between; the time then."""
    for _ in range(10):
        clock.advance(seconds / 10)
        watch.look()
    return clock.now()


@pytest.mark.parametrize("jump_s", [DAY, -DAY, 61, -61])
def test_a_jump_is_an_alarm_and_holds_time_limits_for_ten_minutes(
    jump_s: float, caplog: pytest.LogCaptureFixture
) -> None:
    clock, watch = watched()
    clock.jump(jump_s)
    assert watch.holds
    assert (watch.jumps, watch.last_jump_s) == (1, jump_s)
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    held = []
    for seconds in (HELD_S - 1, 1):
        wait(clock, watch, seconds)
        held.append(watch.holds)
    assert held == [True, False]


@pytest.mark.parametrize("jump_s", [59, -59])
def test_a_correction_is_no_jump(jump_s: float) -> None:
    clock, watch = watched()
    clock.jump(jump_s)
    assert (watch.holds, watch.jumps) == (False, 0)


def test_hours_without_a_look_are_no_jump() -> None:
    clock, watch = watched()
    clock.advance(DAY)
    assert not watch.holds


@pytest.mark.parametrize("jumps_s", [(DAY,), (-DAY,), (DAY, -DAY), (-DAY, DAY), (300, 300, -DAY)])
def test_a_row_is_as_old_as_it_is(jumps_s: tuple[float, ...]) -> None:
    """Rows from before, from between and from after the jumps."""
    clock, watch = watched()
    rows = [wait(clock, watch, 100)]
    for jump_s in jumps_s:
        wait(clock, watch, 100)
        clock.jump(jump_s)
        rows.append(wait(clock, watch, 100))
    wait(clock, watch, 50)
    ages = [watch.since(row).total_seconds() for row in reversed(rows)]
    assert ages == pytest.approx([50 + 200 * place for place in range(len(rows))])
    assert [watch.redated(row) for row in reversed(rows)] == [
        pytest.approx(clock.now() - timedelta(seconds=age), abs=timedelta(milliseconds=1)) for age in ages
    ]


def test_nothing_is_older_than_a_limit_by_a_jump() -> None:
    clock, watch = watched()
    row = wait(clock, watch, 100)
    clock.jump(DAY)
    wait(clock, watch, 500)
    assert row >= watch.before(600)
    wait(clock, watch, 101)
    assert row < watch.before(600)


def test_without_a_steady_clock_the_wall_clock_is_believed() -> None:
    clock = SetClock()
    watch = ClockWatch(clock)
    clock.jump(DAY)
    assert not watch.holds
    assert watch.since(NOON) == timedelta(days=1)

"""The alarm while more than a fifth of messages fail for a quarter of an hour."""

from __future__ import annotations

import logging

import pytest
import trio
from trio.testing import MockClock

from evpower.push.failures import FailureWatch


@pytest.fixture
def errors(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.ERROR)
    return caplog


async def minutes(watch: FailureWatch, clock: MockClock, number: int, *, failed: int, of: int) -> None:
    """So many minutes in each of which so many messages failed."""
    for _ in range(number):
        for each in range(of):
            watch.note(failed=each < failed)
        clock.jump(60)
        await trio.lowlevel.checkpoint()


async def test_a_fifth_is_no_alarm(mock_clock: MockClock, errors: pytest.LogCaptureFixture) -> None:
    await minutes(FailureWatch(), mock_clock, 60, failed=2, of=10)
    assert errors.messages == []


async def test_more_than_a_fifth_is_one_after_a_quarter_of_an_hour_and_then_every_one(
    mock_clock: MockClock, errors: pytest.LogCaptureFixture
) -> None:
    watch = FailureWatch()
    await minutes(watch, mock_clock, 15, failed=3, of=10)
    assert errors.messages == []
    await minutes(watch, mock_clock, 1, failed=3, of=10)
    assert errors.messages == ["messages to phones fail: 43 of 141 in the last 15 minutes"]
    await minutes(watch, mock_clock, 14, failed=3, of=10)
    assert len(errors.messages) == 1
    await minutes(watch, mock_clock, 1, failed=3, of=10)
    assert len(errors.messages) == 2


async def test_a_short_failure_is_none(mock_clock: MockClock, errors: pytest.LogCaptureFixture) -> None:
    watch = FailureWatch()
    await minutes(watch, mock_clock, 20, failed=0, of=10)
    await minutes(watch, mock_clock, 4, failed=10, of=10)
    await minutes(watch, mock_clock, 30, failed=0, of=10)
    assert errors.messages == []


async def test_of_few_a_fifth_says_nothing(mock_clock: MockClock, errors: pytest.LogCaptureFixture) -> None:
    watch = FailureWatch()
    for _ in range(20):
        await minutes(watch, mock_clock, 1, failed=1, of=1)
        mock_clock.jump(120)
    assert errors.messages == []

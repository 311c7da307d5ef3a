"""The sliding window counter: its estimate, its limit, and that what it says of the time to wait is true."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evpower.rate_limits.sliding_window import SPAN_MS, Count, Taken

MOST = 100
#: The beginning of a minute.
MINUTE = 29_000_000
BEGAN_MS = MINUTE * SPAN_MS

COUNTS = st.builds(Count, st.just(MINUTE), st.integers(0, 150), st.integers(0, 150))
MOMENTS = st.integers(BEGAN_MS, BEGAN_MS + SPAN_MS - 1)


def filled(current: int, previous: int = 0) -> Count:
    return Count(MINUTE, current, previous)


def test_the_hundred_and_first_within_a_minute_waits_for_the_minute_to_end() -> None:
    count = Count(MINUTE)
    assert [count.take(MOST, BEGAN_MS).allowed for _ in range(MOST)] == [True] * MOST
    assert count.take(MOST, BEGAN_MS) == Taken(allowed=False, most=100, left=0, reset_s=60)
    assert count.take(MOST, BEGAN_MS + 59_999) == Taken(allowed=False, most=100, left=0, reset_s=1)
    assert count.take(MOST, BEGAN_MS + SPAN_MS).allowed


@pytest.mark.parametrize(
    ("current", "previous", "at_s", "left"),
    [(0, 0, 0, 100), (0, 100, 30, 51), (0, 100, 0, 1), (49, 100, 30, 2), (50, 100, 30, 1), (0, 90, 40, 71)],
)
def test_the_minute_before_counts_by_the_share_the_window_still_covers(
    current: int, previous: int, at_s: int, left: int
) -> None:
    count, now_ms = filled(current, previous), BEGAN_MS + at_s * 1000
    let_through = 0
    while count.take(MOST, now_ms).allowed:
        let_through += 1
    assert let_through == left


def test_what_is_refused_is_not_counted() -> None:
    count = filled(100)
    for _ in range(1000):
        count.take(MOST, BEGAN_MS)
    assert count.current == 100


def test_after_a_full_minute_without_a_request_all_is_free_again() -> None:
    assert filled(100).take(MOST, BEGAN_MS + 2 * SPAN_MS).left == 99


@given(COUNTS, MOMENTS, st.integers(1, 120))
def test_the_time_said_is_the_first_whole_second_with_room(count: Count, now_ms: int, most: int) -> None:
    refused = count.take(most, now_ms)
    if refused.allowed:
        return
    assert 1 <= refused.reset_s <= 120
    if refused.reset_s > 1:
        early = Count(count.minute, count.current, count.previous)
        assert not early.take(most, now_ms + (refused.reset_s - 1) * 1000).allowed
    assert count.take(most, now_ms + refused.reset_s * 1000).allowed


@given(COUNTS, MOMENTS, st.integers(1, 120))
def test_as_many_more_are_let_through_as_is_said(count: Count, now_ms: int, most: int) -> None:
    left = count.take(most, now_ms).left
    assert [count.take(most, now_ms).allowed for _ in range(left + 1)] == [True] * left + [False]


@given(st.lists(st.integers(0, 20_000), max_size=300), st.integers(1, 20))
def test_within_any_minute_at_most_twice_the_limit_gets_through_and_of_a_calm_caller_all(
    gaps_ms: list[int], most: int
) -> None:
    """The price of counting instead of remembering each: a burst about the turn of the minute is estimated."""
    count, now_ms, through = Count(MINUTE), BEGAN_MS, list[int]()
    for gap in gaps_ms:
        now_ms += gap
        recent = [at for at in through if now_ms - at < SPAN_MS]
        in_two_minutes = [at for at in through if now_ms - at < 2 * SPAN_MS]
        allowed = count.take(most, now_ms).allowed
        assert not (allowed and len(recent) >= 2 * most)
        assert allowed or len(in_two_minutes) >= most
        through += [now_ms] * allowed


@pytest.mark.parametrize(("back_ms", "allowed"), [(1, False), (59_999, False), (60_001, True), (3_600_000, True)])
def test_a_clock_set_back_opens_no_door_and_shuts_none_for_long(back_ms: int, allowed: bool) -> None:
    assert filled(100).take(MOST, BEGAN_MS - back_ms).allowed is allowed

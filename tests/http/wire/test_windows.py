"""The limiter: never more than allowed in any span, never fewer than allowed, and bounded memory."""

from __future__ import annotations

from collections import defaultdict
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evpower.http.wire.windows import Taken, Window, Windows

#: Quarters of a second are exact in binary, so what is compared is the rule and not the rounding.
GAPS = st.lists(st.integers(0, 80).map(lambda quarters: quarters / 4), max_size=60)


def test_one_more_than_allowed_is_refused_until_the_first_is_forgotten() -> None:
    window = Window(2, 60)
    assert [window.take(at) for at in (0, 10, 20, 59.75, 60, 61)] == [
        Taken(allowed=True, left=1, room_in_s=60),
        Taken(allowed=True, left=0, room_in_s=50),
        Taken(allowed=False, left=0, room_in_s=40),
        Taken(allowed=False, left=0, room_in_s=0.25),
        Taken(allowed=True, left=0, room_in_s=10),
        Taken(allowed=False, left=0, room_in_s=9),
    ]


@given(GAPS, st.integers(1, 5))
def test_a_try_is_let_through_exactly_when_fewer_than_allowed_were_within_the_span(
    gaps: list[float], most: int
) -> None:
    window, through = Window(most, 10), list[float]()
    for now in accumulate(gaps):
        recent = [at for at in through if now - at < 10]
        taken = window.take(now)
        assert taken.allowed == (len(recent) < most)
        through += [now] * taken.allowed
        assert taken.left == most - len([at for at in through if now - at < 10])


@given(GAPS, st.integers(1, 5))
def test_whoever_waits_as_long_as_told_gets_in(gaps: list[float], most: int) -> None:
    window = Window(most, 10)
    for now in accumulate(gaps):
        taken = window.take(now)
        if not taken.allowed:
            assert taken.room_in_s > 0
            assert window.take(now + taken.room_in_s).allowed
            return


def test_each_sender_has_a_window_of_its_own() -> None:
    windows = Windows(1, 60)
    assert [windows.take(sender, 0).allowed for sender in ("one", "one", "other")] == [True, False, True]


def tries(senders: int) -> st.SearchStrategy[list[tuple[str, float]]]:
    """Who tries, and how long after the one before."""
    return st.lists(st.tuples(st.integers(1, senders).map(str), st.integers(0, 8).map(lambda n: n / 4)), max_size=120)


@given(tries(senders=5))
def test_many_senders_at_once_are_each_held_to_the_limit(tries: list[tuple[str, float]]) -> None:
    windows, now, through = Windows(2, 10, senders_most=5), 0.0, defaultdict[str, list[float]](list)
    for sender, gap in tries:
        now += gap
        recent = [at for at in through[sender] if now - at < 10]
        assert windows.take(sender, now).allowed == (len(recent) < 2)
        through[sender] = recent + [now] * (len(recent) < 2)


@given(tries(senders=40))
def test_senders_remembered_are_bounded(tries: list[tuple[str, float]]) -> None:
    windows, now = Windows(2, 10, senders_most=5), 0.0
    for sender, gap in tries:
        now += gap
        windows.take(sender, now)
        assert len(windows) <= 5


def test_who_has_been_quiet_longest_makes_room_and_begins_anew() -> None:
    windows = Windows(1, 60, senders_most=2)
    for at, sender in enumerate(("first", "second", "third")):
        assert windows.take(sender, at).allowed
    assert not windows.take("third", 3).allowed
    assert windows.take("first", 4).allowed


def test_a_refused_try_keeps_nobody_in_memory() -> None:
    windows = Windows(1, 60, senders_most=2)
    windows.take("quiet", 0)
    for _ in range(5):
        windows.take("busy", 1)
    assert len(windows) == 2
    windows.take("late", 61)
    assert len(windows) == 1, "what no longer counts is forgotten without being asked for"


@pytest.mark.parametrize("most", [1, 30])
def test_a_burst_of_exactly_the_limit_is_let_through_whole(most: int) -> None:
    windows = Windows(most, 60)
    assert [windows.take("provider", 0).allowed for _ in range(most + 2)] == [True] * most + [False, False]

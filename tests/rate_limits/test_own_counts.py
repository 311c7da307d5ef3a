"""The counts of one process: one for each identity, in bounded memory."""

from __future__ import annotations

from evpower.rate_limits.limits import Counted, RateLimit
from evpower.rate_limits.own_counts import OwnCounts
from evpower.rate_limits.sliding_window import SPAN_MS

ONE, OTHER = RateLimit("one", 1), RateLimit("other", 1)
NOW_MS = 29_000_000 * SPAN_MS


def allowed(counts: OwnCounts, *tries: tuple[RateLimit, str], at_ms: int = NOW_MS) -> list[bool]:
    return [counts.take(Counted(limit, name), at_ms).allowed for limit, name in tries]


def test_each_identity_of_each_kind_has_a_count_of_its_own() -> None:
    assert allowed(OwnCounts(), (ONE, "a"), (ONE, "a"), (ONE, "b"), (OTHER, "a"), (OTHER, "a")) == [
        True,
        False,
        True,
        True,
        False,
    ]


def test_a_million_names_take_the_memory_of_the_most_and_push_out_no_other_kind() -> None:
    counts = OwnCounts(identities_most=5)
    allowed(counts, (OTHER, "victim"))
    for number in range(1000):
        allowed(counts, (ONE, str(number)))
        assert len(counts) <= 6
    assert allowed(counts, (OTHER, "victim")) == [False]


def test_the_one_longest_without_anything_let_through_makes_room_and_begins_anew() -> None:
    counts = OwnCounts(identities_most=2)
    allowed(counts, (ONE, "first"), (ONE, "second"), (ONE, "third"))
    assert allowed(counts, (ONE, "third"), (ONE, "second"), (ONE, "first")) == [False, False, True]


def test_what_no_longer_counts_is_forgotten_without_being_asked_for() -> None:
    counts = OwnCounts()
    allowed(counts, *((ONE, str(number)) for number in range(100)))
    allowed(counts, (ONE, "late"), at_ms=NOW_MS + 2 * SPAN_MS)
    assert len(counts) == 1


def test_a_refused_try_keeps_an_identity_no_longer() -> None:
    counts = OwnCounts()
    allowed(counts, (ONE, "quiet"))
    allowed(counts, (ONE, "quiet"), at_ms=NOW_MS + SPAN_MS // 2)
    allowed(counts, (ONE, "late"), at_ms=NOW_MS + 2 * SPAN_MS)
    assert len(counts) == 1


def test_what_a_clock_set_back_left_ahead_is_forgotten() -> None:
    counts = OwnCounts()
    allowed(counts, (ONE, "a"))
    assert allowed(counts, (ONE, "b"), at_ms=NOW_MS - 3_600_000) == [True]
    assert len(counts) == 1

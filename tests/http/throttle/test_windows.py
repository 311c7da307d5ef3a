"""The limiter of one sender: never more than allowed in any span, and never fewer than allowed."""

from __future__ import annotations

from itertools import accumulate

from hypothesis import given
from hypothesis import strategies as st

from evpower.http.throttle.windows import Window

#: Quarters of a second are exact in binary, so what is compared is the rule and not the rounding.
GAPS = st.lists(st.integers(0, 80).map(lambda quarters: quarters / 4), max_size=60)


def test_one_more_than_allowed_is_refused_until_the_first_is_forgotten() -> None:
    window = Window(2, 60)
    assert [window.take(at) for at in (0, 10, 20, 59.75, 60, 61)] == [True, True, False, False, True, False]


@given(GAPS, st.integers(1, 5))
def test_a_try_is_let_through_exactly_when_fewer_than_allowed_were_within_the_span(
    gaps: list[float], most: int
) -> None:
    window, through = Window(most, 10), list[float]()
    for now in accumulate(gaps):
        recent = [at for at in through if now - at < 10]
        allowed = window.take(now)
        assert allowed == (len(recent) < most)
        through += [now] * allowed

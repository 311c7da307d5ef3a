"""What a histogram is made of."""

from __future__ import annotations

import pytest

from evpower.durations import BOUNDS_S, Durations


def test_a_bound_belongs_to_its_bucket_and_what_is_longer_than_all_is_counted_too() -> None:
    durations = Durations()
    for took_s in (0.0, 0.001, 0.0011, 30.0, 31.0):
        durations.note(took_s)
    up_to = dict(durations.up_to_each_bound())
    assert [up_to[bound] for bound in ("0.001", "0.0025", "10.0", "30.0", "+Inf")] == [2, 3, 3, 4, 5]
    assert (durations.count, len(up_to)) == (5, len(BOUNDS_S) + 1)
    assert durations.sum_s == pytest.approx(61.0021)

"""A connector that reports Available and that nobody uses any more (health/passed_over.py)."""

from __future__ import annotations

from evpower.health.passed_over import OWN_STARTS_LEAST, Neighbourhood, is_passed_over
from tests.health.simulated_network import passed_over_by_chance


def test_one_of_four_is_passed_over_after_forty_starts_beside_it() -> None:
    assert not is_passed_over(Neighbourhood(own=25, location=100, beside_since=39))
    assert is_passed_over(Neighbourhood(own=25, location=100, beside_since=41))


def test_one_that_was_hardly_used_is_not() -> None:
    assert not is_passed_over(Neighbourhood(own=OWN_STARTS_LEAST - 1, location=40, beside_since=10_000))


def test_one_that_is_alone_is_not() -> None:
    assert not is_passed_over(Neighbourhood(own=50, location=50, beside_since=0))


def test_good_connectors_are_hardly_ever_left_out_by_chance() -> None:
    """At most once in 1,000 connector-days of eight visits each."""
    false_marks, looked_at = passed_over_by_chance(3, visits=4_000)
    assert false_marks / looked_at <= 1 / 1_000 / 8

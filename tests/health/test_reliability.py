"""The chance that the next start works, and the doubt (health/reliability.py); and both bounds of issue I, 3."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from evpower.health.reliability import HALF_BACK_AFTER, LAST_STARTS, USUAL_CHANCE, health_of
from evpower.health.signs import Sign, SignKind
from evpower.identifiers import ClientId
from tests.health.simulated_network import SimulatedFigures, measure
from tests.worlds.fakes import NOON

LATER = timedelta(hours=2)
GOOD = "." * 20


def signs(drawn: str, *, elsewhere: bool | None = None, same_client: bool = False) -> list[Sign]:
    """`.` worked, `R` refused, `N` never began, `C` no cable seen, `v` plugged in, in vain; a minute apart."""
    kinds = {"R": SignKind.REFUSED, "N": SignKind.NEVER_BEGAN, "C": SignKind.NO_CABLE, "v": SignKind.PLUGGED_IN_VAIN}
    return [
        Sign(
            NOON + timedelta(minutes=place),
            kinds.get(drawn_as, SignKind.WORKED),
            None if drawn_as == "v" else ClientId("one" if same_client else f"c{place}"),
            None if drawn_as == "." else elsewhere,
        )
        for place, drawn_as in enumerate(drawn)
    ]


def doubted_since(given: list[Sign], now: datetime = NOON + LATER) -> datetime | None:
    return health_of(given, now).doubted_since


@pytest.mark.parametrize("drawn", ["RRR", "NNN", "CCC", "vvvvv"])
def test_three_clients_in_a_row_that_fail_in_one_way_are_a_doubt_and_one_less_is_none(drawn: str) -> None:
    assert doubted_since(signs(GOOD + drawn)) == signs(GOOD + drawn)[-1].at
    assert doubted_since(signs(GOOD + drawn[1:-1])) is None


def test_a_new_connector_is_judged_like_one_that_worked_for_long() -> None:
    assert doubted_since(signs("NNN")) is not None
    assert doubted_since(signs("NN")) is None


def test_three_failures_of_three_kinds_are_three_causes() -> None:
    assert doubted_since(signs(GOOD + "RNC")) is None


def test_one_client_who_fails_three_times_is_no_doubt_unless_they_began_elsewhere() -> None:
    assert doubted_since(signs("NNN", same_client=True)) is None
    assert doubted_since(signs("NNN", same_client=True, elsewhere=True)) is not None


def test_clients_who_fail_elsewhere_too_say_little() -> None:
    assert doubted_since(signs(GOOD + "NNN", elsewhere=False)) is None


def test_a_station_that_refuses_one_client_three_times_is_in_doubt_whoever_they_are() -> None:
    assert doubted_since(signs(GOOD + "RRR", same_client=True)) is not None


def test_it_is_good_again_after_starts_that_work() -> None:
    assert doubted_since(signs(GOOD + "NNN" + "..")) is None


def test_one_start_that_works_after_many_that_failed_is_not_enough() -> None:
    assert doubted_since(signs("N" * 12 + ".")) is not None


def test_a_doubt_that_nothing_confirms_fades() -> None:
    given = signs(GOOD + "NNN")
    assert doubted_since(given, NOON + timedelta(days=1)) is not None
    assert doubted_since(given, NOON + 2 * HALF_BACK_AFTER) is None


def test_the_last_twenty_starts_are_counted_and_cables_are_no_starts() -> None:
    health = health_of(signs("N" + "." * LAST_STARTS + "vvN"), NOON + LATER)
    assert (health.worked, health.tried) == (LAST_STARTS - 1, LAST_STARTS)


def test_without_signs_a_connector_is_a_usual_one() -> None:
    health = health_of((), NOON)
    assert (health.tried, health.chance, health.doubted_since) == (0, USUAL_CHANCE, None)


def test_silent_failures_are_found_within_three_failed_starts_and_good_connectors_are_left_alone() -> None:
    """At least nine of ten; at most one false mark in 1,000 connector-days."""
    found = SimulatedFigures()
    for seed in (1, 2):
        found.add(measure(seed, locations=40))
    assert found.planted == 80
    assert found.found_within(3) >= 0.9
    assert found.healthy_days > 20_000
    assert found.false_marks_per_1000_days <= 1
    assert sum(found.good_after.values()) > 70

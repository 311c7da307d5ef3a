"""What a car shows: its most, its wish, its obedience (roadmap/smart-charging §2.1, §3)."""

from __future__ import annotations

from datetime import timedelta

from evpower.power.evidence import CarEvidence
from tests.power.sites import NOW


def seconds(n: float) -> timedelta:
    return timedelta(seconds=n)


def measured(
    *currents_a: float, granted_a: float, every_s: float = 30, evidence: CarEvidence | None = None
) -> CarEvidence:
    evidence = evidence or CarEvidence()
    at = evidence.measured[-1][0] if evidence.measured else NOW - seconds(every_s)
    for n, current_a in enumerate(currents_a, 1):
        granted_da = round(granted_a * 10)
        evidence = evidence.measure(at + n * seconds(every_s), round(current_a * 10), granted_da, granted_da)
    return evidence


def wanted_a(evidence: CarEvidence, after: timedelta = timedelta()) -> float:
    return evidence.wanted_da(320, 60, NOW + after) / 10


def test_a_car_that_draws_ten_of_twenty_for_a_minute_wants_twelve() -> None:
    assert wanted_a(measured(10, 10, granted_a=20)) == 32  # for 30 s
    assert wanted_a(measured(10, 10, 10, granted_a=20)) == 12
    assert wanted_a(measured(16, 16, 16, granted_a=20)) == 32  # 80 % is not below it


def test_what_it_has_shown_rises_with_what_it_draws_and_fades_after_ten_minutes() -> None:
    evidence = measured(10, 10, 10, granted_a=20)
    assert wanted_a(measured(12, granted_a=12, evidence=evidence)) == 14
    later = measured(*[7] * 20, granted_a=12, evidence=evidence)
    assert wanted_a(later) == 12  # the last 10 A were ten minutes ago
    assert wanted_a(measured(7, granted_a=12, evidence=later)) == 9


def test_a_car_that_takes_nothing_has_no_demand_after_five_minutes_and_is_asked_every_ten() -> None:
    evidence = measured(0, granted_a=0).suspend(NOW)
    minutes = [n for n in range(31) if wanted_a(evidence, timedelta(minutes=n)) > 0]
    assert minutes == [0, 1, 2, 3, 4, 5, 14, 24]
    assert wanted_a(evidence, timedelta(minutes=14)) == 6
    assert wanted_a(measured(2, granted_a=6, every_s=840, evidence=evidence), timedelta(minutes=15)) == 32
    assert wanted_a(evidence.resume(), timedelta(minutes=15)) == 32


def test_more_than_a_tenth_above_its_grant_for_half_a_minute_is_disobedience() -> None:
    assert not measured(11, 11, 11, granted_a=10).disobeys
    assert not measured(11.1, 10, 11.1, granted_a=10).disobeys
    assert not measured(11.1, granted_a=10).disobeys
    assert not measured(11.1, 11.1, granted_a=10, every_s=29).disobeys
    assert measured(11.1, 11.1, granted_a=10).disobeys


def test_a_car_that_waits_consumes_a_little() -> None:
    assert not measured(0.9, 0.9, granted_a=0).disobeys
    assert measured(1, 1, granted_a=0).disobeys


def test_who_disobeyed_is_believed_again_after_five_minutes_within_its_grant() -> None:
    evidence = measured(20, 20, granted_a=10)
    assert measured(*[10] * 10, granted_a=10, evidence=evidence).disobeys
    assert not measured(*[10] * 11, granted_a=10, evidence=evidence).disobeys


def test_an_old_measurement_changes_nothing() -> None:
    evidence = measured(10, 10, 10, granted_a=20)
    assert evidence.measure(NOW, 320, 200, 200) == evidence

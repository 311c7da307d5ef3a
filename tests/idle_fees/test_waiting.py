"""Smart-charging §6: when a car waits, when that costs, and how much."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evpower.billing.tariff import ParkingTerms
from evpower.idle_fees.waiting import LastLook, Scene, fee_tyiyn, may_cost, paid_time, seen_until

NOW = datetime(2026, 11, 23, 6, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
TERMS = ParkingTerms(Decimal(3), 20, 30_00)
FULL = Scene(
    at=NOW,
    energy_wh=5_000,
    is_charging=True,
    settled_at=None,
    ocpp_status="SuspendedEV",
    has_fault=False,
    is_connected=True,
    has_next=False,
    low_since=NOW - 6 * MINUTE,
    read_at=NOW - MINUTE,
    paused=(),
    occupied=50,
)
FINISHING = replace(
    FULL, is_charging=False, settled_at=NOW - MINUTE, ocpp_status="Finishing", low_since=None, read_at=None
)
NOTICED = NOW - 30 * MINUTE


def test_a_car_that_draws_nothing_for_five_minutes_waits_as_far_as_it_was_measured() -> None:
    assert FULL.waits_until() == NOW - MINUTE


def test_a_car_at_finishing_waits_at_once() -> None:
    assert FINISHING.waits_until() == NOW


@pytest.mark.parametrize(
    "scene",
    [
        replace(FULL, low_since=NOW - 6 * MINUTE + timedelta(seconds=1)),
        replace(FULL, energy_wh=999),
        replace(FULL, low_since=None, read_at=None),
        replace(FULL, low_since=NOW - 40 * MINUTE, read_at=NOW - 17 * MINUTE),
        replace(FULL, is_charging=False),
        replace(FULL, has_next=True),
        # Held at nothing until three minutes ago: since then it could have drawn.
        replace(FULL, low_since=NOW - 30 * MINUTE, paused=((NOW - 20 * MINUTE, NOW - 3 * MINUTE),)),
        replace(FULL, low_since=NOW - 30 * MINUTE, paused=((NOW - 20 * MINUTE, NOW + MINUTE),)),
        replace(FINISHING, energy_wh=0),
        replace(FINISHING, has_next=True),
        replace(FINISHING, ocpp_status="Available"),
    ],
)
def test_a_car_does_not_wait_or_nobody_knows(scene: Scene) -> None:
    assert scene.waits_until() is None


def test_a_pause_that_is_long_over_is_no_reason() -> None:
    paused = ((NOW - 30 * MINUTE, NOW - 6 * MINUTE),)
    assert replace(FULL, low_since=NOW - 40 * MINUTE, paused=paused).waits_until() == NOW - MINUTE


NOON = time(12, 0)


def test_waiting_costs_where_nothing_is_against_it() -> None:
    assert may_cost(FULL, TERMS, NOON)


@pytest.mark.parametrize(
    "scene",
    [
        replace(FULL, has_fault=True),
        replace(FULL, is_connected=False),
        replace(FULL, paused=((NOW - MINUTE, NOW + MINUTE),)),
    ],
)
def test_what_the_driver_has_no_part_in_costs_nothing(scene: Scene) -> None:
    assert not may_cost(scene, TERMS, NOON)


@pytest.mark.parametrize(("above", "costs"), [(49, True), (50, False), (0, True)])
def test_it_costs_only_above_the_occupancy(above: int, costs: bool) -> None:
    assert may_cost(FULL, replace(TERMS, only_above_occupancy=above), NOON) is costs


@pytest.mark.parametrize(
    ("since", "until", "local", "costs"),
    [
        ("23:00", "07:00", "23:00", False),
        ("23:00", "07:00", "06:59:59", False),
        ("23:00", "07:00", "07:00", True),
        ("23:00", "07:00", "22:59:59", True),
        ("12:00", "14:00", "11:59:59", True),
        ("12:00", "14:00", "12:00", False),
        ("12:00", "14:00", "14:00", True),
    ],
)
def test_hours_of_quiet_are_half_open_over_midnight_too(since: str, until: str, local: str, costs: bool) -> None:
    quiet = replace(TERMS, quiet_from=time.fromisoformat(since), quiet_until=time.fromisoformat(until))
    assert may_cost(FULL, quiet, time.fromisoformat(local)) is costs


BEFORE = LastLook(NOW - MINUTE, NOW - MINUTE)


def test_a_look_adds_the_time_since_the_last_one() -> None:
    assert paid_time(BEFORE, NOW, NOW, NOTICED, TERMS) == (NOW - MINUTE, NOW)


def test_nothing_is_paid_before_the_notice_has_left_for_as_long_as_the_plan_gives() -> None:
    assert paid_time(BEFORE, NOW, NOW, NOW - 20 * MINUTE, TERMS) is None
    half = NOW - 20 * MINUTE - timedelta(seconds=30)
    assert paid_time(BEFORE, NOW, NOW, half, TERMS) == (NOW - timedelta(seconds=30), NOW)
    assert paid_time(BEFORE, NOW, NOW, None, TERMS) is None, "it never left"


@pytest.mark.parametrize(
    "before",
    [
        LastLook(None, None),
        LastLook(NOW - MINUTE, None),
        LastLook(NOW - timedelta(seconds=61), NOW - timedelta(seconds=61)),
        LastLook(NOW + MINUTE, NOW - MINUTE),
    ],
)
def test_what_nobody_looked_at_is_not_paid(before: LastLook) -> None:
    assert paid_time(before, NOW, NOW, NOTICED, TERMS) is None


def test_a_car_that_is_measured_seldom_pays_up_to_the_last_measurement() -> None:
    seen = LastLook(NOW - MINUTE, NOW - 10 * MINUTE)
    assert paid_time(seen, NOW, NOW - 10 * MINUTE, NOTICED, TERMS) is None
    assert paid_time(seen, NOW, NOW, NOTICED, replace(TERMS, grace_minutes=0)) == (NOW - 10 * MINUTE, NOW)


@st.composite
def looks(draw: st.DrawFn) -> list[tuple[int, int | None]]:
    """(seconds since the one before, how long ago the car was seen to wait; None: something is against a fee)."""
    ages = st.one_of(st.none(), st.just(0), st.integers(0, 16 * 60))
    return draw(st.lists(st.tuples(st.integers(1, 90), ages), min_size=2, max_size=30))


@given(looks())
def test_no_time_is_paid_twice_or_that_nobody_looked_at_or_in_which_something_was_against_it(
    seen: list[tuple[int, int | None]],
) -> None:
    """Whatever one look knows better than the next: Finishing is now, a reading of a full car is a while ago."""
    before, now, paid_until = LastLook(None, None), NOW, NOW - timedelta(days=1)
    clean_since = NOW  # since when each look came within a minute, and nothing was against a fee
    for passed_s, age_s in seen:
        now += timedelta(seconds=passed_s)
        if age_s is None:
            before = LastLook(now, None)
            continue
        if before.waited_until is None or passed_s > 60:
            clean_since = now
        waits_until = now - timedelta(seconds=age_s)
        paid = paid_time(before, now, waits_until, NOTICED, replace(TERMS, grace_minutes=0))
        if paid is not None:
            since, until = paid
            assert max(paid_until, clean_since) <= since < until <= now
            paid_until = until
        before = LastLook(now, seen_until(before, now, waits_until))


def test_a_car_that_is_seen_to_wait_at_every_look_pays_all_of_it() -> None:
    before, paid = LastLook(NOW, NOW), timedelta()
    for n in range(1, 31):
        now = NOW + n * MINUTE
        span = paid_time(before, now, now, NOTICED, replace(TERMS, grace_minutes=0))
        assert span is not None
        paid, before = paid + span[1] - span[0], LastLook(now, seen_until(before, now, now))
    assert paid == 30 * MINUTE


@pytest.mark.parametrize(
    ("waited", "minutes", "tyiyn"),
    [
        (15 * MINUTE, 15, 30_00),
        (9 * MINUTE, 9, 27_00),
        (2 * MINUTE - timedelta(seconds=1), 1, 3_00),
        (timedelta(), 0, 0),
    ],
)
def test_a_fee_is_of_whole_minutes_and_ends_at_its_cap(waited: timedelta, minutes: int, tyiyn: int) -> None:
    assert fee_tyiyn(TERMS, waited) == (minutes, tyiyn)


def test_a_fee_is_rounded_once() -> None:
    assert fee_tyiyn(replace(TERMS, rate_per_minute=Decimal("0.015")), 3 * MINUTE) == (3, 5)


SETTLED = replace(FINISHING, settled_at=NOW - 3 * MINUTE)


@pytest.mark.parametrize(
    ("scene", "over"),
    [
        (replace(FINISHING, ocpp_status="Available"), True),
        (replace(FINISHING, ocpp_status="Preparing"), True),
        (replace(FINISHING, ocpp_status="Charging"), False),
        (replace(SETTLED, ocpp_status="Charging"), True),
        (replace(SETTLED, ocpp_status=None), True),
        (SETTLED, False),
        (replace(SETTLED, has_next=True), True),
        (replace(SETTLED, ocpp_status="Faulted", has_fault=True), False),
        (replace(SETTLED, settled_at=NOW - timedelta(hours=24)), True),
        (replace(FULL, ocpp_status="Available"), False),
    ],
)
def test_a_fee_is_over_when_the_charge_is_settled_and_its_car_has_left(scene: Scene, over: bool) -> None:
    assert scene.is_over() is over

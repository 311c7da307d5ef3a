"""What a running charge shows of its limit (roadmap/history-favorites-push §4): when the stop will be sent."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evpower.billing.rates import Rates
from evpower.billing.reservation import ChargeTerms, Limit
from evpower.charging.prediction import LastReading, predict, seconds_to_limit
from tests.worlds.charging import World

BEGAN = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
READ = BEGAN + timedelta(minutes=10)
ENERGY = ChargeTerms(Rates(Decimal("13.5")), 270_00, Limit("energy", 20_000, None))
BY_MINUTE = ChargeTerms(Rates(Decimal("13.5"), Decimal(2)), 100_00, Limit("amount", None, 100_00))


def last(energy_wh: int, power_w: float) -> LastReading:
    return LastReading(energy_wh, power_w, BEGAN, READ)


def test_what_is_left_at_this_power_and_what_it_will_cost() -> None:
    shown = predict(ENERGY, last(10_000, 60_000), READ)
    assert shown is not None
    assert (shown.minutes_left, shown.cost_tyiyn) == (10, 270_00)


@pytest.mark.parametrize(("age_s", "minutes"), [(0, 10), (1, 10), (60, 9), (299, 6), (300, 5), (301, None)])
def test_the_moment_stays_while_no_reading_comes_until_it_is_too_old(age_s: int, minutes: int | None) -> None:
    shown = predict(ENERGY, last(10_000, 60_000), READ + timedelta(seconds=age_s))
    assert (None if shown is None else shown.minutes_left) == minutes


@pytest.mark.parametrize(
    ("power_w", "is_shown"), [(0, False), (300, False), (-5, False), (300.5, True), (22_000, True)]
)
def test_only_above_300_w(power_w: float, is_shown: bool) -> None:
    assert (predict(ENERGY, last(19_900, power_w), READ) is not None) == is_shown


def test_nothing_that_is_not_in_sight() -> None:
    assert predict(ENERGY, last(0, 1000), READ) is None  # 20 hours
    free = ChargeTerms(Rates(Decimal(0)), 200_00, Limit("none", None, None))
    assert predict(free, last(1000, 22_000), READ) is None


def test_a_limit_that_is_reached_is_no_minutes_away_and_costs_what_was_delivered() -> None:
    shown = predict(ENERGY, last(20_100, 60_000), READ)
    assert shown is not None
    assert (shown.minutes_left, shown.cost_tyiyn) == (0, 271_35)


@given(energy_wh=st.integers(0, 8_000), power_w=st.floats(301, 200_000), age_s=st.integers(0, 300))
def test_it_never_contradicts_the_planned_stop(energy_wh: int, power_w: float, age_s: int) -> None:
    for terms in (ENERGY, BY_MINUTE):
        planned_s = seconds_to_limit(terms, energy_wh, power_w, 600)
        shown = predict(terms, last(energy_wh, power_w), READ + timedelta(seconds=age_s))
        assert (shown is None) == (planned_s is None)
        if shown is not None and planned_s is not None:
            left_s = max(0.0, planned_s - age_s)
            assert shown.minutes_left - 1 < left_s / 60 <= shown.minutes_left
            assert shown.cost_tyiyn >= terms.rates.cost_tyiyn(energy_wh, 10)
            if planned_s > 0:
                assert shown.cost_tyiyn <= terms.reserved_tyiyn + 2_00  # at most one minute's price over the hold


async def test_a_charge_shows_them_while_it_runs_and_its_overshoot_to_the_end(world: World) -> None:
    await world.rate(60)
    await world.give(500_00)
    session_id = (await world.order(energy_wh=10_000)).session.session_id
    before = await world.session(session_id)
    assert (before.prediction, before.overshoot_wh) == (None, None)
    begun = await world.begin(await world.tag_of(session_id))
    world.clock.advance(300)
    await world.meter(begun.wire_transaction_id, 6_000, power_w=60_000)
    shown = await world.session(session_id)
    assert shown.prediction is not None
    assert (shown.prediction.minutes_left, shown.prediction.cost_tyiyn, shown.overshoot_wh) == (5, 135_00, 0)
    world.clock.advance(306)
    await world.end(begun.wire_transaction_id, 11_100)
    ended = await world.session(session_id)
    assert (ended.prediction, ended.overshoot_wh) == (None, 100)
    await world.app.settler.work_due()
    final = await world.session(session_id)
    assert (final.prediction, final.overshoot_wh) == (None, 100)

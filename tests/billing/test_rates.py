"""Smart-charging §6: what energy costs whose rate changed on the way; every sum is rounded once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evpower.billing.rates import RatedEnergy, Rates, RateStep, ScheduledRate
from evpower.billing.reservation import ChargeTerms, Limit
from evpower.billing.rows.tariffs import schedule_stored
from evpower.billing.settlement import Estimate, Usage, correct
from evpower.billing.tariff import Price
from evpower.metering.session_rates import MovingPrice, moving_price, read_steps, steps_stored

DAY, NIGHT = Decimal("13.5"), Decimal(9)
PEAK = datetime(2026, 11, 23, 16, tzinfo=UTC)
ELEVEN = PEAK + timedelta(hours=1)
SCHEDULE = (ScheduledRate(PEAK, DAY), ScheduledRate(ELEVEN, NIGHT))
RATES = Rates(DAY, steps=(RateStep(4_300, NIGHT),))


def test_acceptance_8_each_rate_is_billed_for_the_energy_of_its_time() -> None:
    assert RATES.cost_tyiyn(5_400, 0) == 67_95
    assert RATES.parts(5_400) == [RatedEnergy(4_300, DAY), RatedEnergy(1_100, NIGHT)]


def test_energy_that_ends_before_a_step_is_of_the_rate_before() -> None:
    assert RATES.cost_tyiyn(4_300, 0) == 58_05
    assert RATES.parts(4_300) == [RatedEnergy(4_300, DAY)]


def test_a_rate_without_energy_of_its_own_costs_nothing() -> None:
    """The charge began after the first boundary, and none flowed between the second and the third."""
    rates = Rates(DAY, steps=(RateStep(0, Decimal(20)), RateStep(500, Decimal(99)), RateStep(500, NIGHT)))
    assert rates.parts(1_500) == [RatedEnergy(500, Decimal(20)), RatedEnergy(1_000, NIGHT)]


@pytest.mark.parametrize(("first", "second", "tyiyn"), [("0.4", "0.1", 1), ("0.39", "0.1", 0)])
def test_two_halves_are_rounded_together_once(first: str, second: str, tyiyn: int) -> None:
    """0.004 and 0.001 som of a Wh at each: each alone would be nothing, together they are half a tyiyn."""
    rates = Rates(Decimal(first), steps=(RateStep(10, Decimal(second)),))
    assert rates.cost_tyiyn(20, 0) == tyiyn


STEPS = st.lists(st.tuples(st.integers(0, 20_000), st.integers(0, 40)), max_size=4).map(
    lambda drawn: tuple(RateStep(wh, Decimal(rate)) for wh, rate in sorted(drawn, key=lambda each: each[0]))
)


@given(STEPS, st.integers(0, 40), st.integers(0, 30_000), st.integers(0, 100_000))
def test_the_most_energy_for_a_sum_is_the_last_that_costs_no_more(
    steps: tuple[RateStep, ...], first: int, most_wh: int, amount_tyiyn: int
) -> None:
    rates = Rates(Decimal(first), steps=steps)
    found = rates.energy_within_wh(amount_tyiyn, 0, most_wh)
    assert rates.cost_tyiyn(found, 0) <= amount_tyiyn
    assert found == most_wh or rates.cost_tyiyn(found + 1, 0) > amount_tyiyn


@given(STEPS, st.integers(0, 40), st.integers(1, 100_000))
def test_a_hold_is_reached_at_the_first_energy_that_is_worth_it(
    steps: tuple[RateStep, ...], first: int, reserved_tyiyn: int
) -> None:
    terms = ChargeTerms(Rates(Decimal(first), steps=steps), reserved_tyiyn, Limit("none", None, None))
    limit_wh = terms.limit_wh(0)
    if limit_wh is None:
        assert terms.rates.exact_cost(10**9, 0) * 100 < reserved_tyiyn
    else:
        assert terms.rates.exact_cost(limit_wh, 0) * 100 >= reserved_tyiyn
        assert limit_wh == 1 or terms.rates.exact_cost(limit_wh - 1, 0) * 100 < reserved_tyiyn


def test_a_sum_is_reached_at_the_last_energy_that_costs_anything() -> None:
    """1 kWh at 13.5, and then energy is free: 13.50 is reached by it, and more never is."""
    rates = Rates(DAY, steps=(RateStep(1_000, Decimal(0)),))
    assert rates.energy_worth_wh(Decimal("13.5")) == 1_000
    assert rates.energy_worth_wh(Decimal("13.51")) is None


def test_a_correction_takes_the_dearer_energy_last_and_only_what_is_paid_for() -> None:
    """1 kWh at 9 was billed; of 1 more at 9 and 3 at 20 there are 29 som: a kWh at 9 and one at 20."""
    rates = Rates(NIGHT, steps=(RateStep(2_000, Decimal(20)),))
    found = correct(Estimate(1_000, 9_00, 0), Usage(5_000, 0), rates, takeable_tyiyn=29_00)
    assert (found.energy_wh, found.additional_tyiyn) == (3_000, 29_00)
    assert (found.unbilled_wh, found.unbilled_tyiyn) == (2_000, 40_00)


def test_a_hold_is_at_the_highest_rate_that_can_be_reached_at_the_connectors_power() -> None:
    """At 22 kW eleven o'clock is 22 kWh away: with 22 ordered the dearer rate is not reached, with 22.001 it is."""
    price = Price(NIGHT, session_fee=Decimal(20), schedule=(ScheduledRate(PEAK, NIGHT), ScheduledRate(ELEVEN, DAY)))
    assert price.highest_rates(22_000, 22).cost_tyiyn(22_000, 0) == 218_00
    assert price.highest_rates(22_001, 22).per_kwh == DAY
    assert price.highest_rates(1, None).per_kwh == DAY
    assert price.highest_rates(None, 22) == price.rates == Rates(NIGHT, session_fee=Decimal(20))
    assert Price(DAY, schedule=SCHEDULE).highest_rates(50_000, 22).per_kwh == DAY


def terms(reserved_tyiyn: int) -> ChargeTerms:
    return ChargeTerms(Rates(DAY), reserved_tyiyn, Limit("amount", None, reserved_tyiyn), SCHEDULE)


def test_what_is_foreseen_has_the_rate_that_will_hold() -> None:
    """At 6 kW, half an hour before eleven with 1 kWh: 3 kWh more at 13.5, and then 9."""
    foreseen = terms(100_00).foreseen(1_000, 6_000, ELEVEN - timedelta(minutes=30))
    assert foreseen.rates.steps == (RateStep(4_000, NIGHT),)
    assert foreseen.limit_wh(0) == 4_000 + -(-46_00 * 10 // 9)


def test_a_step_that_was_passed_is_not_foreseen_again() -> None:
    passed = ChargeTerms(RATES, 100_00, Limit("none", None, None), SCHEDULE)
    assert passed.foreseen(5_000, 6_000, ELEVEN + timedelta(hours=1)) is passed
    assert (passed.next_step_at, terms(1).next_step_at) == (None, ELEVEN)


def test_a_step_whose_time_has_come_holds_for_all_energy_to_come() -> None:
    late = terms(100_00).foreseen(5_000, 6_000, ELEVEN + timedelta(minutes=1))
    assert late.rates.steps == (RateStep(5_000, NIGHT),)


def test_steps_are_known_as_far_as_readings_are() -> None:
    schedule = (*SCHEDULE, ScheduledRate(ELEVEN + timedelta(hours=7), DAY))
    assert Rates(DAY).stepped(schedule, iter([4_300])).steps == (RateStep(4_300, NIGHT),)
    assert Rates(DAY).stepped(schedule, []).steps == ()
    assert Rates(DAY).stepped(schedule, [4_300, 4_200]).steps[1] == RateStep(4_300, DAY)


def test_what_is_stored_is_read_to_the_last_digit() -> None:
    rate = Decimal("9.123456789012345678901")
    schedule = (ScheduledRate(PEAK, DAY), ScheduledRate(ELEVEN, rate))
    stored = f'{{"schedule": {schedule_stored(schedule)}, "boundaries": null}}'
    assert moving_price({"moving_price": stored}) == MovingPrice(schedule)
    assert read_steps(steps_stored((RateStep(4_300, rate),))) == (RateStep(4_300, rate),)
    assert (schedule_stored(()), steps_stored(()), read_steps(None)) == (None, None, ())
    assert moving_price({"moving_price": None}) == MovingPrice()


def test_a_rate_that_begins_before_anything_flows_holds_for_all_energy() -> None:
    assert Rates(DAY).stepped(SCHEDULE, [0]).parts(1_000) == [RatedEnergy(1_000, NIGHT)]

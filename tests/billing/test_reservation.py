"""Billing-rules §2 and §3: what a start holds, and when the charge must end. Numbers are the worked examples of §5."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evpower.billing.errors import InsufficientBalance, MinimumAmountRequired
from evpower.billing.rates import Rates
from evpower.billing.reservation import (
    ChargeTerms,
    Limit,
    LimitType,
    Reservation,
    ReservationRules,
    estimated_energy_kwh,
    limit_from_columns,
    reserve,
    reserve_for_report,
)

RULES = ReservationRules(unlimited_reserve_tyiyn=200_00, unlimited_minimum_tyiyn=10_00, planning_minutes=60)
RATE = Rates(Decimal("13.5"))
WITH_FEE = Rates(Decimal("13.5"), session_fee=Decimal(20))


def hold(balance: int, *, energy_wh: int | None = None, amount: int | None = None, rates: Rates = RATE) -> Reservation:
    """Reserve against a balance in tyiyn."""
    return reserve(energy_wh=energy_wh, amount_tyiyn=amount, balance_tyiyn=balance, rates=rates, rules=RULES)


@pytest.mark.parametrize(
    ("example", "balance", "energy_wh", "amount", "rates", "reserved"),
    [
        (1, 500_00, 20_000, None, RATE, 270_00),
        (6, 500_00, None, 100_00, RATE, 100_00),
        (7, 100_00, None, 50_00, RATE, 50_00),
        (8, 500_00, 3_000, None, RATE, 40_50),
        (9, 100_00, None, None, RATE, 100_00),
        (10, 1000_00, None, None, RATE, 200_00),
        (16, 500_00, 10_000, None, WITH_FEE, 155_00),
        (17, 500_00, None, 100_00, WITH_FEE, 100_00),
        (20, 500_00, 20_000, 100_00, RATE, 100_00),
        (21, 500_00, 5_000, 100_00, RATE, 67_50),
        (23, 40_50, 3_000, None, RATE, 40_50),
    ],
)
def test_worked_example_reserves(
    example: int, balance: int, energy_wh: int | None, amount: int | None, rates: Rates, reserved: int
) -> None:
    assert hold(balance, energy_wh=energy_wh, amount=amount, rates=rates).reserved_tyiyn == reserved, example


def test_example_5_refusal_names_the_sum_that_would_have_been_held_not_the_difference() -> None:
    with pytest.raises(InsufficientBalance) as refusal:
        hold(50_00, energy_wh=20_000)
    assert refusal.value.message == "Недостаточно средств. Баланс: 50 сом, требуется: 270 сом"
    assert refusal.value.details == {"current_balance": 50, "required_amount": 270, "missing_amount": 220}


def test_example_11_unlimited_needs_ten_som() -> None:
    with pytest.raises(InsufficientBalance) as refusal:
        hold(9_99)
    assert refusal.value.details["required_amount"] == 10


def test_unlimited_with_exactly_ten_som_is_allowed() -> None:
    assert hold(10_00).reserved_tyiyn == 10_00


def test_unlimited_must_leave_something_beside_the_fee() -> None:
    with pytest.raises(InsufficientBalance) as refusal:
        hold(20_00, rates=WITH_FEE)
    assert refusal.value.details["required_amount"] == 20


@pytest.mark.parametrize("amount", [20_00, 15_00])
def test_example_18_an_amount_not_above_the_fee_is_refused(amount: int) -> None:
    with pytest.raises(MinimumAmountRequired) as refusal:
        hold(500_00, amount=amount, rates=WITH_FEE)
    assert refusal.value.details == {"required_amount": 20, "session_fee": 20}


def test_a_limited_start_has_no_minimum() -> None:
    assert hold(5_00, amount=5_00).reserved_tyiyn == 5_00


def test_amount_above_the_balance_is_insufficient_balance() -> None:
    with pytest.raises(InsufficientBalance) as refusal:
        hold(99_99, amount=100_00)
    assert refusal.value.details["required_amount"] == 100


def test_planning_counts_sixty_minutes_where_minutes_cost() -> None:
    per_minute = Rates(Decimal(10), per_minute=Decimal("0.5"))
    assert hold(500_00, energy_wh=10_000, rates=per_minute).reserved_tyiyn == 130_00


@pytest.mark.parametrize(
    ("reserved", "rates", "kwh"), [(100_00, RATE, "7.4"), (50_00, RATE, "3.7"), (100_00, WITH_FEE, "5.9")]
)
def test_estimated_energy_is_half_up_to_one_decimal(reserved: int, rates: Rates, kwh: str) -> None:
    assert estimated_energy_kwh(reserved, rates) == Decimal(kwh)


@pytest.mark.parametrize(("per_kwh", "kwh"), [(Decimal(0), None), (Decimal("0.5"), Decimal(200))])
def test_there_is_no_estimate_only_where_energy_is_free(per_kwh: Decimal, kwh: Decimal | None) -> None:
    assert estimated_energy_kwh(100_00, Rates(per_kwh)) == kwh


@pytest.mark.parametrize(("balance", "reserved"), [(0, 0), (1, 1), (150_00, 150_00), (200_01, 200_00)])
def test_a_charge_heard_of_late_holds_what_is_free_as_far_as_an_unlimited_start_would(
    balance: int, reserved: int
) -> None:
    assert reserve_for_report(balance, RULES) == Reservation(reserved, Limit("none", None, None))


def terms(reservation: Reservation, rates: Rates = RATE) -> ChargeTerms:
    return ChargeTerms(rates, reservation.reserved_tyiyn, reservation.limit)


def test_an_energy_limit_is_reached_exactly_at_its_energy() -> None:
    charge = terms(hold(500_00, energy_wh=20_000))
    assert not charge.reached(19_999, 0)
    assert charge.reached(20_000, 0)


def test_an_amount_limit_is_reached_when_the_cost_reaches_it_fee_included() -> None:
    charge = terms(hold(500_00, amount=100_00, rates=WITH_FEE), WITH_FEE)
    assert not charge.reached(5_925, 0)
    assert charge.reached(5_926, 0)


def test_an_unlimited_charge_ends_when_the_hold_is_spent() -> None:
    charge = terms(hold(1000_00))
    assert not charge.reached(14_814, 0)
    assert charge.reached(14_815, 0)


def test_both_limits_stop_at_whichever_comes_first() -> None:
    charge = terms(hold(500_00, energy_wh=20_000, amount=100_00))
    assert charge.reached(7_408, 0)
    assert not charge.reached(7_407, 0)


def test_the_rounding_of_its_cost_takes_nothing_from_the_energy_that_was_bought() -> None:
    three = Rates(Decimal(3))  # 1,001 Wh cost 3.003 som, and are sold for 3.00, which 1,000 Wh cost too
    assert terms(hold(3_00, energy_wh=1_001, rates=three), three).limit_wh(0) == 1_001


def test_each_minute_that_costs_a_som_leaves_less_for_energy() -> None:
    charge = ChargeTerms(Rates(Decimal(10), per_minute=Decimal(1)), 100_00, Limit("none", None, None))
    assert [charge.limit_wh(minutes) for minutes in (0, 30)] == [10_000, 7_000]


def test_a_charge_whose_hold_is_spent_without_energy_ends_with_its_first_watt_hour() -> None:
    charge = ChargeTerms(WITH_FEE, 20_00, Limit("none", None, None))
    assert charge.limit_wh(0) == 1


def test_percentage_of_an_energy_limit_is_of_energy_also_where_a_fee_is_held() -> None:
    assert terms(hold(500_00, energy_wh=10_000, rates=WITH_FEE), WITH_FEE).percentage(5_000, 0) == Decimal(50)


def test_percentage_has_one_decimal() -> None:
    assert terms(hold(500_00, energy_wh=3_000)).percentage(1_000, 0) == Decimal("33.3")


@pytest.mark.parametrize(("reserved", "percentage"), [(0, 0), (1, 100)])
def test_a_hold_of_nothing_has_no_percentage_and_the_least_hold_has(reserved: int, percentage: int) -> None:
    charge = ChargeTerms(RATE, reserved, Limit("none", None, None))
    assert charge.percentage(1_000, 0) == percentage


def test_example_12_percentage_of_an_energy_limit() -> None:
    assert terms(hold(500_00, energy_wh=20_000)).percentage(10_000, 25) == Decimal(50)


def test_percentage_of_an_unlimited_charge_is_of_its_hold() -> None:
    assert terms(hold(100_00)).percentage(2_000, 0) == Decimal(27)


def test_percentage_never_passes_a_hundred() -> None:
    assert terms(hold(500_00, energy_wh=1_000)).percentage(5_000, 0) == Decimal(100)


@given(
    balance=st.integers(0, 10**8),
    energy_wh=st.none() | st.integers(1, 200_000),
    amount=st.none() | st.integers(1, 10**7),
    fee=st.integers(0, 100),
)
def test_a_hold_is_never_above_the_balance_and_survives_its_columns(
    balance: int, energy_wh: int | None, amount: int | None, fee: int
) -> None:
    rates = Rates(Decimal("13.5"), session_fee=Decimal(fee))
    try:
        reservation = hold(balance, energy_wh=energy_wh, amount=amount, rates=rates)
    except (InsufficientBalance, MinimumAmountRequired):
        return
    limit = reservation.limit
    assert 0 < reservation.reserved_tyiyn <= balance
    value = None if limit.type == "none" else Decimal(limit.energy_wh or 0) / 1000
    if limit.type == "amount":
        value = Decimal(limit.amount_tyiyn or 0) / 100
    cap = Decimal(limit.amount_tyiyn) / 100 if limit.type == "energy" and limit.amount_tyiyn else None
    assert limit_from_columns(limit.type, value, cap) == limit


@pytest.mark.parametrize(
    ("limit_type", "value", "cap", "limit"),
    [
        ("energy", Decimal("20.5"), None, Limit("energy", 20_500, None)),
        ("energy", Decimal(20), Decimal(100), Limit("energy", 20_000, 100_00)),
        ("amount", Decimal("99.99"), None, Limit("amount", None, 99_99)),
        ("none", None, None, Limit("none", None, None)),
    ],
)
def test_a_limit_is_read_from_its_columns(
    limit_type: LimitType, value: Decimal | None, cap: Decimal | None, limit: Limit
) -> None:
    assert limit_from_columns(limit_type, value, cap) == limit


@given(amount=st.integers(100, 10**6), minutes=st.integers(0, 600))
def test_the_limit_energy_is_the_first_whose_cost_reaches_the_limit(amount: int, minutes: int) -> None:
    charge = ChargeTerms(RATE, amount, Limit("amount", None, amount))
    limit_wh = charge.limit_wh(minutes)
    assert limit_wh is not None
    assert RATE.exact_cost(limit_wh, minutes) * 100 >= amount > RATE.exact_cost(limit_wh - 1, minutes) * 100

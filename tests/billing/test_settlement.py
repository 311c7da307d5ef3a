"""Billing-rules §4: what becomes of a hold, and of an estimate. Numbers are the worked examples of §5."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evpower.billing.ledger import correction_entry, reserve_entry, settle_entry
from evpower.billing.rates import Rates
from evpower.billing.settlement import Correction, Estimate, Settlement, Usage, correct, settle
from evpower.identifiers import ClientId, SessionId

RATE = Rates(Decimal("13.5"))
CLIENT, SESSION = ClientId("client"), SessionId("session")
money = st.integers(0, 10**9)


@pytest.mark.parametrize(
    ("energy_wh", "cost"),
    [
        (15_000, 202_50),
        (25_000, 337_50),
        (20_000, 270_00),
        (7_407, 99_99),  # 99.9945
        (7_410, 100_04),  # 100.035: half a tyiyn above an odd one
        (7_430, 100_31),  # 100.305: half a tyiyn above an even one
        (0, 0),
    ],
)
def test_cost_is_rounded_half_up_once(energy_wh: int, cost: int) -> None:
    assert RATE.cost_tyiyn(energy_wh, 0) == cost


def test_example_16_the_fee_is_part_of_the_cost() -> None:
    assert Rates(Decimal("13.5"), session_fee=Decimal(20)).cost_tyiyn(8_000, 0) == 128_00


def test_example_19_nothing_delivered_costs_nothing_not_even_the_fee() -> None:
    assert Rates(Decimal("13.5"), Decimal(1), Decimal(20)).cost_tyiyn(0, 90) == 0


@pytest.mark.parametrize(
    ("example", "reserved", "cost", "balance", "bill"),
    [
        (2, 270_00, 202_50, 230_00, Settlement(202_50, refund_tyiyn=67_50)),
        (3, 270_00, 337_50, 230_00, Settlement(337_50, additional_tyiyn=67_50)),
        (4, 270_00, 270_00, 230_00, Settlement(270_00)),
        (13, 270_00, 337_50, 30_00, Settlement(337_50, additional_tyiyn=30_00, debt_tyiyn=37_50)),
        (14, 270_00, 337_50, 0, Settlement(337_50, debt_tyiyn=67_50)),
    ],
)
def test_worked_example_settles(example: int, reserved: int, cost: int, balance: int, bill: Settlement) -> None:
    assert settle(reserved_tyiyn=reserved, cost_tyiyn=cost, balance_tyiyn=balance) == bill, example


@given(reserved=money, cost=money, balance=money)
def test_a_settlement_entry_sums_to_zero_and_never_overdraws(reserved: int, cost: int, balance: int) -> None:
    bill = settle(reserved_tyiyn=reserved, cost_tyiyn=cost, balance_tyiyn=balance)
    entry = settle_entry(SESSION, CLIENT, reserved, bill, "test")
    assert sum(posting.amount_tyiyn for posting in entry.postings) == 0
    assert balance + sum(p.amount_tyiyn for p in entry.postings if p.account == "client") >= 0


def test_a_cost_equal_to_the_hold_writes_no_statement_line() -> None:
    bill = settle(reserved_tyiyn=270_00, cost_tyiyn=270_00, balance_tyiyn=230_00)
    assert [p.account for p in settle_entry(SESSION, CLIENT, 270_00, bill, "test").postings] == ["held", "revenue"]


def test_a_reservation_moves_free_money_to_the_hold() -> None:
    entry = reserve_entry(SESSION, CLIENT, 270_00, "client")
    assert [(p.account, p.amount_tyiyn, p.statement_type) for p in entry.postings] == [
        ("client", -270_00, "charge_reserve"),
        ("held", 270_00, None),
    ]


PLAIN = Rates(Decimal(10))
A_MINUTE = Rates(Decimal(10), per_minute=Decimal(2))


def test_an_estimate_too_high_is_refunded() -> None:
    correction = correct(Estimate(10_000, 100_00, 0), Usage(8_000, 0), PLAIN, takeable_tyiyn=0)
    assert correction == Correction(8_000, refund_tyiyn=20_00)


def test_an_estimate_too_high_forgives_debt_before_it_refunds() -> None:
    correction = correct(Estimate(10_000, 100_00, 15_00), Usage(8_000, 0), PLAIN, takeable_tyiyn=0)
    assert correction == Correction(8_000, refund_tyiyn=5_00, forgiven_debt_tyiyn=15_00)


def test_an_estimate_too_low_takes_the_free_balance_at_most_and_notes_the_rest() -> None:
    correction = correct(Estimate(10_000, 100_00, 0), Usage(13_000, 0), PLAIN, takeable_tyiyn=10_00)
    assert correction == Correction(11_000, additional_tyiyn=10_00, unbilled_tyiyn=20_00, unbilled_wh=2_000)


def test_minutes_that_cannot_be_paid_are_unbilled_money_and_no_energy() -> None:
    correction = correct(Estimate(2_000, 40_00, 0), Usage(2_000, 60), A_MINUTE, takeable_tyiyn=5_00)
    assert correction == Correction(2_000, additional_tyiyn=5_00, unbilled_tyiyn=95_00)


def test_a_right_estimate_makes_no_entry() -> None:
    correction = correct(Estimate(10_000, 100_00, 0), Usage(10_000, 0), PLAIN, takeable_tyiyn=10_00)
    assert correction_entry(SESSION, CLIENT, correction, "test") is None


@given(
    rates=st.builds(Rates, st.decimals(0, 50, places=2), st.decimals(0, 9, places=2), st.decimals(0, 99, places=2)),
    estimated=st.builds(Usage, st.integers(0, 200_000), st.integers(0, 900)),
    delivered=st.builds(Usage, st.integers(0, 200_000), st.integers(0, 900)),
    debt=money,
    takeable=money,
)
def test_a_correction_entry_sums_to_zero_never_overdraws_and_accounts_for_all_that_was_delivered(
    rates: Rates, estimated: Usage, delivered: Usage, debt: int, takeable: int
) -> None:
    billed = rates.cost_tyiyn(estimated.energy_wh, estimated.minutes)
    estimate = Estimate(estimated.energy_wh, billed, min(debt, billed))
    correction = correct(estimate, delivered, rates, takeable_tyiyn=takeable)
    entry = correction_entry(SESSION, CLIENT, correction, "test")
    postings = entry.postings if entry else ()
    assert sum(posting.amount_tyiyn for posting in postings) == 0
    assert takeable + sum(p.amount_tyiyn for p in postings if p.account == "client") >= 0
    amount = billed + sum(p.amount_tyiyn for p in postings if p.account == "revenue")
    assert amount + correction.unbilled_tyiyn == rates.cost_tyiyn(delivered.energy_wh, delivered.minutes)
    assert correction.energy_wh + correction.unbilled_wh == delivered.energy_wh
    assert min(correction.unbilled_tyiyn, correction.unbilled_wh) >= 0


@given(
    per_kwh=st.decimals("0.01", 50, places=2),
    estimated=st.integers(0, 200_000),
    true=st.integers(0, 200_000),
    takeable=st.integers(0, 10**6),
)
def test_energy_at_its_rate_gives_what_is_billed_after_every_correction(
    per_kwh: Decimal, estimated: int, true: int, takeable: int
) -> None:
    rates = Rates(per_kwh)
    billed = rates.cost_tyiyn(estimated, 0)
    correction = correct(Estimate(estimated, billed, 0), Usage(true, 0), rates, takeable_tyiyn=takeable)
    amount = billed + correction.additional_tyiyn - correction.refund_tyiyn
    assert amount == rates.cost_tyiyn(correction.energy_wh, 0)

"""Design §4: when a charge will cross its limit."""

from __future__ import annotations

from decimal import Decimal

import pytest

from evpower.billing.reservation import ChargeTerms, Limit
from evpower.billing.tariff import Rates
from evpower.charging.limits import seconds_to_limit

ENERGY = ChargeTerms(Rates(Decimal("13.5")), 270_00, Limit("energy", 20_000, None))


def test_a_reached_limit_is_due_now() -> None:
    assert seconds_to_limit(ENERGY, 20_000, 22_000, 600) == 0


def test_the_moment_follows_from_register_and_power() -> None:
    """1 kWh left at 120 kW is 30 seconds."""
    assert seconds_to_limit(ENERGY, 19_000, 120_000, 600) == pytest.approx(30)


def test_without_power_nothing_is_planned() -> None:
    assert seconds_to_limit(ENERGY, 19_000, 0, 600) is None


def test_an_unreachable_limit_is_not_planned() -> None:
    assert seconds_to_limit(ENERGY, 0, 100, 0) is None


def test_minutes_count_whole_as_on_the_bill() -> None:
    """50 som at 1 som a minute and free energy besides: reached when the 50th minute is full, not before."""
    terms = ChargeTerms(Rates(Decimal("0.001"), per_minute=Decimal(1)), 50_00, Limit("amount", None, 50_00))
    assert seconds_to_limit(terms, 10, 1000, 30) == 50 * 60 - 30


def test_both_prices_together_reach_the_amount() -> None:
    terms = ChargeTerms(Rates(Decimal(10), per_minute=Decimal(1)), 100_00, Limit("amount", None, 100_00))
    seconds = seconds_to_limit(terms, 5_000, 60_000, 600)
    assert seconds is not None
    assert not terms.reached(5_000 + int(60_000 * (seconds - 1) / 3600), int((600 + seconds - 1) // 60))
    assert terms.reached(5_000 + int(60_000 * seconds / 3600), int((600 + seconds) // 60))

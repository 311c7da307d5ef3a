"""Which rule of a tariff plan says what keeping a connector costs (roadmap/reservations §3)."""

from __future__ import annotations

from dataclasses import replace
from datetime import time
from decimal import Decimal
from typing import Any

from evpower.billing.tariff import ClientTariff, PriceBook, Rule, TariffType
from tests.worlds.fakes import NOON


def rule(kind: TariffType, price: int, **more: Any) -> Rule:
    return replace(Rule("r", "P", "n", kind, Decimal(price)), **more)


def book(*rules: Rule, own: tuple[Rule, ...] | None = None) -> PriceBook:
    """A station's plan, and perhaps a client's own one with a discount on energy."""
    tariff = None if own is None else ClientTariff(Decimal(50), "OWN", own, None, None, None)
    return PriceBook("GBT", 22, Decimal("13.5"), None, Decimal(0), rules, tariff)


def test_a_plan_that_says_nothing_takes_nothing() -> None:
    assert book(rule("per_minute", 3)).fee("reservation_per_minute", NOON) == 0
    assert book(rule("reservation_per_minute", 3)).fee("no_show_fee", NOON) == 0


def test_the_rule_that_holds_with_the_highest_priority_counts() -> None:
    rules = (
        rule("reservation_per_minute", 1),
        rule("reservation_per_minute", 2, priority=5),
        rule("reservation_per_minute", 3, priority=9, connector_type="CCS2"),
        rule("reservation_per_minute", 4, priority=9, time_start=time(7), time_end=time(8)),
    )
    assert book(*rules).fee("reservation_per_minute", NOON.replace(hour=12)) == 2
    assert book(*rules).fee("reservation_per_minute", NOON.replace(hour=7)) == 4


def test_a_clients_own_plan_comes_first_and_a_discount_is_never_on_fees() -> None:
    station = rule("no_show_fee", 50)
    assert book(station, own=(rule("no_show_fee", 20),)).fee("no_show_fee", NOON) == 20
    assert book(station, own=()).fee("no_show_fee", NOON) == 50


def test_they_are_no_price_of_a_charge() -> None:
    priced = book(rule("reservation_per_minute", 1), rule("no_show_fee", 50)).price(NOON)
    assert (priced.rate_per_kwh, priced.rate_per_minute, priced.session_fee) == (
        Decimal("13.5"),
        Decimal(0),
        Decimal(0),
    )

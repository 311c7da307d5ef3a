"""Design §4: when a charge will cross its limit."""

from __future__ import annotations

from decimal import Decimal

import pytest
from trio.testing import MockClock

from evpower.billing.rates import Rates
from evpower.billing.reservation import ChargeTerms, Limit
from evpower.charging.prediction import seconds_to_limit
from evpower.identifiers import SessionId, WireTransactionId
from tests.worlds.charging import STATION, World

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


BY_THE_MINUTE = Rates(Decimal(0), per_minute=Decimal(5))
BOTH_PRICES = Rates(Decimal(10), per_minute=Decimal(2))


@pytest.mark.parametrize(
    "terms",
    [
        ChargeTerms(BY_THE_MINUTE, 100_00, Limit("amount", None, 100_00)),
        ChargeTerms(BY_THE_MINUTE, 100_00, Limit("none", None, None)),
        ChargeTerms(BY_THE_MINUTE, 100_00, Limit("energy", 20_000, None)),
        ChargeTerms(BY_THE_MINUTE, 100_00, Limit("energy", 20_000, 300_00)),
    ],
)
def test_minutes_alone_reach_what_is_held_with_and_without_power(terms: ChargeTerms) -> None:
    for power_w in (6_000, 0):
        assert seconds_to_limit(terms, 100, power_w, 600) == 600
    assert not terms.reached(100, 19)
    assert terms.reached(1, 20)


def test_an_energy_limit_with_a_price_per_minute_ends_at_what_is_held() -> None:
    """20 kWh and the planned hour are 320 som; at 4 kW and four hours the hold is spent first."""
    terms = ChargeTerms(BOTH_PRICES, 320_00, Limit("energy", 20_000, None))
    assert not terms.reached(13_000, 94)
    assert terms.reached(13_000, 95)
    assert terms.reached(20_000, 50)


def test_a_cap_above_what_is_held_ends_no_charge_later() -> None:
    """Both limits: 5 kWh cost less than the amount, so the smaller sum is held."""
    terms = ChargeTerms(BOTH_PRICES, 170_00, Limit("energy", 5_000, 500_00))
    assert not terms.reached(4_000, 64)
    assert terms.reached(4_000, 65)


def test_an_energy_limit_without_a_price_per_minute_gives_all_its_energy() -> None:
    """1.016 kWh at 0.3 cost 0.3048, held is 0.30: rounding takes nothing from what was bought."""
    terms = ChargeTerms(Rates(Decimal("0.3")), 30, Limit("energy", 1_016, None))
    assert not terms.reached(1_015, 0)
    assert terms.reached(1_016, 0)


@pytest.mark.parametrize("fee", [0, 20])
def test_free_energy_is_ended_by_its_energy_limit_alone(fee: int) -> None:
    rates = Rates(Decimal(0), session_fee=Decimal(fee))
    terms = ChargeTerms(rates, fee * 100, Limit("energy", 20_000, 100_00))
    assert not terms.reached(19_999, 600)
    assert terms.reached(20_000, 0)


PRICED_BY_THE_MINUTE = """
INSERT INTO tariff_plans (id, name) VALUES ('P', 'p');
INSERT INTO tariff_rules (id, tariff_plan_id, name, tariff_type, price)
VALUES ('P-k', 'P', 'k', 'per_kwh', {kwh}), ('P-m', 'P', 'm', 'per_minute', {minute});
UPDATE stations SET tariff_plan_id = 'P', price_per_kwh = NULL
"""


@pytest.mark.parametrize(
    ("kwh", "minute", "energy_wh", "amount_tyiyn"),
    [(0, 5, None, 100_00), (0, 5, None, None), (0, 5, 20_000, None), (10, 5, 2_000, None), (10, 5, 2_000, 500_00)],
)
async def test_a_charge_is_stopped_when_its_minutes_have_spent_what_is_held(
    world: World, kwh: int, minute: int, energy_wh: int | None, amount_tyiyn: int | None
) -> None:
    await world.sql(PRICED_BY_THE_MINUTE.format(kwh=kwh, minute=minute))
    await world.give(1000_00)
    session = (await world.order(energy_wh=energy_wh, amount_tyiyn=amount_tyiyn)).session
    wire_id = (await world.begin(await world.tag_of(session.session_id))).wire_transaction_id
    spent_at_minute = next(n for n in range(100) if n * (kwh + 100 * minute) >= session.reserved_tyiyn)
    for minutes in range(1, spent_at_minute + 1):
        assert world.link.stopped == []
        world.clock.advance(60)
        await world.meter(wire_id, 1_000 + 10 * minutes)
        await world.at_rest()
    assert world.link.stopped == [(STATION, wire_id)]
    assert (await world.session(session.session_id)).limit_reached


async def half_a_second_from_its_limit(world: World) -> tuple[SessionId, WireTransactionId]:
    """20 Wh are left of 5 kWh, at 144 kW."""
    await world.rate(150)
    await world.give(500_00)
    session_id = (await world.order(energy_wh=5_000)).session.session_id
    wire_id = (await world.begin(await world.tag_of(session_id))).wire_transaction_id
    world.clock.advance(3600)
    await world.meter(wire_id, 1_000 + 4_980, power_w=144_000)
    return session_id, wire_id


async def passes(world: World, mock_clock: MockClock, seconds: float) -> None:
    await world.at_rest()
    mock_clock.jump(seconds)
    await world.at_rest()


async def test_a_planned_stop_is_sent_at_its_moment_and_again_after_half_a_minute_of_readings(
    world: World, mock_clock: MockClock
) -> None:
    _, wire_id = await half_a_second_from_its_limit(world)
    sent = []
    for seconds, register in ((0.4, 4_996), (0.2, 5_010), (29.5, 5_020), (0.6, 5_030)):
        await passes(world, mock_clock, seconds)
        sent.append(len(world.link.stopped))
        await world.meter(wire_id, 1_000 + register, power_w=144_000)
    await passes(world, mock_clock, 0)
    assert (sent, len(world.link.stopped)) == ([0, 1, 1, 1], 2)


async def test_a_stop_planned_for_a_charge_that_is_settled_by_then_is_not_sent(
    world: World, mock_clock: MockClock
) -> None:
    _, wire_id = await half_a_second_from_its_limit(world)
    await world.end(wire_id, 1_000 + 4_990)
    await world.app.settler.work_due()
    await passes(world, mock_clock, 60)
    assert world.link.stopped == []


async def test_a_stop_planned_for_a_car_that_takes_no_more_is_not_sent(world: World, mock_clock: MockClock) -> None:
    _, wire_id = await half_a_second_from_its_limit(world)
    await world.meter(wire_id, 1_000 + 4_981, power_w=0)
    await passes(world, mock_clock, 60)
    assert world.link.stopped == []

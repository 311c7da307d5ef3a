"""Design §4: when a charge will cross its limit."""

from __future__ import annotations

from decimal import Decimal

import pytest
from trio.testing import MockClock, wait_all_tasks_blocked

from evpower.billing.reservation import ChargeTerms, Limit
from evpower.billing.tariff import Rates
from evpower.charging.limits import seconds_to_limit
from evpower.identifiers import SessionId, WireTransactionId
from tests.worlds.charging import World

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


async def half_a_second_from_its_limit(world: World) -> tuple[SessionId, WireTransactionId]:
    """20 Wh are left of 5 kWh, at 144 kW."""
    await world.give(500_00)
    session_id = (await world.order(energy_wh=5_000)).session.session_id
    wire_id = (await world.begin(await world.tag_of(session_id))).wire_transaction_id
    world.clock.advance(3600)
    await world.meter(wire_id, 1_000 + 4_980, power_w=144_000)
    return session_id, wire_id


async def passes(mock_clock: MockClock, seconds: float) -> None:
    await wait_all_tasks_blocked(0.05)
    mock_clock.jump(seconds)
    await wait_all_tasks_blocked(0.05)


async def test_a_planned_stop_is_sent_at_its_moment_and_again_after_half_a_minute_of_readings(
    world: World, mock_clock: MockClock
) -> None:
    _, wire_id = await half_a_second_from_its_limit(world)
    sent = []
    for seconds, register in ((0.4, 4_996), (0.2, 5_010), (29.5, 5_020), (0.6, 5_030)):
        await passes(mock_clock, seconds)
        sent.append(len(world.link.stopped))
        await world.meter(wire_id, 1_000 + register, power_w=144_000)
    await passes(mock_clock, 0)
    assert (sent, len(world.link.stopped)) == ([0, 1, 1, 1], 2)


async def test_a_stop_planned_for_a_charge_that_is_settled_by_then_is_not_sent(
    world: World, mock_clock: MockClock
) -> None:
    _, wire_id = await half_a_second_from_its_limit(world)
    await world.end(wire_id, 1_000 + 4_990)
    await world.app.settler.work_due()
    await passes(mock_clock, 60)
    assert world.link.stopped == []


async def test_a_stop_planned_for_a_car_that_takes_no_more_is_not_sent(world: World, mock_clock: MockClock) -> None:
    _, wire_id = await half_a_second_from_its_limit(world)
    await world.meter(wire_id, 1_000 + 4_981, power_w=0)
    await passes(mock_clock, 60)
    assert world.link.stopped == []

"""What the settlement worker makes final, what it leaves alone, and when (billing-rules §4; design §4)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
import trio

from evpower.billing.rates import Rates
from evpower.events import SessionSettled
from evpower.identifiers import SessionId, WireTransactionId
from tests.charging.test_stops import running, stop
from tests.worlds.charging import CLIENT, ONE, TWO, World


async def two_charges(world: World) -> dict[SessionId, WireTransactionId]:
    """On both connectors, each paid for with 270 som."""
    await world.give(540_00)
    begun = {}
    for connector in (ONE, TWO):
        session_id = (await world.order(energy_wh=20_000, connector=connector)).session.session_id
        begun[session_id] = (await world.begin(await world.tag_of(session_id), connector=connector)).wire_transaction_id
    return begun


async def test_a_running_charge_is_not_settled(world: World) -> None:
    session_id, _ = await running(world)
    await world.app.settler.settle(session_id)
    assert (await world.session(session_id)).status == "started"


async def test_a_charge_that_began_is_not_released(world: World) -> None:
    session_id, _ = await running(world)
    assert not await world.app.settler.release(session_id, status="stopped", cause="driver", reason="Local")
    assert (await world.session(session_id)).status == "started"


async def test_a_charge_that_ended_before_its_limit_has_no_overshoot(world: World) -> None:
    await world.give(540_00)
    await world.charge((await world.order(energy_wh=20_000)).session.session_id, 10_000)
    assert await world.sql("SELECT overshoot_wh FROM evpower.session_phases") == [{"overshoot_wh": 0}]


async def test_an_estimate_without_its_stop_is_corrected_by_nobody(world: World) -> None:
    session_id, _ = await running(world)
    await stop(world, session_id)
    await world.app.settler.correct(session_id)
    session = await world.session(session_id)
    assert (session.estimated, session.corrected, session.cost_tyiyn) == (True, False, 202_50)


async def test_what_a_correction_gives_back_pays_an_earlier_debt(world: World) -> None:
    await world.give(540_00)
    first = (await world.order(energy_wh=20_000)).session.session_id
    second = (await world.order(energy_wh=20_000, connector=TWO)).session.session_id
    begun = await world.begin(await world.tag_of(second), connector=TWO)
    world.clock.advance(3600)
    await world.meter(begun.wire_transaction_id, 16_000, connector=TWO)
    await stop(world, second)
    assert await world.balance() == 67_50
    await world.charge(first, 30_000)
    assert (await world.app.billing.balance(CLIENT)).debt_tyiyn == 67_50
    await world.end(begun.wire_transaction_id, 1_000 + 13_000)
    await world.app.settler.work_due()
    account = await world.app.billing.balance(CLIENT)
    assert (account.debt_tyiyn, account.balance_tyiyn) == (40_50, 0)


async def overestimated(world: World) -> tuple[SessionId, WireTransactionId]:
    """20 kWh were ordered; the last reading says 40 kWh, for which the balance is too small."""
    session_id = (await world.order(energy_wh=20_000)).session.session_id
    wire_id = (await world.begin(await world.tag_of(session_id))).wire_transaction_id
    world.clock.advance(2 * 3600)
    await world.meter(wire_id, 1_000 + 40_000)
    await stop(world, session_id)
    return session_id, wire_id


@pytest.mark.parametrize(
    ("true_wh", "cost", "balance", "debt"), [(10_000, 135_00, 165_00, 0), (30_000, 405_00, 0, 105_00)]
)
async def test_an_estimate_that_left_a_debt_is_corrected_downwards(
    world: World, true_wh: int, cost: int, balance: int, debt: int
) -> None:
    await world.give(300_00)
    session_id, wire_id = await overestimated(world)
    assert (await world.session(session_id)).debt_tyiyn == 240_00
    estimated_tyiyn = (await world.session(session_id)).cost_tyiyn
    await world.end(wire_id, 1_000 + true_wh)
    await world.app.settler.work_due()
    session, account = await world.session(session_id), await world.app.billing.balance(CLIENT)
    assert (session.cost_tyiyn, session.debt_tyiyn) == (cost, debt)
    assert (account.balance_tyiyn, account.debt_tyiyn) == (balance, debt)
    billing = world.app.billing
    assert (billing.taken_away_tyiyn, billing.added_tyiyn) == (estimated_tyiyn - cost, 0), "in the figures"


async def test_a_correction_forgives_its_own_debt_before_it_pays_another(world: World) -> None:
    await world.give(540_00)
    other = (await world.order(energy_wh=20_000, connector=TWO)).session.session_id
    session_id, wire_id = await overestimated(world)
    await world.charge(other, 25_000, connector=TWO)
    assert (await world.app.billing.balance(CLIENT)).debt_tyiyn == 270_00 + 67_50
    await world.end(wire_id, 1_000 + 10_000)
    await world.app.settler.work_due()
    account = await world.app.billing.balance(CLIENT)
    assert (account.balance_tyiyn, account.debt_tyiyn) == (67_50, 0)
    assert [(await world.session(each)).debt_tyiyn for each in (session_id, other)] == [0, 0]


async def test_what_a_correction_left_unbilled_is_not_billed_by_another(world: World) -> None:
    """The client's account held too little for the whole shortfall, and has more by now."""
    session_id, wire_id = await running(world)
    await stop(world, session_id)
    world.clock.advance(3600)
    await world.end(wire_id, 1_000 + 40_000)
    await world.app.settler.work_due()
    corrected = (await world.session(session_id)).cost_tyiyn
    await world.give(100_00, key="another gift")
    await world.app.settler.correct(session_id)
    assert ((await world.session(session_id)).cost_tyiyn, await world.balance()) == (corrected, 100_00)
    assert await world.sql("SELECT unbilled_tyiyn FROM evpower.session_phases") == [{"unbilled_tyiyn": 40_00}]


@pytest.mark.parametrize(("late_s", "corrected"), [(0, 229_50), (1, 202_50)])
async def test_a_truth_corrects_within_a_day_the_last_moment_included(
    world: World, late_s: int, corrected: int
) -> None:
    session_id, wire_id = await running(world)
    await stop(world, session_id)
    world.clock.advance(24 * 3600 + late_s)
    await world.end(wire_id, 1_000 + 17_000)
    await world.app.settler.work_due()
    assert (await world.session(session_id)).cost_tyiyn == corrected


async def bill(world: World) -> dict[str, Any]:
    """The one session's bill, in som, kWh and Wh."""
    (row,) = await world.sql(
        "SELECT energy, amount, refunded_amount, unbilled_wh, unbilled_tyiyn FROM charging_sessions s"
        " JOIN evpower.session_phases p ON p.session_id = s.id"
    )
    return row


async def test_what_was_billed_too_much_is_returned_after_a_day_too_and_once(world: World) -> None:
    session_id, wire_id = await running(world)
    await stop(world, session_id)
    world.clock.advance(30 * 24 * 3600)
    for register_wh in (1_000 + 13_000, 1_000 + 12_000):
        await world.end(wire_id, register_wh)
        await world.app.settler.work_due()
    await world.app.settler.correct(session_id)
    assert await bill(world) == {
        "energy": 13,
        "amount": Decimal("175.50"),
        "refunded_amount": Decimal("94.50"),
        "unbilled_wh": 0,
        "unbilled_tyiyn": 0,
    }
    assert (await world.statement())[2:] == [("charge_refund", 27, 324.5)]


@pytest.mark.parametrize(
    ("late_s", "true_wh", "energy_wh", "unbilled_tyiyn"),
    [(0, 17_000, 17_000, 0), (1, 17_000, 15_000, 27_00), (0, 40_000, 37_037, 40_00), (1, 40_000, 15_000, 337_50)],
)
async def test_a_corrected_bill_is_its_energy_at_its_rate_and_the_rest_is_unbilled(
    world: World, late_s: int, true_wh: int, energy_wh: int, unbilled_tyiyn: int
) -> None:
    session_id, wire_id = await running(world)
    await stop(world, session_id)
    world.clock.advance(24 * 3600 + late_s)
    await world.end(wire_id, 1_000 + true_wh)
    await world.app.settler.work_due()
    session, row = await world.session(session_id), await bill(world)
    assert (session.energy_wh, row["unbilled_tyiyn"]) == (energy_wh, unbilled_tyiyn)
    assert session.cost_tyiyn == Rates(session.rate_per_kwh).cost_tyiyn(session.energy_wh, 0)
    assert session.energy_wh + row["unbilled_wh"] == true_wh
    assert session.cost_tyiyn + unbilled_tyiyn == Rates(session.rate_per_kwh).cost_tyiyn(true_wh, 0)


async def test_a_charge_that_cannot_be_settled_keeps_no_other_from_it(world: World) -> None:
    begun = await two_charges(world)
    broken, other = begun
    await world.sql(
        "ALTER TABLE evpower.session_phases ADD CONSTRAINT broken"
        f" CHECK (session_id <> '{broken}' OR phase <> 'settled')"
    )
    for wire_id in begun.values():
        await world.end(wire_id, 2_000)
        world.clock.advance(1)
    await world.app.settler.work_due()
    assert [(await world.session(each)).phase for each in (broken, other)] == ["ended", "settled"]


async def test_the_chargers_stop_wakes_the_worker(world: World) -> None:
    """Its next round is an hour away, and what the first has to do is known before the second charge ends."""
    begun = await two_charges(world)
    first, second = begun
    await world.end(begun[first], 2_000)
    with trio.fail_after(10), world.app.bus.subscribe(lambda event: isinstance(event, SessionSettled)) as settled:
        async with trio.open_nursery() as workers:
            await workers.start(world.app.settler.run, 3600)
            await settled.receive()
            await world.end(begun[second], 2_000)
            await settled.receive()
            workers.cancel_scope.cancel()
    assert (await world.session(second)).phase == "settled"

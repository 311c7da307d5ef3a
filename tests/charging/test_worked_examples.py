"""Billing-rules §5: every worked example through the services and a real PostgreSQL, to the tyiyn."""

from __future__ import annotations

from decimal import Decimal

import pytest
import trio

from evpower.billing.errors import InsufficientBalance, MinimumAmountRequired
from evpower.charging.errors import SessionFailed
from evpower.db.unit_of_work import unit_of_work
from evpower.identifiers import ClientId, SessionId
from evpower.link.ports import Outcome
from evpower.network.spots.errors import ConnectorOccupied
from evpower.payments.gateway import OrderState, OrderStatus, Payment
from evpower.payments.rows.top_ups import NewTopUp, insert_top_up
from evpower.payments.top_up import Origin
from tests.worlds.charging import CLIENT, ONE, STATION, TWO, World
from tests.worlds.events import EventWorld


@pytest.fixture(params=["1.6", "2.0.1"])
def either(world: World, request: pytest.FixtureRequest) -> World:
    """A charger of each version of OCPP: figures, rows and statements are the same (contract/ocpp201 §8)."""
    return EventWorld(world) if request.param == "2.0.1" else world


async def test_examples_1_and_2_reserve_and_refund(either: World) -> None:
    await either.give(500_00)
    started = await either.order(energy_wh=20_000)
    assert (started.session.reserved_tyiyn, await either.balance()) == (270_00, 230_00)
    await either.charge(started.session.session_id, 15_000)
    settled = await either.session(started.session.session_id)
    assert (settled.status, settled.cost_tyiyn, settled.refunded_tyiyn) == ("stopped", 202_50, 67_50)
    assert await either.balance() == 297_50
    assert await either.statement() == [("charge_reserve", -270, 230), ("charge_refund", 67.5, 297.5)]


async def test_example_3_overrun_is_taken_from_the_balance(either: World) -> None:
    await either.give(500_00)
    started = await either.order(energy_wh=20_000)
    await either.charge(started.session.session_id, 25_000)
    settled = await either.session(started.session.session_id)
    assert (settled.cost_tyiyn, settled.additional_tyiyn, settled.debt_tyiyn) == (337_50, 67_50, 0)
    assert await either.statement() == [("charge_reserve", -270, 230), ("charge_payment", -67.5, 162.5)]


async def test_example_4_exactly_the_hold_writes_one_row(either: World) -> None:
    await either.give(500_00)
    started = await either.order(energy_wh=20_000)
    await either.charge(started.session.session_id, 20_000)
    assert await either.statement() == [("charge_reserve", -270, 230)]
    assert await either.balance() == 230_00


async def test_example_5_a_refusal_writes_nothing(world: World) -> None:
    await world.give(50_00)
    with pytest.raises(InsufficientBalance, match=r"Баланс: 50 сом, требуется: 270 сом"):
        await world.order(energy_wh=20_000)
    assert await world.statement() == []
    assert await world.sql("SELECT id FROM charging_sessions") == []
    assert await world.sql("SELECT id FROM pricing_history") == []


async def test_a_refused_stranger_is_still_created(world: World) -> None:
    with pytest.raises(InsufficientBalance):
        await world.order(client=ClientId("stranger"))
    assert await world.sql("SELECT balance, status FROM clients WHERE id = 'stranger'") == [
        {"balance": 0, "status": "active"}
    ]


@pytest.mark.parametrize(
    ("example", "balance", "energy_wh", "amount", "reserved", "estimate"),
    [
        (6, 500_00, None, 100_00, 100_00, "7.4"),
        (7, 100_00, None, 50_00, 50_00, "3.7"),
        (8, 500_00, 3_000, None, 40_50, "None"),
        (9, 100_00, None, None, 100_00, "7.4"),
        (10, 1000_00, None, None, 200_00, "14.8"),
        (23, 40_50, 3_000, None, 40_50, "None"),
    ],
)
async def test_examples_6_to_10_and_23_reserve(
    world: World,
    example: int,
    balance: int,
    energy_wh: int | None,
    amount: int | None,
    reserved: int,
    estimate: str,
) -> None:
    await world.give(balance)
    started = await world.order(energy_wh=energy_wh, amount_tyiyn=amount)
    assert started.session.reserved_tyiyn == reserved, example
    assert str(started.estimated_energy_kwh) == estimate
    assert await world.balance() == balance - reserved


async def test_example_11_unlimited_needs_ten_som(world: World) -> None:
    await world.give(9_99)
    with pytest.raises(InsufficientBalance) as refusal:
        await world.order()
    assert refusal.value.details["required_amount"] == 10


async def test_example_12_status_half_way(world: World) -> None:
    await world.give(500_00)
    session_id = (await world.order(energy_wh=20_000)).session.session_id
    begun = await world.begin(await world.tag_of(session_id))
    world.clock.advance(25 * 60)
    await world.meter(begun.wire_transaction_id, 11_000)
    status = await world.session(session_id)
    assert (status.status, status.energy_wh, status.cost_tyiyn) == ("started", 10_000, 135_00)
    assert (status.limit_percentage, status.limit_reached, status.duration_minutes) == (Decimal(50), False, 25)


async def indebted(world: World, balance: int) -> SessionId:
    """Examples 13 and 14: 20 kWh were paid for, 25 were used."""
    await world.give(balance)
    session_id = (await world.order(energy_wh=20_000)).session.session_id
    await world.charge(session_id, 25_000)
    return session_id


async def test_example_13_what_is_there_is_taken_and_the_rest_is_debt(either: World) -> None:
    settled = await either.session(await indebted(either, 300_00))
    assert (settled.cost_tyiyn, settled.additional_tyiyn, settled.debt_tyiyn) == (337_50, 30_00, 37_50)
    assert await either.statement() == [("charge_reserve", -270, 30), ("charge_payment", -30, 0)]
    assert (await either.app.billing.balance(CLIENT)).debt_tyiyn == 37_50


async def test_example_14_nothing_there_means_no_row_and_all_debt(world: World) -> None:
    settled = await world.session(await indebted(world, 270_00))
    assert (settled.additional_tyiyn, settled.debt_tyiyn) == (0, 67_50)
    assert await world.statement() == [("charge_reserve", -270, 0)]


async def test_example_15_the_next_credit_pays_the_debt(world: World) -> None:
    session_id = await indebted(world, 300_00)
    now = world.clock.now()
    new = NewTopUp("tu_1", CLIENT, "ODENGI", "qr", 100_00, "", now, now, now)
    async with unit_of_work(world.pool) as uow:
        order = await insert_top_up(uow.conn, new)
    paid = OrderStatus(OrderState.APPROVED, (Payment("1", 100_00),))
    await world.app.payments.crediting.apply(order.id, paid, Origin("poll"))
    assert (await world.statement())[-2:] == [("balance_topup", 100, 100), ("charge_payment", -37.5, 62.5)]
    assert (await world.session(session_id)).debt_tyiyn == 0
    assert (await world.app.billing.balance(CLIENT)).debt_tyiyn == 0


async def test_a_refund_pays_an_earlier_debt_too(world: World) -> None:
    """Design §9.5: debt is recovered from any later credit, refunds included."""
    await world.give(540_00)
    first = (await world.order(energy_wh=20_000)).session.session_id
    second = (await world.order(energy_wh=20_000, connector=TWO)).session.session_id
    await world.charge(first, 25_000)
    assert (await world.app.billing.balance(CLIENT)).debt_tyiyn == 67_50
    await world.charge(second, 10_000, connector=TWO)
    assert (await world.statement())[-2:] == [("charge_refund", 135, 135), ("charge_payment", -67.5, 67.5)]
    assert (await world.session(first)).debt_tyiyn == 0


async def with_fee(world: World) -> None:
    await world.give(500_00)
    await world.sql("UPDATE stations SET price_per_kwh = 13.5, session_fee = 20 WHERE id = %s", STATION)


async def test_example_16_the_fee_is_reserved_and_billed(world: World) -> None:
    await with_fee(world)
    started = await world.order(energy_wh=10_000)
    assert started.session.reserved_tyiyn == 155_00
    await world.charge(started.session.session_id, 8_000)
    settled = await world.session(started.session.session_id)
    assert (settled.cost_tyiyn, settled.refunded_tyiyn) == (128_00, 27_00)


async def test_example_17_estimate_leaves_the_fee_out(world: World) -> None:
    await with_fee(world)
    assert str((await world.order(amount_tyiyn=100_00)).estimated_energy_kwh) == "5.9"


@pytest.mark.parametrize("amount", [20_00, 15_00])
async def test_example_18_amount_not_above_the_fee(world: World, amount: int) -> None:
    await with_fee(world)
    with pytest.raises(MinimumAmountRequired) as refusal:
        await world.order(amount_tyiyn=amount)
    assert refusal.value.details["required_amount"] == 20


async def test_example_19_nothing_used_costs_nothing(either: World) -> None:
    await with_fee(either)
    started = await either.order(energy_wh=10_000)
    await either.charge(started.session.session_id, 0)
    assert (await either.session(started.session.session_id)).cost_tyiyn == 0
    assert await either.balance() == 500_00


async def test_example_20_both_limits_stop_at_the_amount(world: World) -> None:
    await world.give(500_00)
    started = await world.order(energy_wh=20_000, amount_tyiyn=100_00)
    view = started.session
    assert (view.reserved_tyiyn, view.limit_type, view.limit_value) == (100_00, "energy", 20_000)
    begun = await world.begin(await world.tag_of(view.session_id))
    world.clock.advance(1800)
    await world.meter(begun.wire_transaction_id, 1000 + 7_408)
    await world.at_rest()
    assert world.link.stopped == [(STATION, begun.wire_transaction_id)]


async def test_example_21_both_limits_reserve_the_smaller(world: World) -> None:
    await world.give(500_00)
    assert (await world.order(energy_wh=5_000, amount_tyiyn=100_00)).session.reserved_tyiyn == 67_50


@pytest.mark.parametrize(("energy_wh", "cost"), [(7_407, 99_99), (7_410, 100_04)])
async def test_example_22_half_up(world: World, energy_wh: int, cost: int) -> None:
    await world.give(500_00)
    started = await world.order(energy_wh=20_000)
    await world.charge(started.session.session_id, energy_wh)
    assert (await world.session(started.session.session_id)).cost_tyiyn == cost


async def test_example_24_a_start_that_never_comes_is_refunded_after_ten_minutes(world: World) -> None:
    await world.give(500_00)
    session_id = (await world.order(energy_wh=20_000)).session.session_id
    world.clock.advance(600)
    await world.app.recovery.check()
    assert (await world.session(session_id)).status == "started"
    world.clock.advance(1)
    await world.app.recovery.check()
    assert (await world.session(session_id)).status == "error"
    assert await world.statement() == [("charge_reserve", -270, 230), ("charge_refund", 270, 500)]
    assert (await world.sql("SELECT status FROM connectors WHERE connector_number = 1")) == [{"status": "available"}]


async def test_example_25_stop_before_the_start_refunds_and_a_late_start_is_never_billed(world: World) -> None:
    await world.give(500_00)
    session_id = (await world.order(energy_wh=20_000)).session.session_id
    tag = await world.tag_of(session_id)
    stopped = await world.app.charging.stop_session(session_id, caller=CLIENT, actor="client")
    assert (stopped.session.status, stopped.session.cost_tyiyn, await world.balance()) == ("stopped", 0, 500_00)
    assert world.link.stopped == []
    begun = await world.begin(tag)
    assert begun.verdict.status == "Accepted"
    await world.at_rest()
    assert world.link.stopped == [(STATION, begun.wire_transaction_id)]
    world.clock.advance(300)
    await world.end(begun.wire_transaction_id, 2000)
    await world.app.settler.work_due()
    assert await world.balance() == 500_00
    assert await world.sql("SELECT unbilled_tyiyn FROM evpower.session_phases") == [{"unbilled_tyiyn": 13_50}]


async def test_example_26_stop_pressed_twice_at_once_settles_once(world: World) -> None:
    await world.give(500_00)
    session_id = (await world.order(energy_wh=20_000)).session.session_id
    begun = await world.begin(await world.tag_of(session_id))
    world.clock.advance(3600)
    await world.meter(begun.wire_transaction_id, 16_000)
    answers = []

    async def press() -> None:
        answers.append(await world.app.charging.stop_session(session_id, caller=CLIENT, actor="client"))

    async with trio.open_nursery() as phones:
        phones.start_soon(press)
        phones.start_soon(press)
    assert sorted(answer.already_stopped for answer in answers) == [False, True]
    assert [answer.session.cost_tyiyn for answer in answers] == [202_50, 202_50]
    assert await world.statement() == [("charge_reserve", -270, 230), ("charge_refund", 67.5, 297.5)]


async def test_example_27_two_starts_on_one_connector_at_once(world: World) -> None:
    other = ClientId("client-2")
    await world.give(500_00)
    await world.give(500_00, other)
    refused = []

    async def start(client: ClientId) -> None:
        try:
            await world.order(energy_wh=20_000, client=client)
        except ConnectorOccupied as refusal:
            refused.append(refusal.code)

    async with trio.open_nursery() as phones:
        phones.start_soon(start, CLIENT)
        phones.start_soon(start, other)
    assert refused == ["connector_occupied"]
    assert len(await world.sql("SELECT id FROM payment_transactions WHERE type = 'charge_reserve'")) == 1


async def test_example_28_one_balance_does_not_pay_twice(world: World) -> None:
    await world.give(300_00)
    refused = []

    async def start(connector: int) -> None:
        try:
            await world.order(energy_wh=20_000, connector=ONE if connector == 1 else TWO)
        except InsufficientBalance as refusal:
            refused.append(refusal.details["current_balance"])

    async with trio.open_nursery() as phones:
        phones.start_soon(start, 1)
        phones.start_soon(start, 2)
    assert refused == [30]
    assert await world.balance() == 30_00


async def test_example_29_after_a_reboot_five_silent_minutes_settle_by_the_last_value(world: World) -> None:
    await world.give(500_00)
    session_id = (await world.order(energy_wh=20_000)).session.session_id
    begun = await world.begin(await world.tag_of(session_id))
    world.clock.advance(3600)
    await world.meter(begun.wire_transaction_id, 11_000)
    world.clock.advance(10)
    await world.boot()
    world.clock.advance(300)
    await world.app.recovery.check()
    assert (await world.session(session_id)).status == "started"
    world.clock.advance(1)
    await world.app.recovery.check()
    settled = await world.session(session_id)
    assert (settled.status, settled.cost_tyiyn, settled.stop_reason) == ("stopped", 135_00, "PowerLoss")


async def test_example_29_a_stop_after_the_reboot_settles_normally(world: World) -> None:
    await world.give(500_00)
    session_id = (await world.order(energy_wh=20_000)).session.session_id
    begun = await world.begin(await world.tag_of(session_id))
    world.clock.advance(3600)
    await world.boot()
    await world.end(begun.wire_transaction_id, 13_000, "PowerLoss")
    await world.app.settler.work_due()
    settled = await world.session(session_id)
    assert (settled.cost_tyiyn, settled.estimated) == (162_00, False)


@pytest.mark.parametrize("outcome", [Outcome.REJECTED, Outcome.FAILED])
async def test_example_30_a_rejected_start_returns_the_hold(world: World, outcome: Outcome) -> None:
    await world.give(500_00)
    world.link.outcome = outcome
    with pytest.raises(SessionFailed) as refusal:
        await world.order(energy_wh=20_000)
    assert await world.statement() == [("charge_reserve", -270, 230), ("charge_refund", 270, 500)]
    assert (await world.session(refusal.value.details["session_id"])).status == "error"


@pytest.mark.parametrize("outcome", [Outcome.TIMED_OUT, Outcome.OFFLINE])
async def test_a_charger_that_does_not_answer_leaves_the_start_pending(world: World, outcome: Outcome) -> None:
    await world.give(500_00)
    world.link.outcome = outcome
    started = await world.order(energy_wh=20_000)
    assert (started.session.status, started.session.phase) == ("started", "starting")


async def test_a_charger_that_is_not_connected_has_not_been_asked(world: World) -> None:
    await world.give(500_00)
    await world.sql("UPDATE stations SET last_heartbeat_at = %s", world.clock.now())
    world.link.connected.clear()
    started = await world.order(energy_wh=20_000)
    assert (started.session.status, started.session.phase) == ("started", "reserved")


async def test_example_31_in_small_one_key_is_one_entry_however_many_bring_it(world: World) -> None:
    async def credit() -> None:
        await world.give(100_00, key="same")

    async with trio.open_nursery() as deliveries:
        for _ in range(5):
            deliveries.start_soon(credit)
    assert await world.balance() == 100_00

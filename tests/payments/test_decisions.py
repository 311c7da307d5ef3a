"""What an operator decides: parked payments, refunds to the payer (design §9.2; payments §5, §9)."""

from __future__ import annotations

import pytest
import trio
from psycopg.errors import CheckViolation
from trio.testing import wait_all_tasks_blocked

from evpower.billing.errors import InsufficientBalance
from evpower.billing.rows.clients import lock_client
from evpower.db.unit_of_work import unit_of_work
from evpower.errors import InvalidRequest, NotFound
from evpower.payments.gateway import CardAnswer, OrderState, OrderStatus, Payment
from evpower.payments.top_up import TopUp
from tests.worlds.cards import CARD, PAYER, wish
from tests.worlds.payments import ANN, CLIENT, PHONE, World
from tests.worlds.provider import paid

WHY = "seen in the cabinet"


async def parked_id(world: World) -> int:
    (row,) = await world.payments.decisions.parked(resolved_too=False)
    return row.id


async def credited(world: World, tyiyn: int = 100_00) -> TopUp:
    order = (await world.qr(tyiyn)).order
    return await world.apply(order, paid(tyiyn))


async def of_another_sum(world: World) -> TopUp:
    world.obank.card_answer = CardAnswer(paid(1000_00, "7781234"), "ob_1")
    return (await world.payments.cards.pay(wish(), CARD, PAYER, PHONE)).order


async def test_a_parked_payment_is_credited_by_hand_once(world: World) -> None:
    order = await of_another_sum(world)
    number = await parked_id(world)
    await world.payments.decisions.credit(number, 100_00, WHY, ANN)
    assert ((await world.order(order)).phase, await world.balance(), await world.parked()) == ("approved", 100_00, [])
    with pytest.raises(InvalidRequest):
        await world.payments.decisions.credit(number, 100_00, WHY, ANN)
    assert await world.credits() == [100_00]
    (row,) = await world.payments.decisions.parked(resolved_too=True)
    assert (row.resolved_by, row.resolution_reason, row.resolved_tyiyn) == ("ann", WHY, 100_00)


async def test_what_the_provider_tells_after_a_credit_by_hand_is_not_credited_again(world: World) -> None:
    order = (await world.qr()).order
    await world.apply(order, OrderStatus(OrderState.APPROVED))
    await world.payments.decisions.credit(await parked_id(world), 100_00, WHY, ANN)
    await world.apply(order, paid(100_00, "told at last"))
    assert await world.credits() == [100_00]
    assert await world.parked() == [("after_a_credit_by_hand", 100_00)]


async def test_two_operators_at_once_credit_once(world: World) -> None:
    await of_another_sum(world)
    number, refused = await parked_id(world), []

    async def decide() -> None:
        try:
            await world.payments.decisions.credit(number, 100_00, WHY, ANN)
        except InvalidRequest as error:
            refused.append(error)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(decide)
        nursery.start_soon(decide)
    assert (await world.credits(), len(refused)) == ([100_00], 1)


async def test_a_dismissed_payment_moves_nothing_and_is_not_parked_again(world: World) -> None:
    order = await of_another_sum(world)
    await world.payments.decisions.dismiss(await parked_id(world), WHY, ANN)
    assert (await world.order(order)).phase == "canceled"
    again = await world.apply(order, paid(1000_00, "7781234"))
    assert (again.phase, await world.parked(), await world.credits()) == ("canceled", [], [])


async def test_deciding_about_nothing_is_not_found(world: World) -> None:
    with pytest.raises(NotFound):
        await world.payments.decisions.dismiss(7, WHY, ANN)


async def test_what_a_provider_gave_back_unasked_is_taken_from_the_client_once(world: World) -> None:
    order = await credited(world)
    given = OrderStatus(OrderState.PARTIAL_REFUND, (Payment("90017755", 100_00),), 30_00)
    await world.apply(order, given)
    number = await parked_id(world)
    with pytest.raises(InvalidRequest):
        await world.payments.decisions.credit(number, 30_00, WHY, ANN)
    await world.payments.decisions.debit(number, 30_00, WHY, ANN)
    assert (await world.balance(), (await world.order(order)).phase) == (70_00, "partial_refund")
    await world.apply(order, given)
    assert await world.parked() == []
    rows = await world.sql("SELECT type, amount::text FROM payment_transactions ORDER BY id")
    assert rows[-1] == {"type": "topup_refund", "amount": "-30.00"}


async def test_of_two_operators_who_take_the_same_back_the_second_is_refused_for_that(world: World) -> None:
    """Both have seen that nothing is decided; that the client has nothing left is no answer to the second."""
    order = await credited(world)
    await world.apply(order, OrderStatus(OrderState.REFUNDED))
    number, refused = await parked_id(world), []

    async def decide() -> None:
        try:
            await world.payments.decisions.debit(number, 100_00, WHY, ANN)
        except InvalidRequest as error:
            refused.append(error)

    async with trio.open_nursery() as nursery, unit_of_work(world.pool) as others:
        await lock_client(others.conn, CLIENT)
        nursery.start_soon(decide)
        nursery.start_soon(decide)
        await wait_all_tasks_blocked(0.1)
    assert (await world.balance(), (await world.order(order)).refunded_tyiyn, len(refused)) == (0, 100_00, 1)


async def test_an_operator_takes_back_no_more_than_was_paid(world: World) -> None:
    order = await credited(world)
    await world.apply((await world.qr()).order, paid(100_00, "another"))
    await world.apply(order, OrderStatus(OrderState.PARTIAL_REFUND, (Payment("90017755", 100_00),), 30_00))
    with pytest.raises(InvalidRequest):
        await world.payments.decisions.debit(await parked_id(world), 100_01, WHY, ANN)
    assert await world.balance() == 200_00


async def test_the_database_takes_back_no_more_than_was_paid(world: World) -> None:
    order = await credited(world)
    give_back = "UPDATE evpower.top_up_orders SET refunded_tyiyn = %s WHERE topup_id = %s"
    with pytest.raises(CheckViolation):
        await world.sql(give_back, 100_01, order.id)
    assert (await world.order(order)).refunded_tyiyn == 0


async def test_more_than_the_client_has_cannot_be_taken_back(world: World) -> None:
    order = await credited(world)
    await world.apply(order, OrderStatus(OrderState.REFUNDED))
    await spend(world, 60_00)
    with pytest.raises(InsufficientBalance):
        await world.payments.decisions.debit(await parked_id(world), 100_00, WHY, ANN)
    assert await world.parked() == [("refund", 100_00)]


async def spend(world: World, tyiyn: int) -> None:
    await world.sql(
        "WITH entry AS (INSERT INTO evpower.ledger_entries (kind, key, actor, created_at)"
        " VALUES ('admin_adjustment', 'spent', 'test', %s) RETURNING id)"
        " INSERT INTO evpower.ledger_postings (entry_id, account, client_id, amount_tyiyn, statement_type)"
        " SELECT id, 'client', %s, %s, 'admin_adjustment' FROM entry"
        " UNION ALL SELECT id, 'adjustment', NULL, %s, NULL FROM entry",
        world.clock.now(),
        CLIENT,
        -tyiyn,
        tyiyn,
    )

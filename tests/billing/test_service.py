"""Money in motion: which debts a credit pays (billing-rules §4)."""

from __future__ import annotations

import logging
from dataclasses import replace

import pytest

from evpower.billing.account import BalanceAdjustment
from evpower.billing.clients import lock_client
from evpower.billing.errors import InsufficientBalance, InvalidAmount
from evpower.db.unit_of_work import unit_of_work
from evpower.errors import IdempotencyMismatch
from evpower.identifiers import ClientId
from evpower.money import MOST_TYIYN
from tests.worlds.charging import CLIENT, TWO, World


async def test_a_credit_pays_the_oldest_debt_first_and_no_more_than_there_is(world: World) -> None:
    await world.give(540_00)
    older = (await world.order(energy_wh=20_000)).session.session_id
    world.clock.advance(1)
    newer = (await world.order(energy_wh=20_000, connector=TWO)).session.session_id
    await world.charge(newer, 25_000, connector=TWO)
    await world.charge(older, 30_000)
    assert [(await world.session(each)).debt_tyiyn for each in (older, newer)] == [135_00, 67_50]
    await world.give(150_00, key="later")
    async with unit_of_work(world.pool) as uow:
        assert await world.app.billing.recover_debts(uow, CLIENT, cause_key="later", actor="test") == 150_00
    assert [(await world.session(each)).debt_tyiyn for each in (older, newer)] == [0, 52_50]
    assert await world.balance() == 0


async def owing(world: World, debt_wh: int) -> None:
    """A charge that went so far beyond its hold, and all there was."""
    await world.give(270_00)
    await world.charge((await world.order(energy_wh=20_000)).session.session_id, 20_000 + debt_wh)


async def by_hand(world: World, amount_tyiyn: int) -> BalanceAdjustment:
    async with unit_of_work(world.pool) as uow:
        return await world.app.billing.adjust_by_hand(uow, CLIENT, amount_tyiyn, "k", reason="r", actor="ann")


async def test_a_credit_by_hand_pays_a_debt_first_and_says_what_is_left_whenever_it_is_asked(world: World) -> None:
    """Design §9.5: debt is recovered from any later credit."""
    await owing(world, 2_000)
    done = await by_hand(world, 100_00)
    assert done.is_new
    assert (done.old_balance_tyiyn, done.debt_paid_tyiyn, done.new_balance_tyiyn) == (0, 27_00, 73_00)
    account = await world.app.billing.balance(CLIENT)
    assert (account.balance_tyiyn, account.debt_tyiyn) == (73_00, 0)
    assert await by_hand(world, 100_00) == replace(done, is_new=False)
    assert await world.balance() == 73_00


async def test_the_smallest_sum_pays_a_debt_once_for_its_key(world: World) -> None:
    await owing(world, 2_000)
    paid = []
    for _ in range(2):
        async with unit_of_work(world.pool) as uow:
            paid.append(await world.app.billing.adjust(uow, CLIENT, 1, "k", reason="r", actor="ann"))
    assert paid == [1, 0]
    assert (await world.app.billing.balance(CLIENT)).debt_tyiyn == 26_99


async def test_what_a_person_gives_has_a_line_and_a_repeat_has_none(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="payment")
    await world.give(1_00)
    for _ in range(2):
        await by_hand(world, 100_00)
    assert caplog.messages == [f"💳 ADMIN_ADJUSTMENT: client_id={CLIENT}, amount=100.00, actor=ann"]


async def test_a_credit_that_is_less_than_the_debt_is_all_paid_and_nothing_can_be_taken(world: World) -> None:
    await owing(world, 2_000)
    done = await by_hand(world, 20_00)
    assert (done.debt_paid_tyiyn, done.new_balance_tyiyn) == (20_00, 0)
    with pytest.raises(InsufficientBalance):
        async with unit_of_work(world.pool) as uow:
            await world.app.billing.adjust_by_hand(uow, CLIENT, -1, "k2", reason="r", actor="ann")
    assert (await world.app.billing.balance(CLIENT)).debt_tyiyn == 7_00


async def test_all_there_is_can_be_taken_by_hand_and_no_more(world: World) -> None:
    await world.give(50_00)
    with pytest.raises(InsufficientBalance) as refusal:
        await by_hand(world, -50_01)
    assert refusal.value.message == "Недостаточно средств. Баланс: 50 сом, требуется: 50.01 сом"
    assert (await by_hand(world, -50_00)).new_balance_tyiyn == 0


async def test_no_account_is_given_more_than_it_may_hold(world: World) -> None:
    await world.give(MOST_TYIYN - 1)
    with pytest.raises(InvalidAmount):
        await by_hand(world, 2)
    assert (await by_hand(world, 1)).new_balance_tyiyn == MOST_TYIYN


async def test_a_ticket_is_of_one_sum(world: World) -> None:
    await world.give(1_00)
    await by_hand(world, 100_00)
    with pytest.raises(IdempotencyMismatch):
        await by_hand(world, 100_01)
    assert await world.balance() == 101_00


async def test_what_is_paid_out_leaves_nothing_and_each_time_is_an_entry(world: World) -> None:
    for key in ("first", "second"):
        await world.give(5_00, key=key)
        async with unit_of_work(world.pool) as uow:
            await world.app.billing.pay_out(uow, await lock_client(uow.conn, CLIENT), "закрыт", "ann")
        assert await world.balance() == 0
    paid = await world.sql("SELECT key FROM evpower.ledger_entries WHERE kind = 'deletion_payout' ORDER BY id")
    assert [row["key"] for row in paid] == [f"deletion_payout:{CLIENT}:{times}" for times in (1, 2)]


async def test_looking_creates_nobody_and_shows_who_is_there(world: World) -> None:
    billing, stranger = world.app.billing, ClientId("stranger")
    assert await billing.known_balance(stranger) is None
    assert await billing.known_balance(stranger) is None, "it made no row"
    created = await billing.balance(stranger)
    assert await billing.known_balance(stranger) == created

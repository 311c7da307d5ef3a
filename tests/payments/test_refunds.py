"""Money back to the payer, asked for by an operator: taken once, sent once, ended once (payments §5, §9)."""

from __future__ import annotations

import pytest
import trio

from evpower.billing.errors import InsufficientBalance
from evpower.db.unit_of_work import reading
from evpower.errors import PaymentNotFound, ProviderError, ProviderTimeout, ProviderUnavailable
from evpower.payments.gateway import OrderState, OrderStatus, Payment
from evpower.payments.refunds import POLLED, NotRefundable
from evpower.payments.rows.top_up_refunds import Refund, read_refund
from tests.payments.test_decisions import WHY, credited, parked_id, spend
from tests.payments.test_exactly_once import owe
from tests.worlds.payments import ANN, World
from tests.worlds.provider import PROCESSING, paid


async def lost(world: World, tyiyn: int | None = None) -> Refund:
    """A refund of a payment of 100 som that was sent, and its answer never came."""
    order = await credited(world)
    world.odengi.refund_error, world.odengi.answer = ProviderTimeout(), paid(100_00)
    return await world.payments.refunds.refund(order.invoice_id, tyiyn, WHY, ANN)


async def test_a_refund_goes_to_the_payer_and_leaves_the_client(world: World) -> None:
    order = await credited(world)
    refund = await world.payments.refunds.refund(order.invoice_id, None, WHY, ANN)
    assert (refund.state, world.odengi.refunds) == ("completed", [("90017755", 100_00)])
    assert (await world.balance(), (await world.order(order)).phase) == (0, "refunded")
    others = "SELECT sum(amount_tyiyn)::int AS kept FROM evpower.ledger_postings WHERE account <> 'client'"
    assert await world.sql(others) == [{"kept": 0}]


async def test_only_the_line_of_the_credit_names_the_top_up(world: World) -> None:
    """The app shows the first line it finds with a top-up's id as that top-up (field ruling 6.8)."""
    order = await credited(world)
    await world.payments.refunds.refund(order.invoice_id, 30_00, WHY, ANN)
    world.odengi.refund_error = ProviderError()
    await world.payments.refunds.refund(order.invoice_id, 20_00, WHY, ANN)
    lines = await world.sql("SELECT type, balance_topup_id AS of FROM payment_transactions ORDER BY id")
    assert [(line["type"], line["of"]) for line in lines] == [
        ("balance_topup", order.id),
        *[("topup_refund", None)] * 3,
    ]


async def test_a_payment_can_be_given_back_in_parts_up_to_what_it_was(world: World) -> None:
    order = await credited(world)
    for tyiyn, phase in ((30_00, "partial_refund"), (70_00, "refunded")):
        await world.payments.refunds.refund(order.invoice_id, tyiyn, WHY, ANN)
        assert (await world.order(order)).phase == phase
    with pytest.raises(NotRefundable):
        await world.payments.refunds.refund(order.invoice_id, 1, WHY, ANN)


async def test_what_went_back_unasked_is_not_given_back_again(world: World) -> None:
    order = await credited(world)
    await world.apply(order, OrderStatus(OrderState.PARTIAL_REFUND, (Payment("90017755", 100_00),), 30_00))
    await world.payments.decisions.debit(await parked_id(world), 30_00, WHY, ANN)
    other = (await world.qr(100_00)).order
    await world.apply(other, paid(100_00, "another"))
    assert await world.balance() == 170_00
    with pytest.raises(NotRefundable):
        await world.payments.refunds.refund(order.invoice_id, 100_00, WHY, ANN)
    await world.payments.refunds.refund(order.invoice_id, None, WHY, ANN)
    assert world.odengi.refunds == [("90017755", 70_00)]


async def test_the_provider_telling_of_our_own_refund_parks_nothing(world: World) -> None:
    order = await credited(world)
    await world.payments.refunds.refund(order.invoice_id, 30_00, WHY, ANN)
    await world.apply(order, OrderStatus(OrderState.PARTIAL_REFUND, (Payment("90017755", 100_00),), 30_00))
    assert await world.parked() == []


@pytest.mark.parametrize("refusal", [ProviderError(), ProviderUnavailable()])
async def test_a_refused_refund_comes_back_to_the_client(world: World, refusal: Exception) -> None:
    order = await credited(world)
    world.odengi.refund_error = refusal
    refund = await world.payments.refunds.refund(order.invoice_id, None, WHY, ANN)
    assert (refund.state, await world.balance()) == ("returned", 100_00)
    assert (await world.order(order)).phase == "approved"


async def test_a_refund_that_comes_back_pays_a_debt_first(world: World) -> None:
    refund = await lost(world)
    await owe(world, 37_50)
    await world.payments.refunds.end(refund, happened=False, origin=POLLED)
    assert await world.balance() == 62_50


async def test_a_refund_of_unknown_outcome_stays_held_and_is_asked_about_and_never_sent_again(world: World) -> None:
    order = await credited(world)
    world.odengi.refund_error, world.odengi.answer = ProviderTimeout(), paid(100_00)
    refund = await world.payments.refunds.refund(order.invoice_id, None, WHY, ANN)
    assert (refund.state, await world.balance()) == ("open", 0)
    with pytest.raises(NotRefundable):
        await world.payments.refunds.refund(order.invoice_id, None, WHY, ANN)
    world.restart()
    world.clock.advance(60)
    await world.payments.refunds.work_due()
    assert await world.balance() == 0
    world.odengi.answer = OrderStatus(OrderState.REFUNDED, refunded_tyiyn=100_00)
    world.clock.advance(120)
    await world.payments.refunds.work_due()
    assert (await world.order(order)).phase == "refunded"
    assert len(world.odengi.refunds) == 1


async def test_a_refund_ends_when_its_payment_is_told_as_canceled_and_not_when_another_is(world: World) -> None:
    order = await credited(world)
    world.odengi.refund_error = ProviderTimeout()
    await world.payments.refunds.refund(order.invoice_id, None, WHY, ANN)
    ends = [("another", "approved"), ("90017755", "refunded")]
    for minutes, (trans_id, phase) in enumerate(ends, 1):
        world.odengi.answer = OrderStatus(OrderState.CANCELED, (Payment(trans_id, 100_00),))
        world.clock.advance(60 * minutes)
        await world.payments.refunds.work_due()
        assert (await world.order(order)).phase == phase
    assert (await world.balance(), len(world.odengi.refunds)) == (0, 1)


async def test_what_went_back_of_an_uncredited_payment_is_not_this_refund(world: World) -> None:
    refund = await lost(world, 30_00)
    other = Payment("never credited", 70_00, given_back_tyiyn=30_00)
    payments = (Payment(refund.trans_id, 100_00), other)
    world.odengi.answer = OrderStatus(OrderState.PARTIAL_REFUND, payments, 30_00)
    world.clock.advance(60)
    await world.payments.refunds.work_due()
    async with reading(world.pool) as conn:
        assert (await read_refund(conn, refund.id)).state == "open"


async def test_a_refund_that_ended_while_it_was_asked_about_is_no_ones_matter(world: World) -> None:
    refund = await lost(world)

    async def it_ends() -> None:
        world.odengi.pause = None
        await world.payments.refunds.end(refund, happened=True, origin=ANN)

    world.odengi.pause = it_ends
    world.clock.advance(8 * 86_400)
    await world.payments.refunds.work_due()
    assert await world.parked() == []


@pytest.mark.parametrize(("debit", "left"), [(True, 0), (False, 100_00)])
async def test_after_a_week_a_person_says_what_became_of_a_refund(world: World, debit: bool, left: int) -> None:
    order = await credited(world)
    world.odengi.refund_error, world.odengi.answer = ProviderTimeout(), paid(100_00)
    await world.payments.refunds.refund(order.invoice_id, None, WHY, ANN)
    for _ in range(8):
        world.clock.advance(86_400)
        await world.payments.refunds.work_due()
    assert await world.parked() == [("refund_unresolved", 100_00)]
    number = await parked_id(world)
    if debit:
        await world.payments.decisions.debit(number, 100_00, WHY, ANN)
    else:
        await world.payments.decisions.dismiss(number, WHY, ANN)
    assert (await world.balance(), await world.parked()) == (left, [])


async def test_spent_money_is_not_given_back(world: World) -> None:
    order = await credited(world)
    await spend(world, 1)
    with pytest.raises(InsufficientBalance):
        await world.payments.refunds.refund(order.invoice_id, None, WHY, ANN)
    assert world.odengi.refunds == []


async def test_what_was_never_paid_is_not_given_back(world: World) -> None:
    order = (await world.qr()).order
    await world.apply(order, PROCESSING)
    with pytest.raises(NotRefundable):
        await world.payments.refunds.refund(order.invoice_id, None, WHY, ANN)
    with pytest.raises(PaymentNotFound):
        await world.payments.refunds.refund("unknown", None, WHY, ANN)


async def test_a_refund_written_and_never_sent_is_sent_by_the_worker(world: World) -> None:
    order = await credited(world)
    died = trio.Event()

    async def die(*_: object) -> None:
        died.set()
        raise KeyboardInterrupt

    world.payments.refunds._send = die  # type: ignore[method-assign, assignment]
    with pytest.raises(KeyboardInterrupt):
        await world.payments.refunds.refund(order.invoice_id, None, WHY, ANN)
    assert died.is_set()
    world.restart()
    await world.payments.refunds.work_due()
    assert (world.odengi.refunds, (await world.order(order)).phase) == ([("90017755", 100_00)], "refunded")


async def test_an_earlier_refund_is_no_proof_of_a_later_one(world: World) -> None:
    """The provider names the sum of all: what it had given back before is not what we wait for."""
    order = await credited(world)
    await world.payments.refunds.refund(order.invoice_id, 30_00, WHY, ANN)
    world.odengi.refund_error = ProviderTimeout()
    second = await world.payments.refunds.refund(order.invoice_id, 30_00, WHY, ANN)
    states = []
    for minutes, given_tyiyn in enumerate((30_00, 60_00), 1):
        world.odengi.answer = OrderStatus(OrderState.PARTIAL_REFUND, (Payment("90017755", 100_00),), given_tyiyn)
        world.clock.advance(60 * minutes)
        await world.payments.refunds.work_due()
        async with reading(world.pool) as conn:
            states.append((await read_refund(conn, second.id)).state)
    assert states == ["open", "completed"]


@pytest.mark.parametrize(("happened", "left", "phase"), [(True, 0, "refunded"), (False, 100_00, "approved")])
async def test_a_refund_ends_once_whatever_is_heard_of_it_later(
    world: World, happened: bool, left: int, phase: str
) -> None:
    refund = await lost(world)
    for heard in (happened, happened, not happened):
        await world.payments.refunds.end(refund, happened=heard, origin=POLLED)
    assert (await world.balance(), (await world.newest()).phase) == (left, phase)


async def test_a_refund_the_worker_has_sent_is_not_sent_by_the_request_that_wrote_it(world: World) -> None:
    refund = await lost(world)
    await world.payments.refunds._send(refund)
    assert len(world.odengi.refunds) == 1


async def test_a_refund_of_unknown_outcome_is_asked_about_ever_more_seldom(world: World) -> None:
    await lost(world)
    asked_after = []
    for minute in range(1, 17):
        before = world.odengi.count("status")
        world.clock.advance(60)
        await world.payments.refunds.work_due()
        if world.odengi.count("status") > before:
            asked_after.append(minute)
    assert asked_after == [1, 2, 4, 8, 16]

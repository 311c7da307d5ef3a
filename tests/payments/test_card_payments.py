"""Top-ups by card: approved, declined, challenged, unanswered; and nothing of the card anywhere (payments §3.4, §7)."""

from __future__ import annotations

import pytest

from evpower.errors import ProviderTimeout, ProviderUnavailable
from evpower.payments.card_payments import PaymentFailed, TokenNotSupported
from evpower.payments.gateway import CardAnswer, Challenge, OrderState, OrderStatus
from tests.worlds.cards import CARD, PAYER, wish
from tests.worlds.payments import HOOK, PHONE, World
from tests.worlds.provider import CANCELED, NOT_FOUND, PROCESSING, paid

APPROVED = CardAnswer(paid(100_00, "7781234"), "ob_1")
CHALLENGED = CardAnswer(PROCESSING, "ob_2", Challenge("https://acs.example", "pareq", "md-1", "https://csms.example/t"))
DECLINED = CardAnswer(OrderStatus(OrderState.CANCELED, reason="80/51"), "ob_3")


async def test_an_approved_card_is_credited_before_the_answer(world: World) -> None:
    world.obank.card_answer = APPROVED
    view = await world.payments.cards.pay(wish(), CARD, PAYER, PHONE)
    assert (view.order.phase, view.balance_tyiyn, view.trans_id) == ("approved", 100_00, "7781234")
    assert (view.order.auth_key, view.order.invoice_id, view.order.card_mask) == ("ob_1", "ob_1", "416958******5678")


async def test_a_declined_card_cancels_the_order_and_says_why(world: World) -> None:
    world.obank.card_answer = DECLINED
    with pytest.raises(PaymentFailed) as failed:
        await world.payments.cards.pay(wish(), CARD, PAYER, PHONE)
    assert failed.value.details["reason"] == "payment_declined"
    assert failed.value.details["provider_code"] == "80/51"
    order = await world.newest()
    assert (order.phase, order.next_check_at) == ("canceled", None)


async def test_a_challenge_waits_for_the_bank_and_a_browsers_return_proves_nothing(world: World) -> None:
    world.obank.card_answer = CHALLENGED
    view = await world.payments.cards.pay(wish(), CARD, PAYER, PHONE)
    assert (view.order.phase, view.order.challenge and view.order.challenge.md) == ("processing", "md-1")
    await world.payments.notices.returned_from_challenge("md-1", HOOK)
    await world.poll()
    assert (await world.order(view)).phase == "processing"
    world.obank.answer = paid(100_00, "7781234")
    await world.payments.notices.returned_from_challenge("md-1", HOOK)
    await world.poll()
    decided = await world.order(view)
    assert (decided.phase, decided.challenge) == ("approved", None)
    assert world.obank.count("cancel") == 0


async def test_an_abandoned_challenge_expires(world: World) -> None:
    world.obank.card_answer = CHALLENGED
    view = await world.payments.cards.pay(wish(), CARD, PAYER, PHONE)
    await world.poll(after_s=300)
    assert (await world.order(view)).phase == "expired"


async def test_a_lost_answer_is_asked_about_under_its_own_number_and_never_sent_again(world: World) -> None:
    world.obank.card_answer = ProviderTimeout()
    with pytest.raises(ProviderTimeout):
        await world.payments.cards.pay(wish(), CARD, PAYER, PHONE)
    world.obank.answer = paid(100_00, "7781234")
    await world.poll(after_s=15)
    assert await world.credits() == [100_00]
    numbers = {order.number for _, order in world.obank.calls}
    assert (world.obank.count("pay"), len(numbers)) == (1, 1)


async def test_a_payment_the_bank_never_got_is_canceled_after_two_minutes(world: World) -> None:
    world.obank.card_answer, world.obank.answer = ProviderTimeout(), NOT_FOUND
    with pytest.raises(ProviderTimeout):
        await world.payments.cards.pay(wish(), CARD, PAYER, PHONE)
    await world.poll(after_s=119)
    assert (await world.newest()).phase == "created"
    await world.poll(after_s=15)
    assert (await world.newest()).phase == "canceled"


async def test_another_sum_is_parked_and_not_credited(world: World) -> None:
    world.obank.card_answer = CardAnswer(paid(1000_00, "7781234"), "ob_1")
    view = await world.payments.cards.pay(wish(), CARD, PAYER, PHONE)
    assert (view.order.phase, view.order.status) == ("review", "processing")
    assert await world.parked() == [("other_sum", 1000_00)]
    assert await world.credits() == []


async def test_cards_through_our_api_are_off_unless_allowed(world: World) -> None:
    world.ruled(h2h_allowed=False)
    with pytest.raises(ProviderUnavailable):
        await world.payments.cards.pay(wish(), CARD, PAYER, PHONE)
    assert (world.obank.calls, await world.payments.decisions.payments()) == ([], [])


async def test_a_second_card_while_one_is_pending_is_allowed(world: World) -> None:
    world.obank.card_answer = CardAnswer(PROCESSING)
    for _ in range(2):
        await world.payments.cards.pay(wish(), CARD, PAYER, PHONE)
    assert [order.phase for order in await world.payments.decisions.payments()] == ["processing", "processing"]


async def test_a_stored_card_pays_even_where_cards_are_not_taken(world: World) -> None:
    world.ruled(h2h_allowed=False)
    world.obank.card_answer = APPROVED
    view = await world.payments.cards.pay_with_token(wish(), "tok", PAYER, PHONE)
    assert (view.order.method, view.balance_tyiyn, world.obank.tokens) == ("token", 100_00, ["tok"])


async def test_without_a_card_provider_no_card_can_be_stored(world: World) -> None:
    world.payments.cards._gateway = None
    with pytest.raises(TokenNotSupported):
        await world.payments.cards.store_card(14)


async def test_an_answer_after_the_notice_does_not_downgrade(world: World) -> None:
    """The bank's notice and our check outran its own answer to the payment."""
    world.obank.answer = paid(100_00, "7781234")
    world.obank.card_answer = CHALLENGED

    async def notice_first() -> None:
        if world.obank.count("status") == 0 and await world.payments.decisions.payments():
            world.obank.pause = None
            order = await world.newest()
            await world.call("OBANK", {"number": order.number, "state": "approved"})
            await world.poll()

    world.obank.pause = notice_first
    view = await world.payments.cards.pay(wish(), CARD, PAYER, PHONE)
    assert (view.order.phase, view.order.challenge) == ("approved", None)
    assert await world.credits() == [100_00]


async def test_a_declined_card_that_was_paid_after_all_is_credited(world: World) -> None:
    world.obank.card_answer = DECLINED
    with pytest.raises(PaymentFailed):
        await world.payments.cards.pay(wish(), CARD, PAYER, PHONE)
    order = await world.newest()
    await world.apply(order, CANCELED)
    world.obank.answer = paid(100_00, "7781234")
    await world.call("OBANK", {"number": order.number, "state": "approved"})
    await world.poll()
    assert await world.credits() == [100_00]

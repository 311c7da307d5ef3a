"""A top-up by QR code from the phone's tap to the credit (payments §4.1, §5)."""

from __future__ import annotations

import logging
from dataclasses import replace

import pytest
import trio
import trio.testing
from trio.testing import MockClock

from evpower.billing.errors import ClientBlocked, ClientDeleted
from evpower.errors import IdempotencyMismatch, PaymentNotFound, ProviderError, ProviderTimeout, ProviderUnavailable
from evpower.idempotency.claim import IdempotencyClaim
from evpower.identifiers import ClientId
from evpower.payments.gateway import ProviderOrder
from evpower.payments.top_up import TopUpWish
from evpower.payments.top_up_orders import AmountTooLarge, AmountTooSmall
from tests.worlds.payments import CLIENT, PHONE, World
from tests.worlds.provider import CANCELED, NOT_FOUND, paid


async def test_an_order_is_stored_before_the_provider_is_asked(world: World) -> None:
    seen: list[str] = []

    async def look(order: ProviderOrder) -> None:
        stored = await world.newest()
        seen.append(f"{stored.phase} {stored.order_id == order.order_id} {stored.number == order.number}")

    world.odengi.before_answer = look
    await world.qr()
    assert seen == ["created True True"]


async def test_an_accepted_order_is_processing_with_the_providers_invoice(world: World) -> None:
    view = await world.qr(150_00)
    order = view.order
    assert (order.phase, order.invoice_id, order.amount_tyiyn) == ("processing", "530912448170", 150_00)
    assert (order.qr_code, order.app_link) == ("000201530912448170", "https://app.example/530912448170")
    assert (view.balance_tyiyn, view.lifetime_s) == (0, 300)


async def test_numbers_rise_whatever_the_clock_says(world: World) -> None:
    first = (await world.qr()).order.number
    world.clock.advance(-3600)
    assert (await world.qr()).order.number > first


async def test_a_paid_order_is_credited_by_the_poll_and_logged_to_the_letter(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    order = (await world.qr()).order
    world.odengi.answer = paid(100_00)
    with caplog.at_level(logging.INFO, "payment"):
        await world.poll(after_s=15)
    assert (await world.order(order)).phase == "approved"
    assert await world.balance() == 100_00
    assert "💳 TOPUP: client_id=client-1, amount=100.00, invoice_id=530912448170, provider=ODENGI" in caplog.messages


async def test_nothing_is_asked_before_its_time(world: World) -> None:
    await world.qr()
    await world.poll(after_s=14)
    assert world.odengi.count("status") == 0


async def test_an_approved_order_is_left_to_the_slow_sweep(world: World) -> None:
    await world.qr()
    world.odengi.answer = paid(100_00)
    await world.poll(after_s=15)
    await world.poll(after_s=599)
    assert world.odengi.count("status") == 1
    await world.poll(after_s=1)
    assert world.odengi.count("status") == 2


async def test_the_public_row_tells_what_the_app_reads(world: World) -> None:
    await world.qr(19_99)
    world.odengi.answer = paid(19_99)
    await world.poll(after_s=15)
    (row,) = await world.sql(
        "SELECT status, odengi_status, requested_amount::text, paid_amount::text, payment_provider, invoice_id,"
        " needs_status_check, status_check_count, paid_at = completed_at AS done FROM balance_topups"
    )
    assert row == {
        "status": "approved",
        "odengi_status": 1,
        "requested_amount": "19.99",
        "paid_amount": "19.99",
        "payment_provider": "ODENGI",
        "invoice_id": "530912448170",
        "needs_status_check": False,
        "status_check_count": 1,
        "done": True,
    }


async def test_a_definite_refusal_cancels_the_order(world: World) -> None:
    world.odengi.creation = ProviderError()
    with pytest.raises(ProviderError):
        await world.qr()
    order = await world.newest()
    assert (order.phase, order.next_check_at) == ("canceled", None)


async def test_a_refusal_that_comes_after_the_payment_was_credited_cancels_nothing(world: World) -> None:
    async def pay(_: ProviderOrder) -> None:
        await world.apply(await world.newest(), paid(100_00))

    world.odengi.before_answer, world.odengi.creation = pay, ProviderError()
    with pytest.raises(ProviderError):
        await world.qr()
    assert ((await world.newest()).phase, await world.balance()) == ("approved", 100_00)


async def test_the_key_is_stored_with_the_order_and_makes_no_other(world: World) -> None:
    claim = IdempotencyClaim(CLIENT, "key-1", "POST", "/api/v1/balance/topup-qr", "100 som")
    view = await world.payments.top_ups.create_qr(TopUpWish(CLIENT, 100_00, ""), PHONE, claim)
    keys = "SELECT order_id, status_code FROM evpower.idempotency_keys"
    assert await world.sql(keys) == [{"order_id": view.order.order_id, "status_code": None}]
    with pytest.raises(IdempotencyMismatch):
        other = replace(claim, body_hash="200 som")
        await world.payments.top_ups.create_qr(TopUpWish(CLIENT, 200_00, ""), PHONE, other)
    assert len(await world.payments.decisions.payments()) == 1


async def test_what_was_never_sent_cancels_the_order(world: World) -> None:
    world.odengi.creation = ProviderUnavailable()
    with pytest.raises(ProviderUnavailable):
        await world.qr()
    assert (await world.newest()).phase == "canceled"


async def test_why_tls_failed_is_kept_with_the_order_for_operators_and_not_for_the_phone(world: World) -> None:
    world.odengi.creation = ProviderUnavailable(tls="TLS: wrong version number")
    with pytest.raises(ProviderUnavailable) as caught:
        await world.qr()
    [kept] = await world.sql("SELECT detail FROM evpower.payment_audit_log WHERE operation = 'refused'")
    assert kept == {"detail": "provider_unavailable (TLS: wrong version number)"}
    assert caught.value.details == {}
    assert (await world.newest()).reason == "provider_unavailable"


async def test_an_unknown_outcome_leaves_the_order_open_and_a_payment_by_it_is_credited(world: World) -> None:
    world.odengi.creation = ProviderTimeout()
    with pytest.raises(ProviderTimeout):
        await world.qr()
    assert (await world.newest()).phase == "created"
    world.odengi.answer = paid(100_00)
    await world.poll(after_s=15)
    assert (await world.newest()).phase == "approved"
    assert "late_payment" in (await world.newest()).flags
    assert world.odengi.count("create_invoice") == 1


async def test_an_order_the_provider_never_got_is_canceled_after_a_grace_time(world: World) -> None:
    world.odengi.creation = ProviderTimeout()
    with pytest.raises(ProviderTimeout):
        await world.qr()
    world.odengi.answer = NOT_FOUND
    await world.poll(after_s=15)
    assert (await world.newest()).phase == "created"
    await world.poll(after_s=105)
    assert (await world.newest()).phase == "canceled"


async def test_a_provider_that_hangs_is_waited_for_eight_seconds(world: World, mock_clock: MockClock) -> None:
    asked, answered = trio.Event(), trio.Event()

    async def hang() -> None:
        asked.set()
        await trio.sleep_forever()

    async def ask() -> None:
        with pytest.raises(ProviderTimeout):
            await world.qr()
        answered.set()

    world.odengi.pause = hang
    async with trio.open_nursery() as nursery:
        nursery.start_soon(ask)
        await asked.wait()
        mock_clock.jump(7.9)
        await trio.testing.wait_all_tasks_blocked()
        assert not answered.is_set()
        mock_clock.jump(0.1)
        await answered.wait()
    assert (await world.newest()).phase == "created"


async def test_no_gateway_means_unavailable_and_leaves_no_order(world: World) -> None:
    world.payments.top_ups._gateway = None
    with pytest.raises(ProviderUnavailable):
        await world.qr()
    assert await world.payments.decisions.payments() == []


@pytest.mark.parametrize(("tyiyn", "error"), [(9_99, AmountTooSmall), (100_000_01, AmountTooLarge)])
async def test_sums_outside_the_limits_are_refused(world: World, tyiyn: int, error: type[Exception]) -> None:
    with pytest.raises(error):
        await world.qr(tyiyn)
    assert world.odengi.calls == []


@pytest.mark.parametrize("tyiyn", [10_00, 100_000_00])
async def test_the_limits_themselves_are_allowed(world: World, tyiyn: int) -> None:
    assert (await world.qr(tyiyn)).order.amount_tyiyn == tyiyn


@pytest.mark.parametrize(("status", "error"), [("blocked", ClientBlocked), ("inactive", ClientDeleted)])
async def test_blocked_and_deleted_clients_top_up_nothing(world: World, status: str, error: type[Exception]) -> None:
    await world.block(status)
    with pytest.raises(error):
        await world.qr()
    assert await world.payments.decisions.payments() == []


async def test_a_new_code_supersedes_the_older_one_which_is_still_credited(world: World) -> None:
    first, second = (await world.qr()).order, (await world.qr()).order
    old = await world.order(first)
    assert (old.phase, old.flags) == ("canceled", ("superseded",))
    assert (await world.order(second)).phase == "processing"
    await world.apply(first, paid(100_00, "a"))
    await world.apply(second, paid(100_00, "b"))
    assert await world.credits() == [100_00, 100_00]


async def test_another_clients_code_is_not_superseded(world: World) -> None:
    other = (await world.qr(client=ClientId("client-2"))).order
    await world.qr()
    assert (await world.order(other)).phase == "processing"


async def test_a_canceled_order_is_canceled(world: World) -> None:
    order = (await world.qr()).order
    world.odengi.answer = CANCELED
    await world.poll(after_s=15)
    assert (await world.order(order)).phase == "canceled"
    assert await world.credits() == []


async def test_an_order_is_found_by_each_of_its_ids_and_not_by_a_stranger(world: World) -> None:
    order = (await world.qr()).order
    for key in (order.invoice_id, order.order_id):
        assert (await world.payments.top_ups.status(key, CLIENT)).order.id == order.id
        with pytest.raises(PaymentNotFound):
            await world.payments.top_ups.status(key, ClientId("client-2"))
    with pytest.raises(PaymentNotFound):
        await world.payments.top_ups.status("unknown", None)


async def test_a_webhook_that_outruns_the_answer_credits_and_the_answer_does_not_downgrade(world: World) -> None:
    async def pay_first(order: ProviderOrder) -> None:
        world.odengi.answer = paid(100_00)
        await world.notify(await world.newest())
        await world.poll()

    world.odengi.before_answer = pay_first
    view = await world.qr()
    assert view.order.phase == "approved"
    assert (view.order.invoice_id, view.balance_tyiyn) == ("530912448170", 100_00)


async def test_two_codes_at_once_leave_one_open(world: World) -> None:
    async with trio.open_nursery() as nursery:
        for _ in range(2):
            nursery.start_soon(world.payments.top_ups.create_qr, TopUpWish(CLIENT, 100_00, ""), PHONE)
    phases = sorted(order.phase for order in await world.payments.decisions.payments())
    assert phases == ["canceled", "processing"]

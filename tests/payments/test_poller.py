"""The poller: what is asked when, what survives a restart, how a provider's outage is borne (payments §5-6)."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from evpower.errors import PaymentNotFound, ProviderError, ProviderTimeout
from evpower.identifiers import ClientId
from evpower.payments.gateway import OrderState, OrderStatus, Payment
from evpower.payments.provider_calls import ProviderState
from evpower.payments.top_up import TopUp
from evpower.payments.top_ups import NoSuchPayment, PaymentNotCancellable, PaymentNotProcessing
from tests.e2e.process import poll
from tests.worlds.fakes import NOON
from tests.worlds.payments import ANN, CLIENT, HOOK, PHONE, World
from tests.worlds.provider import CANCELED, PROCESSING, paid


async def run_through(world: World, seconds: int, step: int = 15) -> None:
    """Time goes by as the poller sees it."""
    for _ in range(seconds // step):
        await world.poll(after_s=step)


async def test_twenty_checks_in_five_minutes_then_the_order_expires_and_the_provider_is_told(world: World) -> None:
    order = (await world.qr()).order
    await run_through(world, 300)
    expired = await world.order(order)
    assert (expired.phase, expired.checks_done) == ("expired", 20)
    assert (world.odengi.count("status"), world.odengi.count("cancel")) == (20, 1)
    assert [call for call, _ in world.odengi.calls][-2:] == ["cancel", "status"]


async def test_a_payment_seen_by_the_last_check_is_credited(world: World) -> None:
    order = (await world.qr()).order
    await run_through(world, 285)
    world.odengi.answer = paid(100_00)
    await run_through(world, 15)
    assert (await world.order(order)).phase == "approved"


async def test_a_refused_cancel_does_not_keep_the_status_from_being_asked(world: World) -> None:
    order = (await world.qr()).order
    world.odengi.cancel_error, world.odengi.answer = ProviderError(), paid(100_00)
    await world.poll(after_s=300)
    assert (await world.order(order)).phase == "approved"


async def test_a_payment_after_expiry_is_credited_by_the_slow_sweep(world: World) -> None:
    order = (await world.qr()).order
    await run_through(world, 300)
    world.odengi.answer = paid(100_00)
    await world.poll(after_s=600)
    late = await world.order(order)
    assert (late.phase, "late_payment" in late.flags) == ("approved", True)
    assert await world.balance() == 100_00


@pytest.mark.parametrize("after_s", [600, 86_400, 6 * 86_400])
async def test_a_second_payment_whose_webhook_was_lost_is_found_within_a_week(world: World, after_s: int) -> None:
    order = await paid_by_qr(world)
    await run_through(world, after_s, step=600)
    both = (Payment("first", 100_00), Payment("second", 100_00))
    world.odengi.answer = OrderStatus(OrderState.APPROVED, both)
    await world.poll(after_s=86_400)
    assert await world.credits() == [100_00, 100_00]
    assert "several_payments" in (await world.order(order)).flags


async def test_a_paid_code_is_asked_about_fifteen_times_in_its_week_and_then_no_more(world: World) -> None:
    order = await paid_by_qr(world)
    asked = world.odengi.count("status")
    await world.poll(after_s=599)
    assert world.odengi.count("status") == asked
    await run_through(world, 10 * 86_400, step=3600)
    assert world.odengi.count("status") - asked <= 15
    assert (await world.order(order)).next_check_at is None
    assert await world.parked() == []


async def test_a_payment_beside_one_without_a_sum_is_found(world: World) -> None:
    await world.qr()
    world.odengi.answer = OrderStatus(OrderState.APPROVED)
    await world.poll(after_s=15)
    assert await world.parked() == [("no_sum", None)]
    world.odengi.answer = paid(100_00)
    await world.poll(after_s=600)
    assert (await world.credits(), await world.parked()) == ([100_00], [])


async def test_a_payment_after_a_refund_of_ours_is_found(world: World) -> None:
    order = await paid_by_qr(world)
    await world.payments.refunds.refund(order.invoice_id, 40_00, "asked for", ANN)
    both = (Payment("first", 100_00), Payment("second", 100_00))
    world.odengi.answer = OrderStatus(OrderState.APPROVED, both)
    await world.poll(after_s=600)
    assert await world.credits() == [100_00, 100_00]


async def test_a_paid_order_waits_behind_those_that_are_not(world: World) -> None:
    """After a long outage a week's paid codes are due at once: who pays now does not wait for them."""
    before = await paid_by_qr(world)
    world.clock.advance(86_400)
    world.odengi.answer = PROCESSING
    fresh = (await world.qr(client=ClientId("client-2"))).order
    world.odengi.calls.clear()
    await world.poll(after_s=15)
    assert [asked.order_id for _, asked in world.odengi.calls] == [fresh.order_id, before.order_id]


async def paid_by_qr(world: World) -> TopUp:
    order = (await world.qr()).order
    world.odengi.answer = paid(100_00, "first")
    await world.poll(after_s=15)
    return order


async def test_after_a_week_without_a_last_word_a_person_is_asked(world: World) -> None:
    order = (await world.qr()).order
    for _ in range(10):
        await world.poll(after_s=86_400)
    assert await world.parked() == [("unresolved", None)]
    assert (await world.order(order)).next_check_at is None


async def test_an_order_the_provider_called_canceled_is_not_parked_after_a_week(world: World) -> None:
    order = (await world.qr()).order
    world.odengi.answer = CANCELED
    for _ in range(10):
        await world.poll(after_s=86_400)
    assert await world.parked() == []
    assert (await world.order(order)).next_check_at is None


async def test_a_week_of_silence_is_parked_too(world: World) -> None:
    await world.qr()
    world.odengi.answer = ProviderTimeout()
    for _ in range(10):
        await world.poll(after_s=86_400)
    assert await world.parked() == [("unresolved", None)]


async def test_counts_and_times_survive_a_restart(world: World) -> None:
    order = (await world.qr()).order
    await run_through(world, 285)
    world.restart()
    await world.poll()
    assert world.odengi.count("status") == 19
    await run_through(world, 60)
    assert (world.odengi.count("status"), (await world.order(order)).checks_done) == (20, 20)


async def test_a_check_that_failed_counts(world: World) -> None:
    order = (await world.qr()).order
    world.odengi.answer = ProviderError()
    await run_through(world, 600)
    assert world.odengi.count("status") == 20
    assert (await world.order(order)).phase == "processing"


async def test_a_check_whose_process_died_counts_and_the_next_one_comes_in_its_time(world: World) -> None:
    order = (await world.qr()).order
    world.odengi.answer = PROCESSING

    async def die() -> None:
        raise KeyboardInterrupt

    world.odengi.pause = die
    with pytest.RaisesGroup(KeyboardInterrupt):
        await world.poll(after_s=15)
    world.odengi.pause = None
    world.restart()
    await world.poll(after_s=15)
    assert world.odengi.count("status") == 1, "leased by who died"
    await world.poll(after_s=46)
    assert world.odengi.count("status") == 2
    assert (await world.order(order)).checks_done == 2


async def test_a_provider_that_is_down_is_left_alone_longer_and_longer_and_the_others_are_not(world: World) -> None:
    orders = [(await world.qr(client=ClientId(f"client-{n}"))).order for n in range(3)]
    world.odengi.answer = ProviderTimeout()
    await run_through(world, 60)
    since = NOON + timedelta(seconds=15)
    failing = ProviderState("failing", since, "provider_timeout")
    assert world.payments.providers() == {"ODENGI": failing, "OBANK": ProviderState("up")}
    asked = world.odengi.count("status")
    await world.poll(after_s=1)
    assert world.odengi.count("status") == asked
    world.odengi.answer = paid(100_00)
    for order in orders:
        world.odengi.answers[order.order_id] = paid(100_00, order.order_id)
    await world.poll(after_s=300)
    assert world.payments.providers()["ODENGI"] == ProviderState("up")
    assert await world.credits() == [100_00, 100_00, 100_00]


async def test_a_fault_of_one_check_leaves_the_others_alone(world: World) -> None:
    broken = (await world.qr(client=ClientId("client-0"))).order
    order = (await world.qr()).order
    world.odengi.answers = {broken.order_id: RuntimeError("a bug"), order.order_id: paid(100_00)}
    await world.poll(after_s=15)
    assert (await world.order(order)).phase == "approved"


async def test_one_order_is_never_asked_about_by_two_at_once(world: World) -> None:
    await world.qr()
    asked, gate = trio.Event(), trio.Event()

    async def hang() -> None:
        asked.set()
        await gate.wait()

    world.odengi.pause = hang
    world.clock.advance(15)
    async with trio.open_nursery() as nursery:
        for _ in range(5):
            nursery.start_soon(world.payments.poller.work_due)
        await asked.wait()
        world.clock.advance(15)
        await world.payments.poller._claim("ODENGI")
        gate.set()
    assert (world.odengi.count("status"), world.odengi.asked_at_once_most) == (1, 1)


async def test_two_processes_share_the_work_and_ask_about_each_order_once(world: World) -> None:
    for number in range(10):
        await world.qr(client=ClientId(f"client-{number}"))
    world.clock.advance(15)
    one = world.payments.poller
    world.restart()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(one.work_due)
        nursery.start_soon(world.payments.poller.work_due)
    asked = [order.order_id for call, order in world.odengi.calls if call == "status"]
    assert len(asked) == len(set(asked)) == 10


async def test_many_failures_at_once_make_one_pause(world: World) -> None:
    health = world.payments.calls.health["ODENGI"]
    for _ in range(8):
        health.failed(world.clock.now(), "provider_timeout")
    assert not health.may_be_asked(world.clock.now())
    world.clock.advance(5)
    assert health.may_be_asked(world.clock.now())
    health.failed(world.clock.now(), "provider_timeout")
    world.clock.advance(9)
    assert not health.may_be_asked(world.clock.now())
    world.clock.advance(1)
    assert health.may_be_asked(world.clock.now())


async def test_many_orders_are_asked_about_a_few_at_a_time(world: World) -> None:
    for number in range(12):
        await world.qr(client=ClientId(f"client-{number}"))
    eight = trio.Event()

    async def wait_for_eight() -> None:
        if world.odengi.asking == 8:
            eight.set()
        await eight.wait()

    world.odengi.pause = wait_for_eight
    with trio.fail_after(10):
        await world.poll(after_s=15)
    assert (world.odengi.count("status"), world.odengi.asked_at_once_most) == (12, 8)


async def force(world: World, order: TopUp) -> None:
    await world.payments.top_ups.force_check(order.invoice_id, CLIENT, PHONE)


async def cancel(world: World, order: TopUp) -> None:
    await world.payments.top_ups.cancel(order.invoice_id, CLIENT, PHONE)


async def notify(world: World, order: TopUp) -> None:
    await world.notify(order)


async def return_from_challenge(world: World, order: TopUp) -> None:
    challenge = json.dumps({"acs_url": "https://acs.example/", "md": "md-1"})
    await world.sql("UPDATE evpower.top_up_orders SET challenge = %s::jsonb WHERE topup_id = %s", challenge, order.id)
    await world.payments.notices.returned_from_challenge("md-1", HOOK)


@pytest.mark.parametrize("wake", [force, cancel, notify, return_from_challenge])
async def test_the_running_worker_asks_when_it_is_woken(
    world: World, mock_clock: MockClock, wake: Callable[[World, TopUp], Awaitable[None]]
) -> None:
    """Its next look is minutes away: trio's clock goes a hundred times slower than ours."""
    mock_clock.rate = 0.01
    order = (await world.qr()).order
    world.odengi.answer = paid(100_00)

    async def is_credited() -> bool:
        return (await world.order(order)).phase == "approved"

    with trio.fail_after(0.1):
        async with trio.open_nursery() as nursery:
            await nursery.start(world.payments.run)
            await wait_all_tasks_blocked(0.1)  # its first look is over
            await wake(world, order)
            await poll(is_credited, every_s=0.0003)
            nursery.cancel_scope.cancel()
    assert await world.credits() == [100_00]


async def test_forced_checks_count_among_the_twenty(world: World) -> None:
    order = (await world.qr()).order
    for _ in range(30):
        await world.payments.top_ups.force_check(order.invoice_id, CLIENT, PHONE)
        await world.poll(after_s=1)
    assert world.odengi.count("status") == 19
    await run_through(world, 285)
    assert world.odengi.count("status") == 20
    assert (await world.order(order)).phase == "expired"


async def test_an_operators_question_is_asked_when_the_fast_checks_are_over_and_a_phones_is_not(world: World) -> None:
    """The next slow one may be hours away while a driver waits at the telephone."""
    order = (await world.qr()).order
    await world.sql(
        "UPDATE evpower.top_up_orders SET checks_done = 20, next_check_at = next_check_at + interval '1 day'"
    )
    for origin, asked in ((PHONE, 0), (ANN, 1)):
        await world.payments.top_ups.force_check(order.invoice_id, None, origin)
        await world.poll(after_s=1)
        assert world.odengi.count("status") == asked


async def test_a_forced_check_of_what_is_over_or_unknown_is_refused(world: World) -> None:
    order = (await world.qr()).order
    with pytest.raises(PaymentNotFound):
        await world.payments.top_ups.force_check(order.invoice_id, ClientId("client-2"), PHONE)
    with pytest.raises(NoSuchPayment):
        await world.payments.top_ups.force_check("unknown", None, PHONE)
    await world.apply(order, paid(100_00))
    with pytest.raises(PaymentNotProcessing):
        await world.payments.top_ups.force_check(order.invoice_id, CLIENT, PHONE)


async def test_a_client_cancels_and_the_provider_is_told_and_asked_once_more(world: World) -> None:
    order = (await world.qr()).order
    before, after = await world.payments.top_ups.cancel(order.invoice_id, CLIENT, PHONE)
    assert (before.phase, after.phase) == ("processing", "canceled")
    await world.poll()
    assert [call for call, _ in world.odengi.calls] == ["create_invoice", "cancel", "status"]
    with pytest.raises(PaymentNotCancellable):
        await world.payments.top_ups.cancel(order.invoice_id, CLIENT, PHONE)


async def test_what_was_paid_before_the_client_canceled_is_credited(world: World) -> None:
    order = (await world.qr()).order
    await world.payments.top_ups.cancel(order.invoice_id, CLIENT, PHONE)
    world.odengi.answer = paid(100_00)
    await world.poll()
    assert (await world.order(order)).phase == "approved"
    assert await world.balance() == 100_00


async def test_a_clock_set_back_a_day_does_not_stop_the_questions(world: World) -> None:
    """Money audit B2: whoever had paid was credited a day later."""
    order = (await world.qr()).order
    await world.poll(after_s=15)
    asked = world.odengi.count("status")
    world.clock.jump(-86_400)
    await world.payments.poller.clock_jumped()
    world.odengi.answer = paid(100_00)
    await world.poll(after_s=15)
    assert world.odengi.count("status") > asked
    assert (await world.order(order)).phase == "approved"


async def test_a_clock_set_ahead_a_day_neither_cancels_nor_expires_an_invoice(world: World) -> None:
    """Money audit B2: the invoice may still be paid, for as long as was promised."""
    order = (await world.qr()).order
    await world.poll(after_s=15)
    world.clock.jump(86_400)
    await world.payments.poller.clock_jumped()
    await run_through(world, 270)
    assert (await world.order(order)).phase == "processing"
    assert world.odengi.count("cancel") == 0
    world.odengi.answer = paid(100_00)
    await world.poll(after_s=15)
    assert (await world.order(order)).phase == "approved"


async def test_a_clock_set_back_does_not_lengthen_the_pause_of_a_provider_that_failed(world: World) -> None:
    """Money audit B2."""
    order = (await world.qr()).order
    world.odengi.answer = ProviderTimeout()
    await run_through(world, 60)
    assert world.payments.providers()["ODENGI"].status == "failing"
    world.clock.jump(-86_400)
    await world.payments.poller.clock_jumped()
    world.odengi.answer = paid(100_00)
    await world.poll(after_s=15)
    assert (await world.order(order)).phase == "approved"

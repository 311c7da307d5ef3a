"""Payments §5 "What must hold": credited once, never lost, whoever brings it and whenever the process dies."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, cast

import pytest
import trio

from evpower.billing.ledger import adjustment_entry
from evpower.billing.rows.clients import ensure_client
from evpower.billing.rows.ledger import check_ledger, post_entry
from evpower.db.pool import Pool
from evpower.db.unit_of_work import unit_of_work
from evpower.errors import EvPowerError, InvalidRequest, ProviderTimeout, Unauthorized
from evpower.money import MOST_TYIYN
from evpower.payments.gateway import CardAnswer, OrderState, OrderStatus, Payment
from evpower.payments.top_up import Origin
from tests.worlds.by_hand import by_hand
from tests.worlds.cards import CARD, PAYER, wish
from tests.worlds.payments import ANN, CLIENT, HOOK, PHONE, World
from tests.worlds.provider import CANCELED, PROCESSING, paid

TWICE = OrderStatus(OrderState.APPROVED, (Payment("first", 100_00), Payment("second", 100_00)))


async def test_fifty_copies_of_a_webhook_racing_the_poller_and_a_forced_check_credit_once(world: World) -> None:
    order = (await world.qr()).order
    world.odengi.answer = paid(100_00)
    world.clock.advance(15)
    told = []

    async def notify() -> None:
        told.append((await world.notify(order, amount=100_00)).invoice_id)
        await world.poll()

    async def force() -> None:
        try:
            await world.payments.top_ups.force_check(order.invoice_id, CLIENT, PHONE)
        except EvPowerError:  # it may be over already
            return
        await world.poll()

    with trio.fail_after(60):
        async with trio.open_nursery() as nursery:
            for _ in range(50):
                nursery.start_soon(notify)
            nursery.start_soon(world.poll)
            nursery.start_soon(force)
    assert told == [order.invoice_id] * 50
    assert await world.credits() == [100_00]


async def test_fifty_answers_applied_at_once_credit_once(world: World) -> None:
    order = (await world.qr()).order
    async with trio.open_nursery() as nursery:
        for source in ("poll", "sweep", "forced", "webhook", "client") * 10:
            nursery.start_soon(world.crediting.apply, order.id, paid(100_00), Origin(source))
    assert await world.credits() == [100_00]
    assert await world.balance() == 100_00


async def test_old_answers_after_the_credit_change_nothing(world: World) -> None:
    order = (await world.qr()).order
    await world.apply(order, paid(100_00))
    for late in (PROCESSING, CANCELED, paid(100_00)):
        assert (await world.apply(order, late)).phase == "approved"
    assert await world.credits() == [100_00]
    assert "ignored_canceled" in await world.audited()


async def test_a_payment_that_another_order_was_credited_with_is_parked(world: World) -> None:
    first, second = (await world.qr()).order, (await world.qr()).order
    await world.apply(first, paid(100_00))
    assert (await world.apply(second, paid(100_00))).phase == "review"
    assert await world.parked() == [("trans_id_of_another_order", 100_00)]
    assert await world.credits() == [100_00]


async def test_money_for_a_client_blocked_meanwhile_is_credited_and_flagged(world: World) -> None:
    order = (await world.qr()).order
    await world.block()
    assert "client_blocked" in (await world.apply(order, paid(100_00))).flags
    assert await world.balance() == 100_00


async def test_a_test_payment_in_production_is_audited_and_never_credited(world: World) -> None:
    order = (await world.qr()).order
    after = await world.apply(order, paid(100_00, is_test=True))
    assert (after.phase, after.flags) == ("processing", ("test_payment",))
    assert "test_payment" in await world.audited()
    assert await world.credits() == []


async def test_what_was_parked_is_closed_when_the_payment_comes_by_itself(world: World) -> None:
    order = (await world.qr()).order
    assert (await world.apply(order, OrderStatus(OrderState.APPROVED))).phase == "review"
    assert (await world.apply(order, paid(100_00))).phase == "approved"
    assert await world.parked() == []


@pytest.mark.parametrize("tyiyn", [MOST_TYIYN + 1, 10**12, 10**15 - 1, 10**17])
async def test_a_sum_no_account_can_hold_is_parked_once(world: World, tyiyn: int) -> None:
    order = (await world.qr()).order
    world.odengi.answer = paid(tyiyn)
    for after_s in (15, 600, 86_400):
        await world.poll(after_s=after_s)
        assert await world.parked() == [("sum_too_large", tyiyn)]
    assert (await world.order(order)).phase == "review"
    assert await world.credits() == []


async def test_sums_that_are_too_large_together_are_parked_from_the_one_that_is_too_much(world: World) -> None:
    both = (Payment("first", MOST_TYIYN), Payment("second", 1))
    order = (await world.qr()).order
    after = await world.apply(order, OrderStatus(OrderState.APPROVED, both))
    assert (after.phase, after.paid_tyiyn) == ("approved", MOST_TYIYN)
    assert await world.parked() == [("sum_too_large", 1)]
    await world.apply((await world.qr()).order, paid(1, "third"))
    assert await world.parked() == [("sum_too_large", 1), ("sum_too_large", 1)]


async def test_a_person_credits_no_more_than_an_account_can_hold(world: World) -> None:
    order = (await world.qr()).order
    await world.apply(order, paid(10**13))
    (row,) = await world.payments.decisions.parked(resolved_too=False)
    for too_much in (10**13, MOST_TYIYN + 1):
        with pytest.raises(InvalidRequest):
            await world.payments.decisions.credit(row.id, too_much, "looked", ANN)
    await world.payments.decisions.credit(row.id, 100_00, "looked", ANN)
    assert await world.credits() == [100_00]


async def test_a_top_up_pays_a_debt_first(world: World) -> None:
    await owe(world, 37_50)
    order = (await world.qr()).order
    await world.apply(order, paid(100_00))
    assert await world.balance() == 62_50
    assert await world.sql("SELECT debt_amount::text FROM clients") == [{"debt_amount": "0.00"}]


async def owe(world: World, debt_tyiyn: int) -> None:
    """A settled session that left a debt."""
    now = world.clock.now()
    async with unit_of_work(world.pool) as uow:
        await ensure_client(uow.conn, CLIENT, now)
        await uow.conn.execute(OWING, {"debt": debt_tyiyn / 100, "tyiyn": debt_tyiyn, "client": CLIENT, "at": now})


OWING = """
WITH location AS (
    INSERT INTO public.locations (id, name, address) VALUES ('L', 'L', 'A') RETURNING id
), station AS (
    INSERT INTO public.stations (id, serial_number, location_id) SELECT 'S', 'S', id FROM location RETURNING id
), session AS (
    INSERT INTO public.charging_sessions (id, user_id, station_id, connector_id, status, amount, reserved_amount,
        debt_amount, settled_at, created_at)
    SELECT 'owed', %(client)s, id, 1, 'stopped', %(debt)s, 0, %(debt)s, %(at)s, %(at)s FROM station RETURNING id
), entry AS (
    INSERT INTO evpower.ledger_entries (kind, key, session_id, actor, created_at)
    SELECT 'settle', 'settle:owed', id, 'test', %(at)s FROM session RETURNING id
)
INSERT INTO evpower.ledger_postings (entry_id, account, client_id, amount_tyiyn)
SELECT id, account, %(client)s, amount FROM entry, (VALUES ('revenue', %(tyiyn)s), ('receivable', -%(tyiyn)s))
       AS sides(account, amount)
"""


# --------------------------------------------------------------------------------------------------- webhooks
async def test_a_webhook_alone_credits_nothing(world: World) -> None:
    order = (await world.qr()).order
    await world.notify(order, amount=100_00)
    await world.poll()
    assert await world.credits() == []
    assert (await world.order(order)).phase == "processing"


async def test_a_webhook_makes_the_provider_be_asked_at_once_and_its_check_does_not_count(world: World) -> None:
    order = (await world.qr()).order
    world.odengi.answer = paid(100_00)
    assert (await world.notify(order)).outcome == "queued"
    await world.poll()
    assert (await world.order(order)).checks_done == 0
    assert await world.sql("SELECT outcome, state, peer FROM evpower.provider_events") == [
        {"outcome": "approved", "state": "approved", "peer": HOOK.peer}
    ]


async def test_a_webhook_whose_query_fails_stays_in_the_inbox_and_is_asked_about_again(world: World) -> None:
    order = (await world.qr()).order
    world.odengi.answer = OSError("no route")
    await world.notify(order)
    await world.poll()
    assert await world.sql("SELECT outcome FROM evpower.provider_events") == [{"outcome": "queued"}]
    world.odengi.answer = paid(100_00)
    await world.poll(after_s=61)
    assert await world.sql("SELECT outcome FROM evpower.provider_events") == [{"outcome": "approved"}]
    assert await world.credits() == [100_00]


async def test_a_replayed_webhook_is_a_duplicate_and_asks_nobody(world: World) -> None:
    order = (await world.qr()).order
    await world.apply(order, paid(100_00))
    assert (await world.notify(order)).outcome == "duplicate"
    await world.poll()
    assert world.odengi.count("status") == 0


@pytest.mark.parametrize("the_first_check_is_of", ["a webhook", "the schedule"])
async def test_a_webhook_that_comes_while_the_provider_is_asked_has_it_asked_again(
    world: World, the_first_check_is_of: str
) -> None:
    order = (await world.qr()).order
    world.odengi.answer = paid(100_00, "first")

    async def a_second_payment_is_made() -> None:
        world.odengi.pause = None
        assert (await world.notify(order, trans_id="second")).outcome == "queued"

    world.odengi.pause = a_second_payment_is_made
    if the_first_check_is_of == "a webhook":
        await world.notify(order, trans_id="first")
        await world.poll()
    else:
        await world.poll(after_s=15)
    assert await world.credits() == [100_00]
    world.odengi.answer = TWICE
    await world.poll()
    assert await world.credits() == [100_00, 100_00]
    assert await world.sql("SELECT DISTINCT outcome FROM evpower.provider_events") == [{"outcome": "approved"}]


async def test_an_answer_nobody_claimed_the_order_for_leaves_what_a_webhook_asked_for(world: World) -> None:
    order = (await world.qr()).order
    await world.notify(order, trans_id="second")
    await world.apply(order, paid(100_00, "first"))
    world.odengi.answer = TWICE
    await world.poll()
    assert await world.credits() == [100_00, 100_00]


async def test_a_decline_leaves_a_card_due_when_the_bank_called_meanwhile(world: World) -> None:
    await world.payments.cards.pay(wish(), CARD, PAYER, PHONE)
    order, world.obank.answer = await world.newest(), CANCELED

    async def the_bank_calls() -> None:
        world.obank.pause = None
        await world.notify(order, trans_id="late")

    world.obank.pause = the_bank_calls
    await world.poll(after_s=15)
    world.obank.answer = paid(order.amount_tyiyn, "late")
    await world.poll()
    assert await world.credits() == [order.amount_tyiyn]


async def test_a_failed_check_does_not_put_off_what_a_webhook_asked_for_meanwhile(world: World) -> None:
    order = (await world.qr()).order
    world.odengi.answer = ProviderTimeout()

    async def another_call() -> None:
        world.odengi.pause = None
        await world.notify(order, trans_id="second")

    world.odengi.pause = another_call
    await world.notify(order, trans_id="first")
    await world.poll()
    world.odengi.answer = TWICE
    await world.poll()
    assert await world.credits() == [100_00, 100_00]


async def test_a_webhook_in_the_last_check_of_a_week_is_asked_about_though_the_provider_was_silent(
    world: World,
) -> None:
    order = (await world.qr()).order
    world.odengi.answer = ProviderTimeout()

    async def a_late_call() -> None:
        world.odengi.pause = None
        await world.notify(order, trans_id="late")

    world.odengi.pause = a_late_call
    await world.poll(after_s=8 * 86_400)
    world.odengi.answer = paid(100_00, "late")
    await world.poll()
    assert await world.credits() == [100_00]
    assert await world.parked() == []


async def test_only_the_check_that_leased_an_order_gives_it_back(world: World) -> None:
    order = (await world.qr()).order

    async def another_answer_comes() -> None:
        world.odengi.pause = None
        await world.apply(order, PROCESSING)
        await world.notify(order)
        await world.payments.poller.work_due()

    world.odengi.pause = another_answer_comes
    await world.poll(after_s=15)
    assert world.odengi.asked_at_once_most == 1


async def test_a_webhook_late_by_a_month_still_credits(world: World) -> None:
    order = (await world.qr()).order
    for _ in range(30):
        await world.poll(after_s=86_400)
    world.odengi.answer = paid(100_00)
    await world.notify(order)
    await world.poll()
    assert await world.credits() == [100_00]


async def test_a_forged_webhook_is_refused_and_nothing_is_kept(world: World) -> None:
    order = (await world.qr()).order
    with pytest.raises(Unauthorized):
        await world.call("ODENGI", {"order_id": order.order_id, "state": "approved"}, signature="forged")
    assert await world.sql("SELECT id FROM evpower.provider_events") == []
    assert world.payments.notices.counts == {("ODENGI", "refused"): 1}


async def test_an_unknown_order_is_kept_in_the_inbox(world: World) -> None:
    receipt = await world.call("ODENGI", {"order_id": "tu_unknown", "state": "approved"})
    assert receipt.outcome == "payment_not_found"
    assert await world.sql("SELECT order_id, outcome FROM evpower.provider_events") == [
        {"order_id": "tu_unknown", "outcome": "payment_not_found"}
    ]


async def test_another_providers_order_is_a_mismatch(world: World) -> None:
    order = (await world.qr()).order
    assert (await world.call("OBANK", {"order_id": order.order_id, "state": "approved"})).outcome == "provider_mismatch"


async def test_a_test_webhook_in_production_asks_nobody(world: World) -> None:
    order = (await world.qr()).order
    assert (await world.notify(order, test=True)).outcome == "test_ignored"
    await world.poll()
    assert world.odengi.count("status") == 0


async def test_a_webhook_of_no_gateway_is_refused(world: World) -> None:
    with pytest.raises(Unauthorized):
        await world.call("MEGAPAY", {"order_id": "x", "state": "approved"})


async def test_an_unreadable_webhook_is_an_invalid_request(world: World) -> None:
    with pytest.raises(InvalidRequest):
        await world.payments.notices.receive("ODENGI", b"<", {"X-Signature": "signed"}, {}, HOOK)


async def test_personal_data_and_card_numbers_are_masked_in_the_inbox(world: World) -> None:
    order = (await world.qr()).order
    await world.notify(order, mobile="+996555000001", fname="Айбек", note="card 4169 5855 1234 5678 end")
    (row,) = await world.sql("SELECT body FROM evpower.provider_events")
    assert "996555" not in row["body"]
    assert "\\u0410" not in row["body"]
    assert "416958******5678 end" in row["body"]


async def test_a_notice_of_a_refund_changes_the_word_and_waits_for_a_person(world: World) -> None:
    order = (await world.qr()).order
    await world.apply(order, paid(100_00))
    world.odengi.answer = OrderStatus(OrderState.REFUNDED, (Payment("90017755", 100_00),), 100_00)
    await world.notify(order, "refunded")
    await world.poll()
    assert (await world.order(order)).phase == "refunded"
    assert await world.parked() == [("refund", 100_00)]
    assert await world.balance() == 100_00


# ---------------------------------------------------------------------------------------------------- crashes
class Died(BaseException):
    """The process is gone."""


class DyingPool:
    """A pool whose n-th commit is the last thing the process does, or the first it does not."""

    def __init__(self, pool: Pool, commit: int, *, before: bool) -> None:
        self._pool = pool
        self._left = commit
        self._before = before

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Any]:
        async with self._pool.connection() as conn:
            yield _DyingConnection(conn, self)

    def commits(self) -> bool:
        """Whether this commit is the one."""
        self._left -= 1
        return self._left == 0

    @property
    def survived(self) -> bool:
        return self._left > 0


class _DyingConnection:
    def __init__(self, conn: Any, pool: DyingPool) -> None:
        self._conn = conn
        self._pool = pool

    def __getattr__(self, name: str) -> Any:
        return getattr(self._conn, name)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        async with self._conn.transaction():
            yield
            now = self._pool.commits()
            if now and self._pool._before:
                raise Died
        if now:
            raise Died


async def qr_story(world: World) -> None:
    """A code, its webhook, its check: the whole path of a payment."""
    view = await world.qr()
    world.odengi.answer = paid(100_00)
    await world.notify(view.order)
    await world.poll()


async def card_story(world: World) -> None:
    await world.payments.cards.pay(wish(), CARD, PAYER, PHONE)


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
@pytest.mark.parametrize("commit", range(1, 9))
@pytest.mark.parametrize("story", [qr_story, card_story], ids=["qr", "card"])
async def test_a_crash_at_any_commit_of_the_path_leaves_exactly_one_credit(
    world: World, story: Any, commit: int, before: bool
) -> None:
    world.obank.card_answer = CardAnswer(paid(100_00, "7781234"), "ob_1")
    dying = DyingPool(world.pool, commit, before=before)
    world.restart(cast("Pool", dying))
    with suppress(Died):
        try:
            await story(world)
        except* Died:  # inside a check's nursery
            pass
    world.restart()
    orders = await world.payments.decisions.payments()
    asked = [name for name, _ in world.odengi.calls + world.obank.calls if name in ("create_invoice", "pay")]
    assert len(orders) == 1 or not asked, "nothing is sent without a row"
    # What reached a provider is paid there, whether or not we lived to hear of it.
    world.odengi.answer, world.obank.answer = paid(100_00), paid(100_00, "7781234")
    await world.poll(after_s=75)
    assert await world.credits() == [100_00] * len(orders)
    assert await checked(world)
    await world.poll(after_s=86_400)
    assert len(await world.credits()) <= 1


async def test_the_crash_tests_reach_the_end_of_the_path(world: World) -> None:
    dying = DyingPool(world.pool, 9, before=True)
    world.restart(cast("Pool", dying))
    await qr_story(world)
    assert dying.survived


async def checked(world: World) -> bool:
    async with by_hand(world.pool) as conn:
        return (await check_ledger(conn)).ok


async def test_gifts_and_top_ups_share_one_statement(world: World) -> None:
    now = world.clock.now()
    async with unit_of_work(world.pool) as uow:
        await ensure_client(uow.conn, CLIENT, now)
        await post_entry(uow.conn, adjustment_entry(CLIENT, 5_00, "gift", "gift", "test"), now)
    order = (await world.qr()).order
    await world.apply(order, paid(100_00))
    rows = await world.sql(
        "SELECT type, balance_after::text AS after, balance_topup_id FROM payment_transactions ORDER BY id"
    )
    assert rows == [
        {"type": "admin_adjustment", "after": "5.00", "balance_topup_id": None},
        {"type": "balance_topup", "after": "105.00", "balance_topup_id": order.id},
    ]

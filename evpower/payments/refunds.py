"""Money back to a payer through the provider, asked for by an operator (payments §5, §9).

    open ──the provider did it──▶ completed       The money leaves the client's account when the refund is written, and
      └──it will not──────────▶ returned          comes back only when the provider is known not to have paid it out.

What may have reached the provider is never sent twice: after a time-out, or a death in between, its status is asked,
and a refund whose end cannot be found out stays open and goes to a person after a week.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

import trio

from evpower.billing.clients import lock_client
from evpower.billing.errors import InsufficientBalance
from evpower.billing.service import BillingService
from evpower.clock import Clock
from evpower.db.pool import Pool
from evpower.db.unit_of_work import UnitOfWork, reading, unit_of_work
from evpower.errors import ProviderError, ProviderFailure, ProviderUnavailable, Refusal
from evpower.payments.audit import audit
from evpower.payments.crediting import Crediting
from evpower.payments.gateway import OrderState, OrderStatus, Payment, PaymentGateway
from evpower.payments.provider_calls import ProviderCalls
from evpower.payments.rows import top_up_refunds, top_ups
from evpower.payments.rows.top_up_refunds import OpenRefund, Refund
from evpower.payments.top_up import CREDITED, Origin, Parking, Phase, TopUp, given_back_tyiyn, returns
from evpower.payments.top_up_orders import TopUpOrders
from evpower.payments.top_up_schedule import SWEEP_FOR
from evpower.worker import repeat

__all__ = ["UNRESOLVED", "OpenRefund", "Refund", "Refunds"]

log = logging.getLogger("payment")

REFUND_WITHIN_S = 15.0
LOOK_EVERY_S = 15.0
#: The first repeat of a question, doubled each time up to a day; longer than a call may take.
ASK_AGAIN_FIRST = timedelta(seconds=60)
ASK_AGAIN_MOST = timedelta(days=1)
POLLED = Origin("poll")
UNRESOLVED = "refund_unresolved"


class NotRefundable(Refusal):
    """Nothing was paid by it, less than that, or a refund of it is under way."""

    code = "not_refundable"
    message = "Возврат невозможен"


class Refunds:
    """Refunds, and the worker that follows them to their end."""

    def __init__(
        self,
        pool: Pool,
        clock: Clock,
        gateways: Mapping[str, PaymentGateway],
        calls: ProviderCalls,
        orders: TopUpOrders,
        crediting: Crediting,
        billing: BillingService,
    ) -> None:
        self._pool = pool
        self._clock = clock
        self._gateways = gateways
        self._calls = calls
        self._orders = orders
        self._crediting = crediting
        self._billing = billing

    async def under_way(self) -> list[OpenRefund]:
        """Those whose outcome is not known yet, the oldest first."""
        async with reading(self._pool) as conn:
            return await top_up_refunds.list_open(conn)

    async def refund(self, key: str, amount_tyiyn: int | None, reason: str, origin: Origin) -> Refund:
        """Give a payment back, all that is left of it without an amount; the refund as it is when the provider
        has answered, `open` when its outcome is not known yet.

        Raises PaymentNotFound, NotRefundable, InsufficientBalance (the client spent it), ProviderUnavailable.
        """
        found = await self._orders.find(key, None)
        if found.provider not in self._gateways:
            raise ProviderUnavailable
        async with unit_of_work(self._pool) as uow:
            client = await lock_client(uow.conn, found.client_id)
            order = await top_ups.lock_top_up(uow.conn, found.id)
            trans_id, amount_tyiyn = await self._refundable(uow, order, amount_tyiyn)
            if client.balance_tyiyn < amount_tyiyn:
                raise InsufficientBalance(client.balance_tyiyn, amount_tyiyn)
            refund_id = await self._hold(uow, order, trans_id, amount_tyiyn, reason, origin)
        async with reading(self._pool) as conn:
            refund = await top_up_refunds.read_refund(conn, refund_id)
        await self._send(refund)
        async with reading(self._pool) as conn:
            return await top_up_refunds.read_refund(conn, refund_id)

    async def _refundable(self, uow: UnitOfWork, order: TopUp, amount_tyiyn: int | None) -> tuple[str, int]:
        """Which payment gives it back, and how much."""
        if order.phase not in CREDITED:
            raise NotRefundable("По этому счёту ничего не зачислено")
        if await top_up_refunds.open_refund(uow.conn, order.id) is not None:
            raise NotRefundable("Возврат по этому счёту уже выполняется")
        booked = await top_ups.booked_payments(uow.conn, order.id)
        given = await top_up_refunds.refunded_by_payment(uow.conn, order.id)
        # What the provider gave back unasked is booked by order, not by payment.
        unasked_tyiyn = max(0, order.refunded_tyiyn - sum(given.values()))
        for trans_id, paid_tyiyn in booked.items():
            left_tyiyn = paid_tyiyn - given.get(trans_id, 0) - unasked_tyiyn
            if left_tyiyn > 0 and (amount_tyiyn or 0) <= left_tyiyn and not trans_id.startswith("parked:"):
                return trans_id, amount_tyiyn or left_tyiyn
        raise NotRefundable("Сумма больше того, что осталось от платежа")

    async def _hold(
        self, uow: UnitOfWork, order: TopUp, trans_id: str, amount_tyiyn: int, reason: str, origin: Origin
    ) -> int:
        now = self._clock.now()
        refund_id = await top_up_refunds.insert_refund(
            uow.conn,
            topup_id=order.id,
            trans_id=trans_id,
            amount_tyiyn=amount_tyiyn,
            before_tyiyn=order.refunded_tyiyn,
            actor=origin.actor or "operator",
            reason=reason,
            at=now,
        )
        await self._billing.hold_refund(uow, order.ref, refund_id, amount_tyiyn, origin.who)
        await top_ups.add_refunded(uow.conn, order.id, amount_tyiyn)
        await audit(uow, order, "refund_asked", origin, now, amount_tyiyn=amount_tyiyn, detail=reason)
        return refund_id

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Follow open refunds, until cancelled."""
        task_status.started()
        await repeat(self.work_due, LOOK_EVERY_S, log=log, failure="following refunds failed and will be repeated")

    async def work_due(self) -> None:
        """Send what was written and never sent, and ask about what was sent."""
        while True:
            now = self._clock.now()
            async with unit_of_work(self._pool) as uow:
                refund = await top_up_refunds.claim_due_refund(uow.conn, now, now + ASK_AGAIN_FIRST)
            if refund is None:
                return
            if refund.sent_at is None:
                await self._send(refund)
            else:
                await self._ask(refund)

    async def _send(self, refund: Refund) -> None:
        """Ask the provider to pay it out, at most once in all time: that it may have is written before."""
        now = self._clock.now()
        async with unit_of_work(self._pool) as uow:
            if not await top_up_refunds.mark_sent(uow.conn, refund.id, now, now + ASK_AGAIN_FIRST):
                return
            order = await top_ups.read_top_up(uow.conn, refund.topup_id)
        gateway = self._gateways.get(order.provider)
        try:
            if gateway is None:
                raise ProviderUnavailable
            payment = Payment(refund.trans_id, refund.amount_tyiyn, order.currency)
            call = gateway.refund(order.for_provider(), payment, refund.amount_tyiyn)
            await self._calls.answer(order.provider, "refund", call, within_s=REFUND_WITHIN_S)
        except (ProviderError, ProviderUnavailable) as error:
            await self.end(refund, happened=False, origin=POLLED, error=error.last_word)
        except ProviderFailure as error:
            log.warning(
                "refund %d of top-up %s: %s; it will be asked about", refund.id, order.order_id, error.last_word
            )
        else:
            await self.end(refund, happened=True, origin=POLLED)

    async def _ask(self, refund: Refund) -> None:
        """What became of a refund whose answer was lost."""
        async with reading(self._pool) as conn:
            order = await top_ups.read_top_up(conn, refund.topup_id)
            booked = await top_ups.booked_payments(conn, refund.topup_id)
        error = None
        try:
            gateway = self._gateways.get(order.provider)
            if gateway is None:
                raise ProviderUnavailable
            call = gateway.status(order.for_provider())
            status = await self._calls.answer(order.provider, "status", call, within_s=REFUND_WITHIN_S)
            if _shows(status, booked, refund):
                await self.end(refund, happened=True, origin=POLLED)
                return
        except ProviderFailure as failure:
            error = failure.last_word
        await self._postpone(refund, error)

    async def _postpone(self, refund: Refund, error: str | None) -> None:
        """Ask again later, unless somebody ended it while it was asked about."""
        now = self._clock.now()
        async with unit_of_work(self._pool) as uow:
            await lock_client(uow.conn, refund.client_id)
            order = await top_ups.lock_top_up(uow.conn, refund.topup_id)
            if (await top_up_refunds.lock_refund(uow.conn, refund.id)).state != "open":
                return
            await top_up_refunds.ask_again(uow.conn, refund.id, _next(refund, now), error)
            if now - refund.created_at >= SWEEP_FOR:
                parking = Parking(UNRESOLVED, refund.trans_id, refund.amount_tyiyn, order.currency)
                await self._crediting.park(uow, order, parking, POLLED, error)

    async def end(self, refund: Refund, *, happened: bool, origin: Origin, error: str | None = None) -> None:
        """It is known what became of it."""
        async with unit_of_work(self._pool) as uow:
            await lock_client(uow.conn, refund.client_id)
            order = await top_ups.lock_top_up(uow.conn, refund.topup_id)
            await self.end_in(uow, order, refund.id, happened=happened, origin=origin, error=error)

    async def end_in(
        self, uow: UnitOfWork, order: TopUp, refund_id: int, *, happened: bool, origin: Origin, error: str | None = None
    ) -> None:
        """As `end`, in the caller's unit of work, with the client and the order locked."""
        refund, now = await top_up_refunds.lock_refund(uow.conn, refund_id), self._clock.now()
        if refund.state != "open":
            return
        await self._billing.end_refund(uow, order.ref, refund.id, refund.amount_tyiyn, origin.who, happened=happened)
        await top_up_refunds.end_refund(uow.conn, refund.id, "completed" if happened else "returned", now, error)
        phase: Phase = order.phase
        if happened:
            phase = "refunded" if order.refunded_tyiyn >= order.paid_tyiyn else "partial_refund"
            await top_ups.move(uow.conn, order, phase, now, ask_at=order.next_check_at)
        else:
            await top_ups.add_refunded(uow.conn, order.id, -refund.amount_tyiyn)
        operation = "refund_completed" if happened else "refund_returned"
        await audit(uow, order, operation, origin, now, after=phase, amount_tyiyn=refund.amount_tyiyn, detail=error)


def _shows(status: OrderStatus, booked: Collection[str], refund: Refund) -> bool:
    """Whether the provider says that this much more was given back."""
    if status.state is OrderState.REFUNDED and status.refunded_tyiyn is None:
        return True
    if returns(status, (refund.trans_id,)):
        return True
    return (given_back_tyiyn(status, booked) or 0) >= refund.before_tyiyn + refund.amount_tyiyn


def _next(refund: Refund, now: datetime) -> datetime:
    doublings: int = 2 ** min(refund.checks_done, 16)
    return now + min(ASK_AGAIN_FIRST * doublings, ASK_AGAIN_MOST)

"""Top-ups by QR code, and what a phone may do with any top-up (payments §4.1, §4.4-4.5)."""

from __future__ import annotations

from evpower.billing.clients import lock_client
from evpower.clock import Clock
from evpower.db.pool import Pool
from evpower.db.unit_of_work import UnitOfWork, unit_of_work
from evpower.errors import PaymentNotFound, ProviderError, ProviderTimeout, ProviderUnavailable, Refusal
from evpower.idempotency.claim import IdempotencyClaim
from evpower.identifiers import ClientId
from evpower.payments.audit import audit
from evpower.payments.gateway import QrGateway, QrInvoice
from evpower.payments.poller import PaymentPoller
from evpower.payments.rows import top_ups
from evpower.payments.top_up import OPEN, Origin, TopUp, TopUpRules, TopUpView, TopUpWish
from evpower.payments.top_up_orders import TopUpOrders
from evpower.payments.top_up_schedule import may_force

#: Whose invoices are paid by QR code.
QR_PROVIDER = "ODENGI"


class NoSuchPayment(Refusal):
    code = "payment_not_found"
    message = "Платеж не найден"


class PaymentNotProcessing(Refusal):
    code = "payment_not_processing"
    message = "Платёж уже завершён"


class PaymentNotCancellable(Refusal):
    code = "payment_not_cancellable"
    message = "Платёж нельзя отменить"


class TopUps:
    """What a phone asks of its top-ups."""

    def __init__(
        self,
        pool: Pool,
        clock: Clock,
        gateway: QrGateway | None,
        orders: TopUpOrders,
        poller: PaymentPoller,
        rules: TopUpRules,
    ) -> None:
        self._pool = pool
        self._clock = clock
        self._gateway = gateway
        self._orders = orders
        self._poller = poller
        self._rules = rules

    async def create_qr(self, wish: TopUpWish, origin: Origin, claim: IdempotencyClaim | None = None) -> TopUpView:
        """An invoice to be paid by QR code. Raises ProviderUnavailable, ProviderError, ProviderTimeout, and as
        `TopUpOrders.open`. After a time-out the order stays: the poller finds out by its `order_id`.
        """
        gateway = self._gateway
        if gateway is None:
            raise ProviderUnavailable
        order = await self._orders.open(wish, gateway, "qr", origin, claim)
        call = gateway.create_invoice(order.for_provider())
        invoice = await self._orders.asked(order, "create_invoice", call, origin)
        await self._store(order, invoice, origin)
        return await self._orders.view(order)

    async def _store(self, order: TopUp, invoice: QrInvoice, origin: Origin) -> None:
        """Keep the answer; it moves only an order that is still `created`: a webhook may have been faster."""
        async with unit_of_work(self._pool) as uow:
            await lock_client(uow.conn, order.client_id)
            order, now = await top_ups.lock_top_up(uow.conn, order.id), self._clock.now()
            await top_ups.store_invoice(uow.conn, order.id, invoice)
            if order.phase == "created":
                await top_ups.move(uow.conn, order, "processing", now, ask_at=order.next_check_at)
                await audit(uow, order, "invoice_created", origin, now, after="processing", detail=invoice.invoice_id)
            for older in await top_ups.older_open_qr(uow.conn, order):
                await self._close(uow, older, "superseded", origin)

    async def rebuilt(self, order_id: str) -> TopUpView:
        """What `create_qr` would have answered, from the row. Raises what it would have raised."""
        order = await self._orders.find(order_id, None)
        if order.invoice_id == order.order_id and order.phase in OPEN:
            raise ProviderTimeout(order_id=order.order_id, client_id=order.client_id)
        if order.invoice_id == order.order_id and order.phase == "canceled":
            raise ProviderError
        return await self._orders.view(order)

    async def status(self, key: str, client_id: ClientId | None) -> TopUpView:
        """A top-up by any of its ids; it never waits for a provider. Raises PaymentNotFound."""
        return await self._orders.view(await self._orders.find(key, client_id))

    async def force_check(self, key: str, client_id: ClientId | None, origin: Origin) -> TopUp:
        """Have the provider asked at once, in the background: while fast checks are left, and by operators after them.

        Raises NoSuchPayment or PaymentNotFound, and PaymentNotProcessing.
        """
        found = await self._known(key, client_id)
        async with unit_of_work(self._pool) as uow:
            await lock_client(uow.conn, found.client_id)
            order, now = await top_ups.lock_top_up(uow.conn, found.id), self._clock.now()
            if order.phase not in OPEN:
                raise PaymentNotProcessing(invoice_id=order.invoice_id, status=order.status)
            by_operator = origin.source == "operator"
            if may_force(order, self._rules, by_operator=by_operator) and order.due_why is None:
                await top_ups.make_due(uow.conn, order.id, now, "forced")
            await audit(uow, order, "check_forced", origin, now)
        self._poller.wake()
        return order

    async def cancel(self, key: str, client_id: ClientId | None, origin: Origin) -> tuple[TopUp, TopUp]:
        """Give an open order up: the order before and after.

        Raises NoSuchPayment or PaymentNotFound, and PaymentNotCancellable.
        It is closed here at once; the poller then cancels it at the provider and asks once more, so what was paid
        in the meantime is credited all the same (payments §2.5).
        """
        found = await self._known(key, client_id)
        async with unit_of_work(self._pool) as uow:
            await lock_client(uow.conn, found.client_id)
            order, now = await top_ups.lock_top_up(uow.conn, found.id), self._clock.now()
            if order.phase not in OPEN:
                raise PaymentNotCancellable(invoice_id=order.invoice_id, status=order.status)
            await self._close(uow, order, "canceled_by_client", origin)
            await top_ups.make_due(uow.conn, order.id, now, "forced")
            closed = await top_ups.read_top_up(uow.conn, order.id)
        self._poller.wake()
        return order, closed

    async def _close(self, uow: UnitOfWork, order: TopUp, why: str, origin: Origin) -> None:
        """Publicly canceled; the slow sweep still finds a payment."""
        now = self._clock.now()
        await audit(uow, order, why, origin, now, after="canceled")
        await top_ups.move(uow.conn, order, "canceled", now, flags=(why,), ask_at=order.next_check_at)

    async def _known(self, key: str, client_id: ClientId | None) -> TopUp:
        """Raises NoSuchPayment; to a known client PaymentNotFound, for another's order too (safe by default 5)."""
        try:
            return await self._orders.find(key, client_id)
        except PaymentNotFound:
            if client_id is not None:
                raise
            raise NoSuchPayment from None

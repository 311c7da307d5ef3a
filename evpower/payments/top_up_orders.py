"""Top-up orders: the row comes before the provider is asked, whatever it is asked for (payments §4.1, §5)."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import replace
from datetime import timedelta
from typing import TypeVar

from evpower.billing.account import check_client
from evpower.billing.clients import ensure_client, lock_client, read_balance
from evpower.clock import Clock, Ids
from evpower.db.pool import Pool
from evpower.db.unit_of_work import reading, unit_of_work
from evpower.errors import (
    InvalidRequest,
    PaymentNotFound,
    ProviderError,
    ProviderFailure,
    ProviderTimeout,
    ProviderUnavailable,
)
from evpower.idempotency.claim import IdempotencyClaim
from evpower.idempotency.keys import claim_key
from evpower.identifiers import ClientId
from evpower.money import som_number, som_text
from evpower.payments.audit import audit
from evpower.payments.gateway import PaymentGateway
from evpower.payments.provider_calls import CLIENT_WAITS_S, Operation, ProviderCalls
from evpower.payments.rows import top_ups
from evpower.payments.top_up import OPEN, Method, Origin, TopUp, TopUpRules, TopUpView, TopUpWish

T = TypeVar("T")


class AmountTooSmall(InvalidRequest):
    """A top-up below the least that is taken (design §9.1)."""

    code = "minimum_amount_required"

    def __init__(self, minimum_tyiyn: int) -> None:
        self.message = f"Минимальная сумма пополнения: {som_text(minimum_tyiyn)} сом"
        super().__init__(("amount", self.message))
        self.details = {**self.details, "minimum_amount": som_number(minimum_tyiyn)}


class AmountTooLarge(InvalidRequest):
    """A top-up above the most that is taken."""

    code = "maximum_amount_exceeded"

    def __init__(self, maximum_tyiyn: int) -> None:
        self.message = f"Максимальная сумма пополнения: {som_text(maximum_tyiyn)} сом"
        super().__init__(("amount", self.message))
        self.details = {**self.details, "maximum_amount": som_number(maximum_tyiyn)}


class TopUpOrders:
    """Opening, asking about and finding orders: what QR codes and cards have in common."""

    def __init__(self, pool: Pool, clock: Clock, ids: Ids, calls: ProviderCalls, rules: TopUpRules) -> None:
        self._pool = pool
        self._clock = clock
        self._ids = ids
        self._calls = calls
        self._rules = rules

    async def open(
        self,
        wish: TopUpWish,
        gateway: PaymentGateway,
        method: Method,
        origin: Origin,
        claim: IdempotencyClaim | None,
        card_mask: str | None = None,
    ) -> TopUp:
        """Write and commit the order, with the Idempotency-Key that asked for it.

        Raises AmountTooSmall, AmountTooLarge, ClientBlocked, ClientDeleted, and IdempotencyMismatch for a taken key.
        """
        if wish.amount_tyiyn < self._rules.minimum_tyiyn:
            raise AmountTooSmall(self._rules.minimum_tyiyn)
        if wish.amount_tyiyn > self._rules.maximum_tyiyn:
            raise AmountTooLarge(self._rules.maximum_tyiyn)
        now = self._clock.now()
        new = top_ups.NewTopUp(
            order_id=f"tu_{self._ids.new()}",
            client_id=wish.client_id,
            provider=gateway.name,
            method=method,
            amount_tyiyn=wish.amount_tyiyn,
            description=wish.description,
            created_at=now,
            expires_at=now + timedelta(seconds=self._rules.invoice_lifetime_s),
            first_check_at=now + timedelta(seconds=self._rules.poll_interval_s),
            card_mask=card_mask,
        )
        async with unit_of_work(self._pool) as uow:
            await ensure_client(uow.conn, wish.client_id, now)
            client = await lock_client(uow.conn, wish.client_id)
            check_client(client.status)
            if claim is not None:
                await claim_key(uow.conn, claim, None, now, order_id=new.order_id)
            order = await top_ups.insert_top_up(uow.conn, replace(new, client_id=client.id))
            await audit(uow, order, f"topup_{method}", origin, now)
        return order

    async def asked(self, order: TopUp, operation: Operation, call: Awaitable[T], origin: Origin) -> T:
        """What the provider answers about a new order, while its client waits.

        Raises ProviderError and ProviderUnavailable: nothing will be paid by it, so it is canceled; ProviderTimeout: it
        stays open, and the poller asks what became of it.
        """
        try:
            return await self._calls.answer(order.provider, operation, call, within_s=CLIENT_WAITS_S)
        except ProviderTimeout:
            raise ProviderTimeout(order_id=order.order_id, client_id=order.client_id) from None
        except (ProviderError, ProviderUnavailable) as error:
            refusal: ProviderFailure = error
        async with unit_of_work(self._pool) as uow:
            await lock_client(uow.conn, order.client_id)
            order, now = await top_ups.lock_top_up(uow.conn, order.id), self._clock.now()
            if order.phase in OPEN:
                await audit(uow, order, "refused", origin, now, after="canceled", detail=refusal.last_word)
                await top_ups.move(uow.conn, order, "canceled", now, reason=refusal.code, ask_at=None)
        raise refusal

    async def view(self, order: TopUp) -> TopUpView:
        """An order as it is now, with its client's balance."""
        async with reading(self._pool) as conn:
            order = await top_ups.read_top_up(conn, order.id)
            balance = await read_balance(conn, order.client_id)
            trans_ids = tuple(await top_ups.booked_payments(conn, order.id))
        lifetime_s = int((order.expires_at - order.created_at).total_seconds())
        return TopUpView(
            order, balance.balance_tyiyn, self._clock.now(), lifetime_s, trans_ids[0] if trans_ids else None
        )

    async def find(self, key: str, client_id: ClientId | None) -> TopUp:
        """The order a phone calls by invoice id, order id or auth key. PaymentNotFound also for another client's."""
        async with reading(self._pool) as conn:
            order = await top_ups.find_top_up(conn, top_ups.BY_ANY_ID, key)
        if order is None or client_id not in (None, order.client_id):
            raise PaymentNotFound
        return order

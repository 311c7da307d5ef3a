"""Top-ups by card (payments §3.4-3.7, §4.2-4.3): a card is in memory for one request, and nothing of it is kept.

A payment whose answer did not come is never sent again: the poller asks what became of it, by the number it was sent
under.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from evpower.billing.clients import lock_client
from evpower.clock import Clock
from evpower.db.pool import Pool
from evpower.db.unit_of_work import unit_of_work
from evpower.errors import ProviderTimeout, ProviderUnavailable, Refusal
from evpower.idempotency.claim import IdempotencyClaim
from evpower.money import som_number
from evpower.payments.audit import audit
from evpower.payments.crediting import Crediting
from evpower.payments.gateway import (
    Card,
    CardAnswer,
    CardGateway,
    HostedPage,
    OrderState,
    Payer,
    ProviderOrder,
)
from evpower.payments.provider_calls import CLIENT_WAITS_S, Operation, ProviderCalls
from evpower.payments.rows import top_ups
from evpower.payments.top_up import OPEN, Method, Origin, TopUp, TopUpRules, TopUpView, TopUpWish
from evpower.payments.top_up_orders import TopUpOrders

CARD_PROVIDER = "OBANK"
DECLINED = "payment_declined"

Charge = Callable[[CardGateway, ProviderOrder], Awaitable[CardAnswer]]


class PaymentFailed(Refusal):
    """A card payment was declined; `reason` is ours, `provider_code` the provider's own code (design §9.1)."""

    code = "payment_failed"
    message = "Платёж отклонён банком"


class TokenNotSupported(Refusal):
    code = "token_not_supported"
    message = "Сохранение карт недоступно"


class CardPayments:
    """Charging cards."""

    def __init__(
        self,
        pool: Pool,
        clock: Clock,
        gateway: CardGateway | None,
        calls: ProviderCalls,
        orders: TopUpOrders,
        crediting: Crediting,
        rules: TopUpRules,
    ) -> None:
        self._pool = pool
        self._clock = clock
        self._gateway = gateway
        self._calls = calls
        self._orders = orders
        self._crediting = crediting
        self._rules = rules

    async def pay(
        self, wish: TopUpWish, card: Card, payer: Payer, origin: Origin, claim: IdempotencyClaim | None = None
    ) -> TopUpView:
        """Charge a card entered through our API. Raises ProviderUnavailable when that is off (design §9.4), and as
        `pay_with_token`.
        """
        if not self._rules.h2h_allowed:
            raise ProviderUnavailable("Оплата картой недоступна. Используйте пополнение по QR-коду")

        async def charge(gateway: CardGateway, order: ProviderOrder) -> CardAnswer:
            return await gateway.pay(order, card, payer)

        return await self._charge(wish, "card", card.mask, charge, origin, claim)

    async def pay_with_token(
        self, wish: TopUpWish, token: str, payer: Payer, origin: Origin, claim: IdempotencyClaim | None = None
    ) -> TopUpView:
        """Charge a stored card. Raises PaymentFailed (declined), ProviderError, ProviderUnavailable, ProviderTimeout,
        and as `TopUpOrders.open`.
        """

        async def charge(gateway: CardGateway, order: ProviderOrder) -> CardAnswer:
            return await gateway.pay_with_token(order, token, payer)

        return await self._charge(wish, "token", None, charge, origin, claim)

    async def store_card(self, days: int) -> HostedPage:
        """A page of the provider's where a person stores a card. Raises TokenNotSupported and ProviderFailure."""
        if self._gateway is None:
            raise TokenNotSupported
        page = self._gateway.store_card(days)
        return await self._calls.answer(self._gateway.name, "store_card", page, within_s=CLIENT_WAITS_S)

    async def rebuilt(self, order_id: str) -> TopUpView:
        """What the payment would have answered, from the row. Raises what it would have raised."""
        order = await self._orders.find(order_id, None)
        if order.phase == "created":
            raise ProviderTimeout(order_id=order.order_id, client_id=order.client_id)
        return await self._answer(order)

    async def _charge(
        self,
        wish: TopUpWish,
        method: Method,
        card_mask: str | None,
        charge: Charge,
        origin: Origin,
        claim: IdempotencyClaim | None,
    ) -> TopUpView:
        gateway = self._gateway
        if gateway is None:
            raise ProviderUnavailable
        order = await self._orders.open(wish, gateway, method, origin, claim, card_mask)
        operation: Operation = "pay_with_token" if method == "token" else "pay"
        answer = await self._orders.asked(order, operation, charge(gateway, order.for_provider()), origin)
        await self._store(order, answer, origin)
        if answer.status.state not in (OrderState.PROCESSING, OrderState.NOT_FOUND):
            order = await self._crediting.apply(order.id, answer.status, origin)
        return await self._answer(order)

    async def _store(self, order: TopUp, answer: CardAnswer, origin: Origin) -> None:
        """Keep the answer; it moves only an order that is still `created`: a notice may have been faster."""
        async with unit_of_work(self._pool) as uow:
            await lock_client(uow.conn, order.client_id)
            order, now = await top_ups.lock_top_up(uow.conn, order.id), self._clock.now()
            challenge = None if answer.challenge is None or order.phase not in OPEN else answer.challenge
            await top_ups.store_card_answer(uow.conn, order.id, answer.auth_key, challenge)
            if order.phase == "created":
                await top_ups.move(uow.conn, order, "processing", now, ask_at=order.next_check_at)
                await audit(uow, order, "card_answered", origin, now, after="processing", detail=answer.status.reason)

    async def _answer(self, order: TopUp) -> TopUpView:
        view = await self._orders.view(order)
        if view.order.phase == "canceled":
            raise PaymentFailed(
                reason=DECLINED,
                provider_code=view.order.reason or "",
                client_id=view.order.client_id,
                order_id=view.order.order_id,
                current_balance=som_number(view.balance_tyiyn),
            )
        return view

"""What an operator sees of payments, and decides about those that cannot be decided by rule (design §9.2)."""

from __future__ import annotations

from evpower.billing.clients import Client, lock_client
from evpower.billing.errors import InsufficientBalance
from evpower.billing.order_ref import top_up_key
from evpower.billing.service import BillingService
from evpower.clock import Clock
from evpower.db.pool import Pool
from evpower.db.unit_of_work import UnitOfWork, reading, unit_of_work
from evpower.errors import InvalidRequest, NotFound
from evpower.narrowing import ALL_OF_IT, Narrowing
from evpower.payments.audit import audit
from evpower.payments.crediting import Crediting, room_for
from evpower.payments.refunds import UNRESOLVED, Refunds
from evpower.payments.rows import parked_payments, top_ups
from evpower.payments.rows.parked_payments import ParkedPayment
from evpower.payments.rows.top_up_refunds import open_refund
from evpower.payments.top_up import Origin, Phase, TopUp

__all__ = ["ParkedPayment", "PaymentDecisions"]

#: What a debit can answer: notices of money given back.
REFUND_REASONS = frozenset({"refund", UNRESOLVED})
ALREADY = "уже решено"


class PaymentDecisions:
    """The operator's way to look at payments and to put them right."""

    def __init__(
        self, pool: Pool, clock: Clock, crediting: Crediting, refunds: Refunds, billing: BillingService
    ) -> None:
        self._pool = pool
        self._clock = clock
        self._crediting = crediting
        self._refunds = refunds
        self._billing = billing

    async def payments(self, wanted: Narrowing = ALL_OF_IT) -> list[TopUp]:
        """The newest orders."""
        async with reading(self._pool) as conn:
            return await top_ups.list_top_ups(conn, wanted)

    async def undecided(self) -> list[TopUp]:
        """Orders that their provider is still asked about, the oldest first."""
        async with reading(self._pool) as conn:
            return await top_ups.list_undecided(conn)

    async def parked(self, *, resolved_too: bool) -> list[ParkedPayment]:
        """What waits for a person, with everything known of it."""
        async with reading(self._pool) as conn:
            return await parked_payments.list_parked(conn, resolved_too=resolved_too)

    async def credit(self, parked_id: int, amount_tyiyn: int, reason: str, origin: Origin) -> None:
        """The money came: credit this much. Raises NotFound, and InvalidRequest when it was decided before, this
        payment was credited already, or the sum is more than an account holds.
        """
        async with unit_of_work(self._pool) as uow:
            row, client, order = await self._take(uow, parked_id)
            if row.reason in REFUND_REASONS:
                raise InvalidRequest(("id", "это уведомление о возврате: спишите сумму или отклоните"))
            if amount_tyiyn > room_for(order, client):
                raise InvalidRequest(("amount", "больше, чем помещается на счёте"))
            key = top_up_key(order.provider, row.trans_id or f"parked:{parked_id}")
            if not await self._crediting.credit_by_hand(uow, order, key, amount_tyiyn, origin):
                raise InvalidRequest(("id", "этот платёж уже зачислен"))
            await self._resolve(uow, parked_id, "credited", amount_tyiyn, reason, origin)

    async def debit(self, parked_id: int, amount_tyiyn: int, reason: str, origin: Origin) -> None:
        """The provider gave this much back to the payer: take it from the client. Raises as `credit`, and
        InsufficientBalance when the client has spent it.
        """
        async with unit_of_work(self._pool) as uow:
            row, client, order = await self._take(uow, parked_id)
            if row.reason not in REFUND_REASONS:
                raise InvalidRequest(("id", "списать можно только возврат"))
            if row.reason == UNRESOLVED:
                await self._end_open_refund(uow, order, happened=True, origin=origin)
            else:
                await self._take_back(uow, client, order, parked_id, amount_tyiyn, origin)
            await self._resolve(uow, parked_id, "debited", amount_tyiyn, reason, origin)

    async def dismiss(self, parked_id: int, reason: str, origin: Origin) -> None:
        """No money moves; an order that waited only for this is over. Raises as `credit`."""
        async with unit_of_work(self._pool) as uow:
            row, _, order = await self._take(uow, parked_id)
            now = self._clock.now()
            await audit(uow, order, "dismissed", origin, now, detail=reason)
            if row.reason == UNRESOLVED:
                await self._end_open_refund(uow, order, happened=False, origin=origin)
            await self._resolve(uow, parked_id, "dismissed", None, reason, origin)
            if order.phase == "review" and not await parked_payments.count_open(uow.conn, order.id):
                await top_ups.move(uow.conn, order, "canceled", now, ask_at=None)

    async def _take(self, uow: UnitOfWork, parked_id: int) -> tuple[ParkedPayment, Client, TopUp]:
        row = await parked_payments.read_parked(uow.conn, parked_id)
        if row is None:
            raise NotFound
        client = await lock_client(uow.conn, row.client_id)
        order = await top_ups.lock_top_up(uow.conn, row.topup_id)
        # Read again behind the locks: somebody may have decided meanwhile.
        row = await parked_payments.read_parked(uow.conn, parked_id)
        if row is None or row.is_resolved:
            raise InvalidRequest(("id", ALREADY))
        return row, client, order

    async def _take_back(
        self, uow: UnitOfWork, client: Client, order: TopUp, parked_id: int, amount_tyiyn: int, origin: Origin
    ) -> None:
        if client.balance_tyiyn < amount_tyiyn:
            raise InsufficientBalance(client.balance_tyiyn, amount_tyiyn)
        if order.refunded_tyiyn + amount_tyiyn > order.paid_tyiyn:
            raise InvalidRequest(("amount", "больше, чем было зачислено"))
        now, key = self._clock.now(), f"topup_refund:parked:{parked_id}"
        await self._billing.take_back(uow, order.ref, key, amount_tyiyn, origin.who)
        await top_ups.add_refunded(uow.conn, order.id, amount_tyiyn)
        await audit(uow, order, "refund_booked", origin, now, amount_tyiyn=amount_tyiyn)
        whole = order.refunded_tyiyn + amount_tyiyn >= order.paid_tyiyn
        phase: Phase = "refunded" if whole else "partial_refund"
        await top_ups.move(uow.conn, order, phase, now, ask_at=order.next_check_at)

    async def _end_open_refund(self, uow: UnitOfWork, order: TopUp, *, happened: bool, origin: Origin) -> None:
        refund = await open_refund(uow.conn, order.id)
        if refund is not None:
            await self._refunds.end_in(uow, order, refund.id, happened=happened, origin=origin)

    async def _resolve(
        self, uow: UnitOfWork, parked_id: int, resolution: str, tyiyn: int | None, reason: str, origin: Origin
    ) -> None:
        actor, now = origin.actor or "operator", self._clock.now()
        if not await parked_payments.resolve(uow.conn, parked_id, resolution, tyiyn, actor, reason, now):
            raise InvalidRequest(("id", ALREADY))

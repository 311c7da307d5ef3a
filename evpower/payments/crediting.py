"""The one place where a provider's status becomes money (payments §5).

Webhook, poller, sweep, forced check, card answer and restart all come here, at the same time if they like: the client's
and the order's rows are locked, and the ledger takes a payment's key once. Everything is one unit of work: the entry,
the order's phase, what is parked, the audit lines.
"""

from __future__ import annotations

import logging
from dataclasses import replace

from evpower.billing.clients import Client, lock_client
from evpower.billing.order_ref import top_up_key
from evpower.billing.service import BillingService
from evpower.clock import Clock, ClockWatch
from evpower.db.pool import Pool
from evpower.db.unit_of_work import UnitOfWork, reading, unit_of_work
from evpower.money import MOST_TYIYN
from evpower.payments.audit import audit
from evpower.payments.gateway import OrderStatus, Payment
from evpower.payments.rows import top_ups
from evpower.payments.rows.parked_payments import close_credited, count_open, park
from evpower.payments.rows.payment_events import conclude_events
from evpower.payments.top_up import BY_HAND, CREDITED, Origin, Parking, TopUp, TopUpRules, Verdict, judge
from evpower.payments.top_up_schedule import Claim, is_unresolved, next_check, redated

log = logging.getLogger("payment")


def room_for(order: TopUp, client: Client) -> int:
    """How much more the order and its client's account can hold, in tyiyn."""
    return MOST_TYIYN - max(client.balance_tyiyn, order.paid_tyiyn)


class Crediting:
    """Applies what providers answer, and what a person decides, to orders."""

    def __init__(
        self, pool: Pool, clock: Clock, billing: BillingService, rules: TopUpRules, watch: ClockWatch | None = None
    ) -> None:
        self._pool = pool
        self._clock = clock
        self._watch = watch or ClockWatch(clock)
        self._billing = billing
        self._rules = rules

    async def apply(self, topup_id: int, status: OrderStatus, origin: Origin, claim: Claim | None = None) -> TopUp:
        """Do what the answer to our own query means; the order as it is then.

        `claim` is the check's; without one the answer came by itself. What a webhook asked for since stays to be done.
        """
        async with reading(self._pool) as conn:
            client_id = (await top_ups.read_top_up(conn, topup_id)).client_id
        async with unit_of_work(self._pool) as uow:
            client = await lock_client(uow.conn, client_id)
            order = redated(await top_ups.lock_top_up(uow.conn, topup_id), self._watch.redated)
            now = self._clock.now()
            booked = await top_ups.booked_payments(uow.conn, order.id)
            verdict = judge(order, status, now, self._rules, booked)
            await self._carry_out(uow, order, verdict, status, origin, first=not booked, client=client)
            moved = await top_ups.read_top_up(uow.conn, order.id)
            if claim is not None:
                await top_ups.release(uow.conn, order.id, claim.leased_until)
                await conclude_events(uow.conn, order.id, claim.last_event_id, moved.phase, now)
        return moved

    async def _carry_out(
        self,
        uow: UnitOfWork,
        order: TopUp,
        verdict: Verdict,
        status: OrderStatus,
        origin: Origin,
        *,
        first: bool,
        client: Client,
    ) -> None:
        now, phase, notes = self._clock.now(), verdict.phase, list(verdict.notes)
        credited_tyiyn = 0
        room_tyiyn = room_for(order, client)
        for payment in verdict.credits:
            credited_tyiyn += await self._credit(uow, order, payment, origin, room_tyiyn - credited_tyiyn)
        if verdict.credits and not credited_tyiyn and first and order.phase not in CREDITED:
            phase = "review"
        if credited_tyiyn and client.status != "active":
            notes.append(f"client_{client.status}")
        for parking in verdict.parked:
            await self.park(uow, order, parking, origin, status.reason)
        if is_unresolved(order, phase, status.state, now):
            await self.park(uow, order, Parking("unresolved"), origin, status.reason)
        if phase == "review" and not await count_open(uow.conn, order.id):  # a person has decided about it before
            phase = "canceled" if order.phase == "review" else order.phase
        await self._record(
            uow, order, replace(verdict, phase=phase, notes=tuple(notes)), status, origin, credited_tyiyn
        )

    async def _record(
        self, uow: UnitOfWork, order: TopUp, done: Verdict, status: OrderStatus, origin: Origin, credited_tyiyn: int
    ) -> None:
        """Store the order's new phase; write the audit log and the log, and publish the change."""
        now = self._clock.now()
        for note in done.notes:
            self._warn(uow, order, note)
            await audit(uow, order, note, origin, now, after=done.phase, detail=status.reason)
        if done.phase != order.phase:
            await audit(uow, order, "status", origin, now, after=done.phase, detail=status.reason)
        await top_ups.move(
            uow.conn,
            order,
            done.phase,
            now,
            credited_tyiyn=credited_tyiyn,
            flags=tuple(note for note in done.notes if not note.startswith("ignored_")),
            reason=status.reason or None,
            ask_at=next_check(order, done.phase, status.state, now, self._rules),
        )

    async def _credit(self, uow: UnitOfWork, order: TopUp, payment: Payment, origin: Origin, room_tyiyn: int) -> int:
        """Credit one payment, if it fits into the room; the tyiyn that moved."""
        now, key, amount_tyiyn = self._clock.now(), top_up_key(order.provider, payment.trans_id), payment.amount_tyiyn
        assert amount_tyiyn is not None, "judge credits no payment without a sum"
        if amount_tyiyn > room_tyiyn:
            parking = Parking("sum_too_large", payment.trans_id, amount_tyiyn, payment.currency)
            await self.park(uow, order, parking, origin, key)
            return 0
        if not await self._billing.top_up(uow, order.ref, key, amount_tyiyn, origin.source):
            parking = Parking("trans_id_of_another_order", payment.trans_id, amount_tyiyn, payment.currency)
            await self.park(uow, order, parking, origin, key)
            return 0
        await close_credited(uow.conn, order.id, payment.trans_id, now)
        await audit(uow, order, "credited", origin, now, after="approved", payment=payment)
        return amount_tyiyn

    async def credit_by_hand(self, uow: UnitOfWork, order: TopUp, key: str, amount_tyiyn: int, origin: Origin) -> bool:
        """Credit what a person found out, in their unit of work; False when `key` was credited before."""
        if not await self._billing.top_up(uow, order.ref, key, amount_tyiyn, origin.who):
            return False
        now = self._clock.now()
        await audit(uow, order, "credited", origin, now, after="approved", amount_tyiyn=amount_tyiyn)
        phase = order.phase if order.phase in CREDITED else "approved"
        await top_ups.move(
            uow.conn,
            order,
            phase,
            now,
            credited_tyiyn=amount_tyiyn,
            flags=(BY_HAND,),
            ask_at=next_check(order, phase, None, now, self._rules),
        )
        return True

    async def park(
        self, uow: UnitOfWork, order: TopUp, parking: Parking, origin: Origin, detail: str | None = None
    ) -> None:
        """Leave it to a person, once."""
        now = self._clock.now()
        if not await park(uow.conn, order, parking, now, detail or None):
            return
        payment = Payment(parking.trans_id or "", parking.amount_tyiyn, parking.currency)
        await audit(uow, order, "parked", origin, now, payment=payment, detail=parking.reason)
        self._warn(uow, order, f"parked: {parking.reason}")

    def _warn(self, uow: UnitOfWork, order: TopUp, note: str) -> None:
        line = "top-up %s: %s, client_id=%s, provider=%s"
        uow.after_commit(lambda: log.warning(line, order.order_id, note, order.client_id, order.provider))

"""Asks providers what became of open orders. The rows say whom and when, so a restart changes nothing (payments §6).

One task for each provider claims due orders and starts a check for each, at most `PARALLEL` at once: a provider that
hangs delays only its own. A claim is committed before the provider is asked: it counts the check, plans the next one
and leases the order, so that no two processes ask about one order at the same time.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import trio

from evpower.billing.clients import lock_client
from evpower.clock import Clock, ClockWatch
from evpower.db.pool import Pool
from evpower.db.unit_of_work import UnitOfWork, unit_of_work
from evpower.errors import ProviderError, ProviderFailure
from evpower.payments.crediting import Crediting
from evpower.payments.gateway import OrderStatus, PaymentGateway
from evpower.payments.provider_calls import ProviderCalls
from evpower.payments.rows import top_ups
from evpower.payments.rows.payment_events import conclude_events, last_event_id
from evpower.payments.rows.top_up_refunds import make_all_refunds_due
from evpower.payments.rows.top_ups import (
    claim_due,
    forget_wrong_times,
    lease,
    lock_top_up,
    make_all_due,
    make_due,
    release,
)
from evpower.payments.top_up import Origin, Parking, TopUp, TopUpRules
from evpower.payments.top_up_schedule import (
    Claim,
    NextCheck,
    is_given_up,
    is_unresolved,
    plan_check,
    redated,
    wants_cancel,
)
from evpower.worker import Wake, contain, repeat

log = logging.getLogger("evpower.payments")

#: Checks of one provider that run at once.
PARALLEL = 8
#: A provider in the background (payments §6); a call to cancel gets less, so that the question fits into the lease.
ASK_WITHIN_S = 30.0
CANCEL_WITHIN_S = 10.0
#: Longer than both together.
LEASE = timedelta(seconds=60)
#: How often times are looked for that only a wrong clock can have written.
WRONG_TIMES_EVERY_S = 600.0
#: How often an idle worker looks for due rows; code that makes one due wakes it.
LOOK_EVERY_S = 2.0


@dataclass(frozen=True)
class _Check:
    """A check that was claimed."""

    order: TopUp
    plan: NextCheck
    claim: Claim


class PaymentPoller:
    """The worker."""

    def __init__(
        self,
        pool: Pool,
        clock: Clock,
        gateways: Mapping[str, PaymentGateway],
        calls: ProviderCalls,
        crediting: Crediting,
        rules: TopUpRules,
        watch: ClockWatch | None = None,
    ) -> None:
        self._pool = pool
        self._clock = clock
        self._clock_watch = watch or ClockWatch(clock)
        self._gateways = gateways
        self._calls = calls
        self._crediting = crediting
        self._rules = rules
        self._due = {name: Wake() for name in gateways}

    def wake(self) -> None:
        """Something was made due; look now."""
        for due in self._due.values():
            due.set()

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Ask as the rows say, until cancelled."""
        async with trio.open_nursery() as nursery:
            for name in self._gateways:
                nursery.start_soon(self._watch, name, name=f"payments of {name}")
            task_status.started()
            failure = "times of a wrong clock were not looked for and will be again"
            await repeat(self.forget_wrong_times, WRONG_TIMES_EVERY_S, log=log, failure=failure)

    async def forget_wrong_times(self) -> None:
        """What a process whose clock ran ahead left when it died is due now, and not on that day (money audit B2)."""
        if self._clock_watch.holds:
            return
        now = self._clock.now()
        async with unit_of_work(self._pool) as uow:
            found = await forget_wrong_times(uow.conn, now, now + 2 * LEASE)
        if found:
            log.warning("top-ups were to be asked about by a clock that ran ahead, and are now: %d", found)
            self.wake()

    async def clock_jumped(self) -> None:
        """Ask about every order and refund now: when to ask was written by a clock that is another now."""
        now = self._clock.now()
        async with unit_of_work(self._pool) as uow:
            await make_all_due(uow.conn, now, leased_until_most=now + LEASE)
            await make_all_refunds_due(uow.conn, now)
        for health in self._calls.health.values():
            health.clock_jumped()
        self.wake()

    async def work_due(self) -> None:
        """Make every check that is due now, and return when all are made."""
        for name in self._gateways:
            slots = trio.Semaphore(PARALLEL)
            async with trio.open_nursery() as checks:
                await self._begin_all(name, checks, slots)

    async def _watch(self, name: str) -> None:
        slots = trio.Semaphore(PARALLEL)
        failure = f"looking for due payments of {name} failed and will be repeated"
        async with trio.open_nursery() as checks:
            begin_all = partial(self._begin_all, name, checks, slots)
            await repeat(begin_all, LOOK_EVERY_S, self._due[name], log=log, failure=failure)

    async def _begin_all(self, name: str, checks: trio.Nursery, slots: trio.Semaphore) -> None:
        while await self._begin(name, checks, slots):
            pass

    async def _begin(self, name: str, checks: trio.Nursery, slots: trio.Semaphore) -> bool:
        """Claim one due order and start its check; False when there is none, or the provider is left alone."""
        if not self._calls.health[name].may_be_asked(self._clock.now()):
            return False
        await slots.acquire()
        try:
            check = await self._claim(name)
        except BaseException:
            slots.release()
            raise
        if check is None:
            slots.release()
            return False
        checks.start_soon(self._run_check, check, slots)
        return True

    async def _claim(self, name: str) -> _Check | None:
        now = self._clock.now()
        async with unit_of_work(self._pool) as uow:
            due = await claim_due(uow.conn, name, now, 1)
            if not due:
                return None
            plan = plan_check(redated(due[0], self._clock_watch.redated), now, self._rules)
            claim = Claim(await last_event_id(uow.conn, due[0].id), now + LEASE)
            await lease(uow.conn, due[0], plan, now, claim.leased_until)
            return _Check(due[0], plan, claim)

    async def _run_check(self, check: _Check, slots: trio.Semaphore) -> None:
        """One check; a fault of it is its own: the lease ends, and the row says when the next one is."""
        try:
            with contain(log, "top-up %s could not be checked and will be again", check.order.order_id):
                await self._check(check)
        finally:
            slots.release()

    async def _check(self, check: _Check) -> None:
        order = check.order
        try:
            status = await self._ask(order)
        except ProviderFailure as error:
            log.warning("%s did not tell of top-up %s: %s", order.provider, order.order_id, error.last_word)
            await self._unanswered(check, error)
        else:
            await self._crediting.apply(order.id, status, Origin(check.plan.source), check.claim)

    async def _ask(self, order: TopUp) -> OrderStatus:
        gateway, asked = self._gateways[order.provider], order.for_provider()
        if not self._clock_watch.holds and wants_cancel(redated(order, self._clock_watch.redated), self._clock.now()):
            try:
                await self._calls.answer(order.provider, "cancel", gateway.cancel(asked), within_s=CANCEL_WITHIN_S)
            except ProviderFailure as error:  # what became of the order is asked next, whatever this was
                log.info("%s did not cancel top-up %s: %s", order.provider, order.order_id, error.last_word)
        return await self._calls.answer(order.provider, "status", gateway.status(asked), within_s=ASK_WITHIN_S)

    async def _unanswered(self, check: _Check, error: ProviderFailure) -> None:
        """Give the lease back. A webhook's matter stays due, at once if another call came; a week without an answer
        is a person's.
        """
        async with unit_of_work(self._pool) as uow:
            await lock_client(uow.conn, check.order.client_id)
            order, now = await lock_top_up(uow.conn, check.order.id), self._clock.now()
            order = redated(order, self._clock_watch.redated)
            await release(uow.conn, order.id, check.claim.leased_until)
            if isinstance(error, ProviderError):
                await conclude_events(uow.conn, order.id, check.claim.last_event_id, "provider_refused", now)
            if order.due_why != "webhook":
                await self._plan_again(uow, check, order, error, now)

    async def _plan_again(
        self, uow: UnitOfWork, check: _Check, order: TopUp, error: ProviderFailure, now: datetime
    ) -> None:
        """No newer call has made it due, so what the claim planned holds, or what this answer changes of it."""
        if check.plan.source == "webhook" and not isinstance(error, ProviderError):
            again_at = now + timedelta(seconds=self._rules.poll_interval_s)
            await make_due(uow.conn, order.id, again_at, "webhook")
        elif is_given_up(order, now):
            if is_unresolved(order, order.phase, None, now):
                await self._crediting.park(
                    uow, order, Parking("unresolved"), Origin(check.plan.source), error.last_word
                )
            await top_ups.move(uow.conn, order, order.phase, now, ask_at=None)

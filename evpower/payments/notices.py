"""Providers' webhook calls (payments §2.6, §3.9): stored first, masked, and then only a reason to ask the provider.

A call moves no money: the order it names becomes due at once, and what our own query answers is applied. If no process
gets to ask, the call waits in the inbox and the order stays due. So the answer to the provider needs no provider.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from evpower.billing.clients import lock_client
from evpower.clock import Clock
from evpower.db.pool import Pool
from evpower.db.unit_of_work import UnitOfWork, reading, unit_of_work
from evpower.errors import InvalidRequest, Unauthorized
from evpower.payments.audit import audit
from evpower.payments.gateway import Notice, OrderState, PaymentGateway
from evpower.payments.masking import masked
from evpower.payments.poller import PaymentPoller
from evpower.payments.rows import top_ups
from evpower.payments.rows.payment_events import ProviderEvent, insert_event
from evpower.payments.top_up import CREDITED, Origin, TopUp, TopUpRules

log = logging.getLogger("security")

Outcome = Literal["queued", "duplicate", "ignored", "test_ignored", "payment_not_found", "provider_mismatch"]

#: Why a call is not even taken in: a wrong signature or token, no call at all, not an allowed address, too many.
Refused = Literal["refused", "unreadable", "not_allowed", "limited"]


@dataclass(frozen=True)
class Receipt:
    """What the provider is answered."""

    outcome: Outcome
    provider: str
    invoice_id: str | None = None


class Notices:
    """The inbox."""

    def __init__(
        self,
        pool: Pool,
        clock: Clock,
        gateways: Mapping[str, PaymentGateway],
        poller: PaymentPoller,
        rules: TopUpRules,
    ) -> None:
        self._pool = pool
        self._clock = clock
        self._gateways = gateways
        self._poller = poller
        self._rules = rules
        #: Calls since the start, by provider and what became of them.
        self.counts: Counter[tuple[str, Outcome | Refused]] = Counter()

    async def receive(
        self, provider: str, body: bytes, headers: Mapping[str, str], query: Mapping[str, str], origin: Origin
    ) -> Receipt:
        """Take a call in. Raises Unauthorized (not the provider's) and InvalidRequest (unreadable)."""
        gateway = self._gateways.get(provider)
        try:
            if gateway is None:
                raise Unauthorized
            notice = gateway.read_notice(body, headers, query)
        except Unauthorized:
            self.turned_away(provider, "refused", origin.peer)
            raise
        except InvalidRequest:
            self.turned_away(provider, "unreadable", origin.peer)
            raise
        found = await self._find(notice)
        if found is None or found.provider != provider:
            outcome: Outcome = "payment_not_found" if found is None else "provider_mismatch"
            log.warning("webhook of %s: %s, order_id=%s", provider, outcome, notice.order_id)
            async with unit_of_work(self._pool) as uow:
                await self._store(uow, provider, notice, body, origin, None, outcome)
            receipt = Receipt(outcome, provider)
        else:
            receipt = await self._take(found, notice, body, origin)
        self.counts[provider, receipt.outcome] += 1
        return receipt

    def turned_away(self, provider: str, why: Refused, peer: str | None) -> None:
        """Count and log a call that was not taken in; nothing else is kept of it."""
        self.counts[provider, why] += 1
        if why == "limited":  # a flood, which is named once a minute (`rate_limits/refusals.py`)
            return
        so_far = self.counts[provider, why]
        log.warning("webhook turned away: provider=%s, peer=%s, %s, so far=%d", provider, peer, why, so_far)

    async def _find(self, notice: Notice) -> TopUp | None:
        async with reading(self._pool) as conn:
            if notice.order_id is not None:
                return await top_ups.find_top_up(conn, top_ups.BY_ORDER_ID, notice.order_id)
            if notice.number is not None:
                return await top_ups.find_top_up(conn, top_ups.BY_NUMBER, notice.number)
        return None

    async def _take(self, found: TopUp, notice: Notice, body: bytes, origin: Origin) -> Receipt:
        async with unit_of_work(self._pool) as uow:
            await lock_client(uow.conn, found.client_id)
            order, now = await top_ups.lock_top_up(uow.conn, found.id), self._clock.now()
            outcome = self._outcome(order, notice, await top_ups.booked_payments(uow.conn, order.id))
            await self._store(uow, order.provider, notice, body, origin, order.id, outcome)
            await top_ups.count_webhook(uow.conn, order.id, now)
            await audit(
                uow, order, f"webhook_{outcome}", origin, now, payment=notice.payment, detail=notice.state.value
            )
            if outcome == "queued":
                await top_ups.make_due(uow.conn, order.id, now, "webhook")
        if outcome == "queued":
            self._poller.wake()
        return Receipt(outcome, order.provider, order.invoice_id)

    def _outcome(self, order: TopUp, notice: Notice, booked: Mapping[str, int]) -> Outcome:
        if notice.is_test and not self._rules.test_payments:
            return "test_ignored"
        if notice.state is OrderState.APPROVED and notice.payment is not None and notice.payment.trans_id in booked:
            return "duplicate"
        if notice.state is OrderState.PROCESSING and order.phase in CREDITED:
            return "ignored"
        return "queued"

    async def _store(
        self,
        uow: UnitOfWork,
        provider: str,
        notice: Notice,
        body: bytes,
        origin: Origin,
        topup_id: int | None,
        outcome: Outcome,
    ) -> None:
        event = ProviderEvent(
            provider=provider,
            topup_id=topup_id,
            order_id=notice.order_id,
            number=notice.number,
            state=notice.state.value,
            trans_id=None if notice.payment is None else notice.payment.trans_id,
            body=masked(body),
            peer=origin.peer,
            request_id=origin.request_id,
            received_at=self._clock.now(),
            outcome=outcome,
        )
        await insert_event(uow.conn, event)

    async def returned_from_challenge(self, md: str, origin: Origin) -> None:
        """A browser came back from 3-D Secure. It proves nothing; the provider is asked (payments §3.7)."""
        async with reading(self._pool) as conn:
            found = await top_ups.find_top_up(conn, top_ups.BY_CHALLENGE, md)
        if found is None:
            return
        async with unit_of_work(self._pool) as uow:
            await lock_client(uow.conn, found.client_id)
            order, now = await top_ups.lock_top_up(uow.conn, found.id), self._clock.now()
            await audit(uow, order, "3ds_return", origin, now)
            if order.phase not in CREDITED and order.due_why is None:
                await top_ups.make_due(uow.conn, order.id, now, "forced")
        self._poller.wake()

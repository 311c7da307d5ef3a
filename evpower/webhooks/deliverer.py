"""The worker that delivers: rows with a lease, so that any process may, and none loses any. At least once."""

from __future__ import annotations

import logging
import ssl
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Literal, TypeAlias

import httpx2
import trio

from evpower.clock import ClockWatch
from evpower.db.pool import Pool
from evpower.db.unit_of_work import UnitOfWork, unit_of_work
from evpower.outgoing_http import ServiceUnanswered, open_client, post
from evpower.webhooks.addresses import Lookup, NotPublic, host_of, is_public, look_up, public_address
from evpower.webhooks.endpoint import DisabledReason, DueDelivery
from evpower.webhooks.rows import deliveries
from evpower.webhooks.signature import body_of, signed_headers
from evpower.worker import Crew

log = logging.getLogger("evpower.webhooks")

LOOK_EVERY_S = 2.0
#: Messages under way at once.
UNDER_WAY_MOST = 8
#: The name looked up, the connection, the answer.
CALL_WITHIN_S = 10.0
#: Longer than a call.
LEASE = timedelta(minutes=1)
#: After each failure; the last one until the week is over.
PAUSES_S = (5, 30, 120, 600, 3600, 6 * 3600, 24 * 3600)
#: An endpoint that did not take one message for so long gets none any more.
GIVEN_UP_AFTER = timedelta(days=7)
#: For whoever asks what was sent.
KEPT_FOR = timedelta(days=30)
GONE = 410
TIMEOUT = httpx2.Timeout(CALL_WITHIN_S)
# A connection is made anew each time: one to the same address may be another name's, and its certificate another's.
LIMITS = httpx2.Limits(max_connections=20, max_keepalive_connections=0)

#: `delivered`, `later`: it is tried again, `gone` and `given_up`: the endpoint is disabled.
WebhookOutcome: TypeAlias = Literal["delivered", "later", "gone", "given_up"]


class WebhookDeliverer:
    """Delivers to the addresses of endpoints."""

    def __init__(
        self,
        pool: Pool,
        watch: ClockWatch,
        *,
        look_up: Lookup = look_up,
        is_public: Callable[[str], bool] = is_public,
        context: ssl.SSLContext | None = None,
    ) -> None:
        """`context` is whom TLS trusts, the system's authorities by default."""
        self._pool = pool
        self._watch = watch
        self._look_up = look_up
        self._is_public = is_public
        self._context = context
        #: Since the start of this process.
        self.outcomes: Counter[WebhookOutcome] = Counter()

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Deliver until cancelled; what is due is looked for every two seconds."""
        async with self._client() as http:
            await self._crew(http).run(LOOK_EVERY_S, task_status=task_status)

    async def deliver_due(self) -> None:
        """Deliver what is due at this moment, once each; returns when all of it was tried."""
        async with self._client() as http:
            await self._crew(http).work_due()

    def _client(self) -> httpx2.AsyncClient:
        return open_client({}, self._context or ssl.create_default_context(), TIMEOUT, LIMITS)

    def _crew(self, http: httpx2.AsyncClient) -> Crew[DueDelivery]:
        failure = "a webhook was not delivered and will be tried again"
        return Crew(self._claim, partial(self._deliver, http), UNDER_WAY_MOST, log=log, failure=failure)

    async def _claim(self, most: int) -> list[DueDelivery]:
        now = self._watch.look()
        async with unit_of_work(self._pool) as uow:
            return await deliveries.claim_due(uow.conn, now, now + LEASE, most)

    async def _deliver(self, http: httpx2.AsyncClient, delivery: DueDelivery) -> None:
        """No unit of work is open while the other side is waited for."""
        status, answer = None, f"no answer within {CALL_WITHIN_S:.0f} s"
        with trio.move_on_after(CALL_WITHIN_S):
            status, answer = await self._post(http, delivery)
        now = self._watch.look()
        async with unit_of_work(self._pool) as uow:
            outcome = await self._store(uow, delivery, status, answer, now)
            uow.after_commit(partial(self._count, delivery, outcome, answer))

    async def _post(self, http: httpx2.AsyncClient, delivery: DueDelivery) -> tuple[int | None, str]:
        """The HTTP status, None for none, and what was answered."""
        found = host_of(delivery.url)
        if found is None:
            return None, "the address is none"
        host, port = found
        body = body_of(delivery)
        headers = signed_headers(delivery.id, body, delivery.secrets, self._watch.look())
        try:
            address = await public_address(host, port, self._look_up, self._is_public)
            # Connected to the address that was looked at; the certificate must be the name's.
            url = httpx2.URL(delivery.url)
            headers |= {"Host": url.netloc.decode(), "Content-Type": "application/json"}
            said = await post(http, str(url.copy_with(host=address)), body, headers, {"sni_hostname": host})
        except (NotPublic, ServiceUnanswered) as error:
            return None, str(error)
        except httpx2.InvalidURL:
            return None, "the address is none"
        return said.status, f"HTTP {said.status}"

    async def _store(
        self, uow: UnitOfWork, delivery: DueDelivery, status: int | None, answer: str, now: datetime
    ) -> WebhookOutcome:
        if status is not None and 200 <= status < 300:
            await deliveries.conclude(uow.conn, delivery, "delivered", answer, now)
            return "delivered"
        # While the wall clock is in doubt, no week is over.
        is_over = now - delivery.first_tried_at >= GIVEN_UP_AFTER and not self._watch.holds
        if status == GONE or is_over:
            await deliveries.conclude(uow.conn, delivery, "dead", answer, now)
            await self._disable(uow, delivery, "gone" if status == GONE else "failing", now)
            return "gone" if status == GONE else "given_up"
        pause_s = PAUSES_S[min(delivery.attempts, len(PAUSES_S)) - 1]
        await deliveries.put_off(uow.conn, delivery, now + timedelta(seconds=pause_s), answer)
        return "later"

    async def _disable(self, uow: UnitOfWork, delivery: DueDelivery, reason: DisabledReason, now: datetime) -> None:
        if await deliveries.disable(uow.conn, delivery.endpoint_id, reason, now):
            line = "webhook endpoint disabled: id=%s, reason=%s"
            uow.after_commit(lambda: log.error(line, delivery.endpoint_id, reason))

    def _count(self, delivery: DueDelivery, outcome: WebhookOutcome, answer: str) -> None:
        self.outcomes[outcome] += 1
        if outcome != "delivered":
            line = "webhook not delivered: id=%d, endpoint=%s, event=%s, attempts=%d, answer=%s"
            log.info(line, delivery.id, delivery.endpoint_id, delivery.event, delivery.attempts, answer)


async def forget_deliveries(pool: Pool, now: datetime) -> None:
    """Drop what happened a month ago, also what waits for an endpoint that is disabled."""
    async with unit_of_work(pool) as uow:
        await deliveries.forget(uow.conn, now - KEPT_FOR)

"""The worker that delivers what events have queued: rows with a lease, so that any process may, and none loses any.

At least once: a process that dies between a service's answer and the row's end leaves the row due again.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial

import trio

from evpower.clock import ClockWatch
from evpower.db.pool import Pool
from evpower.db.unit_of_work import reading, unit_of_work
from evpower.push.delivery import DeliveryOutcome, DeliveryService, Target
from evpower.push.events import HOURLY_MOST, KINDS
from evpower.push.failures import FailureWatch
from evpower.push.message import write_message
from evpower.push.outbox import PushOutbox
from evpower.push.rows import deliveries
from evpower.push.rows.deliveries import ClaimedPush, EndState
from evpower.worker import Crew, contain

log = logging.getLogger("evpower.push")

#: How often rows are looked for that nobody woke us for: another process's, and what is to be tried again.
LOOK_EVERY_S = 2.0
#: Messages under way at once.
UNDER_WAY_MOST = 16
#: One message to one device, a fresh access token included; a lease is longer than a message to all of a person's.
CALL_WITHIN_S = 20.0
LEASE = timedelta(minutes=2)
#: After each failure; the last one until the message is worth nothing (§3).
PAUSES_S = (5, 30, 120, 600)
HOUR = timedelta(hours=1)
#: Ended rows and devices are kept so long, for whoever asks why nothing came.
KEPT_FOR = timedelta(days=7)

Outcomes = Mapping[Target, DeliveryOutcome]


class PushDeliverer:
    """Delivers by `services`, one for each kind of device."""

    def __init__(
        self, pool: Pool, watch: ClockWatch, outbox: PushOutbox, services: Mapping[str, DeliveryService]
    ) -> None:
        self._pool = pool
        self._watch = watch
        self._services = services
        failure = "a message was not delivered and will be tried again"
        self._crew = Crew(self._claim, self._deliver, UNDER_WAY_MOST, outbox.due, log=log, failure=failure)
        #: What became of messages to devices since the start, by the device's kind and the fate.
        self.outcomes: Counter[tuple[str, str]] = Counter()
        self._failures = FailureWatch()

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Deliver until cancelled: when something was queued here, and every two seconds."""
        await self._crew.run(LOOK_EVERY_S, task_status=task_status)

    async def deliver_due(self) -> None:
        """Deliver what is due at this moment, once each; returns when all of it was tried."""
        await self._crew.work_due()

    async def _claim(self, most: int) -> list[ClaimedPush]:
        if not self._services:
            return []
        now = self._watch.look()
        async with unit_of_work(self._pool) as uow:
            return await deliveries.claim(uow.conn, now, now + LEASE, most)

    async def _deliver(self, row: ClaimedPush) -> None:
        now = self._watch.look()
        # While the wall clock is in doubt, nothing is worth nothing yet.
        if row.expires_at <= now and not self._watch.holds:
            await self._conclude(row, "expired", None)
            return
        async with reading(self._pool) as conn:
            counted = 0 if KINDS[row.event].is_exempt else await deliveries.count_before(conn, row, now - HOUR)
            targets = await deliveries.read_targets(conn, row, self._services.keys())
        if counted >= HOURLY_MOST:
            await self._conclude(row, "dead", "too_many")
            return
        if not targets:
            await self._conclude(row, "sent" if row.reached else "dead", None if row.reached else "no_device")
            return
        outcomes: dict[Target, DeliveryOutcome] = {}
        async with trio.open_nursery() as calls:
            for target in targets:
                calls.start_soon(self._call, row, target, outcomes)
        await self._store(row, outcomes, now)

    async def _call(self, row: ClaimedPush, target: Target, outcomes: dict[Target, DeliveryOutcome]) -> None:
        """One message to one device; no unit of work is open."""
        outcome = DeliveryOutcome("later", "no answer in time")
        with trio.move_on_after(CALL_WITHIN_S), contain(log, "a message could not be sent: id=%d", row.id):
            message = write_message(row.event, row.payload, target.locale, row.expires_at)
            outcome = await self._services[target.kind].deliver(target, message)
        outcomes[target] = outcome

    async def _store(self, row: ClaimedPush, outcomes: Outcomes, began_at: datetime) -> None:
        """What became of it, in one unit of work; then in the figures. A device registered since then does not end."""
        now = self._watch.look()
        sent = [target.id for target, outcome in outcomes.items() if outcome.fate == "sent"]
        failed = [target.id for target, outcome in outcomes.items() if outcome.fate in ("later", "dead")]
        reached = [*row.reached, *sent]
        waits = [outcome for outcome in outcomes.values() if outcome.fate == "later"]
        async with unit_of_work(self._pool) as uow:
            await deliveries.note_reached(uow.conn, row, sent, now)
            await deliveries.note_failed(uow.conn, row, failed)
            for target, outcome in outcomes.items():
                if outcome.fate == "ended":
                    await deliveries.end_target(uow.conn, target.id, outcome.reason, now, began_at)
            due_at = now + timedelta(seconds=_pause_s(row.attempts, waits))
            if waits and due_at < row.expires_at:
                await deliveries.put_off(uow.conn, row, due_at, reached)
            else:
                state, reason = _end_of(reached, waits, outcomes)
                await deliveries.conclude(uow.conn, row, state, reason, reached, now)
            uow.after_commit(partial(self._count, outcomes))

    async def _conclude(self, row: ClaimedPush, state: EndState, reason: str | None) -> None:
        async with unit_of_work(self._pool) as uow:
            await deliveries.conclude(uow.conn, row, state, reason, row.reached, self._watch.look())

    def _count(self, outcomes: Outcomes) -> None:
        for target, outcome in outcomes.items():
            self.outcomes[target.kind, outcome.fate] += 1
            if outcome.fate != "sent":
                line = "message not delivered: kind=%s, device=%d, fate=%s, reason=%s"
                log.info(line, target.kind, target.id, outcome.fate, outcome.reason)
            self._failures.note(failed=outcome.fate in ("later", "dead"))


def _pause_s(attempts: int, waits: list[DeliveryOutcome]) -> int:
    """What the services asked for, the longest of it; else longer after each attempt."""
    asked = [outcome.retry_after_s for outcome in waits if outcome.retry_after_s is not None]
    return max(asked, default=PAUSES_S[min(max(attempts, 1), len(PAUSES_S)) - 1])


def _end_of(reached: list[int], waits: list[DeliveryOutcome], outcomes: Outcomes) -> tuple[EndState, str | None]:
    """How a message ends that nobody tries again: a device that has it makes it sent."""
    if reached:
        return "sent", None
    if waits:
        return "expired", waits[0].reason
    return "dead", next((outcome.reason for outcome in outcomes.values()), None)


async def forget_messages(pool: Pool, now: datetime) -> None:
    """Drop messages and devices that ended a week ago."""
    async with unit_of_work(pool) as uow:
        await deliveries.forget(uow.conn, now, KEPT_FOR)

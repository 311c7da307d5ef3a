"""Looks at cars that wait, writes their notices, and takes the fee when they have left: rows to be worked on.

The fee rests on what was looked at. A time in which nobody looked, of a process that was down, is not paid for.
"""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Literal
from zoneinfo import ZoneInfo

import trio

from evpower.billing.clients import lock_client
from evpower.billing.service import BillingService
from evpower.billing.tariff import Price
from evpower.clock import ClockWatch
from evpower.db.pool import Pool
from evpower.db.unit_of_work import UnitOfWork, reading, unit_of_work
from evpower.identifiers import SessionId
from evpower.idle_fees.rows import fees as rows
from evpower.idle_fees.rows.fees import OpenFee
from evpower.idle_fees.waiting import fee_tyiyn, may_cost, paid_time, seen_until
from evpower.link.ports import LiveStations
from evpower.money import som_fixed, tyiyn
from evpower.push.events import PushEvent
from evpower.push.outbox import PushOutbox
from evpower.worker import contain, repeat

log = logging.getLogger("evpower.idle_fees")

LOOK_EVERY_S = 15.0
ACTOR = "idle_fees"
#: What became of a fee's sum: it was taken, or there was no money for it.
FeePart = Literal["taken", "not_there"]


class IdleFees:
    """Any number of processes may look; a fee is taken once."""

    def __init__(
        self,
        pool: Pool,
        watch: ClockWatch,
        billing: BillingService,
        push: PushOutbox,
        link: LiveStations,
        timezone: ZoneInfo,
    ) -> None:
        self._pool = pool
        self._watch = watch
        self._billing = billing
        self._push = push
        self._link = link
        #: Of the hours in which waiting costs nothing, and of times in messages.
        self._timezone = timezone
        #: In tyiyn, since the start of this process.
        self.sums: Counter[FeePart] = Counter()

    async def open(self, uow: UnitOfWork, session_id: SessionId, price: Price) -> None:
        """Keep the terms of a charge that was just written, where its plan takes a fee."""
        if price.parking is not None:
            await rows.open_fee(uow.conn, session_id, price.parking)

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Look until cancelled."""
        task_status.started()
        await repeat(self.look, LOOK_EVERY_S, log=log, failure="cars that wait were not looked at and will be again")

    async def look(self) -> None:
        """See which cars wait, and end the fees of those that have left; nothing after a jump of the clock."""
        if self._watch.holds:
            return
        async with reading(self._pool) as conn:
            open_fees = await rows.read_open(conn, self._watch.look())
        for fee in open_fees:
            with contain(log, "the idle fee of session %s was not looked at and will be again", fee.session_id):
                is_connected = self._link.is_connected(fee.station_id)
                fee = replace(fee, scene=replace(fee.scene, is_connected=is_connected))
                await self._see(fee)
                if fee.scene.is_over():
                    await self.end(fee.session_id)

    async def end(self, session_id: SessionId) -> bool:
        """Take what is there of the fee, in one unit of work with its end; False when it has ended."""
        async with unit_of_work(self._pool) as uow:
            client = await lock_client(uow.conn, await rows.read_owner(uow.conn, session_id))
            found = await rows.lock_open(uow.conn, session_id)
            if found is None:
                return False
            terms, waited = found
            minutes, fee = fee_tyiyn(terms, waited)
            taken = await self._billing.take_idle_fee(uow, client, session_id, fee, ACTOR)
            await rows.end_fee(uow.conn, session_id, self._watch.look(), minutes=minutes, fee=fee, taken=taken)
            if fee:
                line = "idle fee: session_id=%s, minutes=%d, fee=%s, taken=%s"
                uow.after_commit(lambda: log.info(line, session_id, minutes, som_fixed(fee), som_fixed(taken)))
                uow.after_commit(lambda: self.sums.update(taken=taken, not_there=fee - taken))
        return True

    async def _see(self, fee: OpenFee) -> None:
        """One look; a car that never waited leaves no trace."""
        scene, before = fee.scene, fee.before
        waits_until = scene.waits_until()
        if waits_until is None and fee.notice is None and before.waited_until is None:
            return
        local = scene.at.astimezone(self._timezone).time()
        is_paid = waits_until is not None and may_cost(scene, fee.terms, local)
        # A fault hides the car, and no driver has to hear twice of the same waiting.
        notice = fee.notice if waits_until is not None or scene.has_fault else None
        if notice is None and is_paid:
            notice = fee.notices + 1
        async with unit_of_work(self._pool) as uow:
            waited_until = seen_until(before, scene.at, waits_until) if waits_until is not None and is_paid else None
            if not await rows.store_look(uow.conn, fee, waited_until=waited_until, notice=notice):
                return
            if notice is not None and notice != fee.notice:
                await self._push.enqueue(uow, self._notice_of(fee, notice))
            if waits_until is not None and is_paid:
                paid = paid_time(before, scene.at, waits_until, fee.noticed_at, fee.terms)
                if paid is not None:
                    await rows.add_time(uow.conn, fee.session_id, *paid)

    def _notice_of(self, fee: OpenFee, number: int) -> PushEvent:
        """From when on waiting costs, and how much: the fee begins not before the message has left for so long."""
        starts_at = fee.scene.at + timedelta(minutes=fee.terms.grace_minutes)
        facts: dict[str, int | str] = {
            "at": f"{starts_at.astimezone(self._timezone):%H:%M}",
            "rate_tyiyn": tyiyn(fee.terms.rate_per_minute),
            "cap_tyiyn": fee.terms.cap_tyiyn,
        }
        key = f"idle_fee_starts_at:{fee.session_id}:{number}"
        return PushEvent("idle_fee_starts_at", key, None, fee.session_id, fee.station_id, facts)

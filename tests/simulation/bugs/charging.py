"""Bugs of beginnings and ends, and of what is answered before it is written."""

from __future__ import annotations

from collections.abc import Awaitable
from datetime import timedelta
from typing import Any

import trio

import evpower.charging.beginnings as beginnings
import evpower.charging.endings as endings
import evpower.charging.rows.settlements as settlements
import evpower.charging.rows.stops as stops
import evpower.charging.rows.transactions as transactions
import evpower.charging.settler as settling
import evpower.http.wire.idempotency as keys
import evpower.metering.journal as journal
from evpower.db.unit_of_work import UnitOfWork, unit_of_work
from tests.simulation.bugs.planting import put


def settle_twice() -> None:
    """Whoever settles does not look whether somebody has."""

    def make(original: Any) -> Any:
        async def settle(self: Any, session_id: Any) -> None:
            before = self.ends.total()
            await original(self, session_id)
            if self.ends.total() > before:
                async with unit_of_work(self._pool) as uow:
                    locked = await self._lock(uow, session_id)
                    held, cost = locked.session.terms.reserved_tyiyn, locked.session.amount_tyiyn or 0
                    await self._billing.settle(uow, locked.client, session_id, held, cost, "bug", again=True)

        return settle

    put(settling.Settler, "_settle", make)


def acknowledge_before_commit() -> None:
    """A stop is answered, and written with the next one."""
    waiting: list[Awaitable[Any]] = []

    def make(original: Any) -> Any:
        async def end(self: Any, station_id: Any, stop: Any) -> None:
            ready, waiting[:] = waiting[:], [original(self, station_id, stop)]
            for each in ready:
                await each

        return end

    put(endings.Endings, "end", make)


def lose_a_queued_stop() -> None:
    """A stop that is older than five minutes is old news."""

    def make(original: Any) -> Any:
        async def record(self: Any, uow: Any, station_id: Any, stop: Any) -> None:
            if self._clock.now() - stop.stopped_at < timedelta(minutes=5):
                await original(self, uow, station_id, stop)

        return record

    put(endings.Endings, "record", make)


def stop_an_unpaid_charge_once() -> None:
    """It was asked, and that must do."""

    async def never(*_: Any, **__: Any) -> list[Any]:
        await trio.lowlevel.checkpoint()
        return []

    put(stops, "stops_due", lambda _: never)


def refuse_a_queued_start() -> None:
    """A start out of a queue is a question like any other."""
    put(beginnings, "late_since", lambda _: lambda *_args: None)


def never_correct() -> None:
    """An estimate is the last word."""

    async def never(*_: Any) -> bool:
        await trio.lowlevel.checkpoint()
        return False

    put(settling.Settler, "correct", lambda _: never)


def repeat_an_old_transaction() -> None:
    """A card that comes again at the same register is answered with the charge that is long over (money-audit A17)."""
    put(
        transactions,
        "FIND_REPEAT",
        lambda text: text.replace("WHERE is_running OR started_at = %(started_at)s", ""),
    )


def publish_before_commit() -> None:
    """Listeners hear of a change while it can still be undone."""

    def at_once(self: Any, callback: Any) -> None:
        del self
        callback()

    put(UnitOfWork, "after_commit", lambda _: at_once)


def forget_what_is_unbilled() -> None:
    """Energy that nobody pays for is in no list."""

    async def nothing(*_: Any, **__: Any) -> None:
        await trio.lowlevel.checkpoint()

    put(settlements, "note_unbilled", lambda _: nothing)


def forget_the_key() -> None:
    """A request that is repeated is another request."""

    async def answer(self: Any, claim: Any, work: Any) -> Any:
        del self, claim
        return await work.run(None)

    put(keys.Idempotency, "answer", lambda _: answer)


def acknowledge_a_reading_before_commit() -> None:
    """Readings are answered while they wait for their batch, and one in five is lost with it."""
    seen = 0

    def make(original: Any) -> Any:
        async def meter_values(self: Any, row: Any) -> Any:
            nonlocal seen
            seen += 1
            if seen % 5:
                return await original(self, row)
            await trio.lowlevel.checkpoint()
            return None

        return meter_values

    put(journal.Journal, "meter_values", make)

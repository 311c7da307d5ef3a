"""SIGKILL at each commit, then a restart: no final reservation holds money (roadmap/reservations §6, row 11)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio

from evpower.link.errors import CommandTimedOut
from tests.worlds.reservations import OTHER, ParkingLot

FINAL_AND_HELD = """
SELECT r.id FROM evpower.reservations r
JOIN evpower.ledger_entries e ON split_part(e.key, ':', 2) = r.id AND e.kind LIKE 'reservation%%'
JOIN evpower.ledger_postings p ON p.entry_id = e.id AND p.account = 'held'
WHERE r.ended_at IS NOT NULL GROUP BY r.id HAVING sum(p.amount_tyiyn) <> 0
"""


LONG_AGO = "UPDATE evpower.reservations SET ended_at = ended_at - interval '60 days' WHERE status = 'no_show'"


class Died(BaseException):
    """The process is gone."""


class Gone(Exception):
    """The same in a task of a worker, which would end this test's nursery with it."""


class Dying:
    """The n-th commit of all is the last thing the process does, or the first it does not; later ones fail too."""

    def __init__(self, lot: ParkingLot, commit: int, *, before: bool) -> None:
        self._connection = lot.pool.connection
        self._task = trio.lowlevel.current_task()
        self.left = commit
        self._before = before

    def died(self) -> BaseException:
        return Died() if trio.lowlevel.current_task() is self._task else Gone()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Any]:
        if self.left <= 0:
            raise self.died()
        async with self._connection() as conn:
            yield _DyingConnection(conn, self)

    @asynccontextmanager
    async def transaction(self, conn: Any) -> AsyncIterator[None]:
        async with conn.transaction():
            yield
            self.left -= 1
            if self.left == 0 and self._before:
                raise self.died()
        if self.left == 0:
            raise self.died()


class _DyingConnection:
    def __init__(self, conn: Any, dying: Dying) -> None:
        self._conn = conn
        self._dying = dying

    def __getattr__(self, name: str) -> Any:
        return getattr(self._conn, name)

    def transaction(self) -> Any:
        return self._dying.transaction(self._conn)


async def made(lot: ParkingLot) -> None:
    """Taken by the station."""
    await lot.reserve()


async def not_answered(lot: ParkingLot) -> None:
    lot.link.replies["ReserveNow"] = CommandTimedOut()
    await lot.reserve()
    await lot.work(60)


async def given_up(lot: ParkingLot) -> None:
    view = await lot.reserve()
    lot.clock.advance(400)
    await lot.cancel(view)
    await lot.work()


async def not_used(lot: ParkingLot) -> None:
    await lot.reserve()
    await lot.work(12 * 60)
    await lot.work(3 * 60)
    await lot.work()


async def used(lot: ParkingLot) -> None:
    await lot.reserve()
    lot.clock.advance(7 * 60)
    await lot.order(energy_wh=1_000)


async def scheduled(lot: ParkingLot) -> None:
    await lot.reserve(after_s=3600)
    await lot.work(45 * 60)
    await lot.work(15 * 60)
    await lot.work(15 * 60)


STORIES: dict[str, Callable[[ParkingLot], Awaitable[None]]] = {
    story.__name__: story for story in (made, not_answered, given_up, not_used, used, scheduled)
}


async def dies(lot: ParkingLot, story: Callable[[ParkingLot], Awaitable[None]], commit: int, *, before: bool) -> bool:
    """Whether the story has so many commits."""
    dying = Dying(lot, commit, before=before)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lot.pool, "connection", dying.connection)
        try:
            await story(lot)
        except* Died:
            pass
    return dying.left <= 0


#: Before a commit the station has heard what the last one had it asked; it matters where it was asked.
KILLS = [
    *((name, True) for name in ("made", "not_answered", "given_up")),
    *((name, False) for name in STORIES),
]


@pytest.mark.parametrize(("name", "before"), KILLS)
async def test_11_killed_at_any_commit_it_ends_and_holds_nothing(lot: ParkingLot, name: str, before: bool) -> None:
    await lot.give(10_000_00)
    await lot.give(10_000_00, OTHER)
    commit = 1
    while await dies(lot, STORIES[name], commit, before=before):
        lot.link.replies.pop("ReserveNow", None)
        await lot.say("Available")
        for later_s in (121, 121, 7200):  # the next process finds what is due, after the leases of the dead one
            await lot.work(later_s)
        assert await lot.sql(FINAL_AND_HELD) == []
        assert await lot.sql("SELECT id FROM evpower.reservations WHERE ended_at IS NULL") == []
        assert await lot.sql("SELECT id FROM evpower.reservations WHERE at_station <> 'nothing'") == []
        await lot.sql(
            "UPDATE evpower.reservations SET ended_at = ended_at - interval '60 days' WHERE status = 'no_show'"
        )
        checked = await lot.app.billing.check()
        assert checked.ok, checked.problems
        for row in await lot.sql("SELECT id FROM charging_sessions WHERE status = 'started'"):
            await lot.app.charging.stop_session(row["id"], caller=None, actor="test")
        commit += 1
    assert commit > 2

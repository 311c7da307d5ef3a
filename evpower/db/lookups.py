"""Grouped look-ups: what many stations ask of the rows at the same moment is one query on one connection.

After a power cut every station is looked up: its row and what is pending for it. One by one these queries would fill
the pool's queue, and reports of running charges would wait behind them; grouped, all of them take one connection.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import psycopg
import trio

from evpower.db.connection import Conn
from evpower.db.pool import Pool
from evpower.db.unit_of_work import reading
from evpower.errors import DatabaseUnavailable
from evpower.worker import Wake

log = logging.getLogger("evpower.db")

#: A query that takes longer counts as failed, so that each waiting caller gets an answer.
READ_WITHIN_S = 10.0

Key = TypeVar("Key")
Found = TypeVar("Found")
#: The query: what there is for these keys; a key it does not name has nothing.
ReadMany = Callable[[Conn, Sequence[Key]], Awaitable[Mapping[Key, Found]]]


@dataclass
class _Group(Generic[Key, Found]):
    keys: set[Key] = field(default_factory=set)
    over: trio.Event = field(default_factory=trio.Event)
    found: Mapping[Key, Found] = field(default_factory=dict)
    error: DatabaseUnavailable | None = field(default_factory=lambda: DatabaseUnavailable("look-ups stopped"))


class Lookups(Generic[Key, Found]):
    """One kind of look-up; `run` is its one reader. An idle reader asks at once, a busy one finds more keys waiting."""

    def __init__(self, pool: Pool, read_many: ReadMany[Key, Found]) -> None:
        self._pool = pool
        self._read_many = read_many
        self._growing: _Group[Key, Found] = _Group()
        self._work = Wake()

    async def find(self, key: Key) -> Found | None:
        """What there is for the key. Raises DatabaseUnavailable when it could not be read."""
        group = self._growing
        group.keys.add(key)
        self._work.set()
        await group.over.wait()
        if group.error is not None:
            raise group.error
        return group.found.get(key)

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Read group after group until cancelled."""
        task_status.started()
        while True:
            await self._work.wait()
            group, self._growing = self._growing, _Group()
            try:
                await self._read(group)
            finally:
                group.over.set()

    async def _read(self, group: _Group[Key, Found]) -> None:
        try:
            with trio.fail_after(READ_WITHIN_S):
                async with reading(self._pool) as conn:
                    group.found = await self._read_many(conn, sorted(group.keys))  # type: ignore[type-var]
        except (psycopg.Error, trio.TooSlowError) as error:
            group.error = DatabaseUnavailable(f"{len(group.keys)} look-ups failed: {error or 'too slow'}")
            log.exception("%d look-ups failed", len(group.keys))
        else:
            group.error = None

"""Units of work: one database transaction, and the events published after its commit (design §6)."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from evpower.db.connection import TrioConnection
from evpower.db.pool import Pool

log = logging.getLogger("evpower.db")


@dataclass
class UnitOfWork:
    """A connection inside a transaction; rows are dicts."""

    conn: TrioConnection
    _callbacks: list[Callable[[], object]] = field(default_factory=list)

    def after_commit(self, callback: Callable[[], object]) -> None:
        """Call this, in order, once the commit is confirmed; never after a rollback.

        It cannot wait. If it raises, that is logged and the others still run: what is committed must not be reported
        as failed.
        """
        self._callbacks.append(callback)

    @asynccontextmanager
    async def part(self) -> AsyncIterator[None]:
        """Work that leaves no trace when it raises, while the rest of the unit of work may go on (a savepoint)."""
        before = len(self._callbacks)
        try:
            async with self.conn.transaction():
                yield
        except Exception:
            del self._callbacks[before:]
            raise

    def committed(self) -> None:
        for callback in self._callbacks:
            try:
                callback()
            except Exception:
                log.exception("a callback failed after a commit")


@asynccontextmanager
async def unit_of_work(pool: Pool) -> AsyncIterator[UnitOfWork]:
    """A transaction that commits at the end of the block, or leaves no trace."""
    async with pool.connection() as conn:
        uow = UnitOfWork(conn)
        try:
            async with conn.transaction():
                yield uow
        except Exception as error:
            pool.refused_writes.note(error)
            raise
        uow.committed()


@asynccontextmanager
async def reading(pool: Pool) -> AsyncIterator[TrioConnection]:
    """A connection outside any transaction, for reading: PostgreSQL refuses a write (ReadOnlySqlTransaction)."""
    async with pool.connection() as conn:
        yield conn

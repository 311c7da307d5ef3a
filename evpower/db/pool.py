"""A small pool of connections. Connecting is the pool's own work, so a caller's time-out never aborts it half-way."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import NamedTuple

import psycopg
import trio
from psycopg import pq
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.waiting import Wait

from evpower.db.connection import Connect, TrioConnection
from evpower.db.driver.driving import poll
from evpower.db.refused_writes import RefusedWrites
from evpower.identifiers import ProcessId

log = logging.getLogger("evpower.db")

#: How long giving back a connection in the middle of a transaction may take.
RESET_WITHIN_S = 2.0
RETRY_FIRST_S = 0.05
RETRY_MOST_S = 2.0
#: Every session of ours computes in UTC, and is read-only: a unit of work alone begins READ WRITE. It waits for nothing
#: but PostgreSQL, so one that is idle for so long belongs to a process that was stopped or a machine that is gone, and
#: holds rows that others need.
OPTIONS = "-c timezone=UTC -c default_transaction_read_only=on -c idle_in_transaction_session_timeout=30s"


def application_name(process_id: ProcessId | None) -> str:
    """What a process's connections are called in `pg_stat_activity`: as long as one is there, the process lives."""
    return "evpower" if process_id is None else f"evpower {process_id}"


@dataclass(eq=False)
class _Waiter:
    task: trio.lowlevel.Task
    connection: TrioConnection | None = None


class PoolUsage(NamedTuple):
    """How many connections there may be and are lent or being made, and how many tasks wait for one."""

    size: int
    in_use: int
    waiting: int


class Pool:
    """At most `size` connections, the most recently used first."""

    def __init__(
        self, conninfo: str, connecting: trio.Nursery, size: int, process_id: ProcessId | None, connect: Connect
    ) -> None:
        whose = "" if process_id is None else f"-c evpower.process_id={process_id}"
        options = f"{_own_options(conninfo)} {OPTIONS} {whose}".strip()
        #: How to make one more connection like these.
        self.conninfo = make_conninfo(conninfo, options=options, application_name=application_name(process_id))
        #: What opens it.
        self.connect = connect
        self._connecting = connecting
        self._size = size
        self._open = 0
        self._idle: deque[TrioConnection] = deque()
        self._waiting: deque[_Waiter] = deque()
        self.refused_writes = RefusedWrites()

    @property
    def usage(self) -> PoolUsage:
        """As of now."""
        return PoolUsage(self._size, self._open - len(self._idle), len(self._waiting))

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[TrioConnection]:
        """A healthy connection for the block; whatever state it is left in, the next borrower gets a clean one."""
        connection = await self._take()
        try:
            yield connection
        finally:
            # Shielded: an open transaction would be the next borrower's; bounded, then the connection is closed.
            with trio.CancelScope(shield=True, deadline=trio.current_time() + RESET_WITHIN_S):
                await _reset(connection)
            self._give_back(connection)

    async def _take(self) -> TrioConnection:
        await trio.lowlevel.checkpoint_if_cancelled()
        while self._idle:
            connection = self._idle.pop()
            # An idle socket has nothing to say: when it does, the server went away.
            if connection.closed or poll(connection.pgconn.socket, Wait.R):
                connection.close_now()
                self._open -= 1
            else:
                return connection
        if self._open < self._size:
            self._grow()
        return await self._wait()

    async def _wait(self) -> TrioConnection:
        """The next free connection, in the order of asking.

        Parked by hand, because the hand-over must be one step: once `_put` has rescheduled a task, it cannot be
        cancelled any more before it has its connection. With an Event or a channel a cancellation could come between
        the two, and the connection would be nobody's.
        """
        waiter = _Waiter(trio.lowlevel.current_task())
        self._waiting.append(waiter)

        def abort(_: trio.lowlevel.RaiseCancelT) -> trio.lowlevel.Abort:
            self._waiting.remove(waiter)
            return trio.lowlevel.Abort.SUCCEEDED

        await trio.lowlevel.wait_task_rescheduled(abort)
        assert waiter.connection is not None
        return waiter.connection

    def _give_back(self, connection: TrioConnection) -> None:
        if connection.clean:
            self._put(connection)
            return
        connection.close_now()
        self._open -= 1
        if self._waiting:
            self._grow()

    def _put(self, connection: TrioConnection) -> None:
        if self._waiting:
            waiter = self._waiting.popleft()
            waiter.connection = connection
            trio.lowlevel.reschedule(waiter.task)
        else:
            self._idle.append(connection)

    def _grow(self) -> None:
        self._open += 1
        self._connecting.start_soon(self._connect)

    async def _connect(self) -> None:
        """Connect for the waiting tasks; give up when none is left."""
        delay_s = RETRY_FIRST_S
        while True:
            try:
                connection = await self.connect(self.conninfo)
            except psycopg.Error as error:
                log.warning("cannot connect to PostgreSQL: %s", error)
            else:
                self._put(connection)
                return
            if not self._waiting:
                self._open -= 1
                return
            await trio.sleep(delay_s)
            delay_s = min(RETRY_MOST_S, delay_s * 2)

    def _close(self) -> None:
        while self._idle:
            self._idle.pop().close_now()


def _own_options(conninfo: str) -> str:
    return str(conninfo_to_dict(conninfo).get("options") or "")


async def _reset(connection: TrioConnection) -> None:
    """Roll back what a borrower left open; a connection this fails on will be thrown away."""
    status = connection.pgconn.transaction_status
    if not connection.closed and status != pq.TransactionStatus.IDLE and connection._pipeline is None:
        with suppress(psycopg.Error):
            await connection.rollback()


@asynccontextmanager
async def open_pool(
    conninfo: str, *, size: int = 16, process_id: ProcessId | None = None, connect: Connect = TrioConnection.open
) -> AsyncIterator[Pool]:
    """A pool for the block; it connects when the first connection is asked for.

    `process_id` is whose the connections are, as the rows of `db/processes.py` and triggers know it. `connect` opens
    each of them: the simulation has connections of its own.
    """
    pool: Pool | None = None
    try:
        async with trio.open_nursery() as connecting:
            pool = Pool(conninfo, connecting, size, process_id, connect)
            yield pool
            connecting.cancel_scope.cancel()
    finally:
        # Only now: a connection may have arrived while its connecting was being cancelled.
        if pool is not None:
            pool._close()

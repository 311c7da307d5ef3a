"""A connection of the simulated process: real psycopg, real SQL, driven without giving the thread away."""

from __future__ import annotations

import select
from collections import deque
from collections.abc import AsyncIterator, Generator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Self

import psycopg
import trio
from psycopg import errors
from psycopg.waiting import Ready, Wait

from evpower.db.connection import Connect, TrioConnection
from evpower.db.driver.statement import TrioCursor
from tests.simulation.engine import Engine, Life

#: A statement that has no answer yet may wait for a lock.
ASK_AFTER_MS = 3
#: PostgreSQL gives its verdict on a deadlock after `deadlock_timeout`, which is a millisecond here.
VERDICT_WITHIN_MS = 5000
DEAD = "the process is dead"
#: Not in the digest: keys that the cryptography library makes by its own dice.
OWN_DICE = ("signing_keys",)
#: PostgreSQL's time is not the history's: a machine that stands still for half a minute is no misfortune of it.
IDLE, NEVER_IDLE = "idle_in_transaction_session_timeout=30s", "idle_in_transaction_session_timeout=0"
#: What a statement names when it moves money or the phase of a session.
OF_MONEY = (
    "ledger_entries",
    "UPDATE public.charging_sessions",
    "INSERT INTO public.charging_sessions",
    "session_phases",
)


class Blocked(Exception):
    """The statement waits for another of our transactions."""


@dataclass(eq=False)
class Parked:
    """A statement that waits for a lock, and what became of it."""

    drive: Drive
    over: trio.Event = field(default_factory=trio.Event)
    value: Any = None
    error: BaseException | None = None


class Drive:
    """One of psycopg's generators, run until it is done or PostgreSQL makes it wait for a lock."""

    def __init__(self, gen: Any, connection: SimulatedConnection) -> None:
        self._gen = gen
        self.connection = connection
        self._wanted: Any = None
        self._started = False

    def run(self) -> Any:
        """Its value; raises Blocked, and what psycopg raises. A blocked one may be run again."""
        fd = self.connection.pgconn.socket
        try:
            if not self._started:
                self._wanted = next(self._gen)
                self._started = True
            while True:
                ready = poll(fd, self._wanted, ASK_AFTER_MS)
                while not ready:
                    self._look_for_blockers()
                    ready = poll(fd, self._wanted, ASK_AFTER_MS)
                self._wanted = self._gen.send(ready)
        except StopIteration as end:
            return end.value
        except OSError as error:
            raise errors.OperationalError("connection socket closed") from error

    def _look_for_blockers(self) -> None:
        """Raises Blocked, unless that would wait for ever: then PostgreSQL ends one of those who do."""
        connection = self.connection
        pid = connection.info.backend_pid
        blockers = connection.engine.blockers(pid)
        if not blockers:
            return
        if connection.locks.is_cycle(connection.engine, pid, blockers):
            connection.engine.trace.note("deadlock", connection.life.name)
            poll(connection.pgconn.socket, Wait.R, VERDICT_WITHIN_MS)
            return
        raise Blocked


class Locks:
    """Every statement of the run that waits for a lock, in the order in which they began to."""

    def __init__(self) -> None:
        self._parked: deque[Parked] = deque()

    async def wait(self, drive: Drive) -> Any:
        """Until what holds it up has ended; then the statement's value, or its error."""
        parked = Parked(drive)
        self._parked.append(parked)
        try:
            await parked.over.wait()
        except trio.Cancelled:
            self._give_up(parked)
            raise
        if parked.error is not None:
            raise parked.error
        return parked.value

    def go_on(self, engine: Engine) -> None:
        """Drive on what waits no longer, before anything else happens."""
        for parked in list(self._parked):
            connection = parked.drive.connection
            if not connection.closed and engine.blockers(connection.info.backend_pid):
                continue
            try:
                parked.value = parked.drive.run()
            except Blocked:
                continue
            except Exception as error:
                parked.error = error
            self._parked.remove(parked)
            parked.over.set()

    def is_cycle(self, engine: Engine, pid: int, blockers: set[int]) -> bool:
        """Whether it waits for one that waits for it."""
        waiting = {each.drive.connection.info.backend_pid for each in self._parked}
        seen: set[int] = set()
        look_at = blockers & waiting
        while look_at:
            one = look_at.pop()
            seen.add(one)
            behind = engine.blockers(one)
            if pid in behind:
                return True
            look_at |= (behind & waiting) - seen
        return False

    def _give_up(self, parked: Parked) -> None:
        if parked in self._parked:
            self._parked.remove(parked)
        connection = parked.drive.connection
        if connection.closed:
            return
        connection.engine.monitor.execute("SELECT pg_cancel_backend(%s)", [connection.info.backend_pid])
        with suppress(psycopg.Error, Blocked):
            parked.drive.run()


class SimulatedConnection(TrioConnection):
    """Belongs to one life of a process and ends with it; everything it does is in the digest."""

    engine: Engine
    life: Life
    locks: Locks
    #: Set by each notification of a commit.
    news: trio.Event
    #: Whether the present transaction may have changed a row.
    wrote: bool = False

    @classmethod
    def opener(cls, engine: Engine, life: Life, locks: Locks) -> Connect:
        """What opens connections of this life."""

        async def connect(conninfo: str) -> Self:
            await trio.lowlevel.checkpoint()
            must_live(life)
            connection: Self = connect_now(cls._connect_gen(conninfo.replace(IDLE, NEVER_IDLE)))
            connection._autocommit = True
            connection._read_only = False
            connection.engine, connection.life, connection.locks = engine, life, locks
            connection.news = trio.Event()
            connection.prepare_threshold, connection.prepared_max = 0, None
            connection.cursor_factory = TracedCursor
            life.connections.append(connection)
            return connection

        return connect

    async def wait(self, gen: Any, interval: float = 0, timeout: float | None = None) -> Any:
        """Run a generator at once; the order of tasks is trio's, which is seeded."""
        await trio.lowlevel.checkpoint()
        if self.life.thawed is not None:
            await self.life.thawed.wait()
        if not self.life.alive:
            self.close_now()
            must_live(self.life)
        self.engine.count_statement()
        drive = Drive(gen, self)
        try:
            value = drive.run()
        except Blocked:
            self.engine.lock_waits += 1
            value = await self.locks.wait(drive)
        self.locks.go_on(self.engine)
        return value

    async def later(self, query: str, params: dict[str, Any]) -> None:
        self.engine.trace.digest(f"{trio.current_time():.6f} {self.life.name} later {query} {params!r}")
        self.engine.money_moved |= any(word in query for word in OF_MONEY)
        self.wrote |= _writes(query)
        await super().later(query, params)

    async def hear_news(self) -> None:
        """What has come to the socket by now is chance; a statement's end hands over all that is committed."""
        await self.news.wait()
        self.news = trio.Event()
        await self.execute("SELECT 1")

    @asynccontextmanager
    async def transaction(  # type: ignore[override]  # as its own parent's
        self, savepoint_name: str | None = None, force_rollback: bool = False
    ) -> AsyncIterator[None]:
        life, outermost = self.life, self._num_transactions == 0
        async with super().transaction(savepoint_name, force_rollback):
            yield
            if outermost:
                life.commits += 1
                await self._die(after=False)
        if outermost:
            self.engine.committed(wrote=self.wrote)
            self.wrote = False
            await self._die(after=True)

    async def _die(self, *, after: bool) -> None:
        life = self.life
        if life.alive and life.dies_at_commit == life.commits and life.dies_after == after:
            self.engine.kill(life)
            await trio.sleep_forever()  # cancelled: nothing of it goes on


class TracedCursor(TrioCursor):
    """Writes each statement and each row that comes back into the digest."""

    async def execute(self, query: Any, params: Any = None, **how: Any) -> Self:
        connection = self.connection
        assert isinstance(connection, SimulatedConnection)
        trace = connection.engine.trace
        if any(word in str(query) for word in OWN_DICE):
            return await super().execute(query, params, **how)
        trace.digest(f"{trio.current_time():.6f} {connection.life.name} {query} {params!r}")
        connection.engine.money_moved |= any(word in str(query) for word in OF_MONEY)
        try:
            await super().execute(query, params, **how)
        except psycopg.Error as error:
            trace.digest(f"{type(error).__name__} {error.sqlstate}")
            raise
        result = self.pgresult
        connection.wrote |= _writes(str(query)) and (result is None or result.command_tuples != 0)
        if result is not None:
            values = [
                result.get_value(row, column) for row in range(result.ntuples) for column in range(result.nfields)
            ]
            trace.digest(repr(values))
        return self


def _writes(query: str) -> bool:
    return any(word in query for word in ("INSERT", "UPDATE", "DELETE", "COPY", "notify"))


def must_live(life: Life) -> None:
    """Raises what a closed socket is to psycopg."""
    if not life.alive:
        raise errors.OperationalError(DEAD)


def connect_now(gen: Generator[tuple[int, Wait], int, Any]) -> Any:
    """Run a connecting generator, whose socket may change."""
    try:
        fd, wanted = next(gen)
        while True:
            fd, wanted = gen.send(poll(fd, wanted, VERDICT_WITHIN_MS))
    except StopIteration as end:
        return end.value


def poll(fd: int, wanted: Wait, milliseconds: int) -> int:
    """Which of the wanted states the socket has within the time; 0: none yet."""
    poller = select.poll()
    poller.register(fd, (select.POLLIN if wanted & Wait.R else 0) | (select.POLLOUT if wanted & Wait.W else 0))
    ready = 0
    for _, events in poller.poll(milliseconds):
        if events & (select.POLLIN | select.POLLHUP | select.POLLERR):
            ready |= Ready.R
        if events & select.POLLOUT:
            ready |= Ready.W
    return ready & wanted

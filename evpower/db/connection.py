"""psycopg 3's AsyncConnection on trio: its generators say what they wait for, and trio waits.

A cancelled query is cancelled on the server too, within a bounded, shielded time; a connection that cannot be brought
back to a known state is closed. COMMIT and ROLLBACK are shielded and bounded: what was reported ok is committed.
"""

from __future__ import annotations

import logging
import select
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager, suppress
from typing import Any, Self, TypeAlias

import psycopg
import trio
from psycopg import AsyncConnection, errors, pq
from psycopg._conninfo_attempts import conninfo_attempts
from psycopg.conninfo import conninfo_to_dict, make_conninfo, timeout_from_conninfo
from psycopg.rows import dict_row
from psycopg.transaction import AsyncTransaction
from psycopg.waiting import Ready, Wait

log = logging.getLogger("evpower.db")

#: How long one address may take to accept a connection, unless the conninfo says it; psycopg's own default is 130 s.
CONNECT_WITHIN_S = 10
#: How long the server may take to confirm that a query was cancelled.
CANCEL_WITHIN_S = 5.0
#: How long a COMMIT or ROLLBACK may take before its outcome counts as unknown.
COMMIT_WITHIN_S = 10.0
#: A generator that never blocks still lets others run this often.
BREATHE_EVERY_S = 0.005

_POLL_EVENTS = {Wait.R: select.POLLIN, Wait.W: select.POLLOUT, Wait.RW: select.POLLIN | select.POLLOUT}
_BROKEN = select.POLLHUP | select.POLLERR | select.POLLNVAL


#: A connection as statements take it: rows are dicts.
Conn: TypeAlias = AsyncConnection[dict[str, Any]]
#: What opens one by its conninfo; raises psycopg.OperationalError.
Connect: TypeAlias = Callable[[str], Awaitable["TrioConnection"]]


class TrioConnection(AsyncConnection[dict[str, Any]]):
    """A connection in autocommit mode with dict rows, driven by trio."""

    def __init__(self, pgconn: pq.abc.PGconn, row_factory: Any = dict_row) -> None:
        super().__init__(pgconn, row_factory)
        self._in_use = _InUse()
        self.lock = self._in_use  # type: ignore[assignment]  # psycopg's own is asyncio's; only `async with` is used
        self._breath = _Breath()

    @classmethod
    async def open(cls, conninfo: str) -> Self:
        """Connect to the first address that answers; raises psycopg.OperationalError."""
        parameters = {"connect_timeout": CONNECT_WITHIN_S, **conninfo_to_dict(conninfo)}
        attempts = await trio.to_thread.run_sync(conninfo_attempts, parameters, abandon_on_cancel=True)
        failure: psycopg.Error = errors.OperationalError("no address to connect to")
        for attempt in attempts:
            try:
                with trio.fail_after(timeout_from_conninfo(parameters)):
                    connection: Self = await _drive_connecting(cls._connect_gen(make_conninfo("", **attempt)))
            except trio.TooSlowError:
                failure = errors.ConnectionTimeout("connection timeout expired")
            except psycopg.Error as error:
                failure = error
            else:
                connection._autocommit = True
                connection._read_only = False  # every BEGIN is READ WRITE; a statement outside one may be read-only
                return connection
        raise failure

    async def wait_for_news(self) -> None:
        """Return when the server has something to say that was not asked for: a notification, or the socket's end."""
        await trio.lowlevel.wait_readable(self.pgconn.socket)

    @property
    def clean(self) -> bool:
        """Whether the next borrower would find it as good as new."""
        return (
            not self.closed
            and self.pgconn.transaction_status == pq.TransactionStatus.IDLE
            and self._pipeline is None
            and self._num_transactions == 0  # a BEGIN that was cancelled leaves its count behind
            and not self._in_use.taken  # by an abandoned `notifies()`: the next statement would wait for ever
        )

    async def wait(self, gen: Any, interval: float = 0, timeout: float | None = None) -> Any:
        """Run one of psycopg's generators to its end; a cancellation reaches the server before it goes on."""
        try:
            if timeout is None:
                return await _drive(gen, self.pgconn.socket, self._breath)
            with trio.move_on_after(timeout):
                return await _drive(gen, self.pgconn.socket, self._breath)
        except (trio.Cancelled, KeyboardInterrupt):
            # Shielded, because an abandoned query would poison the connection; bounded, and then the connection goes.
            with trio.CancelScope(shield=True, deadline=trio.current_time() + CANCEL_WITHIN_S):
                await self._cancel_query(gen)
            raise
        raise errors._WaitTimeout("wait timeout expired")

    async def cancel_safe(self, *, timeout: float = CANCEL_WITHIN_S) -> None:
        """Ask the server to cancel the running query."""
        if self._should_cancel():
            with trio.fail_after(timeout):
                await _drive_connecting(self._cancel_gen())

    @asynccontextmanager
    async def transaction(
        self, savepoint_name: str | None = None, force_rollback: bool = False
    ) -> AsyncIterator[AsyncTransaction]:
        """A transaction whose end is not interrupted: its outcome is known, or the connection is closed."""
        inner = AsyncTransaction(self, savepoint_name, force_rollback)
        await inner.__aenter__()
        try:
            yield inner
            self._must_be_able_to_commit()
        except BaseException as error:
            # Shielded: interrupted half-way, it is not known what was undone; bounded, then the connection goes.
            with trio.CancelScope(shield=True, deadline=trio.current_time() + COMMIT_WITHIN_S) as ending:
                await inner.__aexit__(type(error), error, error.__traceback__)
            if ending.cancelled_caught:
                self.close_now()
            raise
        # Shielded: what was reported ok is committed, and what is not known is an error.
        with trio.CancelScope(shield=True, deadline=trio.current_time() + COMMIT_WITHIN_S) as ending:
            await inner.__aexit__(None, None, None)
        if ending.cancelled_caught:
            self.close_now()
            raise errors.OperationalError("COMMIT timed out: its outcome is unknown")

    async def close(self) -> None:
        """Close at once (psycopg's name for it)."""
        self.close_now()

    def close_now(self) -> None:
        """Close at once; tasks that wait on the socket are woken with an error."""
        if not self.closed:
            self._closed = True
            trio.lowlevel.notify_closing(self.pgconn.socket)
            self.pgconn.finish()

    def _must_be_able_to_commit(self) -> None:
        """The block may have swallowed an error: COMMIT would roll back in silence, or not even be sent."""
        status = self.pgconn.transaction_status
        if status == pq.TransactionStatus.INERROR:
            raise errors.InFailedSqlTransaction("a statement of the transaction failed: it cannot be committed")
        if status != pq.TransactionStatus.INTRANS:
            raise errors.OperationalError("the connection was lost inside the transaction: nothing was committed")

    async def _cancel_query(self, gen: Any) -> None:
        """Bring the connection back to a known state, or close it. The caller shields and bounds."""
        if self.pgconn.transaction_status != pq.TransactionStatus.ACTIVE:
            return
        known = False
        try:
            await _drive_connecting(self._cancel_gen())
            await _drive(gen, self.pgconn.socket, self._breath)
            known = True
        except errors.QueryCanceled:
            known = True
        except psycopg.Error as error:
            log.warning("a query could not be cancelled: %s", error)
        finally:
            if not known:
                self.close_now()


class _InUse:
    """One statement at a time: free, it costs no trip round the loop; and any task may release it.

    Any task, because psycopg holds it inside asynchronous generators, which trio may end in a task of its own.
    """

    def __init__(self) -> None:
        self._turn = trio.Semaphore(1, max_value=1)

    @property
    def taken(self) -> bool:
        return self._turn.value == 0

    async def __aenter__(self) -> None:
        try:
            self._turn.acquire_nowait()
        except trio.WouldBlock:
            await self._turn.acquire()

    async def __aexit__(self, *_: object) -> None:
        self._turn.release()


class _Breath:
    """Lets others run when a connection works on without blocking, also over many short calls (a COPY, row by row)."""

    def __init__(self) -> None:
        self._held_since: float | None = None

    def taken(self) -> None:
        """The connection has waited: everybody else has had a turn."""
        self._held_since = None

    async def due(self) -> None:
        """Called before each step that may not block."""
        # The machine's clock on purpose: this is CPU time kept from others, which a test's clock knows nothing of.
        now = time.monotonic()
        if self._held_since is None:
            self._held_since = now
        elif now - self._held_since > BREATHE_EVERY_S:
            self._held_since = None
            await trio.lowlevel.checkpoint()


async def _drive(gen: Any, fd: int, breath: _Breath) -> Any:
    """Run a generator that waits on one socket, going round trio's loop only where it would really block.

    Cancelled, it leaves the generator where it was: another call drives it on.
    """
    try:
        await breath.due()  # here as well: a row of a COPY is a call of its own, and most never wait
        wanted = next(gen)
        while True:
            if wanted == Wait.R:
                await trio.lowlevel.wait_readable(fd)
                breath.taken()
                wanted = gen.send(Ready.R)
            elif ready := poll(fd, wanted):
                await breath.due()
                wanted = gen.send(ready)
            else:
                ready = await _wait(fd, wanted)
                breath.taken()
                wanted = gen.send(ready)
    except StopIteration as end:
        return end.value
    except (OSError, trio.ClosedResourceError) as error:
        raise errors.OperationalError("connection socket closed") from error


async def _drive_connecting(gen: Generator[tuple[int, Wait], int, Any]) -> Any:
    """Run a connecting or cancelling generator, whose socket may change."""
    try:
        fd, wanted = next(gen)
        while True:
            fd, wanted = gen.send(await _wait(fd, wanted))
    except StopIteration as end:
        return end.value
    except OSError as error:
        raise errors.OperationalError("connection socket closed") from error


async def _wait(fd: int, wanted: Wait) -> int:
    if wanted == Wait.R:
        await trio.lowlevel.wait_readable(fd)
        return Ready.R
    if wanted == Wait.W:
        await trio.lowlevel.wait_writable(fd)
        return Ready.W
    async with trio.open_nursery() as either:
        for wait in (trio.lowlevel.wait_readable, trio.lowlevel.wait_writable):
            either.start_soon(_first_of_two, wait, fd, either.cancel_scope)
    return poll(fd, wanted)


async def _first_of_two(wait: Callable[[int], Awaitable[None]], fd: int, both: trio.CancelScope) -> None:
    # A socket closed meanwhile counts as ready: libpq meets the error itself, and reports it outside any group.
    with suppress(OSError, trio.ClosedResourceError):
        await wait(fd)
    both.cancel()


def poll(fd: int, wanted: Wait) -> int:
    """Which of the wanted states the socket is in right now; a broken one is ready for everything."""
    poller = select.poll()
    poller.register(fd, _POLL_EVENTS[wanted])
    ready = 0
    for _, events in poller.poll(0):
        if events & (select.POLLIN | _BROKEN):
            ready |= Ready.R
        if events & (select.POLLOUT | _BROKEN):
            ready |= Ready.W
    return ready & wanted

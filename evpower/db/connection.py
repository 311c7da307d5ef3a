"""psycopg 3's AsyncConnection on trio: its generators say what they wait for, and trio waits.

A cancelled query is cancelled on the server too, within a bounded, shielded time; a connection that cannot be brought
back to a known state is closed. COMMIT and ROLLBACK are shielded and bounded: what was reported ok is committed.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Self, TypeAlias

import psycopg
import trio
from psycopg import AsyncConnection, errors, pq
from psycopg._conninfo_attempts import conninfo_attempts
from psycopg.abc import Params, PQGen, Query
from psycopg.adapt import Transformer
from psycopg.conninfo import conninfo_to_dict, make_conninfo, timeout_from_conninfo
from psycopg.rows import dict_row

from evpower.db.driver.driving import Breath, drive, drive_connecting
from evpower.db.driver.pipeline import DatabaseCommand, run_gen
from evpower.db.driver.statement import TrioCursor, read_text
from evpower.db.driver.transaction import TransactionLevel

log = logging.getLogger("evpower.db")

#: How long one address may take to accept a connection, unless the conninfo says it; psycopg's own default is 130 s.
CONNECT_WITHIN_S = 10
#: How long the server may take to confirm that a query was cancelled.
CANCEL_WITHIN_S = 5.0
#: How long a COMMIT or ROLLBACK may take before its outcome counts as unknown.
COMMIT_WITHIN_S = 10.0


#: A connection as statements take it: rows are dicts.
Conn: TypeAlias = "TrioConnection"
#: What opens one by its conninfo; raises psycopg.OperationalError.
Connect: TypeAlias = Callable[[str], Awaitable["TrioConnection"]]


class TrioConnection(AsyncConnection[dict[str, Any]]):
    """A connection in autocommit mode with dict rows, driven by trio."""

    def __init__(self, pgconn: pq.abc.PGconn, row_factory: Any = dict_row) -> None:
        super().__init__(pgconn, row_factory)
        self._in_use = _InUse()
        self.lock = self._in_use  # type: ignore[assignment]  # psycopg's own is asyncio's; only `async with` is used
        self._breath = Breath()
        self.cursor_factory = TrioCursor
        #: Turns values into bytes and back, one statement after the other.
        self.transformer = Transformer(self)
        #: The names of an answer's columns, by the name of its prepared statement: PostgreSQL refuses to run one whose
        #: columns are others than they were.
        self.columns: dict[bytes, tuple[str, ...]] = {}
        #: Commands that go with the next statement.
        self.unsent: list[DatabaseCommand] = []

    @classmethod
    async def open(cls, conninfo: str) -> Self:
        """Connect to the first address that answers; raises psycopg.OperationalError."""
        parameters = {"connect_timeout": CONNECT_WITHIN_S, **conninfo_to_dict(conninfo)}
        attempts = await trio.to_thread.run_sync(conninfo_attempts, parameters, abandon_on_cancel=True)
        failure: psycopg.Error = errors.OperationalError("no address to connect to")
        for attempt in attempts:
            try:
                with trio.fail_after(timeout_from_conninfo(parameters)):
                    connection: Self = await drive_connecting(cls._connect_gen(make_conninfo("", **attempt)))
            except trio.TooSlowError:
                failure = errors.ConnectionTimeout("connection timeout expired")
            except psycopg.Error as error:
                failure = error
            else:
                connection._autocommit = True
                connection._read_only = False  # every BEGIN is READ WRITE; a statement outside one may be read-only
                return connection
        raise failure

    async def hear_news(self) -> None:
        """Wait until the server says something unasked, and hand over the notifications in it; no statement is sent.

        Raises psycopg.OperationalError at the socket's end.
        """
        await trio.lowlevel.wait_readable(self.pgconn.socket)
        self.pgconn.consume_input()
        while (notification := self.pgconn.notifies()) is not None:
            if self.pgconn.notify_handler is not None:
                self.pgconn.notify_handler(notification)

    @property
    def clean(self) -> bool:
        """Whether the next borrower would find it as good as new."""
        return (
            not self.closed
            and self.pgconn.transaction_status == pq.TransactionStatus.IDLE
            and self.pgconn.pipeline_status == pq.PipelineStatus.OFF
            and not self.unsent
            and self._num_transactions == 0  # a BEGIN that was cancelled leaves its count behind
            and not self._in_use.taken  # by an abandoned `notifies()`: the next statement would wait for ever
        )

    async def wait(self, gen: Any, interval: float = 0, timeout: float | None = None) -> Any:
        """Run one of psycopg's generators to its end; a cancellation reaches the server before it goes on."""
        try:
            if timeout is None:
                return await drive(gen, self.pgconn.socket, self._breath)
            with trio.move_on_after(timeout):
                return await drive(gen, self.pgconn.socket, self._breath)
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
                await drive_connecting(self._cancel_gen())

    @asynccontextmanager
    async def transaction(  # type: ignore[override]  # psycopg's own is nothing that a caller needs
        self, savepoint_name: str | None = None, force_rollback: bool = False
    ) -> AsyncIterator[None]:
        """A transaction whose end is not interrupted: its outcome is known, or the connection is closed."""
        await self._send_later()
        is_part = self._num_transactions > 0
        transaction = TransactionLevel(self.unsent, self._num_transactions, self._get_tx_start_command())
        self._num_transactions += 1
        try:
            yield
            if is_part:
                await self._send_later()
            self._must_be_able_to_commit(transaction)
        except BaseException:
            self._num_transactions -= 1
            if transaction.roll_back():
                # Shielded: interrupted half-way, it is not known what was undone; bounded, then the connection goes.
                with trio.CancelScope(shield=True, deadline=trio.current_time() + COMMIT_WITHIN_S) as ending:
                    await self._undo()
                if ending.cancelled_caught:
                    self.close_now()
            raise
        self._num_transactions -= 1
        if force_rollback:
            if transaction.roll_back():
                await self._undo()
        elif transaction.commit():
            # Shielded: what was reported ok is committed, and what is not known is an error.
            with trio.CancelScope(shield=True, deadline=trio.current_time() + COMMIT_WITHIN_S) as ending:
                await self._send_unsent()
            if ending.cancelled_caught:
                self.close_now()
                raise errors.OperationalError("COMMIT timed out: its outcome is unknown")

    async def later(self, query: str, params: dict[str, Any]) -> None:
        """A statement of a transaction whose answer nobody needs: it goes with the next one, or with the COMMIT.

        Its error is the next one's. A savepoint begins and ends with nothing that waits so: its errors are its own.
        """
        command = self.prepared(query, params) if self._num_transactions else None
        if command is None:
            await self.execute(query, params)
        else:
            self.unsent.append(command)

    async def _send_later(self) -> None:
        if any(command.is_prepared for command in self.unsent):
            await self._send_unsent()

    async def _undo(self) -> None:
        """Send a ROLLBACK. An error must not hide why it is undone: of a lost connection nothing is left anyway."""
        try:
            await self._send_unsent()
        except psycopg.Error as error:
            log.warning("error ignored in a rollback: %s", error)

    async def _send_unsent(self) -> None:
        async with self.lock:
            await self.wait(self._send_unsent_gen())

    def _send_unsent_gen(self) -> PQGen[None]:
        commands = self.take_unsent()
        if len(commands) == 1 and not commands[0].is_prepared:
            yield from self._exec_command(commands[0].text)
        elif commands:
            yield from run_gen(self.pgconn, commands)

    def _start_query(self) -> PQGen[None]:
        """What psycopg does before each statement of its own."""
        yield from self._send_unsent_gen()
        yield from super()._start_query()

    def take_unsent(self) -> list[DatabaseCommand]:
        """What is to be sent before the next statement, by who sends that."""
        taken = self.unsent[:]
        self.unsent.clear()
        return taken

    def prepared(self, query: Query, params: Params | None) -> DatabaseCommand | None:
        """The statement with its values, when PostgreSQL has it prepared; None when psycopg is to send it."""
        if type(query) is not str or type(params) is not dict or (text := read_text(query)) is None:
            return None
        values = self.transformer.dump_sequence([params[name] for name in text.order], text.formats)
        key = (text.query, self.transformer.types or ())
        if (name := self._prepared._names.get(key)) is None:
            return None
        self._prepared._names.move_to_end(key)
        return DatabaseCommand(name, True, values, self.transformer.formats)

    async def close(self) -> None:
        """Close at once (psycopg's name for it)."""
        self.close_now()

    def close_now(self) -> None:
        """Close at once; tasks that wait on the socket are woken with an error."""
        if not self.closed:
            self._closed = True
            trio.lowlevel.notify_closing(self.pgconn.socket)
            self.pgconn.finish()

    def _must_be_able_to_commit(self, transaction: TransactionLevel) -> None:
        """The block may have swallowed an error: COMMIT would roll back in silence, or not even be sent."""
        status = self.pgconn.transaction_status
        if not transaction.is_begun and not self.closed:
            return
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
            await drive_connecting(self._cancel_gen())
            await drive(gen, self.pgconn.socket, self._breath)
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

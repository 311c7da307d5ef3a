"""A statement on the way to PostgreSQL: psycopg's cursor, made cheaper where every message of a station pays for it.

What is kept from one statement to the next: its text with the places of its parameters, the names of its columns, and
what turns values into bytes and back. What a transaction has not sent yet goes with it, in one round trip. Whatever is
not a prepared statement with named parameters is psycopg's own.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from psycopg import AsyncCursor, pq
from psycopg._enums import PyFormat
from psycopg._queries import _query2pg_nocache
from psycopg.abc import Params, PQGen, Query
from psycopg.adapt import Transformer
from psycopg.generators import execute
from psycopg.pq.abc import PGresult

from evpower.db.driver.pipeline import run_gen

if TYPE_CHECKING:
    from evpower.db.connection import TrioConnection

#: Our statements are constants: there are some hundreds.
STATEMENTS_KEPT = 2000
#: A longer answer is read in parts, as its reader asks for them, so that others have their turns.
ROWS_AT_ONCE = 100


class StatementText(NamedTuple):
    """A statement as PostgreSQL reads it: `$1` for its first parameter."""

    query: bytes
    formats: list[PyFormat]
    order: list[str]


@lru_cache(STATEMENTS_KEPT)
def read_text(query: str) -> StatementText | None:
    """None when its parameters have no names."""
    text, formats, order, parts = _query2pg_nocache(query.encode(), "utf-8")
    return None if order is None and len(parts) > 1 else StatementText(text, formats, order or [])


class TrioCursor(AsyncCursor[dict[str, Any]]):
    """The answer to one statement."""

    __slots__ = ("_next", "_rows", "_trio")

    def __init__(self, connection: TrioConnection, *, row_factory: Any = None) -> None:
        # Not psycopg's own, which makes a map of adapters for each cursor: ours are the connection's.
        self._conn = connection
        self._trio = connection
        self._pgconn = connection.pgconn
        self._adapters = connection.adapters
        self._row_factory = row_factory or connection.row_factory
        self.format = pq.Format.TEXT
        self.arraysize = 1
        self._closed = False
        self._last_query = None
        self._reset()
        #: The rows that were answered, read at once: who reads them is the next statement's reader too.
        self._rows: list[dict[str, Any]] | None = None
        self._next = 0

    def _execute_gen(
        self, query: Query, params: Params | None = None, *, prepare: bool | None = None, binary: bool | None = None
    ) -> PQGen[None]:
        self._rows, self._next = None, 0
        command = self._trio.prepared(query, params)
        if command is None:
            yield from super()._execute_gen(query, params, prepare=prepare, binary=binary)
            return
        unsent = self._trio.take_unsent()
        if unsent:
            result = (yield from run_gen(self._pgconn, [*unsent, command]))[-1]
        else:
            self._pgconn.send_query_prepared(command.text, command.values, param_formats=command.formats)
            results = yield from execute(self._pgconn)
            self._check_results(results)
            result = results[0]
        self._take(command.text, result)

    def _take(self, name: bytes, result: PGresult) -> None:
        self._reset()
        self.pgresult = result
        if result.status != pq.ExecStatus.TUPLES_OK:
            self._rowcount = -1 if result.command_tuples is None else result.command_tuples
            return
        self._rowcount = result.ntuples
        if result.ntuples > ROWS_AT_ONCE:
            self._tx = Transformer(self)
            self._set_results([result])
            return
        transformer, names = self._trio.transformer, self._trio.columns.get(name)
        if names is None or len(names) != result.nfields:
            names = tuple((result.fname(number) or b"").decode() for number in range(result.nfields))
            self._trio.columns[name] = names
        transformer.set_pgresult(result)
        self._rows = [dict(zip(names, row, strict=True)) for row in transformer.load_rows(0, result.ntuples, tuple)]

    async def fetchone(self) -> dict[str, Any] | None:
        """The next row, or None."""
        if self._rows is None:
            return await super().fetchone()
        if self._next == len(self._rows):
            return None
        self._next += 1
        return self._rows[self._next - 1]

    async def fetchmany(self, size: int = 0) -> list[dict[str, Any]]:
        """At most so many of the rows that are left."""
        if self._rows is None:
            return await super().fetchmany(size)
        rows = self._rows[self._next : self._next + (size or self.arraysize)]
        self._next += len(rows)
        return rows

    async def fetchall(self) -> list[dict[str, Any]]:
        """The rows that are left."""
        if self._rows is None:
            return await super().fetchall()
        rows, self._next = self._rows[self._next :], len(self._rows)
        return rows

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> dict[str, Any]:
        if (row := await self.fetchone()) is None:
            raise StopAsyncIteration
        return row

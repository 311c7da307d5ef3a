"""Several commands in one round trip, by libpq's pipeline: PostgreSQL runs them in order, up to one that fails.

psycopg has pipelines of its own, whose bookkeeping costs what the round trip did; ours know beforehand what they send.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple

from psycopg import Error, OperationalError, pq
from psycopg.abc import Buffer, PQGen
from psycopg.errors import error_from_result
from psycopg.generators import fetch_many, send
from psycopg.pq.abc import PGconn, PGresult

_GOOD = (pq.ExecStatus.COMMAND_OK, pq.ExecStatus.TUPLES_OK)


class DatabaseCommand(NamedTuple):
    """A command without parameters, or a prepared statement's name (`is_prepared`) with its values."""

    text: bytes
    is_prepared: bool = False
    values: Sequence[Buffer | None] = ()
    formats: Sequence[pq.Format] | None = None


def run_gen(pgconn: PGconn, commands: Sequence[DatabaseCommand]) -> PQGen[list[PGresult]]:
    """Their results; raises the error of the one that failed: those after it have done nothing."""
    results: list[PGresult] = []
    pgconn.enter_pipeline_mode()
    try:
        for command in commands:
            if command.is_prepared:
                pgconn.send_query_prepared(command.text, command.values, param_formats=command.formats)
            else:
                pgconn.send_query_params(command.text, None)
        pgconn.pipeline_sync()
        yield from send(pgconn)
        for _ in commands:
            results += (yield from fetch_many(pgconn))[-1:]
        yield from fetch_many(pgconn)  # the end of the pipeline is a result of its own
    except OperationalError:  # perhaps the end of what a result has said before
        if all(result.status in _GOOD for result in results):
            raise
    finally:
        with suppress(Error):  # answers that nobody waits for any more: whoever gives the connection back closes it
            pgconn.exit_pipeline_mode()
    for result in results:
        if result.status not in _GOOD:
            raise error_from_result(result)
    return results

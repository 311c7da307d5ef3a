"""A real PostgreSQL beside the tests: EvPower's own embedded one, or the one that the environment names."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from queue import SimpleQueue
from tempfile import TemporaryDirectory

import psycopg
import trio
from psycopg.conninfo import make_conninfo

from evpower.db.embedded import embedded_postgres
from evpower.db.migrate import migrate
from evpower.db.pool import open_pool
from tests.worlds.fakes import NOON

#: Where the server is, and a migrated database on it, when somebody else has made them.
OUTSIDE, TEMPLATE_OUTSIDE = "EVPOWER_TEST_DATABASE_URL", "EVPOWER_TEST_TEMPLATE"
#: A test database that survives a crash of the machine is of no use to anyone.
UNSAFE = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "shared_buffers": "32MB",
    "max_wal_size": "1GB",
}
#: A disk that is memory, where there is one: half of what the kernel does in a run of tests is files of databases.
MEMORY = Path("/dev/shm")
ROOM_BYTES = 4 << 30


@contextmanager
def running_server() -> Iterator[str]:
    """The conninfo of a server on which databases may be made."""
    if outside := os.environ.get(OUTSIDE):
        yield outside
        return
    # Not below pytest's own directory: its path is too long for a socket.
    with (
        TemporaryDirectory(prefix="evpower-tests-", dir=_fastest()) as directory,
        _embedded_in_a_thread(Path(directory) / "data") as conninfo,
    ):
        yield conninfo


@contextmanager
def migrated_template(server: str, at: datetime = NOON) -> Iterator[str]:
    """The name of a database that was migrated once, to be copied."""
    if outside := os.environ.get(TEMPLATE_OUTSIDE):
        yield outside
        return
    name = f"evpower_template_{os.getpid()}"

    async def prepare() -> None:
        async with open_pool(make_conninfo(server, dbname=name), size=1) as pool:
            await migrate(pool, at)

    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f"DROP DATABASE IF EXISTS {name}")
        admin.execute(f"CREATE DATABASE {name}")
        trio.run(prepare)
        try:
            yield name
        finally:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


def _fastest() -> Path | None:
    """Where a database costs least; None: where temporary files are."""
    return MEMORY if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOM_BYTES else None


@contextmanager
def _embedded_in_a_thread(data_dir: Path) -> Iterator[str]:
    """The server runs beside the tests, in a trio of its own, so that tests may play with the clock."""
    started: SimpleQueue[str | BaseException] = SimpleQueue()
    ended = trio.Event()

    async def serve() -> None:
        async with embedded_postgres(data_dir, **UNSAFE) as conninfo:
            token.append(trio.lowlevel.current_trio_token())
            started.put(conninfo)
            await ended.wait()

    def run() -> None:
        try:
            trio.run(serve)
        except BaseException as error:
            started.put(error)
            raise

    token: list[trio.lowlevel.TrioToken] = []
    thread = threading.Thread(target=run, name="postgres")
    thread.start()
    outcome = started.get()
    if isinstance(outcome, BaseException):
        raise outcome
    try:
        yield outcome
    finally:
        token[0].run_sync_soon(ended.set)
        thread.join()

"""A real PostgreSQL for every test that asks: one server for the run, one database for each test.

The server is EvPower's own embedded one, or the one EVPOWER_TEST_DATABASE_URL names.
"""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from tempfile import TemporaryDirectory

import psycopg
import pytest
import trio
from hypothesis import settings
from psycopg.conninfo import make_conninfo

from evpower.db.embedded import embedded_postgres
from evpower.db.migrate import migrate
from evpower.db.pool import Pool, open_pool
from tests.worlds.charging import World, impatient, open_world
from tests.worlds.databases import Databases
from tests.worlds.fakes import NOON
from tests.worlds.list_caches import Network
from tests.worlds.redis_server import RedisServer

# Without a deadline for an example: that a machine is busy is no failure of ours.
settings.register_profile("ordinary", deadline=None)
settings.register_profile("quick", settings.get_profile("ordinary"), max_examples=20)
settings.load_profile("ordinary")
pytest_plugins = ("tests.garbage", "tests.order", "tests.external", "tests.preloaded")
#: Where the server is, and its migrated database, when somebody else has made them.
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


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The conninfo of a server on which databases may be made."""
    if outside := os.environ.get(OUTSIDE):
        yield outside
        return
    # Not below pytest's own directory: its path is too long for a socket.
    with (
        TemporaryDirectory(prefix="evpower-tests-", dir=fastest()) as directory,
        embedded_in_a_thread(Path(directory) / "data") as conninfo,
    ):
        yield conninfo


def fastest() -> Path | None:
    """Where a database costs least; None: where temporary files are."""
    return MEMORY if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOM_BYTES else None


@contextmanager
def embedded_in_a_thread(data_dir: Path) -> Iterator[str]:
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


@pytest.fixture(scope="session")
def template(postgres_server: str) -> Iterator[str]:
    """A database that was migrated once, to be copied."""
    if outside := os.environ.get(TEMPLATE_OUTSIDE):
        yield outside
        return
    with migrated_template(postgres_server) as name:
        yield name


@contextmanager
def migrated_template(server: str) -> Iterator[str]:
    """Its name."""
    name = f"evpower_template_{os.getpid()}"
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f"DROP DATABASE IF EXISTS {name}")
        admin.execute(f"CREATE DATABASE {name}")

        async def prepare() -> None:
            async with open_pool(make_conninfo(server, dbname=name), size=1) as pool:
                await migrate(pool, NOON)

        trio.run(prepare)
        yield name
        admin.execute(f"DROP DATABASE {name}")


@pytest.fixture(scope="session")
def databases(postgres_server: str, template: str) -> Iterator[Databases]:
    """Where tests borrow their database."""
    databases = Databases(postgres_server, template)
    yield databases
    databases.close()


@pytest.fixture
def database_url(databases: Databases) -> Iterator[str]:
    """The conninfo of a migrated database without rows, this test's own."""
    yield databases.lend()
    databases.take_back()


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[Pool]:
    """A pool on a fresh, migrated database."""
    async with open_pool(database_url, size=8) as pool:
        yield pool


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[RedisServer]:
    """A running server with nothing in it, this test's own."""
    server = RedisServer(tmp_path)
    server.start()
    yield server
    server.kill()


@pytest.fixture
async def world(pool: Pool) -> AsyncIterator[World]:
    """The application over its own database; chargers are asked, and not waited for."""
    async with open_world(pool, impatient()) as world:
        yield world


@pytest.fixture
async def network(redis_server: RedisServer) -> AsyncIterator[Network]:
    """Processes on one Redis, started when the test asks for them."""
    async with trio.open_nursery() as nursery:
        yield Network(nursery, redis_server)
        nursery.cancel_scope.cancel()

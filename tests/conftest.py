"""A real PostgreSQL for every test that asks: one server for the run, one database for each test.

The server is EvPower's own embedded one, or the one EVPOWER_TEST_DATABASE_URL names.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import trio
from hypothesis import settings

from evpower.db.pool import Pool, open_pool
from tests.worlds.charging import World, impatient, open_world
from tests.worlds.databases import Databases
from tests.worlds.list_caches import Network
from tests.worlds.postgres import migrated_template, running_server
from tests.worlds.redis_server import RedisServer

# Without a deadline for an example: that a machine is busy is no failure of ours.
settings.register_profile("ordinary", deadline=None)
settings.register_profile("quick", settings.get_profile("ordinary"), max_examples=20)
settings.load_profile("ordinary")
pytest_plugins = ("tests.garbage", "tests.order", "tests.external", "tests.preloaded")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The conninfo of a server on which databases may be made."""
    with running_server() as conninfo:
        yield conninfo


@pytest.fixture(scope="session")
def template(postgres_server: str) -> Iterator[str]:
    """A database that was migrated once, to be copied."""
    with migrated_template(postgres_server) as name:
        yield name


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

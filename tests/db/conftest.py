"""A database with Supabase's roles, for the tests of row security."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import psycopg
import pytest
import trio
from psycopg.conninfo import make_conninfo

from evpower.db.migrate import migrate
from evpower.db.pool import Pool, open_pool
from tests.worlds.by_hand import by_hand
from tests.worlds.charging import NETWORK
from tests.worlds.fakes import NOON
from tests.worlds.supabase import OF_EACH, PEOPLE, ROLES, SUPABASE


@pytest.fixture(scope="module")
def supabase_url(postgres_server: str, template: str) -> Iterator[str]:
    """A database as Supabase makes it. Roles are the whole server's: made if missing, and then dropped again."""
    assert template  # migrated before the roles exist, so that no other test's database depends on them
    name = f"{template}_supabase"
    with psycopg.connect(postgres_server, autocommit=True) as server:
        present = {row[0] for row in server.execute("SELECT rolname FROM pg_roles").fetchall()}
        made = [role for role in ROLES if role not in present]
        for role in made:
            server.execute(f"CREATE ROLE {role} NOLOGIN".encode())
        server.execute(f"CREATE DATABASE {name}".encode())
        url = make_conninfo(postgres_server, dbname=name)
        with psycopg.connect(url, autocommit=True) as database:
            database.execute(SUPABASE)
        yield url
        server.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())
        for role in made:
            server.execute(f"DROP ROLE {role}".encode())


@pytest.fixture(scope="module")
def filled_url(supabase_url: str) -> str:
    """Migrated twice, with two clients and something of each kind."""

    async def prepare() -> None:
        async with open_pool(supabase_url, size=1) as pool:
            assert await migrate(pool, NOON) != []
            assert await migrate(pool, NOON) == []
            async with by_hand(pool) as conn:
                await conn.execute((NETWORK + PEOPLE).encode())
                for owner in ("me", "other"):
                    for statement in OF_EACH.split(";")[:-1]:
                        await conn.execute(statement.encode(), {"id": owner})

    trio.run(prepare)
    return supabase_url


@pytest.fixture
async def supabase(filled_url: str) -> AsyncIterator[Pool]:
    async with open_pool(filled_url, size=2) as pool:
        yield pool

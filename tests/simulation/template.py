"""A migrated database to be copied for each history."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import trio
from psycopg.conninfo import make_conninfo

from evpower.db.migrate import migrate
from evpower.db.pool import open_pool
from tests.simulation.world import BEGINS_AT


@contextmanager
def migrated_template(server: str) -> Iterator[str]:
    """Its name."""
    name = f"evpower_simulation_template_{os.getpid()}"
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}")

    async def prepare() -> None:
        async with open_pool(make_conninfo(server, dbname=name), size=1) as pool:
            await migrate(pool, BEGINS_AT)

    trio.run(prepare)
    try:
        yield name
    finally:
        with psycopg.connect(server, autocommit=True) as admin:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")

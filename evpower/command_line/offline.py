"""What works without a server: on the configured database, or on the private one, started for the moment."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TypeVar

import trio

from evpower.billing.ledger_check import LedgerCheck
from evpower.billing.service import BillingService
from evpower.clock import SystemClock
from evpower.command_line.causes import sole_cause
from evpower.db.embedded import embedded_postgres
from evpower.db.migrate import is_migrated, migrate
from evpower.db.pool import Pool, open_pool
from evpower.db.reachable import dial
from evpower.errors import EvPowerError
from evpower.settings.config import Config
from evpower.settings.state_directory import make_private

T = TypeVar("T")


class NoSchema(EvPowerError):
    """The database is not EvPower's, or not yet."""

    code = "no_schema"
    message = "the database has no EvPower tables; make them with: evpower migrate"


def migrate_now(config: Config) -> list[str]:
    """Bring the schema up to date; the names of what was applied. Raises SchemaTooNew, DatabaseUnavailable."""
    return _run(config, lambda pool: migrate(pool, SystemClock().now()))


def check_ledger_now(config: Config) -> LedgerCheck:
    """The ledger's invariants over all rows. Raises NoSchema, DatabaseUnavailable."""
    return _run(config, _check)


def _run(config: Config, work: Callable[[Pool], Awaitable[T]]) -> T:
    """Do the work in a loop of its own; a fault comes out as itself, not in the groups of the nurseries around it."""

    async def with_pool() -> T:
        async with _pool(config) as pool:
            return await work(pool)

    try:
        return trio.run(with_pool)
    except BaseExceptionGroup as group:
        raise sole_cause(group) from None


async def _check(pool: Pool) -> LedgerCheck:
    if not await is_migrated(pool):
        raise NoSchema
    return await BillingService(pool, SystemClock()).check()


@asynccontextmanager
async def _pool(config: Config) -> AsyncIterator[Pool]:
    async with AsyncExitStack() as stack:
        url = config.database.url
        if not url:
            make_private(config.state_dir)
            url = await stack.enter_async_context(embedded_postgres(config.state_dir / "postgres"))
        await dial(url)
        yield await stack.enter_async_context(open_pool(url, size=2))

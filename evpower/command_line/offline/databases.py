"""What works without a server: on the configured database, or on the private one, started for the moment.

Which one it is goes to standard error. A private one is never made by the way: a second one beside the server's own
looks right and is empty.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import TypeVar

import click
import trio

from evpower.billing.ledger_check import LedgerCheck
from evpower.billing.service import BillingService
from evpower.clock import SystemClock
from evpower.cluster.processes import forget_all_processes
from evpower.command_line.causes import sole_cause
from evpower.db.dump import DumpFailed, dump, restore
from evpower.db.embedded import embedded_postgres, serving
from evpower.db.migrate import is_empty, is_migrated, migrate
from evpower.db.pool import Pool, open_pool
from evpower.db.reachable import dial
from evpower.db.which import described, is_made
from evpower.errors import ConfigError, DatabaseUnreachable, EvPowerError
from evpower.settings.config import Config
from evpower.settings.state_directory import make_private

T = TypeVar("T")


class NoSchema(EvPowerError):
    """The database is not EvPower's, or not yet."""

    code = "no_schema"
    message = "the database has no EvPower tables; make them with: evpower migrate"


def migrate_now(config: Config, *, create: bool = False) -> list[str]:
    """Bring the schema up to date; the names of what was applied. `create` makes a private PostgreSQL if need be.

    Raises ConfigError (there is no database), SchemaTooNew, DatabaseUnavailable.
    """
    return _run(config, lambda pool: migrate(pool, SystemClock().now()), create=create)


def check_ledger_now(config: Config) -> LedgerCheck:
    """The ledger's invariants over all rows. Raises ConfigError (no database), NoSchema, DatabaseUnavailable."""
    return _run(config, _check)


def dump_now(config: Config, file: Path) -> int:
    """Write the whole database into a new file, also while its server runs; the file's bytes.

    Raises ConfigError (no database), DumpFailed, DatabaseUnavailable.
    """

    async def work() -> None:
        async with opened_database(config, beside=True) as url:
            await dump(url, file)

    alone(work)
    return file.stat().st_size


def restore_now(config: Config, file: Path, *, create: bool) -> tuple[list[str], LedgerCheck]:
    """Fill an empty database from a dump, bring its schema up to date and check the money.

    Returns the migrations applied and the check. Raises ConfigError (no database), DumpFailed (the database is not
    empty, or not all of the file could be put in: nothing is), SchemaTooNew, DatabaseUnavailable.
    """

    async def work() -> tuple[list[str], LedgerCheck]:
        async with opened_database(config, create=create) as url, open_pool(url, size=2) as pool:
            if not await is_empty(pool):
                raise DumpFailed("the database is not empty: restore into a new one")
            await restore(url, file)
            applied, check = await migrate(pool, SystemClock().now()), await _check(pool)
            await forget_all_processes(pool)
            return applied, check

    return alone(work)


def _run(config: Config, work: Callable[[Pool], Awaitable[T]], *, create: bool = False) -> T:
    async def with_pool() -> T:
        async with _pool(config, create=create) as pool:
            return await work(pool)

    return alone(with_pool)


def alone(work: Callable[[], Awaitable[T]]) -> T:
    """Do the work in a loop of its own; a fault comes out as itself, not in the groups of the nurseries around it."""
    try:
        return trio.run(work)
    except BaseExceptionGroup as group:
        raise sole_cause(group) from None


async def _check(pool: Pool) -> LedgerCheck:
    if not await is_migrated(pool):
        raise NoSchema
    return await BillingService(pool, SystemClock()).check()


@asynccontextmanager
async def _pool(config: Config, *, create: bool) -> AsyncIterator[Pool]:
    async with opened_database(config, create=create) as url, open_pool(url, size=2) as pool:
        yield pool


@asynccontextmanager
async def opened_database(config: Config, *, create: bool = False, beside: bool = False) -> AsyncIterator[str]:
    """A conninfo that answers: of the configured database, or of the private one, started for the moment.

    With `beside` a private one that a server runs is used too; `create` makes a private one when there is none.
    Raises ConfigError (there is no database), DatabaseUnavailable.
    """
    private = config.private_database
    async with AsyncExitStack() as stack:
        url = config.database.url or (await _answering(private) if beside else None)
        if url is None:
            if not create:
                _refuse_to_make(private)
            make_private(config.state_dir)
            url = await stack.enter_async_context(embedded_postgres(private))
        await dial(url)
        click.echo(f"Database: {described(config.database.url, private)}", err=True)
        yield url


async def _answering(private: Path) -> str | None:
    """The conninfo of a private PostgreSQL that runs already, under a server."""
    try:
        candidates = serving(private)
    except PermissionError:
        return None
    for conninfo in candidates:
        with suppress(DatabaseUnreachable):
            await dial(conninfo)
            return conninfo
    return None


def _refuse_to_make(private: Path) -> None:
    """Raises ConfigError when there is no private PostgreSQL yet, or it is another user's."""
    try:
        if is_made(private):
            return
        reason = f"there is no private PostgreSQL in {private.resolve()}"
    except OSError as error:
        reason = f"{private.resolve()} cannot be looked into ({error.strerror})"
    raise ConfigError(
        [
            f"database.url: is not set (EVPOWER_DATABASE_URL), and {reason}; read the settings of the server first"
            " (EVPOWER_CONFIG or --config, EVPOWER_STATE_DIR), or make a private one: evpower migrate --create"
        ]
    )

"""Forward-only migrations: numbered SQL files, each in its own transaction, one process at a time.

A server migrates an older schema and refuses one newer than itself. Row security for Supabase's roles is a repeatable
script, run wherever those roles exist (contract/data-model §1).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

from evpower.db.connection import Conn
from evpower.db.pool import Pool
from evpower.db.unit_of_work import reading
from evpower.errors import DatabaseUnavailable, EvPowerError

MIGRATIONS = Path(__file__).parent / "migrations"
ROW_SECURITY = Path(__file__).parent / "row_security.sql"
OLDEST_SERVER = 150000

#: Any number, as long as every EvPower takes the same.
LOCK = "SELECT pg_advisory_lock(7265001)"
UNLOCK = "SELECT pg_advisory_unlock(7265001)"
CREATE_TABLE = """
CREATE SCHEMA IF NOT EXISTS evpower;
CREATE TABLE IF NOT EXISTS evpower.schema_migrations (
    version int PRIMARY KEY, name text NOT NULL, checksum text NOT NULL, applied_at timestamptz NOT NULL);
"""
IS_MIGRATED = "SELECT to_regclass('evpower.ledger_entries') IS NOT NULL AS present"
IS_EMPTY = "SELECT count(*) = 0 AS empty FROM pg_tables WHERE schemaname IN ('evpower', 'public')"
HAS_HISTORY = "SELECT to_regclass('evpower.schema_migrations') IS NOT NULL AS present"
READ_APPLIED = "SELECT version, name, checksum FROM evpower.schema_migrations ORDER BY version"
RECORD = """
INSERT INTO evpower.schema_migrations (version, name, checksum, applied_at)
VALUES (%(version)s, %(name)s, %(checksum)s, %(at)s)
"""
HAS_OUTSIDE_READERS = "SELECT count(*) = 2 AS present FROM pg_roles WHERE rolname IN ('anon', 'authenticated')"


class SchemaTooNew(EvPowerError):
    """The database was migrated by a newer EvPower than this one."""


class MigrationEdited(EvPowerError):
    """A migration's file is not what was applied; migrations are forward-only."""


@dataclass(frozen=True)
class Migration:
    """One numbered file."""

    version: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()


def read_migrations(directory: Path = MIGRATIONS) -> list[Migration]:
    """The files `NNNN_name.sql` of a directory, in order."""
    found = []
    for path in sorted(directory.glob("*.sql")):
        number = re.fullmatch(r"(\d{4})_\w+", path.stem)
        if number is None:
            raise ValueError(f"{path.name} is not named NNNN_name.sql")
        found.append(Migration(int(number[1]), path.stem, path.read_text()))
    for earlier, later in pairwise(found):
        if earlier.version == later.version:
            raise ValueError(f"{earlier.name} and {later.name} have the same number")
    return found


async def migrate(pool: Pool, applied_at: datetime, directory: Path = MIGRATIONS) -> list[str]:
    """Bring the schema up to date under an advisory lock; the names of what was applied.

    Raises SchemaTooNew, MigrationEdited, DatabaseUnavailable (a server older than PostgreSQL 15).
    """
    async with pool.connection() as conn:
        if conn.info.server_version < OLDEST_SERVER:
            raise DatabaseUnavailable(f"PostgreSQL 15 or newer is needed, this is {conn.info.server_version // 10000}")
        try:
            await conn.execute(LOCK)
            names = await _apply_missing(conn, read_migrations(directory), applied_at)
            if await _has_outside_readers(conn):
                async with conn.transaction():
                    await _run(conn, ROW_SECURITY.read_text())
            await conn.execute(UNLOCK)
        except BaseException:
            # The lock is the session's: whatever went wrong, and wherever, it goes with the connection.
            conn.close_now()
            raise
        return names


@dataclass(frozen=True)
class SchemaState:
    """How a database's schema stands to this EvPower: what it lacks, and what this EvPower does not know."""

    pending: list[str]
    unknown: list[str]


async def schema_state(pool: Pool, directory: Path = MIGRATIONS) -> SchemaState:
    """Compare, and change nothing."""
    async with reading(pool) as conn:
        has_any = await (await conn.execute(HAS_HISTORY)).fetchone()
        applied = {row["name"] for row in await _applied(conn)} if has_any and has_any["present"] else set()
    known = [migration.name for migration in read_migrations(directory)]
    return SchemaState([name for name in known if name not in applied], sorted(applied.difference(known)))


async def is_migrated(pool: Pool) -> bool:
    """Whether the database has EvPower's tables at all."""
    async with reading(pool) as conn:
        row = await (await conn.execute(IS_MIGRATED)).fetchone()
    return bool(row and row["present"])


async def is_empty(pool: Pool) -> bool:
    """Whether no table stands where EvPower's would."""
    async with reading(pool) as conn:
        row = await (await conn.execute(IS_EMPTY)).fetchone()
    return bool(row and row["empty"])


async def _apply_missing(conn: Conn, known: Sequence[Migration], at: datetime) -> list[str]:
    async with conn.transaction():
        await _run(conn, CREATE_TABLE)
    applied = {row["version"]: row for row in await _applied(conn)}
    newest = known[-1] if known else Migration(0, "none", "")
    for version, row in applied.items():
        if version > newest.version:
            raise SchemaTooNew(
                f"the database is at {row['name']}, this EvPower knows up to {newest.name}: install the newer EvPower"
            )
    names: list[str] = []
    for migration in known:
        known_as = applied.get(migration.version)
        if known_as is None:
            await _apply(conn, migration, at)
            names.append(migration.name)
        elif known_as["checksum"] != migration.checksum:
            raise MigrationEdited(f"{migration.name} was changed after it was applied; write a new migration instead")
    return names


async def _apply(conn: Conn, migration: Migration, at: datetime) -> None:
    async with conn.transaction():
        await _run(conn, migration.sql)
        await conn.execute(
            RECORD,
            {"version": migration.version, "name": migration.name, "checksum": migration.checksum, "at": at},
        )


async def _applied(conn: Conn) -> list[dict[str, Any]]:
    return await (await conn.execute(READ_APPLIED)).fetchall()


async def _has_outside_readers(conn: Conn) -> bool:
    row = await (await conn.execute(HAS_OUTSIDE_READERS)).fetchone()
    return bool(row and row["present"])


async def _run(conn: Conn, script: str) -> None:
    """Several statements at once, without parameters."""
    await conn.execute(script.encode())

"""Days of meter values and frames: made ahead, dropped whole when they are past their retention (design §9.14)."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from typing import LiteralString

from psycopg.errors import LockNotAvailable
from psycopg.sql import SQL, Composed, Identifier, Literal

from evpower.db.connection import Conn

log = logging.getLogger("evpower.db")

#: Days made ahead, so that a night without maintenance loses nothing.
DAYS_AHEAD = 3
#: Each table and the time it is partitioned by.
TABLES = {"ocpp_meter_values": "received_at", "ocpp_frames": "recorded_at"}

#: Writers queue behind a statement that waits for a table's lock, so ours waits briefly (a backup holds it for hours).
BRIEFLY = "SET LOCAL lock_timeout = '2s'"
#: Any number, as long as every EvPower takes the same.
ALONE = "SELECT pg_advisory_xact_lock(7265002)"
LIST_PARTITIONS = """
SELECT c.relname AS name FROM pg_inherits i
JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_class p ON p.oid = i.inhparent
JOIN pg_namespace n ON n.oid = p.relnamespace
WHERE n.nspname = 'evpower' AND p.relname = %(table)s
"""
# Rows that came before their day was made lie in the default partition, and move.
MAKE: tuple[LiteralString, ...] = (
    "LOCK TABLE evpower.{default} IN ACCESS EXCLUSIVE MODE",
    "CREATE TABLE evpower.{name} (LIKE evpower.{table} INCLUDING ALL)",
    """WITH moved AS (DELETE FROM evpower.{default} WHERE {column} >= {start} AND {column} < {end} RETURNING *)
       INSERT INTO evpower.{name} SELECT * FROM moved""",
    "ALTER TABLE evpower.{table} ATTACH PARTITION evpower.{name} FOR VALUES FROM ({start}) TO ({end})",
)
DROP: LiteralString = "DROP TABLE IF EXISTS evpower.{name}"


async def maintain_partitions(
    conn: Conn, today: date, retention_days: Mapping[str, int]
) -> tuple[list[str], list[str]]:
    """Make the coming days' partitions of each table and drop the ones past their retention: (made, dropped).

    What is locked for long by somebody else is left for the next time.
    """
    made: list[str] = []
    dropped: list[str] = []
    for table in TABLES:
        oldest = _name(table, today - timedelta(days=retention_days[table]))
        try:
            made += await _make_missing(conn, table, [today + timedelta(days=n) for n in range(DAYS_AHEAD + 1)])
            for name in sorted(await _present(conn, table)):
                if not name.endswith("_default") and name < oldest:
                    await _drop(conn, name)
                    dropped.append(name)
        except LockNotAvailable:
            log.warning("the partitions of %s are locked by somebody else: left for the next time", table)
    return made, dropped


async def _make_missing(conn: Conn, table: str, days: list[date]) -> list[str]:
    async with _briefly_alone(conn):
        present = await _present(conn, table)
        missing = [day for day in days if _name(table, day) not in present]
        for day in missing:
            for statement in MAKE:
                await conn.execute(_about(statement, table, day))
    return [_name(table, day) for day in missing]


async def _drop(conn: Conn, name: str) -> None:
    async with _briefly_alone(conn):
        await conn.execute(SQL(DROP).format(name=Identifier(name)))


@asynccontextmanager
async def _briefly_alone(conn: Conn) -> AsyncIterator[None]:
    """A short transaction, of one process at a time."""
    async with conn.transaction():
        await conn.execute(BRIEFLY)
        await conn.execute(ALONE)
        yield


async def _present(conn: Conn, table: str) -> set[str]:
    cursor = await conn.execute(LIST_PARTITIONS, {"table": table})
    return {row["name"] for row in await cursor.fetchall()}


def _name(table: str, day: date) -> str:
    return f"{table}_{day:%Y%m%d}"


def _about(statement: LiteralString, table: str, day: date) -> Composed:
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return SQL(statement).format(
        name=Identifier(_name(table, day)),
        table=Identifier(table),
        default=Identifier(f"{table}_default"),
        column=Identifier(TABLES[table]),
        start=Literal(start.isoformat()),
        end=Literal((start + timedelta(days=1)).isoformat()),
    )

"""Days of meter values and frames: made ahead, dropped whole when they are past their retention (design §9.14)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from psycopg import AsyncConnection
from psycopg.sql import SQL, Identifier, Literal

#: Days made ahead, so that a night without maintenance loses nothing.
DAYS_AHEAD = 3
TABLES = ("ocpp_meter_values", "ocpp_frames")

LIST_PARTITIONS = """
SELECT c.relname AS name FROM pg_inherits i
JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_class p ON p.oid = i.inhparent
JOIN pg_namespace n ON n.oid = p.relnamespace
WHERE n.nspname = 'evpower' AND p.relname = %(table)s
"""
CREATE = "CREATE TABLE IF NOT EXISTS evpower.{name} PARTITION OF evpower.{table} FOR VALUES FROM ({start}) TO ({end})"
DROP = "DROP TABLE IF EXISTS evpower.{name}"


async def maintain_partitions(
    conn: AsyncConnection[Any], today: date, retention_days: Mapping[str, int]
) -> tuple[list[str], list[str]]:
    """Make the coming days' partitions of each table and drop the ones past their retention: (made, dropped)."""
    made, dropped = [], []
    for table in TABLES:
        cursor = await conn.execute(LIST_PARTITIONS, {"table": table})
        present = {row["name"] for row in await cursor.fetchall()}
        wanted = {_name(table, today + timedelta(days=n)): today + timedelta(days=n) for n in range(DAYS_AHEAD + 1)}
        for name, day in wanted.items():
            if name not in present:
                await conn.execute(_create(table, name, day))
                made.append(name)
        oldest = _name(table, today - timedelta(days=retention_days[table]))
        for name in sorted(present):
            if not name.endswith("_default") and name < oldest:
                await conn.execute(SQL(DROP).format(name=Identifier(name)))
                dropped.append(name)
    return made, dropped


def _name(table: str, day: date) -> str:
    return f"{table}_{day:%Y%m%d}"


def _create(table: str, name: str, day: date) -> Any:
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return SQL(CREATE).format(
        name=Identifier(name),
        table=Identifier(table),
        start=Literal(start.isoformat()),
        end=Literal((start + timedelta(days=1)).isoformat()),
    )

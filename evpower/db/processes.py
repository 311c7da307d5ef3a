"""Rows of the running processes, and of where each charger's socket is (design §7)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from psycopg import AsyncConnection

from evpower.identifiers import ProcessId, StationId

RENEW = """
INSERT INTO evpower.processes AS p (process_id, started_at, lease_until)
VALUES (%(process_id)s, %(now)s, %(lease_until)s)
ON CONFLICT (process_id) DO UPDATE SET lease_until = EXCLUDED.lease_until
RETURNING (xmax = 0) AS is_new
"""

READ_ALIVE = "SELECT process_id FROM evpower.processes WHERE lease_until > %(now)s"

#: The process a connection of the pool belongs to; NULL for a command of the operator's.
ME = "nullif(current_setting('evpower.process_id', true), '')"

# Whoever comes last has the socket: a charger has one at a time, and its older one is a ghost (duty 4).
TAKE = f"""
INSERT INTO evpower.charger_connections (station_id, process_id, connected_at)
SELECT s.id, {ME}, %(now)s FROM public.stations s
WHERE s.id = ANY(%(stations)s) AND {ME} IS NOT NULL ORDER BY s.id
ON CONFLICT (station_id) DO UPDATE SET process_id = EXCLUDED.process_id, connected_at = EXCLUDED.connected_at
"""

TAKE_FREE = f"""
INSERT INTO evpower.charger_connections (station_id, process_id, connected_at)
SELECT s.id, {ME}, %(now)s FROM public.stations s
WHERE s.id = ANY(%(stations)s) AND {ME} IS NOT NULL ORDER BY s.id
ON CONFLICT (station_id) DO NOTHING
"""

LEAVE = f"DELETE FROM evpower.charger_connections WHERE station_id = %(station_id)s AND process_id = {ME}"

READ_OWNERS = "SELECT station_id, process_id FROM evpower.charger_connections"
READ_OWNER = f"{READ_OWNERS} WHERE station_id = %(station_id)s"

LEAVE_ALL = """
WITH gone AS (DELETE FROM evpower.processes WHERE process_id = %(process_id)s)
DELETE FROM evpower.charger_connections WHERE process_id = %(process_id)s
"""

FORGET_DEAD = """
WITH dead AS (DELETE FROM evpower.processes WHERE lease_until < %(now)s)
DELETE FROM evpower.charger_connections c
WHERE NOT EXISTS (SELECT FROM evpower.processes p WHERE p.process_id = c.process_id AND p.lease_until >= %(now)s)
"""


async def renew_lease(
    conn: AsyncConnection[Any], process_id: ProcessId, *, now: datetime, lease_until: datetime
) -> bool:
    """Say that this process runs until `lease_until`; whether nobody knew of it (any more)."""
    parameters = {"process_id": process_id, "now": now, "lease_until": lease_until}
    row = await (await conn.execute(RENEW, parameters)).fetchone()
    return row is not None and bool(row["is_new"])


async def read_alive(conn: AsyncConnection[Any], now: datetime) -> set[ProcessId]:
    """The processes whose lease has not run out."""
    return {ProcessId(row["process_id"]) for row in await (await conn.execute(READ_ALIVE, {"now": now})).fetchall()}


async def take_chargers(conn: AsyncConnection[Any], stations: Collection[StationId], now: datetime) -> None:
    """The sockets of these stations are in this process from now on, wherever they were."""
    await conn.execute(TAKE, {"stations": list(stations), "now": now})


async def take_free_chargers(conn: AsyncConnection[Any], stations: Collection[StationId], now: datetime) -> None:
    """As `take_chargers`, but nothing is taken from another: for a process that slept past its lease."""
    await conn.execute(TAKE_FREE, {"stations": list(stations), "now": now})


async def leave_charger(conn: AsyncConnection[Any], station_id: StationId) -> None:
    """The station's socket here has ended; nothing happens when another process has it by now."""
    await conn.execute(LEAVE, {"station_id": station_id})


async def read_owners(conn: AsyncConnection[Any]) -> dict[StationId, ProcessId]:
    """Which process has which charger's socket, those of dead processes too."""
    rows = await (await conn.execute(READ_OWNERS)).fetchall()
    return {StationId(row["station_id"]): ProcessId(row["process_id"]) for row in rows}


async def read_owner(conn: AsyncConnection[Any], station_id: StationId) -> ProcessId | None:
    """Which process has this charger's socket."""
    row = await (await conn.execute(READ_OWNER, {"station_id": station_id})).fetchone()
    return None if row is None else ProcessId(row["process_id"])


async def leave_all(conn: AsyncConnection[Any], process_id: ProcessId) -> None:
    """This process ends."""
    await conn.execute(LEAVE_ALL, {"process_id": process_id})


async def forget_dead(conn: AsyncConnection[Any], now: datetime) -> None:
    """Take away what a process that ended without a word left."""
    await conn.execute(FORGET_DEAD, {"now": now})

"""Rows of the running processes, and of where each station's socket is (design §7)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from psycopg import AsyncConnection

import evpower
from evpower.identifiers import ProcessId, StationId

RENEW = """
INSERT INTO evpower.processes AS p (process_id, started_at, lease_until, version)
VALUES (%(process_id)s, %(now)s, %(lease_until)s, %(version)s)
ON CONFLICT (process_id) DO UPDATE SET lease_until = EXCLUDED.lease_until
RETURNING (xmax = 0) AS is_new
"""

READ_LEASES = "SELECT process_id, lease_until FROM evpower.processes"

#: The process a connection of the pool belongs to; NULL for a command of the operator's.
ME = "nullif(current_setting('evpower.process_id', true), '')"

# The process that connected last has the socket: a station has one at a time, an older one is dead (duty 4).
TAKE = f"""
INSERT INTO evpower.charger_connections (station_id, process_id, connected_at, address)
SELECT s.id, {ME}, %(now)s, nullif(came.address, '')
FROM unnest(%(stations)s::text[], %(addresses)s::text[]) AS came(station_id, address)
JOIN public.stations s ON s.id = came.station_id
WHERE {ME} IS NOT NULL ORDER BY s.id
ON CONFLICT (station_id) DO UPDATE
SET process_id = EXCLUDED.process_id, connected_at = EXCLUDED.connected_at, address = EXCLUDED.address
"""

TAKE_FREE = f"""
INSERT INTO evpower.charger_connections (station_id, process_id, connected_at)
SELECT s.id, {ME}, %(now)s FROM public.stations s
WHERE s.id = ANY(%(stations)s) AND {ME} IS NOT NULL ORDER BY s.id
ON CONFLICT (station_id) DO NOTHING
"""

LEAVE = f"""
WITH left_here AS MATERIALIZED (
    SELECT station_id FROM evpower.charger_connections
    WHERE station_id = ANY(%(stations)s) AND process_id = {ME} ORDER BY station_id FOR UPDATE
), gone AS (
    DELETE FROM evpower.charger_connections c USING left_here WHERE c.station_id = left_here.station_id)
INSERT INTO evpower.socket_ends (station_id, ended_at, close_code)
SELECT station_id, e.ended_at, e.close_code FROM left_here
JOIN unnest(%(stations)s::text[], %(ended)s::timestamptz[], %(codes)s::int[]) AS e(station_id, ended_at, close_code)
     USING (station_id)
ON CONFLICT (station_id) DO UPDATE SET ended_at = EXCLUDED.ended_at, close_code = EXCLUDED.close_code
"""

READ_OWNERS = "SELECT station_id, process_id FROM evpower.charger_connections"
READ_SOME_OWNERS = f"{READ_OWNERS} WHERE station_id = ANY(%(stations)s)"

LEAVE_ALL = "DELETE FROM evpower.processes WHERE process_id = %(process_id)s"

# One that has renewed since it was looked at stays.
FORGET_DEAD = """
DELETE FROM evpower.processes p USING unnest(%(dead)s::text[], %(leases)s::timestamptz[]) AS d(process_id, lease_until)
WHERE p.process_id = d.process_id AND p.lease_until = d.lease_until
"""

# In the order in which stations that come back are written: the two meet when a process has died. The processes are
# named by an array, because a row somebody has changed meanwhile is judged anew only by its own columns.
FORGET_SOCKETS = """
WITH left_over AS MATERIALIZED (
    SELECT station_id FROM evpower.charger_connections
    WHERE process_id = ANY (ARRAY(SELECT process_id FROM evpower.charger_connections
                                  EXCEPT SELECT process_id FROM evpower.processes))
    ORDER BY station_id FOR UPDATE)
DELETE FROM evpower.charger_connections c USING left_over WHERE c.station_id = left_over.station_id
"""


class SocketEnd(NamedTuple):
    """When a station's socket ended, and with which WebSocket close code (1006: without any)."""

    ended_at: datetime
    close_code: int


async def renew_lease(
    conn: AsyncConnection[Any], process_id: ProcessId, *, now: datetime, lease_until: datetime
) -> bool:
    """Write this process's lease until `lease_until`; return whether it had no row (any more)."""
    parameters = {"process_id": process_id, "now": now, "lease_until": lease_until, "version": evpower.__version__}
    row = await (await conn.execute(RENEW, parameters)).fetchone()
    return row is not None and bool(row["is_new"])


async def read_leases(conn: AsyncConnection[Any]) -> dict[ProcessId, datetime]:
    """Every process there is a row of, and until when it says it runs, by its own clock."""
    rows = await (await conn.execute(READ_LEASES)).fetchall()
    return {ProcessId(row["process_id"]): row["lease_until"] for row in rows}


async def take_stations(conn: AsyncConnection[Any], stations: Mapping[StationId, str], now: datetime) -> None:
    """The sockets of these stations, which come from these addresses, are in this process, wherever they were."""
    await conn.execute(TAKE, {"stations": list(stations), "addresses": list(stations.values()), "now": now})


async def take_free_stations(conn: AsyncConnection[Any], stations: Collection[StationId], now: datetime) -> None:
    """As `take_stations`, but nothing is taken from another: for a process that slept past its lease."""
    await conn.execute(TAKE_FREE, {"stations": list(stations), "now": now})


async def leave_stations(conn: AsyncConnection[Any], ends: Mapping[StationId, SocketEnd]) -> None:
    """The sockets of these stations here have ended so; one that another process has by now stays its."""
    ended, codes = [each.ended_at for each in ends.values()], [each.close_code for each in ends.values()]
    await conn.execute(LEAVE, {"stations": list(ends), "ended": ended, "codes": codes})


async def read_owners(
    conn: AsyncConnection[Any], stations: Collection[StationId] | None = None
) -> dict[StationId, ProcessId]:
    """Which process has which station's socket, those of dead processes too; of all stations, or of these."""
    query = READ_OWNERS if stations is None else READ_SOME_OWNERS
    rows = await (await conn.execute(query, {"stations": list(stations or ())})).fetchall()
    return {StationId(row["station_id"]): ProcessId(row["process_id"]) for row in rows}


async def leave_all(conn: AsyncConnection[Any], process_id: ProcessId) -> None:
    """This process ends. Killed between the two, others take its sockets away."""
    await conn.execute(LEAVE_ALL, {"process_id": process_id})
    await conn.execute(FORGET_SOCKETS)


async def forget_all(conn: AsyncConnection[Any]) -> None:
    """Take away every process and socket: a copy of a database has rows of processes that run on the original."""
    await conn.execute("DELETE FROM evpower.charger_connections")
    await conn.execute("DELETE FROM evpower.processes")


async def forget_dead(conn: AsyncConnection[Any], dead: Mapping[ProcessId, datetime]) -> None:
    """Take away these processes, unless they have renewed since, and what processes that are gone have left."""
    if dead:
        await conn.execute(FORGET_DEAD, {"dead": list(dead), "leases": list(dead.values())})
    await conn.execute(FORGET_SOCKETS)

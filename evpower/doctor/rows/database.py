"""The database as it is, and what of the network's rows a check goes by."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from evpower.db.connection import Conn

# The server's own clock is what is compared.
READ_SERVER = """
SELECT current_setting('server_version_num')::int / 10000 AS major, pg_database_size(current_database()) AS size_bytes,
       current_setting('max_connections')::int AS connections_max, clock_timestamp() AS at
"""
COUNT_STATIONS = "SELECT count(*) AS count FROM stations WHERE status <> 'inactive'"
READ_ENDING = """
SELECT station_id, not_after FROM (
    SELECT DISTINCT ON (station_id) station_id, not_after FROM evpower.station_certificates
    WHERE state = 'delivered' ORDER BY station_id, id DESC) latest
WHERE not_after <= %(before)s ORDER BY not_after, station_id
"""


@dataclass(frozen=True)
class DatabaseServer:
    """PostgreSQL's major version, the database's bytes, the server's limit of connections, and its clock."""

    major: int
    size_bytes: int
    connections_max: int
    at: datetime


async def read_server(conn: Conn) -> DatabaseServer:
    row = await (await conn.execute(READ_SERVER)).fetchone()
    assert row is not None
    return DatabaseServer(**row)


async def count_stations(conn: Conn) -> int:
    """Stations that are expected to connect."""
    row = await (await conn.execute(COUNT_STATIONS)).fetchone()
    assert row is not None
    return int(row["count"])


async def ending_certificates(conn: Conn, before: datetime) -> list[str]:
    """Stations whose last certificate ends before then, soonest first."""
    rows = await (await conn.execute(READ_ENDING, {"before": before})).fetchall()
    return [row["station_id"] for row in rows]

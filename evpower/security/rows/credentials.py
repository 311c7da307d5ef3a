"""Rows of `station_credentials`: the password in force, and one that is on its way to the station."""

from __future__ import annotations

from datetime import datetime

from evpower.db.connection import Conn
from evpower.identifiers import StationId
from evpower.security.rows.trust import end_certificates

SET_PASSWORD = """
INSERT INTO evpower.station_credentials (station_id, password_hash, updated_at)
VALUES (%(station_id)s, %(hash)s, %(at)s)
ON CONFLICT (station_id) DO UPDATE
SET password_hash = excluded.password_hash, pending_hash = NULL, updated_at = excluded.updated_at
"""

PREPARE_PASSWORD = """
INSERT INTO evpower.station_credentials (station_id, pending_hash, updated_at)
VALUES (%(station_id)s, %(hash)s, %(at)s)
ON CONFLICT (station_id) DO UPDATE SET pending_hash = excluded.pending_hash, updated_at = excluded.updated_at
"""

# Only that very password: a later change must not be undone by the late end of an earlier one.
PUT_IN_FORCE = """
UPDATE evpower.station_credentials SET password_hash = pending_hash, pending_hash = NULL, updated_at = %(at)s
WHERE station_id = %(station_id)s AND pending_hash = %(hash)s
"""

DROP_PENDING = """
UPDATE evpower.station_credentials SET pending_hash = NULL, updated_at = %(at)s
WHERE station_id = %(station_id)s AND pending_hash = %(hash)s
"""


async def _run(conn: Conn, query: str, station_id: StationId, password_hash: str, at: datetime) -> None:
    await conn.execute(query, {"station_id": station_id, "hash": password_hash, "at": at})


async def set_password(conn: Conn, station_id: StationId, password_hash: str, at: datetime) -> None:
    """This is the station's one password from now on; its certificates end."""
    await _run(conn, SET_PASSWORD, station_id, password_hash, at)
    await end_certificates(conn, station_id, at)


async def prepare_password(conn: Conn, station_id: StationId, password_hash: str, at: datetime) -> None:
    """Let this password open beside the one in force."""
    await _run(conn, PREPARE_PASSWORD, station_id, password_hash, at)


async def put_in_force(conn: Conn, station_id: StationId, password_hash: str, at: datetime) -> None:
    """The prepared password replaces the old one, and the station's certificates end; nothing when it is not the
    prepared one (any more)."""
    cursor = await conn.execute(PUT_IN_FORCE, {"station_id": station_id, "hash": password_hash, "at": at})
    if cursor.rowcount:
        await end_certificates(conn, station_id, at)


async def drop_pending(conn: Conn, station_id: StationId, password_hash: str, at: datetime) -> None:
    """The prepared password was refused; the old one stays."""
    await _run(conn, DROP_PENDING, station_id, password_hash, at)

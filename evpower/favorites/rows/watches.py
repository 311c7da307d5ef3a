"""Rows of `favorite_watches`; the client's row is locked where one is made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from evpower.db.connection import Conn
from evpower.identifiers import ClientId

WAITING = """
SELECT id, client_id, location_id, connector_type, until FROM evpower.favorite_watches WHERE until > %(at)s ORDER BY id
"""
OTHERS = """
SELECT count(*) AS watches FROM evpower.favorite_watches
WHERE client_id = %(client_id)s AND location_id <> %(location_id)s AND until > %(at)s
"""
UNTIL = "SELECT until FROM evpower.favorite_watches WHERE client_id = %(client_id)s AND location_id = %(location_id)s"
STORE = """
INSERT INTO evpower.favorite_watches (client_id, location_id, connector_type, created_at, until)
VALUES (%(client_id)s, %(location_id)s, %(connector_type)s, %(at)s, %(until)s)
ON CONFLICT (client_id, location_id) DO UPDATE SET connector_type = excluded.connector_type, until = excluded.until
"""
DELETE = "DELETE FROM evpower.favorite_watches WHERE client_id = %(client_id)s AND location_id = %(location_id)s"
# Of two processes that find the same connector free one takes the row. A client may have changed it since it was read.
TAKE = """
DELETE FROM evpower.favorite_watches
WHERE id = %(id)s AND connector_type IS NOT DISTINCT FROM %(connector_type)s
"""
COUNT_OVER = "SELECT count(*) AS watches FROM evpower.favorite_watches WHERE until <= %(at)s"
DROP_OVER = "DELETE FROM evpower.favorite_watches WHERE until <= %(at)s"


@dataclass(frozen=True)
class Watch:
    """A client waits until a connector of this type (None: any) is free at a location, `until` then."""

    id: int
    client_id: ClientId
    location_id: str
    connector_type: str | None
    until: datetime


async def list_waiting(conn: Conn, at: datetime) -> Sequence[Watch]:
    """Every watch whose time is not over, the oldest first."""
    return [Watch(**row) for row in await (await conn.execute(WAITING, {"at": at})).fetchall()]


async def count_others(conn: Conn, client_id: ClientId, location_id: str, at: datetime) -> int:
    """The client's watches at other locations."""
    parameters = {"client_id": client_id, "location_id": location_id, "at": at}
    row = await (await conn.execute(OTHERS, parameters)).fetchone()
    return 0 if row is None else int(row["watches"])


async def read_until(conn: Conn, client_id: ClientId, location_id: str) -> datetime | None:
    """Until when the client waits at this location; None when it does not."""
    row = await (await conn.execute(UNTIL, {"client_id": client_id, "location_id": location_id})).fetchone()
    return None if row is None else row["until"]


async def store_watch(
    conn: Conn, client_id: ClientId, location_id: str, connector_type: str | None, at: datetime, until: datetime
) -> None:
    """The client's watch at this location from now on, in the place of one that was there."""
    await conn.execute(
        STORE,
        {
            "client_id": client_id,
            "location_id": location_id,
            "connector_type": connector_type,
            "at": at,
            "until": until,
        },
    )


async def delete_watch(conn: Conn, client_id: ClientId, location_id: str) -> bool:
    """The client waits there no longer; whether it did."""
    cursor = await conn.execute(DELETE, {"client_id": client_id, "location_id": location_id})
    return cursor.rowcount > 0


async def take_watch(conn: Conn, watch: Watch) -> bool:
    """End the watch for its notice; False when somebody else ended or changed it."""
    cursor = await conn.execute(TAKE, {"id": watch.id, "connector_type": watch.connector_type})
    return cursor.rowcount > 0


async def count_over(conn: Conn, at: datetime) -> int:
    """How many have waited for too long."""
    row = await (await conn.execute(COUNT_OVER, {"at": at})).fetchone()
    return 0 if row is None else int(row["watches"])


async def drop_over(conn: Conn, at: datetime) -> int:
    """End those whose time is over; how many."""
    return (await conn.execute(DROP_OVER, {"at": at})).rowcount

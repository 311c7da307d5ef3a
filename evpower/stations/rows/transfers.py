"""Rows of `ocpp_transfers`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from psycopg import AsyncConnection

from evpower.identifiers import StationId

CLOSE_EARLIER = """
UPDATE evpower.ocpp_transfers SET status = 'Superseded', status_at = %(at)s, ended_at = %(at)s
WHERE station_id = %(station_id)s AND kind = %(kind)s AND ended_at IS NULL
"""

OPEN = """
INSERT INTO evpower.ocpp_transfers (station_id, kind, location, status, requested_at, status_at)
VALUES (%(station_id)s, %(kind)s, %(location)s, 'Requested', %(at)s, %(at)s) RETURNING id
"""

_SET_STATUS = """
UPDATE evpower.ocpp_transfers
SET status = %(status)s, status_at = %(at)s, ended_at = CASE WHEN %(ended)s THEN %(at)s END,
    steps = steps || jsonb_build_array(jsonb_build_object('status', %(status)s::text, 'at', %(at)s::timestamptz))
"""
ADVANCE = f"""{_SET_STATUS}
WHERE id = (SELECT max(id) FROM evpower.ocpp_transfers
            WHERE station_id = %(station_id)s AND kind = %(kind)s AND ended_at IS NULL)
RETURNING id
"""
# A transfer we gave up without any report of the station (silence, no file name) goes on once the station names it.
ADVANCE_NAMED = f"""{_SET_STATUS}
WHERE id = %(request_id)s AND station_id = %(station_id)s AND kind = %(kind)s
  AND (ended_at IS NULL OR steps = '[]'::jsonb)
RETURNING id
"""

# It was not requested here: the station began it by itself, or another system requested it.
INSERT_UNREQUESTED = """
INSERT INTO evpower.ocpp_transfers (station_id, kind, status, steps, status_at, ended_at)
VALUES (%(station_id)s, %(kind)s, %(status)s,
        jsonb_build_array(jsonb_build_object('status', %(status)s::text, 'at', %(at)s::timestamptz)),
        %(at)s, CASE WHEN %(ended)s THEN %(at)s END)
"""

# A station repeats its last status when it is asked to; that begins nothing.
IS_LAST_STATUS = """
SELECT 1 AS one FROM evpower.ocpp_transfers
WHERE station_id = %(station_id)s AND kind = %(kind)s AND status = %(status)s
  AND id = (SELECT max(id) FROM evpower.ocpp_transfers WHERE station_id = %(station_id)s AND kind = %(kind)s)
"""

CLOSE_UNSENT = """
UPDATE evpower.ocpp_transfers SET status = %(status)s, status_at = %(at)s, ended_at = %(at)s
WHERE id = %(id)s AND ended_at IS NULL AND status = 'Requested'
"""

# Without a file name there is nothing to upload, and no notification will follow (OCPP 1.6 §5.9).
NAME_FILE = """
UPDATE evpower.ocpp_transfers
SET file_name = %(file_name)s,
    status = CASE WHEN %(file_name)s::text IS NULL AND status = 'Requested' THEN 'NothingToSend' ELSE status END,
    ended_at = CASE WHEN %(file_name)s::text IS NULL AND status = 'Requested' THEN %(at)s ELSE ended_at END
WHERE id = %(id)s
"""


async def open_transfer(
    conn: AsyncConnection[Any], station_id: StationId, kind: str, location: str | None, at: datetime
) -> int:
    """Begin a transfer in place of one that never ended; its id is OCPP's requestId."""
    parameters = {"station_id": station_id, "kind": kind, "location": location, "at": at}
    await conn.execute(CLOSE_EARLIER, parameters)
    row = await (await conn.execute(OPEN, parameters)).fetchone()
    assert row is not None
    return int(row["id"])


async def advance(
    conn: AsyncConnection[Any],
    station_id: StationId,
    kind: str,
    status: str,
    *,
    request_id: int | None = None,
    ended: bool,
    at: datetime,
) -> bool:
    """Note the station's status on the transfer it names, else on the one that runs, else on a new unrequested one.

    False when it names none of its own that is under way: then nothing is noted.
    """
    parameters = {
        "station_id": station_id,
        "kind": kind,
        "status": status,
        "request_id": request_id,
        "ended": ended,
        "at": at,
    }
    statement = ADVANCE if request_id is None else ADVANCE_NAMED
    if await (await conn.execute(statement, parameters)).fetchone() is not None:
        return True
    if request_id is not None:
        return False
    if await (await conn.execute(IS_LAST_STATUS, parameters)).fetchone() is None:
        await conn.execute(INSERT_UNREQUESTED, parameters)
    return True


async def close_unsent(conn: AsyncConnection[Any], transfer_id: int, status: str, at: datetime) -> None:
    """The station did not take the request: `status` says why."""
    await conn.execute(CLOSE_UNSENT, {"id": transfer_id, "status": status, "at": at})


async def name_file(conn: AsyncConnection[Any], transfer_id: int, file_name: str | None, at: datetime) -> None:
    """The name the station gave its upload; None ends it, unless the station already began."""
    await conn.execute(NAME_FILE, {"id": transfer_id, "file_name": file_name, "at": at})

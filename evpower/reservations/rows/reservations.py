"""Rows of `reservations`; the client's row is locked before one of them is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime, timedelta
from typing import Any

from psycopg.errors import ExclusionViolation, UniqueViolation

from evpower.db.connection import Conn
from evpower.identifiers import ClientId, ConnectorId, SessionId, StationId
from evpower.reservations.errors import ReservationTaken
from evpower.reservations.reservation import ReservationRecord, next_step

COLUMNS = ", ".join(field.name for field in fields(ReservationRecord))
#: What may change of one.
STORED = (
    "station_id",
    "connector_id",
    "status",
    "minutes",
    "expires_at",
    "is_blocking",
    "hold_tyiyn",
    "fee_tyiyn",
    "ended_at",
    "canceled_by",
    "reason",
    "ended_by",
    "session_id",
    "returned_at",
    "guaranteed",
    "at_station",
    "asked_at",
    "extended_at",
    "warned_at",
)
_LIVE = "status IN ('pending', 'reserved')"

NEW_WIRE_ID = "SELECT nextval('evpower.ocpp_reservations_id_seq')::int AS id"
INSERT = f"""
INSERT INTO evpower.reservations ({COLUMNS}, due_at)
VALUES ({", ".join(f"%({field.name})s" for field in fields(ReservationRecord))}, %(due_at)s)
"""
STORE = f"""
UPDATE evpower.reservations
SET {", ".join(f"{name} = %({name})s" for name in STORED)}, due_at = %(due_at)s, lease_until = NULL
WHERE id = %(id)s
"""
READ = f"SELECT {COLUMNS} FROM evpower.reservations WHERE id = %(id)s"
LOCK = f"{READ} FOR UPDATE"
OWNER = "SELECT client_id FROM evpower.reservations WHERE id = %(id)s"
OF_CLIENT = f"""
SELECT {COLUMNS} FROM evpower.reservations WHERE client_id = %(client_id)s AND ({_LIVE} OR NOT %(active)s)
ORDER BY created_at DESC, id LIMIT %(most)s
"""
LIVE_OF_CLIENT = f"SELECT {COLUMNS} FROM evpower.reservations WHERE client_id = %(client_id)s AND {_LIVE} FOR UPDATE"
OF_SESSION = f"SELECT {COLUMNS} FROM evpower.reservations WHERE session_id = %(session_id)s FOR UPDATE"
AT_STATION = "SELECT id FROM evpower.reservations WHERE station_id = %(station_id)s AND wire_id = %(wire_id)s"
NO_SHOWS = """
SELECT ended_at FROM evpower.reservations
WHERE client_id = %(client_id)s AND status = 'no_show' AND session_id IS NULL AND ended_at > %(since)s ORDER BY ended_at
"""
# The last one that ended unused although its client's charge had begun in its time.
MISSED = f"""
SELECT {COLUMNS} FROM evpower.reservations
WHERE client_id = %(client_id)s AND status = 'no_show' AND session_id IS NULL AND station_id = %(station_id)s
  AND (any_connector OR connector_id = %(connector_id)s)
  AND greatest(blocks_from, created_at) <= %(began_at)s AND expires_at > %(began_at)s
ORDER BY ended_at DESC LIMIT 1 FOR UPDATE
"""
OVERLAPS = f"""
SELECT FROM evpower.reservations
WHERE station_id = %(station_id)s AND connector_id = %(connector_id)s AND {_LIVE} AND id <> %(but)s
  AND blocks_from < %(until)s AND expires_at > %(since)s LIMIT 1
"""
IS_DUE = """
SELECT FROM evpower.reservations
WHERE due_at <= %(now)s AND (lease_until IS NULL OR lease_until <= %(now)s) LIMIT 1
"""
CLAIM_DUE = f"""
UPDATE evpower.reservations SET lease_until = %(lease_until)s
WHERE id IN (SELECT id FROM evpower.reservations
             WHERE due_at <= %(now)s AND (lease_until IS NULL OR lease_until <= %(now)s)
             ORDER BY due_at LIMIT %(most)s FOR UPDATE SKIP LOCKED)
RETURNING {COLUMNS}
"""
PUT_OFF = "UPDATE evpower.reservations SET due_at = %(due_at)s, lease_until = NULL WHERE id = %(id)s"


async def new_wire_id(conn: Conn) -> int:
    """A number that no other reservation has at any station."""
    row = await (await conn.execute(NEW_WIRE_ID)).fetchone()
    assert row is not None
    return int(row["id"])


async def insert(conn: Conn, new: ReservationRecord) -> None:
    """Raises ReservationTaken."""
    try:
        await conn.execute(INSERT, _values(new))
    except (ExclusionViolation, UniqueViolation) as error:
        raise ReservationTaken from error


async def store(conn: Conn, changed: ReservationRecord) -> None:
    """What became of a locked one; whoever worked on it is done. Raises ReservationTaken."""
    try:
        await conn.execute(STORE, _values(changed))
    except ExclusionViolation as error:
        raise ReservationTaken from error


async def read(conn: Conn, reservation_id: str) -> ReservationRecord | None:
    return _one(await (await conn.execute(READ, {"id": reservation_id})).fetchone())


async def lock(conn: Conn, reservation_id: str) -> ReservationRecord | None:
    """The same for this unit of work; its client's row comes first."""
    return _one(await (await conn.execute(LOCK, {"id": reservation_id})).fetchone())


async def read_owner(conn: Conn, reservation_id: str) -> ClientId | None:
    row = await (await conn.execute(OWNER, {"id": reservation_id})).fetchone()
    return None if row is None else ClientId(row["client_id"])


async def of_client(conn: Conn, client_id: ClientId, *, active: bool, most: int) -> list[ReservationRecord]:
    """The client's, the newest first; those that live alone when `active`."""
    parameters = {"client_id": client_id, "active": active, "most": most}
    return [ReservationRecord(**row) for row in await (await conn.execute(OF_CLIENT, parameters)).fetchall()]


async def lock_live_of_client(conn: Conn, client_id: ClientId) -> ReservationRecord | None:
    """The one that lives, its row taken; the client's is."""
    return _one(await (await conn.execute(LIVE_OF_CLIENT, {"client_id": client_id})).fetchone())


async def lock_of_session(conn: Conn, session_id: SessionId) -> ReservationRecord | None:
    """The one that this charge used, its row taken."""
    return _one(await (await conn.execute(OF_SESSION, {"session_id": session_id})).fetchone())


async def lock_missed(
    conn: Conn, client_id: ClientId, station_id: StationId, connector_id: ConnectorId, began_at: datetime
) -> ReservationRecord | None:
    """The one that passes for not used although its client began a charge at its connector in its time."""
    parameters = {
        "client_id": client_id,
        "station_id": station_id,
        "connector_id": connector_id,
        "began_at": began_at,
    }
    return _one(await (await conn.execute(MISSED, parameters)).fetchone())


async def find_at_station(conn: Conn, station_id: StationId, wire_id: int) -> str | None:
    """Its id, by the number the station knows it by."""
    row = await (await conn.execute(AT_STATION, {"station_id": station_id, "wire_id": wire_id})).fetchone()
    return None if row is None else str(row["id"])


async def no_shows(conn: Conn, client_id: ClientId, since: datetime) -> list[datetime]:
    """When reservations of the client ended unused, in order."""
    rows = await (await conn.execute(NO_SHOWS, {"client_id": client_id, "since": since})).fetchall()
    return [row["ended_at"] for row in rows]


async def overlaps(
    conn: Conn, station_id: StationId, connector_id: ConnectorId, since: datetime, until: datetime, *, but: str = ""
) -> bool:
    """Whether another one has the connector in this time."""
    parameters = {
        "station_id": station_id,
        "connector_id": connector_id,
        "since": since,
        "until": until,
        "but": but,
    }
    return (await conn.execute(OVERLAPS, parameters)).rowcount > 0


async def is_due(conn: Conn, now: datetime) -> bool:
    """Whether something is due of one that no process works on."""
    return (await conn.execute(IS_DUE, {"now": now})).rowcount > 0


async def claim_due(conn: Conn, now: datetime, lease: timedelta, most: int) -> Sequence[ReservationRecord]:
    """Those that something is due of, for this process until the lease ends."""
    parameters = {"now": now, "lease_until": now + lease, "most": most}
    return [ReservationRecord(**row) for row in await (await conn.execute(CLAIM_DUE, parameters)).fetchall()]


async def put_off(conn: Conn, reservation_id: str, due_at: datetime) -> None:
    """Nothing could be done now."""
    await conn.execute(PUT_OFF, {"id": reservation_id, "due_at": due_at})


def _values(of: ReservationRecord) -> dict[str, Any]:
    return {**vars(of), "due_at": next_step(of)[1]}


def _one(row: dict[str, Any] | None) -> ReservationRecord | None:
    return None if row is None else ReservationRecord(**row)

"""Rows of `station_certificates`: requests, what was signed for them, and how stations took it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from psycopg import AsyncConnection

from evpower.identifiers import StationId

if TYPE_CHECKING:
    from evpower.security.station_ca import IssuedCertificate

#: Kept per station: a station that asks without end fills nothing.
KEPT_PER_STATION = 100

FIND_SAME = """
SELECT id FROM evpower.station_certificates
WHERE station_id = %(station_id)s AND csr = %(csr)s AND state IN ('requested', 'signed')
"""

SUPERSEDE = """
UPDATE evpower.station_certificates SET state = 'refused', reason = 'a newer request took its place', ended_at = %(at)s
WHERE station_id = %(station_id)s AND state IN ('requested', 'signed')
"""

# The new row is one of those that are kept, and so is the certificate the station has, however old.
DELETE_OLD = """
DELETE FROM evpower.station_certificates WHERE station_id = %(station_id)s AND id <= (
    SELECT id FROM evpower.station_certificates WHERE station_id = %(station_id)s
    ORDER BY id DESC OFFSET %(kept)s - 1 LIMIT 1)
  AND id <> coalesce((SELECT max(id) FROM evpower.station_certificates
                      WHERE station_id = %(station_id)s AND state = 'delivered'), 0)
"""

OPEN = """
INSERT INTO evpower.station_certificates (station_id, state, csr, common_name, requested_at)
VALUES (%(station_id)s, 'requested', %(csr)s, %(common_name)s, %(at)s) RETURNING id
"""

UNDER_WAY = """
SELECT station_id, id FROM evpower.station_certificates
WHERE station_id = ANY(%(station_ids)s) AND state IN ('requested', 'signed')
"""

READ = """
SELECT station_id, state, csr, chain FROM evpower.station_certificates
WHERE id = %(id)s AND state IN ('requested', 'signed')
"""

STORE_SIGNED = """
UPDATE evpower.station_certificates
SET state = 'signed', signed_at = %(at)s, chain = %(chain)s, common_name = %(common_name)s,
    serial_number = %(serial_number)s, fingerprint = %(fingerprint)s, not_before = %(not_before)s,
    not_after = %(not_after)s
WHERE id = %(id)s AND state = 'requested' RETURNING id
"""

END = """
UPDATE evpower.station_certificates SET state = %(state)s, reason = %(reason)s, ended_at = %(at)s
WHERE id = %(id)s AND state IN ('requested', 'signed')
"""

# What a station has now: the last certificate it took, and everything after it.
LIST = """
SELECT id, station_id, state, reason, common_name, serial_number, fingerprint, not_before, not_after, requested_at,
       signed_at, ended_at
FROM evpower.station_certificates c
WHERE id >= coalesce((SELECT max(d.id) FROM evpower.station_certificates d
                      WHERE d.station_id = c.station_id AND d.state = 'delivered'), 0)
  AND (%(before)s::timestamptz IS NULL OR (state = 'delivered' AND not_after <= %(before)s))
ORDER BY not_after NULLS LAST, station_id, id
"""

HOLDS_VALID = """
SELECT 1 AS one FROM evpower.station_certificates
WHERE station_id = %(station_id)s AND state = 'delivered' AND not_after > %(at)s LIMIT 1
"""


@dataclass(frozen=True)
class RequestUnderWay:
    """A request on its way: to be signed, or to be delivered."""

    station_id: StationId
    state: Literal["requested", "signed"]
    csr: str
    chain: str | None


async def open_request(
    conn: AsyncConnection[Any], station_id: StationId, csr: str, common_name: str, at: datetime
) -> int:
    """Its id; a repeat of the request that is under way is that one, another takes its place."""
    parameters = {
        "station_id": station_id,
        "csr": csr,
        "common_name": common_name,
        "at": at,
        "kept": KEPT_PER_STATION,
    }
    row = await (await conn.execute(FIND_SAME, parameters)).fetchone()
    if row is None:
        await conn.execute(SUPERSEDE, parameters)
        await conn.execute(DELETE_OLD, parameters)
        row = await (await conn.execute(OPEN, parameters)).fetchone()
    assert row is not None
    return int(row["id"])


async def under_way(conn: AsyncConnection[Any], station_ids: Sequence[StationId]) -> dict[StationId, int]:
    """The request of each of these stations that has not ended: there is at most one."""
    cursor = await conn.execute(UNDER_WAY, {"station_ids": list(station_ids)})
    return {row["station_id"]: int(row["id"]) for row in await cursor.fetchall()}


async def read_request(conn: AsyncConnection[Any], request_id: int) -> RequestUnderWay | None:
    """The request, None when it has ended."""
    row = await (await conn.execute(READ, {"id": request_id})).fetchone()
    return None if row is None else RequestUnderWay(**row)


async def store_signed(conn: AsyncConnection[Any], request_id: int, issued: IssuedCertificate, at: datetime) -> bool:
    """Store what was signed; False when the request has ended meanwhile."""
    cursor = await conn.execute(STORE_SIGNED, {"id": request_id, "at": at, **asdict(issued)})
    return await cursor.fetchone() is not None


async def end_request(
    conn: AsyncConnection[Any],
    request_id: int,
    state: Literal["delivered", "refused"],
    reason: str | None,
    at: datetime,
) -> None:
    """The station took the certificate, or somebody refused: `reason` says who and why."""
    await conn.execute(END, {"id": request_id, "state": state, "reason": reason, "at": at})


async def list_certificates(conn: AsyncConnection[Any], expiring_before: datetime | None) -> list[dict[str, Any]]:
    """Each station's certificate and what came after it; or only certificates that end before a moment."""
    return await (await conn.execute(LIST, {"before": expiring_before})).fetchall()


async def holds_valid(conn: AsyncConnection[Any], station_id: StationId, at: datetime) -> bool:
    """Whether the station took a certificate of ours that is still good."""
    cursor = await conn.execute(HOLDS_VALID, {"station_id": station_id, "at": at})
    return await cursor.fetchone() is not None

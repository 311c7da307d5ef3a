"""Rows of `ocpp_strangers`: stations that came without being known, until an operator has decided."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from evpower.administration.records import StrangerRecord
from evpower.db.connection import Conn
from evpower.network.station import Boot

# How full the list is, for one that wants on it. A stranger not seen since `before` does not count.
READ_PLACE = """
SELECT (SELECT status FROM evpower.ocpp_strangers WHERE identity = %(identity)s) AS status,
       count(*) AS waiting, count(*) FILTER (WHERE address = %(address)s) AS of_address
FROM evpower.ocpp_strangers
WHERE status = 'pending' AND last_seen_at >= %(before)s AND identity <> %(identity)s
"""

# Of those that left, and of those that became stations by another way.
FORGET_GONE = """
DELETE FROM evpower.ocpp_strangers t
WHERE status = 'pending'
  AND (last_seen_at < %(before)s OR EXISTS (SELECT FROM public.stations s WHERE s.id = t.identity))
"""

STORE = """
INSERT INTO evpower.ocpp_strangers AS t (identity, status, vendor, model, firmware_version, serial_number, address,
                                         boots, first_seen_at, last_seen_at)
VALUES (%(identity)s, 'pending', %(vendor)s, %(model)s, %(firmware_version)s, %(serial_number)s, %(address)s, 1,
        %(at)s, %(at)s)
ON CONFLICT (identity) DO UPDATE
SET vendor = excluded.vendor, model = excluded.model, firmware_version = excluded.firmware_version,
    serial_number = excluded.serial_number, address = excluded.address, boots = t.boots + 1,
    last_seen_at = excluded.last_seen_at
WHERE t.status = 'pending'
"""

LIST = """
SELECT identity, status, vendor, model, firmware_version, serial_number, address, boots, first_seen_at, last_seen_at,
       decided_at, decided_by
FROM evpower.ocpp_strangers t
WHERE (%(all)s OR status = 'pending') AND NOT EXISTS (SELECT FROM public.stations s WHERE s.id = t.identity)
ORDER BY first_seen_at, identity
"""

LOCK = """
SELECT vendor, model, firmware_version, serial_number FROM evpower.ocpp_strangers WHERE identity = %(identity)s
FOR UPDATE
"""

REJECT = """
UPDATE evpower.ocpp_strangers SET status = 'rejected', decided_at = %(at)s, decided_by = %(actor)s
WHERE identity = %(identity)s
"""

FORGET = "DELETE FROM evpower.ocpp_strangers WHERE identity = %(identity)s"


@dataclass(frozen=True)
class Place:
    """What was decided about an identity, if it is known, and how many others wait."""

    status: Literal["pending", "rejected"] | None
    waiting: int
    of_address: int


async def read_place(conn: Conn, identity: str, address: str, before: datetime) -> Place:
    """The place of an identity on the list."""
    parameters = {"identity": identity, "address": address, "before": before}
    rows = await (await conn.execute(READ_PLACE, parameters)).fetchall()
    return Place(**rows[0])


async def forget_gone(conn: Conn, before: datetime) -> None:
    """Drop those that wait no longer: not seen since `before`, or a station by now."""
    await conn.execute(FORGET_GONE, {"before": before})


async def store(conn: Conn, identity: str, address: str, boot: Boot, at: datetime) -> None:
    """A BootNotification of a stranger."""
    await conn.execute(
        STORE,
        {
            "identity": identity,
            "vendor": boot.vendor,
            "model": boot.model,
            "firmware_version": boot.firmware_version,
            "serial_number": boot.serial_number,
            "address": address,
            "at": at,
        },
    )


async def list_strangers(conn: Conn, *, rejected_too: bool) -> list[StrangerRecord]:
    """Who waits, the longest first."""
    rows = await (await conn.execute(LIST, {"all": rejected_too})).fetchall()
    return [StrangerRecord(**row) for row in rows]


async def lock_stranger(conn: Conn, identity: str) -> Boot | None:
    """What it reported of itself, its row taken for this unit of work; None when it never came."""
    row = await (await conn.execute(LOCK, {"identity": identity})).fetchone()
    return None if row is None else Boot(**row)


async def reject(conn: Conn, identity: str, actor: str, at: datetime) -> None:
    """It is turned away from now on."""
    await conn.execute(REJECT, {"identity": identity, "actor": actor, "at": at})


async def forget(conn: Conn, identity: str) -> None:
    """It is a station now."""
    await conn.execute(FORGET, {"identity": identity})

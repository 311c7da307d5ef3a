"""Rows of `users`, and of the locations given to operators."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from evpower.db.connection import Conn
from evpower.identifiers import StationId
from evpower.staff.records import Own, StaffId, StaffMember, StaffRecord
from evpower.staff.rights import Role

MEMBER = "u.id, u.role, u.is_active, u.phone, u.email, u.admin_id, u.created_at, u.updated_at"

# Who has the id is meant, before anyone who has the phone: a phone number may pass to somebody else.
FIND = f"""
SELECT {MEMBER} FROM public.users u
WHERE u.id = %(subject)s OR (u.phone IS NOT NULL AND ltrim(u.phone, '+') = ltrim(%(phone)s::text, '+'))
ORDER BY u.id = %(subject)s DESC LIMIT 1
"""

LIST = f"""
SELECT {MEMBER}, coalesce(t.confirmed_at IS NOT NULL, false) AS has_second_factor,
       array(SELECT g.location_id FROM evpower.staff_locations g WHERE g.user_id = u.id ORDER BY 1) AS locations
FROM public.users u LEFT JOIN evpower.staff_totp t ON t.user_id = u.id
WHERE (%(id)s::text IS NULL OR u.id = %(id)s) AND (%(role)s::text IS NULL OR u.role = %(role)s)
ORDER BY u.created_at, u.id LIMIT %(limit)s OFFSET %(offset)s
"""
COUNT = "SELECT count(*) AS total FROM public.users WHERE %(role)s::text IS NULL OR role = %(role)s"

OWN = """
WITH own AS (
    SELECT l.id FROM public.locations l
    WHERE l.user_id = %(id)s OR l.admin_id = %(id)s
       OR EXISTS (SELECT FROM evpower.staff_locations g WHERE g.user_id = %(id)s AND g.location_id = l.id)
)
SELECT array(SELECT id FROM own) AS locations,
       array(SELECT s.id FROM public.stations s WHERE s.location_id IN (SELECT id FROM own)) AS stations
"""

ADD = """
INSERT INTO public.users (id, role, phone, email, created_at, updated_at)
VALUES (%(id)s, %(role)s, %(phone)s, %(email)s, %(at)s, %(at)s) ON CONFLICT DO NOTHING RETURNING id
"""

PHONE_TAKEN = """
SELECT EXISTS (SELECT FROM public.users WHERE id <> %(id)s AND ltrim(phone, '+') = ltrim(%(phone)s, '+')) AS taken
"""
LOCK = f"SELECT {MEMBER} FROM public.users u WHERE u.id = %(id)s FOR UPDATE"
CHANGE = """
UPDATE public.users SET role = %(role)s, phone = %(phone)s, email = %(email)s, is_active = %(is_active)s,
                        updated_at = %(at)s
WHERE id = %(id)s
"""

GRANT = """
INSERT INTO evpower.staff_locations (user_id, location_id, granted_at, granted_by)
SELECT %(id)s, l.id, %(at)s, %(actor)s FROM public.locations l WHERE l.id = %(location_id)s
ON CONFLICT DO NOTHING
"""
LOCATION_EXISTS = "SELECT EXISTS (SELECT FROM public.locations WHERE id = %(location_id)s) AS found"
WITHDRAW = "DELETE FROM evpower.staff_locations WHERE user_id = %(id)s AND location_id = %(location_id)s"


async def find(conn: Conn, subject: str, phone: str | None) -> StaffMember | None:
    """Who has this id, or else this phone number, with or without its plus."""
    row = await (await conn.execute(FIND, {"subject": subject, "phone": phone})).fetchone()
    return None if row is None else StaffMember(**row)


async def list_staff(conn: Conn, role: Role | None, limit: int, offset: int) -> tuple[tuple[StaffRecord, ...], int]:
    """A page of people, the oldest first, and how many there are."""
    wanted = {"id": None, "role": role, "limit": limit, "offset": offset}
    rows = await (await conn.execute(LIST, wanted)).fetchall()
    counts = await (await conn.execute(COUNT, wanted)).fetchall()
    return tuple(map(_record, rows)), counts[0]["total"]


async def read_staff(conn: Conn, staff_id: str) -> StaffRecord | None:
    """One of them."""
    wanted = {"id": staff_id, "role": None, "limit": 1, "offset": 0}
    row = await (await conn.execute(LIST, wanted)).fetchone()
    return None if row is None else _record(row)


def _record(row: dict[str, Any]) -> StaffRecord:
    return StaffRecord(**{**row, "locations": tuple(row["locations"])})


async def read_own(conn: Conn, staff_id: StaffId) -> Own:
    """The locations and stations that are a person's own."""
    row = await (await conn.execute(OWN, {"id": staff_id})).fetchone()
    assert row is not None
    return Own(frozenset(row["locations"]), frozenset(map(StationId, row["stations"])))


async def add(conn: Conn, staff_id: str, role: Role, phone: str | None, email: str | None, at: datetime) -> bool:
    """A new row; False when the id or the phone number is somebody's."""
    fields = {"id": staff_id, "role": role, "phone": phone, "email": email, "at": at}
    return await (await conn.execute(ADD, fields)).fetchone() is not None


async def phone_taken(conn: Conn, staff_id: str, phone: str) -> bool:
    """Whether another person has this phone number."""
    row = await (await conn.execute(PHONE_TAKEN, {"id": staff_id, "phone": phone})).fetchone()
    return row is not None and bool(row["taken"])


async def lock(conn: Conn, staff_id: str) -> StaffMember | None:
    """A person, their row taken for this unit of work."""
    row = await (await conn.execute(LOCK, {"id": staff_id})).fetchone()
    return None if row is None else StaffMember(**row)


async def change(conn: Conn, member: StaffMember, at: datetime) -> None:
    """The row becomes so."""
    fields = {"id": member.id, "role": member.role, "phone": member.phone, "email": member.email}
    await conn.execute(CHANGE, {**fields, "is_active": member.is_active, "at": at})


async def location_exists(conn: Conn, location_id: str) -> bool:
    """Whether there is such a location."""
    row = await (await conn.execute(LOCATION_EXISTS, {"location_id": location_id})).fetchone()
    return row is not None and bool(row["found"])


async def grant(conn: Conn, staff_id: str, location_id: str, actor: str, at: datetime) -> None:
    """The location is theirs too; once more is fine."""
    await conn.execute(GRANT, {"id": staff_id, "location_id": location_id, "actor": actor, "at": at})


async def withdraw(conn: Conn, staff_id: str, location_id: str) -> None:
    """The location is theirs no more, unless it is by its own row; none is fine."""
    await conn.execute(WITHDRAW, {"id": staff_id, "location_id": location_id})

"""Contacts of locations."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

from evpower.administration.records import SiteContact, StoredContact
from evpower.db.connection import Conn

LOCATION = "SELECT 1 FROM public.locations WHERE id = %(id)s"
CONTACT = """
SELECT person, phone, hours, sim_provider, sim_number, note, changed_at, changed_by
FROM evpower.site_contacts WHERE location_id = %(id)s
"""
WRITE = """
INSERT INTO evpower.site_contacts (location_id, person, phone, hours, sim_provider, sim_number, note, changed_at,
                                   changed_by)
VALUES (%(id)s, %(person)s, %(phone)s, %(hours)s, %(sim_provider)s, %(sim_number)s, %(note)s, %(at)s, %(by)s)
ON CONFLICT (location_id) DO UPDATE SET
    person = excluded.person, phone = excluded.phone, hours = excluded.hours, sim_provider = excluded.sim_provider,
    sim_number = excluded.sim_number, note = excluded.note, changed_at = excluded.changed_at,
    changed_by = excluded.changed_by
"""
DELETE = "DELETE FROM evpower.site_contacts WHERE location_id = %(id)s"


async def is_location(conn: Conn, location_id: str) -> bool:
    """Whether there is one."""
    return await (await conn.execute(LOCATION, {"id": location_id})).fetchone() is not None


async def read_contact(conn: Conn, location_id: str) -> StoredContact | None:
    """Its contact, and who wrote it down."""
    row = await (await conn.execute(CONTACT, {"id": location_id})).fetchone()
    if row is None:
        return None
    changed = {name: row.pop(name) for name in ("changed_at", "changed_by")}
    return StoredContact(SiteContact(**row), **changed)


async def write_contact(conn: Conn, location_id: str, contact: SiteContact, actor: str, at: datetime) -> None:
    """In place of the one before."""
    await conn.execute(WRITE, {**asdict(contact), "id": location_id, "at": at, "by": actor})


async def delete_contact(conn: Conn, location_id: str) -> None:
    """Nothing is known any more; nothing before is fine."""
    await conn.execute(DELETE, {"id": location_id})

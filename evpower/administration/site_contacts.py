"""Whom somebody calls about a location whose stations do not answer, and who gives them their line."""

from __future__ import annotations

from evpower.administration.records import SiteContact, StoredContact
from evpower.administration.rows import site_contacts as rows
from evpower.clock import Clock
from evpower.db.pool import Pool
from evpower.db.unit_of_work import reading, unit_of_work
from evpower.errors import LocationNotFound


class SiteContacts:
    """Contacts are written whole: what is left out is not known any more."""

    def __init__(self, pool: Pool, clock: Clock) -> None:
        self._pool = pool
        self._clock = clock

    async def of(self, location_id: str) -> StoredContact | None:
        """The contact of a location; None: none is stored. Raises LocationNotFound."""
        async with reading(self._pool) as conn:
            if not await rows.is_location(conn, location_id):
                raise LocationNotFound
            return await rows.read_contact(conn, location_id)

    async def write(self, location_id: str, contact: SiteContact, actor: str) -> None:
        """In place of what was there; an empty one is none. Raises LocationNotFound."""
        async with unit_of_work(self._pool) as uow:
            if not await rows.is_location(uow.conn, location_id):
                raise LocationNotFound
            if contact.is_empty:
                await rows.delete_contact(uow.conn, location_id)
                return
            await rows.write_contact(uow.conn, location_id, contact, actor, self._clock.now())

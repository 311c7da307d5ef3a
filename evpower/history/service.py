"""What a driver sees of the past. Every question is about one client: what is another's is not found."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from evpower.clock import Clock, RandomBytes
from evpower.db.pool import Pool
from evpower.db.unit_of_work import reading, unit_of_work
from evpower.errors import InvalidRequest, SessionNotFound
from evpower.history.cursor import opened, sealed
from evpower.history.records import (
    HistoryFilter,
    HistoryPage,
    Movement,
    PageWish,
    PastCharge,
    PastSums,
    Period,
)
from evpower.history.rows import charges, movements
from evpower.history.rows.cursor_keys import make_cursor_key
from evpower.identifiers import ClientId, SessionId

CHARGES, MOVEMENTS = "charging", "transactions"
KEY_BYTES = 32


class History:
    """Reads; the key of cursors is all it ever writes."""

    def __init__(self, pool: Pool, clock: Clock, timezone: ZoneInfo, random_bytes: RandomBytes) -> None:
        self._pool = pool
        self._clock = clock
        #: Of days and months.
        self.timezone = timezone
        self._random_bytes = random_bytes
        self._cursor_key: bytes | None = None

    def now(self) -> datetime:
        """The moment at which running charges are shown."""
        return self._clock.now()

    async def charges(
        self, client_id: ClientId, wanted: HistoryFilter, page: PageWish, cursor: str | None
    ) -> tuple[HistoryPage[PastCharge], str | None]:
        """A page of charges, and the cursor of the next. Raises InvalidRequest for a cursor of another list."""
        key = await self._key()
        async with reading(self._pool) as conn:
            found = await charges.list_charges(conn, client_id, wanted, _placed(page, cursor, key, client_id, CHARGES))
        return found, None if found.next is None else sealed(found.next, key, client_id, CHARGES)

    async def movements(
        self, client_id: ClientId, wanted: HistoryFilter, page: PageWish, cursor: str | None
    ) -> tuple[HistoryPage[Movement], str | None]:
        """The same of movements of money."""
        key = await self._key()
        async with reading(self._pool) as conn:
            placed = _placed(page, cursor, key, client_id, MOVEMENTS)
            found = await movements.list_movements(conn, client_id, wanted, placed)
        return found, None if found.next is None else sealed(found.next, key, client_id, MOVEMENTS)

    async def charge(self, client_id: ClientId, session_id: SessionId) -> PastCharge:
        """One charge. Raises SessionNotFound, also for another client's."""
        async with reading(self._pool) as conn:
            found = await charges.read_charge(conn, client_id, session_id)
        if found is None:
            raise SessionNotFound
        return found

    async def sums(self, client_id: ClientId, period: Period) -> PastSums:
        """What the settled charges of this month, this year or all time come to."""
        today = self._clock.now().astimezone(self.timezone)
        begin = today.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        since = {"month": begin, "year": begin.replace(month=1), "all": None}[period]
        async with reading(self._pool) as conn:
            return await charges.sum_charges(conn, client_id, since, self.timezone.key)

    async def _key(self) -> bytes:
        """Never another one, so it is read once."""
        if self._cursor_key is None:
            async with unit_of_work(self._pool) as uow:
                self._cursor_key = await make_cursor_key(uow.conn, self._random_bytes(KEY_BYTES))
        return self._cursor_key


def _placed(page: PageWish, cursor: str | None, key: bytes, client_id: ClientId, what: str) -> PageWish:
    if cursor is None:
        return page
    place = opened(cursor, key, client_id, what)
    if place is None:
        raise InvalidRequest(("cursor", "недействителен"))
    return replace(page, offset=0, after=place)

"""Favorite locations (contract/rest-api §7.4, roadmap/history-favorites-push §2)."""

from __future__ import annotations

from evpower.accounts.owner import lock_owner
from evpower.clock import Clock
from evpower.db.pool import Pool
from evpower.db.unit_of_work import UnitOfWork, reading, unit_of_work
from evpower.favorites.errors import NoSuchLocation, TooManyFavorites
from evpower.favorites.rows import favorites as rows
from evpower.idempotency.claim import IdempotencyClaim
from evpower.idempotency.keys import keep_claim
from evpower.identifiers import ClientId

#: Also of what the app writes directly: `limit_favorites` of `db/row_security.sql`.
FAVORITES_MOST = 200


class Favorites:
    """What a client does with favorites. A `claim` is kept in the unit of work of what it was made for."""

    def __init__(self, pool: Pool, clock: Clock) -> None:
        self._pool = pool
        self._clock = clock

    async def locations(self, client_id: ClientId) -> list[str]:
        """The client's favorites that the public sees, the newest first."""
        async with reading(self._pool) as conn:
            return await rows.list_favorites(conn, client_id)

    async def includes(self, client_id: ClientId, location_id: str) -> bool:
        """Whether this location is a favorite; also one that is not shown now."""
        async with reading(self._pool) as conn:
            return await rows.is_favorite(conn, client_id, location_id)

    async def add(self, client_id: ClientId, location_id: str, claim: IdempotencyClaim | None = None) -> bool:
        """The location is a favorite from now on; whether it was one already.

        Raises NoSuchLocation (unknown, or not shown), TooManyFavorites, ClientDeleted, IdempotencyMismatch.
        """
        async with unit_of_work(self._pool) as uow:
            owner = await lock_owner(uow, client_id, claim, self._clock.now())
            if not await rows.is_shown(uow.conn, location_id):
                raise NoSuchLocation
            if await rows.is_favorite(uow.conn, owner, location_id):
                return True
            await self._insert(uow, owner, location_id)
            return False

    async def remove(self, client_id: ClientId, location_id: str, claim: IdempotencyClaim | None = None) -> None:
        """The location is no favorite, also when it was none. Raises IdempotencyMismatch."""
        async with unit_of_work(self._pool) as uow:
            await keep_claim(uow, claim, self._clock.now())
            await rows.delete_favorite(uow.conn, client_id, location_id)

    async def toggle(self, client_id: ClientId, location_id: str, claim: IdempotencyClaim | None = None) -> bool:
        """Make a favorite of what is none, and the other way round; whether it is one now.

        Of two at once the second finds what the first has made: they take turns by the client's lock. Raises what `add`
        does; one that is not shown can be removed.
        """
        async with unit_of_work(self._pool) as uow:
            owner = await lock_owner(uow, client_id, claim, self._clock.now())
            if await rows.delete_favorite(uow.conn, owner, location_id):
                return False
            if not await rows.is_shown(uow.conn, location_id):
                raise NoSuchLocation
            await self._insert(uow, owner, location_id)
            return True

    async def _insert(self, uow: UnitOfWork, client_id: ClientId, location_id: str) -> None:
        if await rows.count_favorites(uow.conn, client_id) >= FAVORITES_MOST:
            raise TooManyFavorites
        await rows.insert_favorite(uow.conn, client_id, location_id, self._clock.now())

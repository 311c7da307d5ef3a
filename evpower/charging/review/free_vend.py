"""Stations that charge tags without an owner for free, as operators set and see them. Which tags: `verdicts.py`."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass

from evpower.charging.rows import free_vend
from evpower.charging.rows.free_vend import FreeCharge, GivenAway
from evpower.clock import Clock
from evpower.db.connection import Conn
from evpower.db.pool import Pool
from evpower.db.unit_of_work import reading, unit_of_work
from evpower.errors import StationNotFound
from evpower.identifiers import StationId
from evpower.network.station_records import station_exists
from evpower.tags import free_vend as policies

__all__ = ["FreeCharge", "FreeVend", "GivenAway", "StationGifts"]

log = logging.getLogger("evpower.charging")


@dataclass(frozen=True)
class StationGifts:
    """What one station gave away, and the newest of those charges first."""

    station_id: StationId
    total: GivenAway
    newest: tuple[FreeCharge, ...]


class FreeVend:
    """The policy of each station, and what it gave away."""

    def __init__(self, pool: Pool, clock: Clock) -> None:
        self._pool = pool
        self._clock = clock

    async def read(self, station_id: StationId) -> StationGifts:
        """Whether it gives energy away, and what it gave so far. Raises StationNotFound."""
        async with reading(self._pool) as conn:
            if not await station_exists(conn, station_id):
                raise StationNotFound
            enabled = await policies.gives_away(conn, station_id)
            total = await free_vend.read_given_away(conn, station_id, enabled=enabled)
            newest = await free_vend.newest_charges(conn, station_id)
        return StationGifts(station_id, total, newest)

    async def totals(self, conn: Conn) -> Mapping[StationId, GivenAway]:
        """What each station gave away so far, by station."""
        return await free_vend.read_totals(conn)

    async def given_away(self) -> Mapping[StationId, GivenAway]:
        """The same, by itself."""
        async with reading(self._pool) as conn:
            return await self.totals(conn)

    async def set(self, station_id: StationId, *, enabled: bool, actor: str) -> StationGifts:
        """From now on; charges that run go on as they began. Raises StationNotFound."""
        async with unit_of_work(self._pool) as uow:
            if not await station_exists(uow.conn, station_id):
                raise StationNotFound
            await policies.set_free_vend(uow.conn, station_id, enabled, self._clock.now())
        log.info("free vend: station=%s, enabled=%s, by=%s", station_id, enabled, actor)
        return await self.read(station_id)

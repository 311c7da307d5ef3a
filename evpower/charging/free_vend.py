"""Stations that charge tags without an owner for free, as operators set and see them. Which tags: `verdicts.py`."""

from __future__ import annotations

import logging
from typing import Any

from evpower.charging.rows import free_vend
from evpower.clock import Clock
from evpower.db.connection import TrioConnection
from evpower.db.pool import Pool
from evpower.db.unit_of_work import reading, unit_of_work
from evpower.errors import StationNotFound
from evpower.identifiers import StationId
from evpower.network.station_records import station_exists
from evpower.tags import free_vend as policies

log = logging.getLogger("evpower.charging")


class FreeVend:
    """The policy of each station, and what it gave away."""

    def __init__(self, pool: Pool, clock: Clock) -> None:
        self._pool = pool
        self._clock = clock

    async def read(self, station_id: StationId) -> dict[str, Any]:
        """Whether it gives energy away, and what it gave so far. Raises StationNotFound."""
        async with reading(self._pool) as conn:
            if not await station_exists(conn, station_id):
                raise StationNotFound
            enabled = await policies.gives_away(conn, station_id)
            given = await free_vend.read_given_away(conn, station_id)
        return {"station_id": station_id, "free_vend": enabled, **given}

    async def totals(self, conn: TrioConnection) -> dict[str, Any]:
        """What each station gave away so far, by station."""
        return await free_vend.read_totals(conn)

    async def set(self, station_id: StationId, *, enabled: bool, actor: str) -> dict[str, Any]:
        """From now on; charges that run go on as they began. Raises StationNotFound."""
        async with unit_of_work(self._pool) as uow:
            if not await station_exists(uow.conn, station_id):
                raise StationNotFound
            await policies.set_free_vend(uow.conn, station_id, enabled, self._clock.now())
        log.info("free vend: station=%s, enabled=%s, by=%s", station_id, enabled, actor)
        return await self.read(station_id)

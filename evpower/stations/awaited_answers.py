"""The stations whose next status something waits for, so that most statuses cost no query."""

from __future__ import annotations

from datetime import datetime, timedelta

import trio

from evpower.clock import Clock
from evpower.db.pool import Pool
from evpower.db.unit_of_work import reading
from evpower.identifiers import StationId
from evpower.stations.rows.station_facts import stations_awaited

#: What another process has asked of a station of ours is known after so long.
READ_EVERY = timedelta(seconds=1)


class Awaited:
    """Read from the rows, at most once a second; a station that is in it for nothing costs two updates of no row."""

    def __init__(self, pool: Pool, clock: Clock) -> None:
        self._pool = pool
        self._clock = clock
        self._asked_here: set[StationId] = set()
        self._from_rows: frozenset[StationId] = frozenset()
        self._read_at: datetime | None = None
        # When many speak at once, one reads and the others wait for what it read.
        self._reading = trio.Lock()

    def add(self, station_id: StationId) -> None:
        """To be called before the station is asked."""
        self._asked_here.add(station_id)

    async def includes(self, station_id: StationId) -> bool:
        """Whether something may wait for this station's status."""
        if station_id in self._asked_here:
            return True
        if self._is_old():
            async with self._reading:
                if self._is_old():
                    await self._read()
        return station_id in self._from_rows

    def _is_old(self) -> bool:
        return self._read_at is None or abs(self._clock.now() - self._read_at) >= READ_EVERY

    async def _read(self) -> None:
        now = self._clock.now()
        async with reading(self._pool) as conn:
            self._from_rows = await stations_awaited(conn, now)
        self._read_at = now

"""The stations whose next status something waits for, so that every other status costs no query."""

from __future__ import annotations

from evpower.db.pool import Pool
from evpower.db.station_facts import stations_awaited
from evpower.db.unit_of_work import reading
from evpower.identifiers import StationId


class Awaited:
    """Read once from the rows, then kept; a station that is in it for nothing costs two updates of no row."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._asked_now: set[StationId] = set()
        self._from_rows: frozenset[StationId] | None = None

    def add(self, station_id: StationId) -> None:
        """To be called before the charger is asked."""
        self._asked_now.add(station_id)

    async def includes(self, station_id: StationId) -> bool:
        """Whether something may wait for this station's status."""
        if self._from_rows is None:
            async with reading(self._pool) as conn:
                self._from_rows = await stations_awaited(conn)
        return station_id in self._asked_now or station_id in self._from_rows

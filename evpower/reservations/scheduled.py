"""A scheduled reservation whose time has come: its connector, else another one of its location (§5).

No station can keep a connector for later, and a charge that runs is never stopped for one.
"""

from __future__ import annotations

import logging
from dataclasses import replace

from evpower.clock import Clock
from evpower.db.pool import Pool
from evpower.db.unit_of_work import reading, unit_of_work
from evpower.errors import Refusal
from evpower.identifiers import ConnectorId, StationId
from evpower.network.spots.checks import SpotChecks
from evpower.network.station_records import take_spots
from evpower.reservations.ends import ReservationEnds
from evpower.reservations.errors import ReservationTaken
from evpower.reservations.reservation import ReservationRecord
from evpower.reservations.rows import reservations as rows
from evpower.reservations.rows import stations
from evpower.reservations.station_side import StationSide

log = logging.getLogger("evpower.reservations")


class Scheduled:
    """Takes connectors for reservations that begin now."""

    def __init__(
        self, pool: Pool, clock: Clock, spots: SpotChecks, ends: ReservationEnds, station_side: StationSide
    ) -> None:
        self._pool = pool
        self._clock = clock
        self._spots = spots
        self._ends = ends
        self._station_side = station_side

    async def take(self, of: ReservationRecord) -> None:
        """Its own connector if it is free, else the first free one like it; none: it fails, all is released.

        So it does when its time was over before anybody looked: nothing was kept, and nobody can be late for it.
        """
        places = [] if self._clock.now() >= of.expires_at else await self._places(of)
        for station_id, connector_id in places:
            if not await self._take_at(of, station_id, connector_id):
                continue
            async with reading(self._pool) as conn:
                taken = await rows.read(conn, of.id)
            if taken is None or taken.at_station != "asked":
                return
            if await self._station_side.ask(of.id) in ("kept", "soft", "unknown"):
                return  # without an answer it is taken back in a minute
        async with unit_of_work(self._pool) as uow:
            locked = await self._ends.lock(uow, of.id)
            assert locked is not None
            if locked[1].status == "pending":
                nowhere = replace(locked[1], at_station="nothing")
                reason = "full" if places else "unknown"
                await self._ends.end(uow, nowhere, "failed", by="system", reason=reason)

    async def _places(self, of: ReservationRecord) -> list[tuple[StationId, ConnectorId]]:
        async with reading(self._pool) as conn:
            others = await stations.alternatives(conn, of.station_id, of.connector_id)
        return [(of.station_id, of.connector_id), *others]

    async def _take_at(self, of: ReservationRecord, station_id: StationId, connector_id: ConnectorId) -> bool:
        """Whether it is there now, or over: nobody else has the connector."""
        try:
            async with unit_of_work(self._pool) as uow:
                await take_spots(uow.conn, station_id, connector_id)
                locked = await self._ends.lock(uow, of.id)
                assert locked is not None
                now = locked[1]
                if now.status != "pending":
                    await rows.store(uow.conn, now)
                    return True
                await self._spots.check(uow.conn, station_id, connector_id, now.client_id)
                abilities = await stations.read_abilities(uow.conn, station_id)
                moved = replace(now, station_id=station_id, connector_id=connector_id)
                moved = moved.asked(self._clock.now()) if abilities.keeps else moved.reserved(guaranteed=False)
                await self._ends.store(uow, moved)
                if (station_id, connector_id) != (now.station_id, now.connector_id):
                    await self._ends.show(uow, now)
                    await self._ends.notify(uow, moved, "reservation_moved", f"{of.id}:{station_id}:{connector_id}")
        except (Refusal, ReservationTaken) as error:
            line = "a reservation cannot begin here: reservation_id=%s, station=%s, connector=%d: %s"
            log.info(line, of.id, station_id, connector_id, error)
            return False
        return True

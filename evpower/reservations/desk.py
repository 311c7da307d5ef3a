"""What operators do with reservations (roadmap/reservations §7)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Literal, TypeAlias

from evpower.clock import Clock
from evpower.db.pool import Pool
from evpower.db.unit_of_work import reading, unit_of_work
from evpower.errors import Forbidden
from evpower.identifiers import StationId
from evpower.narrowing import ROWS_MAX
from evpower.reservations.ends import ReservationEnds
from evpower.reservations.errors import ReservationNotFound
from evpower.reservations.reservation import ReservationRecord
from evpower.reservations.rows import desk as rows
from evpower.reservations.rows import reservations
from evpower.reservations.rows.desk import LocationReservations

__all__ = ["CanceledReason", "LocationReservations", "ReservationDesk"]

#: OCPI's reasons, in small letters (Bookings 1.0).
CanceledReason: TypeAlias = Literal["broken_charger", "power_outage", "full", "blocked", "unknown"]


class ReservationDesk:
    """An operator's verbs; `of_stations` are those that may be seen, None: all."""

    def __init__(self, pool: Pool, clock: Clock, ends: ReservationEnds) -> None:
        self._pool = pool
        self._clock = clock
        self._ends = ends

    async def listed(
        self, *, active: bool, of_stations: Collection[StationId] | None = None
    ) -> Sequence[ReservationRecord]:
        """The newest first; `active`: those that live alone."""
        async with reading(self._pool) as conn:
            return await rows.list_reservations(conn, active=active, of_stations=of_stations, most=ROWS_MAX)

    async def report(
        self, since: datetime, before: datetime | None, of_stations: Collection[StationId] | None = None
    ) -> Sequence[LocationReservations]:
        """What became of those that started in this time, by location."""
        now = self._clock.now()
        async with reading(self._pool) as conn:
            return await rows.report(conn, since, before or now, of_stations, now)

    async def cancel(
        self, reservation_id: str, reason: CanceledReason, actor: str, may: Callable[[StationId], bool]
    ) -> ReservationRecord:
        """End it without a fee; one that is over is returned as it is.

        Raises ReservationNotFound, Forbidden for a station that the operator may not touch.
        """
        async with unit_of_work(self._pool) as uow:
            of = await reservations.read(uow.conn, reservation_id)
            if of is None:
                raise ReservationNotFound
            if not may(of.station_id):
                raise Forbidden
            locked = await self._ends.lock(uow, reservation_id)
            assert locked is not None
            return await self._ends.end(uow, locked[1], "canceled_operator", by=actor, reason=reason)

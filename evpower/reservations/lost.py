"""Reservations that their drivers cannot use: they end without a fee, whoever ends them (roadmap/reservations §3).

A station is away when nothing was heard of it for 300 s. Whether the line failed or this server was down is all one:
in that time no phone could begin a charge there, so that after an outage of ours all of them are released.
"""

from __future__ import annotations

import logging
from datetime import datetime

from evpower.clock import ClockWatch
from evpower.db.pool import Pool
from evpower.db.unit_of_work import UnitOfWork, reading, unit_of_work
from evpower.link.ports import LiveStations
from evpower.reservations.ends import EndName, ReservationEnds
from evpower.reservations.reservation import ReservationRecord
from evpower.reservations.rows.lost import LostReservation, LostWhy, lost_reservations
from evpower.worker import contain

log = logging.getLogger("evpower.reservations")


class LostReservations:
    """Finds and ends them. A station that was not heard for `heartbeat_timeout_s` keeps nothing."""

    def __init__(
        self, pool: Pool, watch: ClockWatch, link: LiveStations, ends: ReservationEnds, heartbeat_timeout_s: float
    ) -> None:
        self._pool = pool
        self._watch = watch
        self._link = link
        self._ends = ends
        self._heartbeat_timeout_s = heartbeat_timeout_s

    async def end_all(self) -> None:
        """Before anything else is due: whoever could not come pays nothing, also when the time is over since."""
        now, silent = self._watch.look(), self._silent()
        async with reading(self._pool) as conn:
            found = await lost_reservations(conn, now, silent)
        for lost in found:
            if self._is_heard(lost, silent):
                continue
            with contain(log, "a reservation that cannot be used is not ended and will be: %s", lost.id):
                async with unit_of_work(self._pool) as uow:
                    locked = await self._ends.lock(uow, lost.id)
                    if locked is not None and locked[1].station_id == lost.station_id:
                        await self._end(uow, locked[1], lost.why)

    async def end_if_lost(self, uow: UnitOfWork, of: ReservationRecord) -> bool:
        """Whether this one, whose rows are locked, could not be used; then it is over."""
        silent = self._silent()
        for lost in await lost_reservations(uow.conn, self._watch.look(), silent, of.id):
            if not self._is_heard(lost, silent):
                await self._end(uow, of, lost.why)
                return True
        return False

    async def _end(self, uow: UnitOfWork, of: ReservationRecord, why: LostWhy) -> None:
        if why == "client_blocked":
            await self._ends.end(uow, of, "canceled_operator", by="client_blocked", reason="blocked")
            return
        reason = "unknown" if why == "offline" else why
        # What the station never agreed to has failed; the rest is canceled.
        end: EndName = "failed" if of.status == "pending" else "canceled_system"
        await self._ends.end(uow, of, end, by="system", reason=reason)

    def _silent(self) -> datetime:
        return self._watch.before(self._heartbeat_timeout_s)

    def _is_heard(self, lost: LostReservation, silent: datetime) -> bool:
        """Its row may be older than what its socket has brought since."""
        seen_at = self._link.last_seen_at(lost.station_id)
        return lost.why == "offline" and seen_at is not None and seen_at >= silent

"""What happens to reservations later: rows with a lease, so that any process may, and none is lost (§6)."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import datetime, timedelta

import trio

from evpower.clock import ClockWatch
from evpower.db.pool import Pool
from evpower.db.unit_of_work import reading, unit_of_work
from evpower.identifiers import StationId
from evpower.reservations.ends import ReservationEnds
from evpower.reservations.lost import LostReservations
from evpower.reservations.reservation import AGAIN, NET, ReservationRecord, next_step
from evpower.reservations.rows import reservations as rows
from evpower.reservations.scheduled import Scheduled
from evpower.reservations.station_side import StationSide
from evpower.worker import Crew

log = logging.getLogger("evpower.reservations")

LOOK_EVERY_S = 5.0
#: Stations asked at once.
UNDER_WAY_MOST = 16
#: Longer than a station is asked.
LEASE = timedelta(minutes=2)
#: An order without an answer waits so long for a station that is away.
AWAY_MOST = timedelta(seconds=300)


class ReservationWorker:
    """Ends what is over, takes back what nobody needs, warns holders; any number of processes may run one."""

    def __init__(
        self,
        pool: Pool,
        watch: ClockWatch,
        ends: ReservationEnds,
        lost: LostReservations,
        station_side: StationSide,
        scheduled: Scheduled,
    ) -> None:
        self._pool = pool
        self._watch = watch
        self._ends = ends
        self._lost = lost
        self._station_side = station_side
        self._scheduled = scheduled
        failure = "something of a reservation was not done and will be tried again"
        self._crew = Crew(self._claim, self._work, UNDER_WAY_MOST, ends.to_take_back, log=log, failure=failure)

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Until cancelled; the first look repairs what a crash left."""
        await self._crew.run(LOOK_EVERY_S, task_status=task_status)

    async def work_due(self) -> None:
        """All that is due at this moment, once each."""
        await self._crew.work_due()

    async def removed_at_station(self, station_id: StationId, wire_id: int) -> None:
        """The station keeps the connector no more, and its time is not over (OCPP 2.0.1 H04)."""
        async with reading(self._pool) as conn:
            reservation_id = await rows.find_at_station(conn, station_id, wire_id)
        if reservation_id is None:
            return
        async with unit_of_work(self._pool) as uow:
            locked = await self._ends.lock(uow, reservation_id)
            if locked is not None and locked[1].status == "reserved":
                gone = replace(locked[1], at_station="nothing")
                await self._ends.end(uow, gone, "canceled_system", by=f"station:{station_id}", reason="unknown")

    async def _claim(self, most: int) -> list[ReservationRecord]:
        if self._watch.holds:
            return []
        await self._lost.end_all()
        now = self._watch.look()
        async with reading(self._pool) as conn:
            if not await rows.is_due(conn, now):
                return []
        async with unit_of_work(self._pool) as uow:
            return list(await rows.claim_due(uow.conn, now, LEASE, most))

    async def _work(self, of: ReservationRecord) -> None:
        step, _ = next_step(of)
        if step == "take":
            await self._scheduled.take(of)
        elif step == "take_back":
            await self._take_back(of)
        elif step == "give_up":
            await self._give_up(of)
        else:
            await self._move_on(of.id)

    async def _move_on(self, reservation_id: str) -> None:
        """What needs no station: its guard begins, its holder is warned, its time is over."""
        async with unit_of_work(self._pool) as uow:
            locked = await self._ends.lock(uow, reservation_id)
            assert locked is not None
            of, now = locked[1], self._watch.look()
            step, due_at = next_step(of)
            if due_at is None or due_at > now:
                await rows.store(uow.conn, of)
            elif step == "block":
                await self._ends.store(uow, of.blocking())
            elif step == "expire" or (step == "warn" and now >= of.expires_at):
                await self._ends.end(uow, of, "no_show", by="expiry")
            elif step == "warn":
                await self._ends.notify(uow, of, "reservation_expiring", f"{of.id}:{of.expires_at.timestamp():.0f}")
                await rows.store(uow.conn, of.warned(now))
            else:
                await rows.store(uow.conn, of)  # somebody was faster; the rest is due as it is written

    async def _give_up(self, of: ReservationRecord) -> None:
        """The station may have it or not: take it back, then release what is held."""
        assert of.asked_at is not None
        now = self._watch.look()
        taken_back = await self._station_side.take_back(of)
        if not taken_back and now - of.asked_at < AWAY_MOST:
            await self._put_off(of, now + AGAIN)
            return
        async with unit_of_work(self._pool) as uow:
            locked = await self._ends.lock(uow, of.id)
            assert locked is not None
            ended = await self._ends.end(uow, locked[1], "failed", by="system", reason="unknown")
            if taken_back and ended.at_station == "to_end":
                await rows.store(uow.conn, ended.taken_back())

    async def _take_back(self, of: ReservationRecord) -> None:
        """It is over here; a station that cannot be asked gives it up by itself soon after its time."""
        now = self._watch.look()
        if not await self._station_side.take_back(of) and now < of.expires_at + 2 * NET:
            await self._put_off(of, now + AGAIN)
            return
        async with unit_of_work(self._pool) as uow:
            locked = await self._ends.lock(uow, of.id)
            assert locked is not None
            await rows.store(uow.conn, locked[1].taken_back())

    async def _put_off(self, of: ReservationRecord, until: datetime) -> None:
        async with unit_of_work(self._pool) as uow:
            await rows.put_off(uow.conn, of.id, until)

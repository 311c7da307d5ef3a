"""StopTransaction: the facts of a charge's end, for the settlement worker to bill (contract/ocpp-behaviour §5.4)."""

from __future__ import annotations

import logging
from datetime import datetime

from evpower.charging.rows import parked, sessions, settlements, transactions
from evpower.charging.settler import Settler
from evpower.charging.transaction import TransactionStop, cause_of_stop
from evpower.clock import Clock
from evpower.db.pool import Pool
from evpower.db.unit_of_work import UnitOfWork, reading, unit_of_work
from evpower.events import EventBus, SessionEnded
from evpower.identifiers import SessionId, StationId, WireTransactionId
from evpower.metering.doubts import DoubtfulCharge, NotedDoubt
from evpower.metering.registers import StopReading
from evpower.metering.stops import count_stop, keep_doubts
from evpower.tags.id_tag import IdTagVerdict
from evpower.tags.verdicts import judge

log = logging.getLogger("OCPP")


class Endings:
    """Turns a station's StopTransaction into an ended session, or into a parked report."""

    def __init__(self, pool: Pool, clock: Clock, settler: Settler, bus: EventBus) -> None:
        self._pool = pool
        self._clock = clock
        self._settler = settler
        self._bus = bus

    async def end(self, station_id: StationId, stop: TransactionStop) -> IdTagVerdict | None:
        """Store a stop. The verdict on its tag, or None when it named none.

        An unknown transaction is parked, not refused; a repeat changes nothing.
        """
        async with unit_of_work(self._pool) as uow:
            await self.record(uow, station_id, stop)
            return None if stop.id_tag is None else await judge(uow.conn, station_id, stop.id_tag, self._clock.now())

    async def record(self, uow: UnitOfWork, station_id: StationId, stop: TransactionStop) -> None:
        """The same within the caller's unit of work."""
        now = self._clock.now()
        found = await transactions.lock_transaction(uow.conn, station_id, stop.wire_transaction_id)
        if found is None:
            log.warning("StopTransaction matches nothing and is parked: station=%s", station_id)
            await transactions.park(uow.conn, station_id, stop.reported_as, "unknown transaction", stop.payload, now)
        elif not found.has_stop:
            charge = DoubtfulCharge(
                found.id, found.wire_transaction_id, station_id, found.connector_id, found.session_id
            )
            reading = StopReading(stop.samples, stop.meter_stop_wh, stop.stopped_at, now)
            is_believed = await count_stop(uow, charge, reading, stop.reported_as)
            await transactions.stop_transaction(uow.conn, found.id, stop, now)
            if found.session_id is not None:
                await self._end_session(uow, station_id, found.session_id, stop.reason, estimated=not is_believed)
                await _doubt_clock(uow, charge, found.session_id, stop.reported_as, now)
            elif found.verdict != "Accepted":
                energy_wh = await parked.refused_wh(uow.conn, found.id)
                line = "delivered and not billed: station=%s, transaction_id=%s, verdict=%s, energy_wh=%d"
                values = (station_id, found.wire_transaction_id, found.verdict, energy_wh)
                if energy_wh:
                    uow.after_commit(lambda: log.warning(line, *values))

    async def lose(self, station_id: StationId, wire_id: WireTransactionId) -> None:
        """The station neither runs this transaction nor has its end to report: it is billed by its last reading.

        An end that comes all the same may still correct it, as after every estimate.
        """
        log.warning("the end of a charge is lost: station=%s, transaction_id=%s", station_id, wire_id)
        async with unit_of_work(self._pool) as uow:
            found = await transactions.lock_transaction(uow.conn, station_id, wire_id)
            if found is None:
                return
            await transactions.close_unfinished(uow.conn, found.id)
            if found.session_id is not None:
                await sessions.end_session(
                    uow.conn, found.session_id, cause="lost", reason="Other", estimated=True, at=self._clock.now()
                )
        if found.session_id is not None:
            await self._settler.settle(found.session_id)

    async def cost_so_far_tyiyn(self, station_id: StationId, wire_id: WireTransactionId) -> int | None:
        """What the charge of a transaction costs so far, its fee included, or what it did; None when nobody pays."""
        async with reading(self._pool) as conn:
            session = await sessions.of_transaction(conn, station_id, wire_id)
        if session is None or session.record is None:
            return None
        return session.terms.rates.cost_tyiyn(session.record.energy_wh(), session.minutes(self._clock.now()))

    async def _end_session(
        self, uow: UnitOfWork, station_id: StationId, session_id: SessionId, reason: str, *, estimated: bool
    ) -> None:
        now = self._clock.now()
        asked = await sessions.asked_to_stop(uow.conn, session_id)
        cause = cause_of_stop(reason, asked.by, at_limit=asked.at_limit)
        if await sessions.end_session(uow.conn, session_id, cause=cause, reason=reason, estimated=estimated, at=now):
            uow.after_commit(lambda: self._bus.publish(SessionEnded(session_id, station_id)))
        else:
            session = await sessions.read_session(uow.conn, session_id)
            if session is not None and session.phase == "released":
                await settlements.note_unbilled(
                    uow.conn, session_id, session.delivered().energy_wh, session.final_cost_tyiyn()
                )
        uow.after_commit(self._settler.wake)


async def _doubt_clock(
    uow: UnitOfWork, charge: DoubtfulCharge, session_id: SessionId, message: str, at: datetime
) -> None:
    """The station's clock gives more time than can be billed, or none that can be."""
    session = await sessions.read_session(uow.conn, session_id)
    doubt = None if session is None else session.clock_doubt()
    if doubt is not None:
        await keep_doubts(uow, [NotedDoubt(charge, doubt, message, at)])

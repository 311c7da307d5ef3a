"""Transactions of OCPP 2.0.1: each event once, by its number, until it is a charge like every other (ocpp201 §3).

A charge begins with the event that completes an accepted token, its connector and a register; before that nothing is
billed. From then on the rules are those of 1.6: `charging/beginnings.py`, the journal, `charging/endings.py`. Each of
them does the same thing twice without harm, so an event that was applied when we died is applied again.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from datetime import datetime

import trio

from evpower.charging.beginnings import Beginnings
from evpower.charging.endings import Endings
from evpower.charging.limits import LimitKeeper
from evpower.charging.review.parked import ParkedReports
from evpower.charging.start_stop import Commands
from evpower.charging.transaction import TransactionStart, TransactionStop
from evpower.clock import Clock
from evpower.db.pool import Pool
from evpower.db.unit_of_work import reading, unit_of_work
from evpower.identifiers import ConnectorId, IdTag, StationId, WireTransactionId
from evpower.metering.belief import late_since
from evpower.metering.journal import EventRow, Journal, MeterRow
from evpower.metering.meter_value import Progress
from evpower.reports.rows import transaction_events as rows
from evpower.reports.transaction_event import REPORTED_AS, EventAnswer, OpenTransaction, ReportedEvent
from evpower.stations.connector_reservations import ConnectorReservations
from evpower.tags.id_tag import IdTagVerdict
from evpower.worker import repeat

log = logging.getLogger("OCPP")

#: How soon an event is applied whose predecessors have not come in time.
LOOK_EVERY_S = 15.0
NOTHING = EventAnswer()
WHOLE_STATION = ConnectorId(0)
#: Under which a charge is kept that nobody showed a token for.
NO_TAG = IdTag("")


@dataclass(frozen=True)
class _Step:
    """An event about to be applied, when it came, and its transaction with what it adds."""

    station_id: StationId
    event: ReportedEvent
    received_at: datetime
    before: OpenTransaction
    transaction: OpenTransaction


class TransactionEvents:
    """What stations of 2.0.1 report of their transactions."""

    def __init__(
        self,
        pool: Pool,
        clock: Clock,
        journal: Journal,
        beginnings: Beginnings,
        endings: Endings,
        limits: LimitKeeper,
        commands: Commands,
        reservations: ConnectorReservations,
        parked: ParkedReports,
    ) -> None:
        self._pool = pool
        self._clock = clock
        self._journal = journal
        self._beginnings = beginnings
        self._endings = endings
        self._limits = limits
        self._commands = commands
        self._reservations = reservations
        self._parked = parked

    async def take(self, station_id: StationId, event: ReportedEvent) -> EventAnswer:
        """Store an event and apply all that are due; a repeat gets the answer it had."""
        async with unit_of_work(self._pool) as uow:
            kept = await rows.keep(uow.conn, station_id, event, self._clock.now())
        if kept is not None and (kept.occurred_at, kept.kind) != (event.occurred_at, event.kind):
            log.warning("station=%s: transaction %s uses a number twice", station_id, event.wire_transaction_id)
            await self._parked.park(station_id, REPORTED_AS, "another event under this seqNo", event.payload)
        if kept is not None and kept.is_applied:
            return kept.answer or NOTHING
        await self.apply_due(station_id, event.wire_transaction_id)
        async with reading(self._pool) as conn:
            kept = await rows.read_kept(conn, station_id, event)
        if kept.answer is not None:
            return kept.answer
        # It waits for its predecessors; its token is judged now.
        verdict = None if event.id_tag is None else await self._beginnings.authorize(station_id, event.id_tag)
        return EventAnswer(verdict)

    async def unended(self, station_id: StationId) -> list[WireTransactionId]:
        """Transactions of the station whose end has not come."""
        async with reading(self._pool) as conn:
            return await rows.unended(conn, station_id)

    async def charging_states(self, station_id: StationId) -> dict[ConnectorId, str]:
        """What the station's transactions that go on are doing."""
        async with reading(self._pool) as conn:
            return await rows.charging_states(conn, station_id)

    async def lost(self, station_id: StationId, wire_id: WireTransactionId) -> None:
        """Its station neither runs it nor has anything of it queued: it is billed by its last reading (E14)."""
        async with unit_of_work(self._pool) as uow:
            await rows.end_as_lost(uow.conn, station_id, wire_id, self._clock.now())
        await self._endings.lose(station_id, wire_id)

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Apply what has waited too long for its predecessors, until cancelled."""
        task_status.started()
        await repeat(self.apply_overdue, LOOK_EVERY_S, log=log, failure="overdue events failed and will be repeated")

    async def apply_overdue(self) -> None:
        """Apply every event whose predecessors have not come in time."""
        async with reading(self._pool) as conn:
            overdue = await rows.overdue(conn, self._clock.now())
        for station_id, wire_id in overdue:
            log.warning("events are missing and passed over: station=%s, transaction_id=%s", station_id, wire_id)
            await self.apply_due(station_id, wire_id)

    async def apply_due(self, station_id: StationId, wire_id: WireTransactionId) -> None:
        """Apply, one by one, the transaction's events that are due."""
        while True:
            now = self._clock.now()
            async with reading(self._pool) as conn:
                due = await rows.next_due(conn, station_id, wire_id, now)
                if due is None:
                    return
                transaction = await rows.read_transaction(conn, station_id, wire_id)
            event, received_at = due
            step = _Step(station_id, event, received_at, transaction, transaction.with_facts_of(event))
            after, answer = await self._apply(step)
            async with unit_of_work(self._pool) as uow:
                await rows.applied(uow.conn, station_id, event, after, answer, self._clock.now())

    async def take_in_order(self, station_id: StationId, event: ReportedEvent) -> bool:
        """Store a reading that is the next event of its transaction, with many others; False for any other event."""
        if not event.is_reading:
            return False
        outcome = await self._journal.event(
            EventRow(station_id, event.reading(), self._clock.now(), event.charging_state)
        )
        if outcome.taken:
            await self._advanced(station_id, outcome.progress)
        return outcome.taken

    async def _advanced(self, station_id: StationId, progress: Progress | None) -> None:
        if progress is not None:
            await self._limits.advanced(station_id, progress)
        else:  # nobody pays for it, it seems
            self._commands.repeat_stops(station_id)

    async def _apply(self, step: _Step) -> tuple[OpenTransaction, EventAnswer]:
        """What the event makes of its transaction, and its answer; harmless when it is done again."""
        transaction, event, verdict = step.transaction, step.event, None
        begins = not transaction.claimed and await self._may_begin(step)
        if begins:
            transaction, verdict = await self._begin(step)
        elif event.id_tag is not None and event.kind != "Ended":
            verdict = await self._beginnings.authorize(step.station_id, event.id_tag)
            if not transaction.claimed:
                transaction = self._awaiting(step, verdict)
        if event.kind == "Ended":
            return await self._end(replace(step, transaction=transaction), verdict)
        if event.samples:
            report = event.report(transaction.connector_id)
            progress = await self._journal.meter_values(MeterRow(step.station_id, report, step.received_at))
            await self._advanced(step.station_id, progress)
        if begins and transaction.ended_at is not None:  # it came after the end, which was nobody's until now
            async with reading(self._pool) as conn:
                ended = await rows.read_end(conn, step.station_id, event.wire_transaction_id)
            if ended is not None:
                await self._stop(step.station_id, ended)
        return transaction, EventAnswer(verdict)

    def _awaiting(self, step: _Step, verdict: IdTagVerdict) -> OpenTransaction:
        """Of a token that came without a register. One that comes late is a report, not a question (ruling 2.3)."""
        transaction, event = step.transaction, step.event
        is_late = late_since(event.occurred_at, step.received_at) is not None and verdict.status != "Invalid"
        if verdict.status == "Accepted" or is_late:
            return replace(transaction, awaits_register=True)
        self._commands.stop_unpaid(step.station_id, event.wire_transaction_id)
        return replace(transaction, id_tag=step.before.id_tag)

    async def _may_begin(self, step: _Step) -> bool:
        """Token, connector and register are known. An end begins no charge of the token that it names itself."""
        transaction, event = step.transaction, step.event
        if event.first_wh is None or transaction.connector_id is None:
            return False
        if event.kind == "Ended":
            return transaction.awaits_register
        return event.id_tag is not None or event.remote_start_id is not None or transaction.awaits_register

    async def _begin(self, step: _Step) -> tuple[OpenTransaction, IdTagVerdict]:
        transaction, event, station_id = step.transaction, step.event, step.station_id
        tag = transaction.id_tag
        if tag is None and transaction.remote_start_id is not None:
            async with reading(self._pool) as conn:
                tag = await rows.tag_of_start(conn, station_id, transaction.remote_start_id)
        verdict = await self._claim(step, tag or NO_TAG, event.first_wh or 0, event.occurred_at)
        accepted = verdict.status == "Accepted" or await self._is_somebodys(station_id, event.wire_transaction_id)
        if verdict.status != "Accepted" and event.kind != "Ended":
            self._commands.stop_unpaid(station_id, event.wire_transaction_id)
        return replace(transaction, claimed=accepted, awaits_register=False), verdict

    async def _claim(self, step: _Step, tag: IdTag, register_wh: int, began_at: datetime) -> IdTagVerdict:
        transaction, event = step.transaction, step.event
        start = TransactionStart(
            connector_id=transaction.connector_id or WHOLE_STATION,
            id_tag=tag,
            meter_start_wh=register_wh,
            started_at=began_at,
            payload=event.payload,
            reservation_id=transaction.reservation_id,
            unread=event.unread,
            wire_transaction_id=event.wire_transaction_id,
            remote_start_id=transaction.remote_start_id,
            offline=event.offline,
        )
        begun = await self._beginnings.begin(step.station_id, start)
        if transaction.reservation_id is not None:  # a start that names a reservation uses it (duty 36)
            await self._reservations.used(step.station_id, transaction.reservation_id)
        return begun.verdict

    async def _is_somebodys(self, station_id: StationId, wire_id: WireTransactionId) -> bool:
        """A start that came late is billed whatever its card would say now."""
        async with reading(self._pool) as conn:
            return await rows.session_of(conn, station_id, wire_id) is not None

    async def _end(self, step: _Step, verdict: IdTagVerdict | None) -> tuple[OpenTransaction, EventAnswer]:
        transaction, event, station_id = step.transaction, step.event, step.station_id
        ended = replace(transaction, ended_at=transaction.ended_at or event.occurred_at, awaits_register=False)
        if not transaction.claimed:
            known, of_nobody = await self._end_unpaid(step)
            if not known:
                if of_nobody is None and event.id_tag is not None:
                    of_nobody = await self._beginnings.authorize(station_id, event.id_tag)
                return ended, EventAnswer(verdict or of_nobody)
        answered = await self._stop(station_id, event)
        return ended, EventAnswer(verdict or answered)

    async def _end_unpaid(self, step: _Step) -> tuple[bool, IdTagVerdict | None]:
        """Energy that flowed without anybody's token is listed like that of a refused start; whether there is a row."""
        event, station_id = step.event, step.station_id
        async with reading(self._pool) as conn:
            if await rows.is_a_charge(conn, station_id, event.wire_transaction_id):
                return True, None
            meter = await rows.measured(conn, station_id, event.wire_transaction_id)
        said = (meter.least_wh, meter.most_wh, event.first_wh, event.last_wh)
        registers = [each for each in said if each is not None]
        if not registers or min(registers) == max(registers):
            return False, None
        began_at = min(each for each in (meter.since, event.occurred_at) if each is not None)
        return True, await self._claim(step, NO_TAG, min(registers), began_at)

    async def _stop(self, station_id: StationId, event: ReportedEvent) -> IdTagVerdict | None:
        return await self._endings.end(
            station_id,
            TransactionStop(
                wire_transaction_id=event.wire_transaction_id,
                meter_stop_wh=event.last_wh,
                stopped_at=event.occurred_at,
                reason=event.stop_reason or "Local",
                id_tag=event.id_tag,
                samples=event.samples,
                payload=event.payload,
                reported_as=REPORTED_AS,
                unread=event.unread if event.last_wh is not None else (*event.unread, "register"),
            ),
        )


async def forget_events(pool: Pool, now: datetime) -> None:
    """Drop what no station repeats any more."""
    async with unit_of_work(pool) as uow:
        await rows.forget(uow.conn, now)

"""Makes ended sessions final: settle, release, correct. Rows to be worked, not tasks to be kept alive (design §4).

Each step is one unit of work, idempotent, repeatable from the rows alone after any crash. Lock order: client → session.
"""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

import trio

from evpower.billing.clients import Client, lock_client
from evpower.billing.service import BillingService
from evpower.billing.settlement import Estimate, Settlement, correct
from evpower.charging.rows import doubts, due_sessions, sessions, settlements
from evpower.charging.rows.settlements import SessionEnd
from evpower.charging.session import Session
from evpower.charging.transaction import EndCause
from evpower.clock import Clock
from evpower.db.failures import UNACCEPTABLE
from evpower.db.pool import Pool
from evpower.db.unit_of_work import UnitOfWork, reading, unit_of_work
from evpower.events import EventBus, SessionSettled
from evpower.history.keeping import Keeping
from evpower.identifiers import ClientId, ConnectorId, SessionId, StationId
from evpower.network.station_records import refresh_connector
from evpower.push.events import EventName, PushEvent, of_session
from evpower.push.outbox import PushOutbox
from evpower.reservations.starts import ReservationUse
from evpower.worker import Wake, contain, repeat

log = logging.getLogger("evpower.settlement")

#: A true StopTransaction takes more than the estimate this long after it (design §4); it gives back at any time.
TAKES_MORE_WITHIN = timedelta(hours=24)
ACTOR = "settlement"
#: What another try does not change: the rows themselves say what the database refuses, or no decimal holds.
CANNOT_BE_WRITTEN = (*UNACCEPTABLE, ArithmeticError)


@dataclass(frozen=True)
class _Locked:
    client: Client
    session: Session


class Settler:
    """The settlement worker, and the one way a session becomes final."""

    def __init__(
        self,
        pool: Pool,
        clock: Clock,
        billing: BillingService,
        keeping: Keeping,
        reservations: ReservationUse,
        bus: EventBus,
        push: PushOutbox,
    ) -> None:
        self._pool = pool
        self._clock = clock
        self._billing = billing
        self._keeping = keeping
        self._reservations = reservations
        self._bus = bus
        self._push = push
        self._due = Wake()
        #: Sessions that became final since the start of this process: by their last phase, and why they ended.
        self.ends: Counter[tuple[str, EndCause | None]] = Counter()
        #: What they were billed for.
        self.billed_wh = 0

    def wake(self) -> None:
        """Something ended; work the rows now rather than at the next sweep."""
        self._due.set()

    async def run(self, sweep_s: float, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Work due rows whenever woken, and every `sweep_s` seconds; the first pass repairs what a crash left."""
        task_status.started()
        await repeat(self.work_due, sweep_s, self._due, log=log, failure="settlement failed and will be repeated")

    async def work_due(self) -> None:
        """Settle every ended session, correct every estimate whose truth has arrived, note what nobody pays for."""
        async with reading(self._pool) as conn:
            ended = await due_sessions.session_ids(conn, due_sessions.DUE_TO_SETTLE)
            estimated = await due_sessions.session_ids(conn, due_sessions.DUE_TO_CORRECT)
            unbilled = await due_sessions.session_ids(conn, due_sessions.DUE_TO_NOTE)
        for step, due in ((self.settle, ended), (self.correct, estimated), (self.note_unbilled, unbilled)):
            for session_id in due:
                with contain(log, "session %s could not be made final and will be tried again", session_id):
                    await step(session_id)

    async def settle_before_start(
        self, client_id: ClientId | None, station_id: StationId, connector_id: ConnectorId | None
    ) -> None:
        """Settle what of the client or the connector has ended: its money and its place are wanted (field ruling 2.4).

        A settlement that fails is no reason to refuse the start: the worker goes on trying.
        """
        place: dict[str, object] = {"station_id": station_id, "connector_id": connector_id}
        async with reading(self._pool) as conn:
            ended = await due_sessions.session_ids(conn, due_sessions.ENDED_BEFORE_START, client_id=client_id, **place)
        for session_id in ended:
            with contain(log, "session %s could not be settled before a start", session_id):
                await self.settle(session_id)

    async def settle(self, session_id: SessionId) -> None:
        """Bill an ended session by its station's record, once. A bill that cannot be written waits for a person
        (money-audit A2)."""
        try:
            await self._settle(session_id)
        except CANNOT_BE_WRITTEN as error:
            await self._park(session_id, error, correction=False)

    async def correct(self, session_id: SessionId) -> None:
        """Set an estimated bill right by the true StopTransaction, once. A correction that cannot be written waits for
        a person."""
        try:
            await self._correct(session_id)
        except CANNOT_BE_WRITTEN as error:
            await self._park(session_id, error, correction=True)

    async def give_up(self, session_id: SessionId) -> None:
        """A person gives up a bill that cannot be written: the whole hold goes back, what was delivered is unbilled."""
        async with unit_of_work(self._pool) as uow:
            locked = await self._lock(uow, session_id)
            session = locked.session
            if session.is_final:
                return
            bill = await self._billing.settle(uow, locked.client, session.id, session.terms.reserved_tyiyn, 0, ACTOR)
            await settlements.store_settlement(
                uow.conn, session, bill, SessionEnd(0, "stopped", "settled"), self._clock.now()
            )
            await settlements.note_unbilled(uow.conn, session.id, session.delivered().energy_wh, 0)
            await self._push.enqueue(uow, _message("charging_error", session, bill, 0))
            await self._conclude(uow, session)
            await self._keeping.billed(uow, session.id, 0)
            uow.after_commit(lambda: self._count_end("settled", session.end_cause, 0))

    async def _settle(self, session_id: SessionId) -> None:
        async with unit_of_work(self._pool) as uow:
            locked = await self._lock(uow, session_id)
            session = locked.session
            if session.is_final or session.phase != "ended":
                return
            now = self._clock.now()
            energy_wh, minutes = session.delivered()
            bill = await self._billing.settle(
                uow,
                locked.client,
                session.id,
                session.terms.reserved_tyiyn,
                session.final_cost_tyiyn(),
                ACTOR,
                again=session.reopened_at is not None,
            )
            limit_wh = session.terms.limit_wh(minutes)
            end = SessionEnd(
                energy_wh,
                "stopped",
                "settled",
                estimated=session.record is None or not session.record.stop_is_believed,
                overshoot_wh=None if limit_wh is None else max(0, energy_wh - limit_wh),
            )
            await settlements.store_settlement(uow.conn, session, bill, end, now)
            completed: tuple[EventName, ...] = ("charging_completed", "session_completed")
            await self._push.enqueue(uow, *(_message(name, session, bill, energy_wh) for name in completed))
            await self._conclude(uow, session)
            self._log_end(uow, session, end)
            await self._keeping.billed(uow, session.id, minutes, session.terms.rates.steps)

    async def release(
        self, session_id: SessionId, *, status: Literal["stopped", "error"], cause: EndCause, reason: str
    ) -> bool:
        """Give the whole hold back for a charge that never began; False when it did begin, or is final."""
        async with unit_of_work(self._pool) as uow:
            locked = await self._lock(uow, session_id)
            session = locked.session
            if session.is_final or session.record is not None:
                return False
            bill: Settlement = await self._billing.settle(
                uow, locked.client, session.id, session.terms.reserved_tyiyn, 0, ACTOR
            )
            end = SessionEnd(0, status, "released", reason, cause)
            await settlements.store_settlement(uow.conn, session, bill, end, self._clock.now())
            await self._reservations.given_up(uow, session.id, refused=cause == "charger")
            name: EventName = "charging_error" if status == "error" else "charging_completed"
            await self._push.enqueue(uow, _message(name, session, bill, 0))
            await self._conclude(uow, session)
            self._log_end(uow, session, end)
        return True

    async def _correct(self, session_id: SessionId) -> None:
        async with unit_of_work(self._pool) as uow:
            locked = await self._lock(uow, session_id)
            session, record = locked.session, locked.session.record
            if not session.estimated or session.corrected_at is not None or session.settled_at is None:
                return
            if record is None or not record.stop_is_believed or record.stop_received_at is None:
                return
            now = self._clock.now()
            late = record.stop_received_at - session.settled_at > TAKES_MORE_WITHIN
            correction = correct(
                Estimate(session.energy_wh, session.amount_tyiyn or 0, session.debt_tyiyn),
                session.delivered(),
                session.terms.rates,
                takeable_tyiyn=0 if late else locked.client.balance_tyiyn,
            )
            await self._billing.correct(uow, locked.client, session.id, correction, ACTOR)
            await settlements.store_correction(uow.conn, session.id, correction, now)
            await self._keeping.billed(uow, session.id, session.delivered().minutes, session.terms.rates.steps)

    async def note_unbilled(self, session_id: SessionId) -> None:
        """Note what was delivered beyond a final bill that no believed stop corrects.

        It is no debt and moves no money; the true stop, when it comes, corrects the bill and replaces the note.
        """
        async with unit_of_work(self._pool) as uow:
            session = (await self._lock(uow, session_id)).session
            energy_wh = session.delivered().energy_wh - session.energy_wh
            is_open = session.is_final and session.corrected_at is None
            if not is_open or session.record is None or session.record.stop_is_believed or energy_wh <= 0:
                return
            cost_tyiyn = max(0, session.final_cost_tyiyn() - (session.amount_tyiyn or 0))
            await settlements.note_unbilled(uow.conn, session_id, energy_wh, cost_tyiyn)
            line = "delivered and not billed: session_id=%s, station=%s, energy_wh=%d"
            uow.after_commit(lambda: log.warning(line, session_id, session.station_id, energy_wh))

    async def _park(self, session_id: SessionId, error: Exception, *, correction: bool) -> None:
        """The same rows fail in the same way again, so a person is asked once instead."""
        detail = str(error).partition("\n")[0]
        log.error("the bill cannot be written and waits for a person: session_id=%s: %s", session_id, detail)
        async with unit_of_work(self._pool) as uow:
            session = await sessions.read_session(uow.conn, session_id)
            assert session is not None
            await doubts.note_unwritable(
                uow.conn,
                session_id,
                correction=correction,
                energy_wh=session.delivered().energy_wh,
                detail=detail,
                at=self._clock.now(),
            )

    async def _lock(self, uow: UnitOfWork, session_id: SessionId) -> _Locked:
        owner = await sessions.read_owner(uow.conn, session_id)
        if owner is None:
            raise LookupError(f"session {session_id} does not exist")
        client = await lock_client(uow.conn, owner)
        session = await sessions.lock_session(uow.conn, session_id)
        assert session is not None, "sessions are never deleted"
        return _Locked(client, session)

    def _log_end(self, uow: UnitOfWork, session: Session, end: SessionEnd) -> None:
        """Why it ended, and whether its bill is an estimate (field ruling 4.5)."""
        line = "%s: session_id=%s, station=%s, cause=%s, reason=%s, energy_wh=%d"
        if end.estimated:
            line += ", estimated: by the last reading"
        cause, reason = end.cause or session.end_cause, end.reason or session.stop_reason
        values = (end.phase, session.id, session.station_id, cause, reason, end.energy_wh)
        uow.after_commit(lambda: log.info(line, *values))
        uow.after_commit(lambda: self._count_end(end.phase, cause, end.energy_wh))

    def _count_end(self, phase: str, cause: EndCause | None, energy_wh: int) -> None:
        self.ends[phase, cause] += 1
        self.billed_wh += energy_wh

    async def _conclude(self, uow: UnitOfWork, session: Session) -> None:
        await refresh_connector(uow.conn, session.station_id, session.connector_id, self._clock.now())
        event = SessionSettled(session.id, session.station_id, session.connector_id)
        uow.after_commit(lambda: self._bus.publish(event))


def _message(name: EventName, session: Session, bill: Settlement, energy_wh: int) -> PushEvent:
    return of_session(
        name,
        session.id,
        session.station_id,
        energy_wh=energy_wh,
        cost_tyiyn=bill.cost_tyiyn,
        refund_tyiyn=bill.refund_tyiyn,
    )

"""Conversations with stations that outlive the request that began them.

A phone that hangs up must not leave a reserved charge unasked, so asking is a task of the `conversations` nursery in
the workers' ring, not of the request. A conversation's fault ends only itself: the rows say what is still to be done,
and recovery does it.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TypeAlias

import trio

from evpower.charging.limits import PlannedStop
from evpower.charging.rows import sessions, stops
from evpower.charging.rows.due_sessions import TakenUp
from evpower.charging.rows.stops import StopDue
from evpower.charging.session import Session
from evpower.charging.settler import Settler
from evpower.charging.transaction import RECOVERY, cause_of_request
from evpower.clock import Clock
from evpower.db.lookups import Lookups
from evpower.db.pool import Pool
from evpower.db.unit_of_work import reading, unit_of_work
from evpower.events import Event, EventBus, GapInEvents, SessionSettled
from evpower.identifiers import ConnectorId, SessionId, StationId, WireTransactionId
from evpower.link.commands import LimitDraw
from evpower.link.conversation import Conversation
from evpower.link.ports import CommandResult, Outcome, StationLink
from evpower.worker import contain

log = logging.getLogger("OCPP")

STOP_REASON = "Remote"


#: What the charge of a session begins with that is about to be asked for; None: nothing limits it.
FirstLimit: TypeAlias = Callable[[tuple[StationId, ConnectorId], SessionId], Awaitable[LimitDraw | None]]


@dataclass(frozen=True)
class AskingRules:
    """How long a stop waits for StopTransaction, and after which time a start and a stop are asked for again."""

    stop_wait_s: float
    start_repeat_s: float
    stop_repeat_s: float


class Commands:
    """Asks stations to start and to stop; `conversations` is the nursery that owns the asking."""

    def __init__(
        self,
        conversations: trio.Nursery,
        link: StationLink,
        pool: Pool,
        to_take_up: Lookups[StationId, TakenUp],
        clock: Clock,
        bus: EventBus,
        settler: Settler,
        rules: AskingRules,
        *,
        first_limit: FirstLimit | None = None,
    ) -> None:
        """`first_limit` is what a charge begins with where power is short."""
        self._conversations = conversations
        self._link = link
        self._pool = pool
        self._to_take_up = to_take_up
        self._clock = clock
        self._bus = bus
        self._settler = settler
        self._rules = rules
        self._first_limit = first_limit
        self._starting: dict[SessionId, Conversation] = {}
        self._stopping: dict[SessionId, Conversation] = {}

    def start(self, session_id: SessionId) -> Conversation:
        """Ask the station to begin a reserved session; a refusal returns the reservation.

        Asking twice joins the conversation that is already going on; so does `stop`.
        """
        return self._join(self._starting, session_id, self._ask_to_start)

    def stop(self, session_id: SessionId, *, asked_before: bool = False) -> Conversation:
        """End a session because someone asked for it: by the station's StopTransaction, or by the last reading.

        Asked before, perhaps by another process, the station may refuse because it is stopping already.
        """
        return self._join(self._stopping, session_id, partial(self._ask_to_stop, asked_before=asked_before))

    def stop_at_limit(self, stop: PlannedStop) -> None:
        """Send the stop of a session that reached its limit; its StopTransaction settles it.

        A station that is at another process by now is left to that one, whose plans know its later readings.
        """
        if self._link.last_seen_at(stop.station_id) is not None:
            self.begin(partial(self._send_stop, stop.station_id, stop.transaction_id))

    def stop_unpaid(self, station_id: StationId, transaction_id: WireTransactionId) -> None:
        """Stop a transaction that is not paid for, unless that was asked within `stop_repeat_s`."""

        async def ask(conversation: Conversation) -> None:
            if await self._claims_repeat(station_id, transaction_id):
                conversation.result = await self._link.remote_stop(station_id, transaction_id)

        self.begin(ask)

    def stop_again(self, station_id: StationId, transaction_id: WireTransactionId) -> Conversation:
        """Ask now to stop a transaction, whenever that was asked before: a person wants it."""
        return self.begin(partial(self._send_stop, station_id, transaction_id))

    def repeat_stops(self, station_id: StationId | None = None) -> Conversation:
        """Ask again for every stop that is due, of one station or of all here (field rulings 4.1, 4.2).

        Due is a transaction that was asked to stop and lives on, and one that delivers although no session pays for it;
        each at most every `stop_repeat_s`. Done when all are being asked.
        """
        return self.begin(partial(self._repeat_stops, station_id))

    async def take_up(self, station_id: StationId) -> None:
        """A station is back: ask again for what is pending, stop what is not paid for (ocpp-behaviour §5.1, §5.5)."""
        waiting = await self._to_take_up.find(station_id)
        if waiting is None:
            return
        for transaction_id in waiting.unpaid:
            self.stop_unpaid(station_id, transaction_id)
        for session_id in waiting.to_begin:
            self._start_again(session_id)

    def _start_again(self, session_id: SessionId) -> None:
        """Ask in a new conversation: one that goes on may be asking where the station is no more."""
        going_on = self._starting.get(session_id)
        if going_on is None:
            self.start(session_id)
            return

        async def when_it_is_over(_: Conversation) -> None:
            await going_on.done.wait()
            if going_on.result is None or going_on.result.outcome in (Outcome.OFFLINE, Outcome.TIMED_OUT):
                self.start(session_id)

        self.begin(when_it_is_over)

    def _join(
        self,
        going_on: dict[SessionId, Conversation],
        session_id: SessionId,
        ask: Callable[[SessionId, Conversation], Awaitable[None]],
    ) -> Conversation:
        """The session's conversation of this kind; a new one when the last is over."""
        last = going_on.get(session_id)
        if last is not None and not last.done.is_set():
            return last

        async def talk(conversation: Conversation) -> None:
            try:
                await ask(session_id, conversation)
            finally:
                del going_on[session_id]

        going_on[session_id] = self.begin(talk)
        return going_on[session_id]

    def begin(self, talk: Callable[[Conversation], Awaitable[None]]) -> Conversation:
        """Talk to a station, owned by the workers' nursery; a fault in it is logged and ends only itself."""
        conversation = Conversation()
        self._conversations.start_soon(self._guarded, talk, conversation)
        return conversation

    async def _guarded(self, talk: Callable[[Conversation], Awaitable[None]], conversation: Conversation) -> None:
        try:
            with contain(log, "a conversation with a charger failed; recovery will take it up from the rows"):
                await talk(conversation)
        finally:
            conversation.done.set()

    async def _ask_to_start(self, session_id: SessionId, conversation: Conversation) -> None:
        """Ask once; asked before, only after a while and without believing a refusal.

        A station that was asked may have begun although its answer never came, or we died over it: it then refuses the
        repeat, and its StartTransaction is on its way among all it has queued.
        """
        asked_before = False
        while (session := await self._pending(session_id)) is not None:
            if session.phase == "starting" and not asked_before:
                asked_before = True
                await trio.sleep(self._rules.start_repeat_s)
                continue
            if not self._link.is_connected(session.station_id):
                conversation.result = CommandResult(Outcome.OFFLINE)
                return
            if await self._claims_start(session_id) or asked_before:
                conversation.result = await self._send_start(session, believed=not asked_before)
                return

    async def _claims_start(self, session_id: SessionId) -> bool:
        """Claim the asking for this start; False when any process has claimed it before."""
        async with unit_of_work(self._pool) as uow:
            return await sessions.set_phase(
                uow.conn, session_id, "starting", before=("reserved",), at=self._clock.now()
            )

    async def _send_start(self, session: Session, *, believed: bool) -> CommandResult:
        limit = await self._limit_of(session)
        result = await self._link.remote_start(
            session.station_id, session.connector_id, session.id_tag, session.remote_start_id, limit
        )
        if result.outcome in (Outcome.REJECTED, Outcome.FAILED) and believed:
            await self._settler.release(
                session.id, status="error", cause="charger", reason=f"RemoteStart {result.outcome.value}"
            )
        return result

    async def _limit_of(self, session: Session) -> LimitDraw | None:
        """What it begins with; a fault there is logged, and it begins with what its station rests at."""
        limit = None
        if self._first_limit is not None:
            with contain(log, "a start goes out without a limit: session_id=%s", session.id):
                limit = await self._first_limit((session.station_id, session.connector_id), session.id)
        return limit

    async def _pending(self, session_id: SessionId) -> Session | None:
        """The session if it still waits for its station to begin."""
        session = await self._read(session_id)
        if session is None or session.is_final or session.record is not None or session.stop_requested_at is not None:
            return None
        return session

    async def _ask_to_stop(self, session_id: SessionId, conversation: Conversation, *, asked_before: bool) -> None:
        session = await self._read(session_id)
        if session is None or session.is_final:
            return
        cause = cause_of_request(session.stop_requested_by or RECOVERY)
        if session.record is None and await self._settler.release(
            session_id, status="stopped", cause=cause, reason=STOP_REASON
        ):
            return
        session = await self._read(session_id)
        if session is None or session.is_final or session.record is None:
            return
        if not session.record.stopped:
            transaction_id = session.record.wire_transaction_id
            conversation.result = await self._stop_and_wait(session, transaction_id, asked_before=asked_before)
        async with unit_of_work(self._pool) as uow:
            await sessions.end_session(
                uow.conn, session_id, cause=cause, reason=STOP_REASON, estimated=True, at=self._clock.now()
            )
        await self._settler.settle(session_id)

    async def _stop_and_wait(
        self, session: Session, transaction_id: WireTransactionId, *, asked_before: bool
    ) -> CommandResult | None:
        """Ask to stop, and wait `stop_wait_s` for the answer and the settlement that StopTransaction brings."""
        result: CommandResult | None = None

        def may_be_its_end(event: Event) -> bool:
            return isinstance(event, GapInEvents) or (
                isinstance(event, SessionSettled) and event.session_id == session.id
            )

        with self._bus.subscribe(may_be_its_end) as ends:
            # Before the wait: a slow database must not be why the station is never asked.
            await self._note_stop(session.station_id, transaction_id)
            with trio.move_on_after(self._rules.stop_wait_s):
                result = await self._link.remote_stop(session.station_id, transaction_id)
                if result.outcome is Outcome.ACCEPTED or (asked_before and result.outcome is Outcome.REJECTED):
                    async for _ in ends:
                        now = await self._read(session.id)
                        if now is None or now.is_final:
                            break
        return result

    async def _send_stop(
        self, station_id: StationId, transaction_id: WireTransactionId, conversation: Conversation
    ) -> None:
        await self._note_stop(station_id, transaction_id)
        conversation.result = await self._link.remote_stop(station_id, transaction_id)

    async def _repeat_stops(self, station_id: StationId | None, _: Conversation) -> None:
        now = self._clock.now()
        async with reading(self._pool) as conn:
            due = await stops.stops_due(conn, station_id, since=self._repeated_before(now), now=now)
        for each in due:
            # A station of another process is left to that one.
            if self._link.last_seen_at(each.station_id) is not None:
                self.begin(partial(self._send_stop_again, each))

    async def _send_stop_again(self, due: StopDue, conversation: Conversation) -> None:
        if not await self._claims_repeat(due.station_id, due.transaction_id):
            return
        log.warning(
            "%s and is asked to stop again: station=%s, connector=%d, transaction_id=%s, session_id=%s, register_wh=%d,"
            " asked_before=%d",
            "charges without a session" if due.unpaid else "did not stop",
            due.station_id,
            due.connector_id,
            due.transaction_id,
            due.session_id,
            due.meter_last_wh,
            due.stops_asked,
        )
        conversation.result = await self._link.remote_stop(due.station_id, due.transaction_id)

    async def _note_stop(self, station_id: StationId, transaction_id: WireTransactionId) -> None:
        """A person, or a limit, asks now, whenever it was asked before; repeats count from here."""
        if self._link.is_connected(station_id):
            async with unit_of_work(self._pool) as uow:
                await stops.note_asked(uow.conn, station_id, transaction_id, self._clock.now())

    async def _claims_repeat(self, station_id: StationId, transaction_id: WireTransactionId) -> bool:
        """Claim this asking; False when any process asked within `stop_repeat_s`, or the station is away."""
        if not self._link.is_connected(station_id):
            return False
        now = self._clock.now()
        async with unit_of_work(self._pool) as uow:
            return await stops.claim_repeat(
                uow.conn, station_id, transaction_id, since=self._repeated_before(now), now=now
            )

    def _repeated_before(self, now: datetime) -> datetime:
        return now - timedelta(seconds=self._rules.stop_repeat_s)

    async def _read(self, session_id: SessionId) -> Session | None:
        async with reading(self._pool) as conn:
            return await sessions.read_session(conn, session_id)

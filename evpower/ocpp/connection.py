"""One station's OCPP-J conversation, whatever its version: correlation, order, one CALL in flight (OCPP-J §4).

The reader task owns the connection. It awaits the handler of each incoming CALL before it reads on, so replies leave
after their commit and a station's messages keep their order; its end cancels everything else the station had running.
Handlers never wait for the station itself: what must ask it something runs as the follow-up, beside the reader.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

import trio
from websockets.frames import CloseCode

from evpower.clock import Clock, Ids
from evpower.identifiers import StationId
from evpower.network.spots.evses import EACH_ITS_OWN
from evpower.ocpp.habits.clocks import ClockOffset
from evpower.ocpp.report_parts import ReportParts
from evpower.ocpp.watch.frame_log import FrameLog, NoFrameLog
from evpower.ocpp.watch.oddities import Kind, Oddities
from evpower.ocpp.watch.traffic import Traffic
from evpower.ocpp.wire import frames
from evpower.ocpp.wire.outcome import Answered, CallFailed, CallOutcome, NoAnswer, Offline
from evpower.ocpp.wire.transport import SocketClosed, StationSocket

if TYPE_CHECKING:  # a connection carries its dialect, and a dialect speaks on connections
    from evpower.ocpp.dialect import Dialect

log = logging.getLogger("OCPP")

#: From the frame of a CALL to the frame that answers it.
Answer = Callable[[frames.Call], Awaitable[bytes]]
Registration = Literal["Accepted", "Pending", "Rejected"]


class _PendingCall:
    """A CALL of ours on the wire. It holds its turn until answered or overdue, even when its caller has left."""

    def __init__(self, message_id: str, action: str, deadline: float) -> None:
        self.message_id = message_id
        self.action = action
        self.deadline = deadline
        self.done = trio.Event()
        self.outcome: CallOutcome = NoAnswer()

    def end(self, outcome: CallOutcome) -> None:
        self.outcome = outcome
        self.done.set()


class StationConnection:
    """A live station."""

    def __init__(
        self,
        station_id: StationId,
        socket: StationSocket,
        dialect: Dialect,
        *,
        clock: Clock,
        ids: Ids,
        command_timeout_s: float,
        silent_after_s: float,
        on_return: Callable[[], None],
        traffic: Traffic,
        frame_log: FrameLog | None = None,
        address: str = "",
        profile: int = 0,
    ) -> None:
        """`on_return` is called when the station speaks again after more than `silent_after_s`."""
        self.station_id = station_id
        self.dialect = dialect
        #: Where its socket comes from; empty when that is not known.
        self.address = address
        #: OCPP's security profile, on which it was admitted; 0 is without any.
        self.profile = profile
        self._socket = socket
        self._clock = clock
        self._ids = ids
        self._command_timeout_s = command_timeout_s
        self._silent_after = timedelta(seconds=silent_after_s)
        self._on_return = on_return
        self.calls = traffic.calls_in(dialect.version)
        self.frame_log = frame_log or NoFrameLog()
        self.connected_at = self.last_seen_at = clock.now()
        #: OCPP's registration status; a station that merely reconnects is accepted (duty 6, 16).
        self.registration: Registration = "Accepted"
        #: Set by the station's CALLs, which `words` counts: some stations reset when they are asked something before
        #: their first one (field ruling 5.2).
        self.spoken = trio.Event()
        self.words = 0
        #: When our first CALL was sent, by trio's clock.
        self.first_asked_at: float | None = None
        #: Set when the charger has finished booting and been configured: it may be sent commands (duty 18).
        self.ready = trio.Event()
        #: Set when it is written that the station's socket is this one.
        self.presence_written = False
        self.oddities = Oddities(station_id, traffic.leniencies_of(station_id))
        #: Reports that somebody waits for.
        self.report_parts = ReportParts()
        self.clock_offset = ClockOffset()
        #: Where its connectors are.
        self.evses = EACH_ITS_OWN
        self._turn = trio.StrictFIFOLock()
        self._pending: _PendingCall | None = None
        self._busy = False
        self._leaving: tuple[int, str] | None = None
        #: The WebSocket close code that its socket ended with, once `run` is over; a fault of ours ends it too.
        self.close_code: int = CloseCode.INTERNAL_ERROR
        self._ended = False

    async def run(self, answer: Answer, follow_up: Callable[[], Awaitable[None]]) -> None:
        """Serve the station until its socket ends or `leave` is called; the caller closes the socket.

        An exception of the handler or the follow-up ends the connection and goes to the caller.
        """
        try:
            with self._socket.alive:
                async with trio.open_nursery() as station:
                    station.start_soon(follow_up, name=f"follow-up {self.station_id}")
                    await self._read(answer)
                    station.cancel_scope.cancel()
        finally:
            self._ended = True
            self.ready.set()  # do not let callers wait for a station that left
            self.report_parts.end()
            if self._pending is not None:
                self._pending.end(Offline())
        end = self._socket.closed or SocketClosed(*self.close_with)
        self.close_code = end.code
        self._say_how_it_ended(end)

    def _say_how_it_ended(self, end: SocketClosed) -> None:
        """A station sends what was too large again, first of its queue: an operator must raise the limit."""
        if end.was_too_large:
            self.oddities.by_kind[Kind.TOO_LARGE] += 1
            line = "station=%s: socket ended: %s: it cannot deliver what it has queued (ocpp.max_frame_bytes)"
            log.warning(line, self.station_id, end)
        else:
            log.info("station=%s: socket ended: %s", self.station_id, end)

    async def speaks_again(self) -> None:
        """Wait for its next CALL."""
        self.spoken = trio.Event()
        await self.spoken.wait()

    def leave(self, code: int, reason: str) -> None:
        """End the connection as soon as the CALL being handled, if any, has been answered."""
        self._leaving = (code, reason)
        if not self._busy:
            self._socket.alive.cancel()

    @property
    def close_with(self) -> tuple[int, str]:
        """The close code and reason for the socket, once `run` is over."""
        return self._leaving or (1000, "")

    async def call(self, action: str, payload: bytes) -> CallOutcome:
        """Send a CALL and wait for its end; calls wait their turn. `payload` is a JSON object.

        At most the command time-out after it was sent; the caller bounds the whole with `fail_after`. A caller that
        leaves early does not free the turn: the station still owes its answer (OCPP-J §4.1.1).
        """
        async with self._turn:
            if self._pending is not None:
                with trio.move_on_at(self._pending.deadline):
                    await self._pending.done.wait()
            if self._ended:
                return Offline()
            self.first_asked_at = trio.current_time() if self.first_asked_at is None else self.first_asked_at
            deadline = trio.current_time() + self._command_timeout_s
            self._pending = pending = _PendingCall(self._ids.new(), action, deadline)
            self._socket.post(self._noted(frames.call(pending.message_id, action, payload)))
            self.calls.call_sent(action)
            with trio.move_on_at(deadline):
                await pending.done.wait()
            self._pending = None
            self.calls.call_ended(action, pending.outcome)
            if isinstance(pending.outcome, NoAnswer):
                log.warning("station=%s: no answer to %s", self.station_id, action)
            return pending.outcome

    async def _read(self, answer: Answer) -> None:
        socket, clock = self._socket, self._clock
        try:
            while self._leaving is None:
                text = await socket.receive()
                before, now = self.last_seen_at, clock.now()
                self.last_seen_at = now
                if now - before > self._silent_after:
                    self._on_return()
                self.frame_log.note(self.station_id, "in", text, now)
                message = frames.parse(text)
                if isinstance(message, frames.Call):
                    self.words += 1
                    self.spoken.set()
                    self._busy = True
                    await socket.send(self._noted(await answer(message)))
                    self._busy = False
                else:
                    await self._take(message)
        except SocketClosed:
            pass  # `run` says how it ended

    async def _take(
        self, message: frames.CallResult | frames.CallError | frames.Malformed | frames.UnknownType
    ) -> None:
        match message:
            case frames.CallResult():
                self._resolve(message.message_id, Answered(bytes(message.payload)))
            case frames.CallError():
                outcome = CallFailed(message.code, message.description, bytes(message.details))
                self._resolve(message.message_id, outcome)
            case frames.UnknownType():
                self.oddities.note(Kind.MESSAGE_TYPE, f"message type {message.type_id}, ignored")
                if (unknown := self.dialect.unknown_type_code) is not None and message.message_id is not None:
                    self.calls.errors_sent[unknown] += 1
                    await self._socket.send(self._noted(frames.call_error(message.message_id, unknown)))
            case frames.Malformed(problem=problem, message_id=str() | int() as message_id):
                self.oddities.note(Kind.MALFORMED, f"malformed CALL ({problem})")
                await self._refuse_malformed(message_id, problem)
            case frames.Malformed(problem=problem):
                self.oddities.note(Kind.MALFORMED, f"unreadable message ({problem})")
                if (unreadable := self.dialect.unreadable_id) is not None and not message.is_answer:
                    await self._refuse_malformed(unreadable, problem)

    async def _refuse_malformed(self, message_id: str | int, problem: str) -> None:
        code = self.dialect.malformed_code
        self.calls.errors_sent[code] += 1
        await self._socket.send(self._noted(frames.call_error(message_id, code, problem)))

    def _noted(self, frame: bytes) -> bytes:
        """The frame, which is about to be sent."""
        self.frame_log.note(self.station_id, "out", frame, self._clock.now())
        return frame

    def _resolve(self, message_id: str | int, outcome: CallOutcome) -> None:
        """Only the CALL in flight can be answered; anything late or unknown is dropped (duty 10)."""
        pending = self._pending
        if pending is None or pending.message_id != message_id or pending.done.is_set():
            self.oddities.note(Kind.STRAY_ANSWER, "an answer that is late, unknown or repeated, dropped")
        else:
            pending.end(outcome)

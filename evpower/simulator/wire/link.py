"""One WebSocket to the central system: who answers what, one open CALL in each direction (OCPP-J 4.1.1)."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Protocol

import trio

from evpower.clock import Clock
from evpower.simulator.wire.ocpp import (
    Call,
    CallError,
    CallRefused,
    CallResult,
    Frame,
    MalformedFrame,
    Payload,
    decode,
    encode,
)
from evpower.simulator.wire.trace import Trace

ABANDONED_IDS_KEPT = 64
AnswerCall = Callable[["Link", Call], Awaitable[None]]


class LinkSocket(Protocol):
    """The two calls of a trio-websocket connection that a link needs; both raise ConnectionClosed."""

    async def send_message(self, message: str | bytes, /) -> None: ...

    async def get_message(self) -> str | bytes: ...


class Speaker(Protocol):
    """What says things for a station: a link, or what puts them into the words of another version first."""

    async def call(self, action: str, payload: Payload, /) -> Payload:
        """Ask and wait for the answer. Raises CallRefused; the caller sets the time-out."""
        ...


class Link:
    """Correlates CALLs with their answers over one socket. `read` must be running for `call` to return."""

    def __init__(
        self, socket: LinkSocket, *, clock: Clock, random: random.Random, trace: Trace, answer: AnswerCall
    ) -> None:
        self._socket = socket
        self._clock = clock
        self._random = random
        self._trace = trace
        self._answer = answer
        self._turn = trio.Lock()
        self._open: dict[str, trio.MemorySendChannel[CallResult | CallError]] = {}
        self._abandoned: deque[str] = deque(maxlen=ABANDONED_IDS_KEPT)

    async def call(self, action: str, payload: Payload) -> Payload:
        """Ask and wait for the answer. Raises CallRefused; the caller sets the time-out.

        A cancelled call may have been done by the peer; its late answer is dropped.
        """
        async with self._turn:
            call = Call(f"{self._random.getrandbits(128):032x}", action, payload)
            give, take = trio.open_memory_channel[CallResult | CallError](1)
            self._open[call.message_id] = give
            try:
                await self.send(call)
                answer = await take.receive()
            finally:
                if self._open.pop(call.message_id, None) is not None:
                    self._abandoned.append(call.message_id)
        if isinstance(answer, CallError):
            raise CallRefused(answer.code, answer.description)
        return answer.payload

    async def send(self, frame: Frame) -> None:
        """Put one frame on the wire."""
        self._trace.record(self._clock.now(), "sent", frame)
        await self._socket.send_message(encode(frame))

    async def read(self) -> None:
        """Take in frames until the socket closes, which ends it by ConnectionClosed."""
        while True:
            text = await self._socket.get_message()
            try:
                frame = decode(text)
            except MalformedFrame as error:
                self._trace.complain(str(error))
                continue
            self._trace.record(self._clock.now(), "received", frame)
            if isinstance(frame, Call):
                await self._answer(self, frame)
            else:
                self._settle(frame)

    def _settle(self, frame: CallResult | CallError) -> None:
        waiting = self._open.pop(frame.message_id, None)
        if waiting is not None:
            waiting.send_nowait(frame)
        elif frame.message_id not in self._abandoned:
            self._trace.complain(f"an answer to no question: {frame.message_id}")

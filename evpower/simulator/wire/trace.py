"""What one station sent and received, newest last, and what it found wrong with its peer.

Tests read it, `evpower simulate` prints it. Bounded, because benchmarks run for hours.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import trio

from evpower.simulator.wire.ocpp import Call, CallError, CallResult, Frame, Payload

FrameDirection = Literal["sent", "received"]


@dataclass(frozen=True, slots=True)
class Traced:
    """One frame that crossed the wire, by the station's clock."""

    at: datetime
    direction: FrameDirection
    frame: Frame


TraceListener = Callable[[Traced | str], None]


class Trace:
    """The last `limit` frames and complaints, and a way to wait for the next.

    `listener` is called with each frame, and with a sentence for what is no frame: a lost line, a complaint.
    """

    def __init__(self, limit: int, listener: TraceListener | None = None) -> None:
        self._frames: deque[Traced] = deque(maxlen=limit)
        self._listener = listener
        self._changed = trio.Event()
        self.complaints: deque[str] = deque(maxlen=limit)

    def __iter__(self) -> Iterator[Traced]:
        return iter(tuple(self._frames))

    def __len__(self) -> int:
        return len(self._frames)

    def record(self, at: datetime, direction: FrameDirection, frame: Frame) -> None:
        """Remember a frame and wake the tasks that wait for it."""
        traced = Traced(at, direction, frame)
        self._frames.append(traced)
        if self._listener is not None:
            self._listener(traced)
        self.wake()

    def complain(self, about: str) -> None:
        """Note something the peer should not have done."""
        self.complaints.append(about)
        self.note(f"complains: {about}")
        self.wake()

    def note(self, text: str) -> None:
        """Pass the listener a line that is not a frame."""
        if self._listener is not None:
            self._listener(text)

    def wake(self) -> None:
        """Let waiters look again: something about the station changed."""
        self._changed.set()
        self._changed = trio.Event()

    async def wait_until(self, condition: Callable[[], bool]) -> None:
        """Return when `condition` holds; it is looked at again after every change. Callers set the time-out."""
        while not condition():
            await self._changed.wait()

    def calls(self, direction: FrameDirection, action: str | None = None) -> list[Payload]:
        """Payloads of the CALLs in one direction, oldest first, of one action or of all."""
        return [
            entry.frame.payload
            for entry in self._frames
            if entry.direction == direction and isinstance(entry.frame, Call) and action in (None, entry.frame.action)
        ]

    def sent(self, action: str | None = None) -> list[Payload]:
        """Payloads of the CALLs this station sent."""
        return self.calls("sent", action)

    def received(self, action: str | None = None) -> list[Payload]:
        """Payloads of the CALLs this station got."""
        return self.calls("received", action)

    def sent_actions(self) -> list[str]:
        """The actions of the CALLs this station sent, oldest first."""
        return [
            entry.frame.action for entry in self._frames if entry.direction == "sent" and isinstance(entry.frame, Call)
        ]


def describe(traced: Traced | str) -> str:
    """One line for people."""
    if isinstance(traced, str):
        return traced
    arrow = "→" if traced.direction == "sent" else "←"
    match traced.frame:
        case Call(_, action, payload):
            return f"{arrow} {action} {dict(payload)}"
        case CallResult(_, payload):
            return f"{arrow} result {dict(payload)}"
        case CallError(_, code, description, _):
            return f"{arrow} error {code} {description}"

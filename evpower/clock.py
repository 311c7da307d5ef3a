"""Time and identifiers as parameters, so that a simulation can replay a seed (design §5).

The application takes a `Clock` and `Ids`; nothing below `app.py` reads the wall clock or makes a random id itself.
"""

from __future__ import annotations

import logging
import secrets
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from typing import NamedTuple, Protocol, TypeAlias
from zoneinfo import ZoneInfo

log = logging.getLogger("evpower")

#: That many bytes.
RandomBytes: TypeAlias = Callable[[int], bytes]


class Clock(Protocol):
    """Where the application reads the time of day."""

    def now(self) -> datetime:
        """The present moment, aware, in UTC."""
        ...


def midnight(now: datetime, timezone: ZoneInfo) -> datetime:
    """When the present day began in a time zone, in UTC."""
    today = now.astimezone(timezone).date()
    return datetime.combine(today, time(), timezone).astimezone(UTC)


class Ids(Protocol):
    """Where new identifiers come from."""

    def new(self) -> str:
        """A new session id (UUID text)."""
        ...

    def new_id_tag(self) -> str:
        """An OCPP id tag of 16 characters for a start without a phone number (contract/ocpp-behaviour §5.1)."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


#: Seconds of a clock that never jumps, counted from anywhere.
SteadySeconds: TypeAlias = Callable[[], float]

#: The wall clock against the steady one between two looks; a correction by a time server stays far below.
JUMP_S = 60.0
#: After a jump, for a person to see it: which of the two times is the true one, no program knows.
HELD_S = 600.0
#: Jumps remembered: rows from before older ones are dated as the oldest one remembered left them.
JUMPS_MOST = 32


class _Mark(NamedTuple):
    """One moment on both clocks."""

    steady_s: float
    wall: datetime


class ClockWatch:
    """Compares the wall clock with one that never jumps, so that no time limit runs out by a jump.

    Rows bear wall time. `since` measures how long ago a row was written all the same, and `holds` says that time limits
    must act on nothing at present. Without a steady clock there is nothing to compare, and the wall clock is believed.
    """

    def __init__(self, clock: Clock, steady: SteadySeconds | None = None) -> None:
        self._clock = clock
        self._steady: SteadySeconds = steady or (lambda: clock.now().timestamp())
        self.jumps = 0
        self.last_jump_s = 0.0
        self._jumped_at_s: float | None = None
        self._seen = _Mark(self._steady(), clock.now())
        #: For each time without a jump its begin and its end; the present one has no end.
        self._ended: list[tuple[_Mark, _Mark]] = []
        self._began = self._seen

    def look(self) -> datetime:
        """The wall clock's time; a jump since the last look is noticed. Look often: a slow change is none."""
        mark = _Mark(self._steady(), self._clock.now())
        off_s = (mark.wall - self._seen.wall).total_seconds() - (mark.steady_s - self._seen.steady_s)
        if abs(off_s) > JUMP_S:
            self._note_jump(mark, off_s)
        self._seen = mark
        return mark.wall

    @property
    def holds(self) -> bool:
        """Whether the clock jumped a moment ago, so that no time limit may act."""
        self.look()
        return self._jumped_at_s is not None and self._steady() - self._jumped_at_s < HELD_S

    def since(self, at: datetime) -> timedelta:
        """How long ago a row of this time was written, whatever the wall clock did since; never negative."""
        passed, now = timedelta(0), self.look()
        begun, end = self._began, now
        for earlier in reversed(self._ended):
            if begun.wall <= at <= end:
                break
            passed += end - begun.wall
            begun, end = earlier[0], earlier[1].wall
        return max(passed + max(end - at, timedelta(0)), timedelta(0))

    def redated(self, at: datetime) -> datetime:
        """The time of a row as the clock of today would have written it."""
        return self.look() - self.since(at)

    def before(self, seconds: float) -> datetime:
        """Rows of an earlier time are older than `seconds`: none passes for older by a jump."""
        now = self.look()
        earlier_s = sum(
            max(0.0, (begins.wall - ended.wall).total_seconds())
            for ended, begins in self._gaps()
            if self._steady() - begins.steady_s < seconds
        )
        return now - timedelta(seconds=seconds + earlier_s)

    def _gaps(self) -> list[tuple[_Mark, _Mark]]:
        """The last moment before each jump, and the first one behind it."""
        spans = [*self._ended, (self._began, self._seen)]
        return [(span[1], following[0]) for span, following in pairwise(spans)]

    def _note_jump(self, mark: _Mark, off_s: float) -> None:
        self.jumps += 1
        self.last_jump_s, self._jumped_at_s = off_s, mark.steady_s
        # The wall clock stood there when the jump was seen, as far as it was right before.
        stood = self._seen.wall + timedelta(seconds=mark.steady_s - self._seen.steady_s)
        self._ended = [*self._ended, (self._began, _Mark(mark.steady_s, stood))][-JUMPS_MOST:]
        self._began = mark
        log.error(
            "the wall clock jumped by %+.0f s, to %s: time limits act on nothing for %d minutes",
            off_s,
            f"{mark.wall:%Y-%m-%d %H:%M:%S}",
            HELD_S // 60,
        )


class RandomIds:
    """Identifiers that cannot be guessed."""

    def new(self) -> str:
        return str(uuid.uuid4())

    def new_id_tag(self) -> str:
        return "EV" + secrets.token_hex(7).upper()


def random_bytes(size: int) -> bytes:
    """Bytes that cannot be guessed."""
    return secrets.token_bytes(size)

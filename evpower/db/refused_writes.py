"""What PostgreSQL last refused to write although it answers: the disk is full, the disk is broken, a standby.

Reading goes on then, so a server that only reads looks well.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import TracebackType

import psycopg
import trio

#: Insufficient resources, system errors, and a database that is read-only; not conflicts, nor faults of a statement.
CLASSES = ("53", "58")
READ_ONLY = "25006"
#: A refusal is news for so long; where one is, the next one comes within seconds.
NEWS_FOR_S = 60.0
OURS = "evpower."
#: Where a write passes through, whosever it is.
BETWEEN = ("evpower.db.", "evpower.worker")


@dataclass(frozen=True)
class RefusedWrite:
    """The last one."""

    #: The room whose rows they were: `metering`.
    room: str
    #: PostgreSQL's own name of the reason: `DiskFull`.
    reason: str
    #: By trio's clock.
    at_s: float


class RefusedWrites:
    """Kept by the pool, noted by each unit of work."""

    def __init__(self) -> None:
        self._last: RefusedWrite | None = None

    @property
    def last(self) -> RefusedWrite | None:
        """The last one, while it is news."""
        last = self._last
        return None if last is None or trio.current_time() - last.at_s > NEWS_FOR_S else last

    def note(self, error: BaseException) -> None:
        """A unit of work failed; whether it is a refusal of its write is found out here."""
        if isinstance(error, psycopg.Error) and _is_refusal(error.sqlstate or ""):
            room = _room_of(error.__traceback__)
            self._last = RefusedWrite(room, type(error).__name__, trio.current_time())


def _is_refusal(sqlstate: str) -> bool:
    return sqlstate == READ_ONLY or sqlstate.startswith(CLASSES)


def _room_of(traceback: TracebackType | None) -> str:
    """The innermost room of ours that the error passed; the driver and what lies between are none."""
    room = "db"
    while traceback is not None:
        name = str(traceback.tb_frame.f_globals.get("__name__", ""))
        if name.startswith(OURS) and not name.startswith(BETWEEN):
            room = name.split(".")[1]
        traceback = traceback.tb_next
    return room

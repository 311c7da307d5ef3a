"""What a check of the ledger found (design §5), and which night's check is due."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

#: When the nightly check is due, in the operator's time zone: few charge, and the day is over.
NIGHTLY_AT = time(3, 30)


@dataclass(frozen=True)
class LedgerCheck:
    """How many entries there are, and rows that contradict each other by the invariant that they break.

    A broken invariant names at most 20 rows, each with the columns that show it.
    """

    entries: int
    problems: Mapping[str, Sequence[Mapping[str, object]]]

    @property
    def ok(self) -> bool:
        return not self.problems


@dataclass(frozen=True)
class LedgerCheckRecord:
    """A check that was finished: of a night, or None when a person asked; how many rows break which invariant."""

    night: date | None
    ended_at: datetime
    entries: int
    problems: Mapping[str, int]

    @property
    def broken_rows(self) -> int:
        """All of them; of each invariant 20 are counted at most."""
        return sum(self.problems.values())


def due_night(now: datetime, zone: ZoneInfo) -> date:
    """The night whose check is the last one due: that of today from 03:30 on, before that yesterday's."""
    local = now.astimezone(zone)
    return local.date() if local.time() >= NIGHTLY_AT else local.date() - timedelta(days=1)

"""Stations whose clock is wrong by the last time that they stamped (duty 26): far ahead of ours, or never set.

A time that is merely late says nothing: reports wait in queues. Memory of this process.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from evpower.identifiers import StationId

#: Clocks differ by less. A time long past may be that of a report from a queue, unless it is older than OCPP 1.6.
CLOCK_AHEAD = timedelta(hours=1)
CLOCK_NEVER_SET = datetime(2015, 1, 1, tzinfo=UTC)


#: Two stamps that differ by less are of messages that did not wait; a clock that is off by less is right.
CLOCK_ALIKE = timedelta(seconds=60)
STAMPS_KEPT = 10


@dataclass(frozen=True)
class WrongStationClock:
    """Since when it is wrong, and what it showed then."""

    since: datetime
    showed: datetime


class StationClocks:
    """Which are wrong."""

    def __init__(self) -> None:
        self._wrong: dict[StationId, WrongStationClock] = {}

    @property
    def wrong(self) -> Mapping[StationId, WrongStationClock]:
        """By station; one that stamped a time that can be is gone from here."""
        return self._wrong

    def showed(self, station_id: StationId, stamped: datetime, heard_at: datetime) -> str | None:
        """It stamped this time, and we heard it then. What is wrong with it, None: nothing."""
        oddity = None
        if stamped - heard_at > CLOCK_AHEAD:
            oddity = "its clock is ahead"
        elif stamped < CLOCK_NEVER_SET:
            oddity = "its clock was never set"
        if oddity is None:
            self._wrong.pop(station_id, None)
        else:
            self._wrong.setdefault(station_id, WrongStationClock(heard_at, stamped))
        return oddity


class ClockOffset:
    """How far a station's clock is ahead of ours, by its last stamps on one socket (duty 26).

    What waited in a queue is stamped long ago, so the latest ones count, and behind ours it is only where two agree.
    """

    def __init__(self) -> None:
        self._ahead: deque[timedelta] = deque(maxlen=STAMPS_KEPT)

    def heard(self, stamped: datetime, heard_at: datetime) -> None:
        self._ahead.append(stamped - heard_at)

    def by_its_clock(self, at: datetime) -> datetime:
        """A moment of ours as the station's clock shows it; itself while that is right, or not known."""
        newest = sorted(self._ahead)[-2:]
        if not newest or abs(newest[-1]) <= CLOCK_ALIKE:
            return at
        if newest[-1] < timedelta(0) and (len(newest) == 1 or newest[-1] - newest[0] > CLOCK_ALIKE):
            return at
        return at + newest[-1]

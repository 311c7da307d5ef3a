"""Stations whose clock is wrong by the last time that they stamped (duty 26): far ahead of ours, or never set.

A time that is merely late says nothing: reports wait in queues. Memory of this process.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from evpower.identifiers import StationId

#: Clocks differ by less. A time long past may be that of a report from a queue, unless it is older than OCPP 1.6.
CLOCK_AHEAD = timedelta(hours=1)
CLOCK_NEVER_SET = datetime(2015, 1, 1, tzinfo=UTC)


#: A clock that is off by no more is right.
CLOCK_SLACK = timedelta(seconds=60)
STAMPS_KEPT = 10
#: So many stamps that are late by the same, within seconds, did not wait in a queue.
LATE_ALIKE, LATE_WITHIN = 3, timedelta(seconds=5)


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

    What waited in a queue is stamped long ago, so the latest ones count, and behind ours it is only where some agree.
    Behind is harmless all the same: what a station ends too late, we have ended before.
    """

    def __init__(self) -> None:
        # No deque: an empty one takes 700 bytes, of each station.
        self._ahead: tuple[timedelta, ...] = ()

    def heard(self, stamped: datetime, heard_at: datetime) -> None:
        self._keep(stamped - heard_at)

    def heard_at_least(self, stamped: datetime, heard_at: datetime) -> None:
        """The same of a time that may be any moment of the past."""
        self._keep(max(stamped - heard_at, timedelta(0)))

    def by_its_clock(self, at: datetime) -> datetime:
        """A moment of ours as the station's clock shows it; itself while that is right, or not known."""
        latest = sorted(self._ahead, reverse=True)[:LATE_ALIKE]
        if not latest or abs(latest[0]) <= CLOCK_SLACK:
            return at
        is_behind = latest[0] < timedelta(0)
        if is_behind and (len(latest) < LATE_ALIKE or latest[0] - latest[-1] > LATE_WITHIN):
            return at
        return at + latest[0]

    def _keep(self, ahead: timedelta) -> None:
        self._ahead = (*self._ahead[1 - STAMPS_KEPT :], ahead)

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

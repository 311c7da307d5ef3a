"""A station's outages and uptime, and the network hour by hour. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from evpower.identifiers import StationId

#: Its socket had closed; the socket was open and nothing came; it came back by a boot.
OutageCause = Literal["socket", "silence", "boot"]


@dataclass(frozen=True)
class Outage:
    """A time in which a station was not heard of; `ended_at` None: it still is not."""

    began_at: datetime
    ended_at: datetime | None
    cause: OutageCause
    #: The WebSocket close code that the station's socket ended with; None: it did not, or its process had ended.
    close_code: int | None = None

    def lasted(self, since: datetime, until: datetime) -> timedelta:
        """The part of it between two moments."""
        ended_at = until if self.ended_at is None else min(self.ended_at, until)
        return max(ended_at - max(self.began_at, since), timedelta())


@dataclass(frozen=True)
class DayUptime:
    """A day of `billing.timezone`; `uptime` 0 to 1 of the part of it that the station was known and that is over."""

    day: date
    uptime: float


@dataclass(frozen=True)
class SeenAvailability:
    """A station's last days, the oldest first; None: it was never heard of. Outages the newest first."""

    station_id: StationId
    uptime: float | None
    days: tuple[DayUptime, ...]
    outages: tuple[Outage, ...]


@dataclass(frozen=True)
class NetworkHour:
    """An hour of the network: `uptime` 0 to 1 of its active stations; starts asked, and those that reached charging."""

    hour: datetime
    uptime: float | None
    asked: int
    reached: int
    charges: int
    energy_wh: int
    revenue_tyiyn: int
    topped_up_tyiyn: int


def uptime(outages: Iterable[Outage], since: datetime, until: datetime) -> float | None:
    """The share of a time in which the station was heard of; None of no time."""
    if until <= since:
        return None
    away = sum((each.lasted(since, until) for each in outages), timedelta())
    return max(0.0, 1 - away / (until - since))


def by_day(outages: Sequence[Outage], since: datetime, now: datetime, zone: ZoneInfo) -> tuple[DayUptime, ...]:
    """Each day from `since` to now."""
    days = list[DayUptime]()
    begins = since
    while begins < now:
        local = begins.astimezone(zone)
        ends = datetime.combine(local.date() + timedelta(days=1), datetime.min.time(), zone)
        share = uptime(outages, begins, min(ends, now))
        if share is not None:
            days.append(DayUptime(local.date(), share))
        begins = ends
    return tuple(days)

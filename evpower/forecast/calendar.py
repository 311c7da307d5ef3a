"""Which cell of the week a moment belongs to (roadmap/forecast-navigation §2). Pure.

A holiday is a Sunday, whatever its weekday: so the 168 cells are enough for both day kinds.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

SUNDAY = 6
CELLS = 7 * 24
HOUR = timedelta(hours=1)
#: The weekdays of each kind of day: workdays, and the others.
KINDS = (range(5), range(5, 7))


@dataclass(frozen=True)
class Calendar:
    """A time zone and its holidays: MM-DD each year, or YYYY-MM-DD."""

    zone: ZoneInfo
    holidays: frozenset[str] = frozenset()

    def day(self, at: datetime) -> date:
        """The local day."""
        return at.astimezone(self.zone).date()

    def weekday(self, day: date) -> int:
        """Monday is 0; a holiday is a Sunday."""
        return SUNDAY if {day.isoformat(), f"{day:%m-%d}"} & self.holidays else day.weekday()

    def cell(self, at: datetime) -> int:
        """The hour of the week, 0 to 167."""
        local = at.astimezone(self.zone)
        return self.weekday(local.date()) * 24 + local.hour

    def hour(self, at: datetime) -> datetime:
        """When the local hour of this moment began."""
        local = at.astimezone(self.zone)
        return at - timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)

    def midnight(self, day: date) -> datetime:
        """When the local day begins."""
        return datetime.combine(day, time(), self.zone)


def kind_of(cell: int) -> tuple[int, ...]:
    """The cells of the same hour on all days of its kind."""
    weekday, hour = divmod(cell, 24)
    return tuple(day * 24 + hour for day in KINDS[weekday >= KINDS[1].start])


#: For each cell, all of its kind.
SAME_KIND = tuple(kind_of(cell) for cell in range(CELLS))

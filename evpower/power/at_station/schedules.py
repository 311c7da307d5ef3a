"""Limits at a station that are not ours: what a schedule, as OCPP writes it, allows at a moment.

Of both versions: a profile has one schedule (1.6 §7.8, §7.13) or several (2.0.1 §2.11, §2.12). Pure. What cannot be
read limits nothing here: the station itself obeys it all the same.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from evpower.power.site import VOLTS, Member, da_of_watts

_REPEATS = {"Daily": timedelta(days=1), "Weekly": timedelta(days=7)}


@dataclass(frozen=True)
class ForeignSchedule:
    """A limit by the time since its begin."""

    unit: str
    #: (seconds since the begin, limit in `unit`), in order.
    periods: tuple[tuple[float, float], ...]
    begins_at: datetime
    lasts: timedelta | None = None
    repeats: timedelta | None = None

    def limit(self, at: datetime) -> float | None:
        """What it allows at this moment; None: anything."""
        passed = at - self.begins_at
        if self.repeats is not None and passed >= timedelta(0):
            passed %= self.repeats
        if passed < timedelta(0) or (self.lasts is not None and passed >= self.lasts):
            return None
        return next((limit for start_s, limit in reversed(self.periods) if start_s <= passed.total_seconds()), None)

    @property
    def highest(self) -> float:
        """What it allows at any time."""
        return max(limit for _, limit in self.periods)


def read_schedules(written: object, since: datetime) -> Sequence[ForeignSchedule]:
    """Those of a profile, or a schedule by itself; one that names no begin began at `since`."""
    return list(_read(written, since))


def current_da(limit: float, unit: str, member: Member, volts: float | None) -> int:
    """A limit of a station as tenths of an ampere in each phase of the site, rounded down."""
    phases = len(member.phases)
    if member.is_dc:
        return da_of_watts(limit if unit == "W" else limit * (volts or VOLTS), phases)
    return da_of_watts(limit, phases) if unit == "W" else math.floor(limit * 10 + 1e-6)


def _read(written: object, since: datetime) -> Iterator[ForeignSchedule]:
    if not isinstance(written, Mapping):
        return
    within = written.get("chargingSchedule", written)
    until = _moment(written.get("validTo"))
    repeats = (
        _REPEATS.get(written.get("recurrencyKind", "")) if written.get("chargingProfileKind") == "Recurring" else None
    )
    for each in within if isinstance(within, list) else [within]:
        if isinstance(each, Mapping) and (periods := _periods(each)) and each.get("chargingRateUnit") in ("A", "W"):
            begins_at = _moment(each.get("startSchedule")) or since
            lasts = None if each.get("duration") is None else timedelta(seconds=float(each["duration"]))
            if until is not None and repeats is None:
                lasts = min(lasts or until - begins_at, until - begins_at)
            yield ForeignSchedule(each["chargingRateUnit"], periods, begins_at, lasts, repeats)


def _periods(schedule: Mapping[str, Any]) -> tuple[tuple[float, float], ...]:
    periods = schedule.get("chargingSchedulePeriod")
    if not isinstance(periods, list):
        return ()
    read = [
        (float(each["startPeriod"]), float(each["limit"]))
        for each in periods
        if isinstance(each, Mapping) and _is_number(each.get("startPeriod")) and _is_number(each.get("limit"))
    ]
    return tuple(sorted(read))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _moment(text: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return moment if moment is None or moment.tzinfo else moment.replace(tzinfo=UTC)

"""Whether a location is open at a moment, by OCPI's Hours (2.3.0) as it is kept of it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo


def is_open(hours: Mapping[str, Any] | None, at: datetime, zone: ZoneInfo) -> bool:
    """Of a location whose hours nobody wrote, and of one with exceptions alone, it is."""
    if hours is None:
        return True
    if _is_within(hours.get("exceptional_openings", ()), at):
        return True
    if _is_within(hours.get("exceptional_closings", ()), at):
        return False
    regular = hours.get("regular_hours", ())
    if hours.get("twentyfourseven", True) or not regular:
        return True
    local = at.astimezone(zone)
    clock = f"{local:%H:%M}"
    return any(
        each["weekday"] == local.isoweekday() and each["period_begin"] <= clock < each["period_end"] for each in regular
    )


def _is_within(periods: Any, at: datetime) -> bool:
    return any(
        datetime.fromisoformat(each["period_begin"]) <= at < datetime.fromisoformat(each["period_end"])
        for each in periods
    )

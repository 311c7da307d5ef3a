"""Times on a terminal: the network's own time of day for people, one form in UTC for scripts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

#: A moment as the server writes it.
MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)")
_AGO = re.compile(r"([0-9]{1,6})([smhd])")
_UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def shown_moment(text: str, zone: tzinfo) -> str:
    """A moment for a person: `2026-11-23 12:00:15` by the clocks of the zone, with a `Z` in UTC."""
    at = datetime.fromisoformat(text).astimezone(zone)
    return f"{at:%Y-%m-%d %H:%M:%S}{'Z' if zone is UTC else ''}"


def with_moments(text: str, zone: tzinfo) -> str:
    """A text with every moment in it as a person reads it."""
    return MOMENT.sub(lambda found: shown_moment(found[0], zone), text)


def in_utc(data: Any) -> Any:
    """The data with every moment in one form: ISO 8601 in UTC, with microseconds and `Z`."""
    if isinstance(data, str) and MOMENT.fullmatch(data):
        return f"{datetime.fromisoformat(data).astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}Z"
    if isinstance(data, datetime):
        return f"{data.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}Z"
    if isinstance(data, Mapping):
        return {name: in_utc(value) for name, value in data.items()}
    if isinstance(data, list | tuple):
        return [in_utc(value) for value in data]
    return data


def moment_of(text: str, zone: tzinfo, now: datetime) -> datetime:
    """What a person wrote: `30s`, `10m`, `2h`, `3d` ago, a day, or a time; of the zone unless it names its own.

    Raises ValueError for anything else.
    """
    if ago := _AGO.fullmatch(text):
        return now - timedelta(seconds=int(ago[1]) * _UNITS_S[ago[2]])
    at = datetime.fromisoformat(text)
    return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)

"""When a location is open (OCPI Hours)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from evpower.navigation.hours import is_open

ZONE = ZoneInfo("Asia/Bishkek")
MONDAY = {"weekday": 1, "period_begin": "08:00", "period_end": "20:00"}
NIGHT = {"period_begin": "2026-11-23T16:00:00Z", "period_end": "2026-11-23T18:00:00Z"}
NOON = {"period_begin": "2026-11-23T06:00:00Z", "period_end": "2026-11-23T07:00:00Z"}
REGULAR: dict[str, Any] = {"twentyfourseven": False, "regular_hours": [MONDAY]}


@pytest.mark.parametrize(
    ("hours", "utc", "is_so"),
    [
        (None, "23 22:00", True),
        ({"twentyfourseven": True}, "23 22:00", True),
        ({"twentyfourseven": False}, "23 22:00", True),
        (REGULAR, "23 01:59", False),
        (REGULAR, "23 02:00", True),
        (REGULAR, "23 13:59", True),
        (REGULAR, "23 14:00", False),
        (REGULAR, "24 06:00", False),
        (REGULAR | {"exceptional_openings": [NIGHT]}, "23 17:59", True),
        (REGULAR | {"exceptional_openings": [NIGHT]}, "23 18:00", False),
        (REGULAR | {"exceptional_closings": [NOON]}, "23 06:30", False),
        (REGULAR | {"exceptional_closings": [NOON]}, "23 07:00", True),
        ({"twentyfourseven": True, "exceptional_closings": [NOON]}, "23 06:00", False),
    ],
)
def test_hours_are_of_the_weekday_there_and_exceptions_go_before(
    hours: dict[str, Any] | None, utc: str, is_so: bool
) -> None:
    at = datetime.strptime(f"2026-11-{utc}", "%Y-%m-%d %H:%M").replace(tzinfo=UTC)
    assert is_open(hours, at, ZONE) is is_so

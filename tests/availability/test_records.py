"""Uptime from outages (availability/records.py)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from evpower.availability.records import Outage, by_day, uptime

BISHKEK = ZoneInfo("Asia/Bishkek")
#: Midnight in Bishkek.
MIDNIGHT = datetime(2026, 11, 22, 18, tzinfo=UTC)


def at(hours: float) -> datetime:
    return MIDNIGHT + timedelta(hours=hours)


def test_without_an_outage_a_station_was_always_heard_of() -> None:
    assert uptime((), at(0), at(24)) == 1


@pytest.mark.parametrize(
    ("began", "ended", "share"),
    [(6, 12, 0.75), (-6, 6, 0.75), (18, 30, 0.75), (18, None, 0.75), (-6, None, 0), (-12, -6, 1), (30, 36, 1)],
)
def test_only_the_part_of_an_outage_within_the_time_counts(began: float, ended: float | None, share: float) -> None:
    outage = Outage(at(began), None if ended is None else at(ended), "silence")
    assert uptime((outage,), at(0), at(24)) == share


def test_of_no_time_there_is_no_uptime() -> None:
    assert uptime((), at(1), at(1)) is None


def test_days_are_those_of_the_time_zone_and_the_last_one_is_as_long_as_it_is_old() -> None:
    days = by_day((Outage(at(18), at(30), "socket"),), at(12), at(36), BISHKEK)
    assert [(each.day.day, each.uptime) for each in days] == [(23, 0.5), (24, 0.5)]

"""Small sites for tests: groups in amperes, outlets of one station, cars."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from evpower.identifiers import ConnectorId, StationId
from evpower.power.allocation import Wish, allocate
from evpower.power.site import ALL_PHASES, Group, GroupId, Member, OutletId, Site

BISHKEK = ZoneInfo("Asia/Bishkek")
NOW = datetime(2026, 1, 14, 6, 0, tzinfo=UTC)  # noon in Bishkek, a Wednesday
ROOT = GroupId(1)


def outlet(number: int) -> OutletId:
    return StationId("S"), ConnectorId(number)


def member(number: int, group: GroupId = ROOT, phases: tuple[int, ...] = ALL_PHASES, *, failsafe_da: int = 0) -> Member:
    return Member(outlet(number), group, phases, failsafe_da=failsafe_da)


def site(limit_a: float, *members: Member, groups: tuple[Group, ...] = ()) -> Site:
    return Site([Group(ROOT, None, round(limit_a * 10)), *groups], members, BISHKEK)


def shares(on: Site, *wishes: Wish, after: timedelta = timedelta()) -> list[float]:
    """What each gets, in amperes."""
    now = NOW + after
    granted = allocate(on, on.limits(now, now), wishes, now)
    return [granted[wish.member.outlet] / 10 for wish in wishes]

"""A site's groups, its grid connection at the root, and what each lets through (roadmap/smart-charging §1).

Currents are whole tenths of an ampere (`_da`), for each phase; a figure in kW is a current at 400 V between phases.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import cached_property
from typing import NewType
from zoneinfo import ZoneInfo

from evpower.identifiers import ConnectorId, StationId

GroupId = NewType("GroupId", int)
#: One conductor of a group: what a limit holds for. Phases are 1, 2 and 3.
Conductor = tuple[GroupId, int]
#: A connector of the network.
OutletId = tuple[StationId, ConnectorId]

VOLTS = 400
ALL_PHASES = (1, 2, 3)


def da_of_watts(power_w: float, phases: int) -> int:
    """The current for each of so many phases, rounded down."""
    return math.floor(power_w * 10 / (phases * VOLTS / math.sqrt(3)) + 1e-6)


def watts_of_da(current_da: int, phases: int) -> float:
    """The power of a current in each of so many phases."""
    return current_da / 10 * phases * VOLTS / math.sqrt(3)


@dataclass(frozen=True)
class LimitHours:
    """A limit by the clock: on these days (1 is Monday) from `since` until `until`, over midnight when that is less."""

    days: frozenset[int]
    since: time
    until: time
    limit_da: int

    def meets(self, since: datetime, until: datetime) -> bool:
        """Whether it holds at any moment between these two of one zone."""
        day = since.date() - timedelta(days=1)
        while day <= until.date():
            begins = datetime.combine(day, self.since, since.tzinfo)
            last = day if self.since < self.until else day + timedelta(days=1)
            ends = datetime.combine(last, self.until, since.tzinfo)
            if day.isoweekday() in self.days and begins <= until and since < ends:
                return True
            day += timedelta(days=1)
        return False


@dataclass(frozen=True)
class Group:
    """A fuse: what is below it may draw `limit_da` in each phase, less what is reserved for others."""

    id: GroupId
    parent_id: GroupId | None
    limit_da: int
    reserve_da: int = 0
    #: What each of its own members may draw when nobody grants anything.
    failsafe_da: int = 0
    #: A limit from outside (grid operator, solar, building meter), and until when it is valid.
    outside_da: int | None = None
    outside_until: datetime | None = None
    schedule: tuple[LimitHours, ...] = ()

    def least_da(self, since: datetime, until: datetime, zone: ZoneInfo) -> int:
        """The smallest of what holds between two moments: no grant of that time may be above it."""
        limits = [self.limit_da]
        if self.outside_da is not None and self.outside_until is not None and since < self.outside_until:
            limits.append(self.outside_da)
        if self.schedule:
            local = since.astimezone(zone), until.astimezone(zone)
            limits += [hours.limit_da for hours in self.schedule if hours.meets(*local)]
        return max(0, min(limits) - self.reserve_da)


@dataclass(frozen=True)
class Member:
    """A connector of a group."""

    outlet: OutletId
    group_id: GroupId
    #: The phases of the site that it loads, each with the same current.
    phases: tuple[int, ...] = ALL_PHASES
    #: Below this a car does not charge (IEC 61851: 6 A).
    min_da: int = 60
    #: What an operator lets it draw, and what it can.
    max_da: int = 320
    nameplate_da: int = 320
    failsafe_da: int = 0
    #: Direct current: commanded in kW.
    is_dc: bool = False

    @property
    def most_da(self) -> int:
        return min(self.max_da, self.nameplate_da)


class Site:
    """A tree of groups and the members at its leaves."""

    def __init__(self, groups: Iterable[Group], members: Iterable[Member], zone: ZoneInfo) -> None:
        self.groups: Mapping[GroupId, Group] = {group.id: group for group in groups}
        self.members: Mapping[OutletId, Member] = {member.outlet: member for member in members}
        self._zone = zone

    @cached_property
    def conductors(self) -> Mapping[OutletId, tuple[Conductor, ...]]:
        """Every conductor between a member and the grid."""
        return {
            outlet: tuple((group_id, phase) for group_id in self._path(member.group_id) for phase in member.phases)
            for outlet, member in self.members.items()
        }

    def limits(self, since: datetime, until: datetime) -> dict[Conductor, int]:
        """What each conductor lets through at every moment between the two."""
        least = {group.id: group.least_da(since, until, self._zone) for group in self.groups.values()}
        return {(group_id, phase): limit for group_id, limit in least.items() for phase in ALL_PHASES}

    def loads(self, draws: Mapping[OutletId, int]) -> dict[Conductor, int]:
        """What these members draw in sum, in each conductor above them."""
        loads: dict[Conductor, int] = {}
        for outlet, draw_da in draws.items():
            for conductor in self.conductors[outlet]:
                loads[conductor] = loads.get(conductor, 0) + draw_da
        return loads

    def _path(self, group_id: GroupId) -> Sequence[GroupId]:
        path: list[GroupId] = []
        above: GroupId | None = group_id
        while above is not None:
            path.append(above)
            above = self.groups[above].parent_id
        return path

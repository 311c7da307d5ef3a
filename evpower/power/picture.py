"""A site as an operator sees it: limit, granted, measured, and what each member does."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from evpower.identifiers import StationId
from evpower.power.planning import possible_loads
from evpower.power.possible_draw import MemberState
from evpower.power.site import GroupId, Member, OutletId, Site


@dataclass(frozen=True)
class GroupPicture:
    """A group; currents are those of its fullest phase, in tenths of an ampere."""

    id: GroupId
    name: str
    parent_id: GroupId | None
    limit_da: int
    granted_da: int
    #: What may flow at most.
    possible_da: int
    measured_da: int


@dataclass(frozen=True)
class MemberPicture:
    """A connector of the site."""

    member: Member
    wanted_da: int
    granted_da: int
    possible_da: int
    measured_da: int
    charges: bool
    is_online: bool
    obeys: bool
    #: Since when we hold it at nothing.
    paused_since: datetime | None


@dataclass(frozen=True)
class SitePicture:
    """Everything of a site at one moment."""

    root: GroupId
    at: datetime
    groups: tuple[GroupPicture, ...]
    members: tuple[MemberPicture, ...]

    def is_all_at(self, stations: Collection[StationId] | None) -> bool:
        """Whether every connector is at one of these stations (None: no bounds): what one of a site is granted is taken
        from the others, so that a part of it is nobody's."""
        return stations is None or (bool(self.members) and all(e.member.outlet[0] in stations for e in self.members))


def picture_of(
    root: GroupId, site: Site, names: Mapping[GroupId, str], states: Mapping[OutletId, MemberState], now: datetime
) -> SitePicture:
    """What the planner saw."""
    limits = site.limits(now, now)
    possible = possible_loads(site, states.values(), now, now)
    granted = site.loads({outlet: _granted_da(state, now) for outlet, state in states.items()})
    measured = site.loads({outlet: state.measured_da for outlet, state in states.items()})

    def fullest(loads: Mapping[tuple[GroupId, int], int], group_id: GroupId) -> int:
        return max((load for (of, _), load in loads.items() if of == group_id), default=0)

    groups = tuple(
        GroupPicture(
            group.id,
            names.get(group.id, ""),
            group.parent_id,
            min(limits[group.id, phase] for phase in (1, 2, 3)),
            fullest(granted, group.id),
            fullest(possible, group.id),
            fullest(measured, group.id),
        )
        for group in site.groups.values()
    )
    return SitePicture(root, now, groups, tuple(_member(states[outlet], now) for outlet in site.members))


def _granted_da(state: MemberState, now: datetime) -> int:
    held = state.commanded
    return held.current_da if held is not None and state.wish is not None and now < (held.ends_by or now) else 0


def _member(state: MemberState, now: datetime) -> MemberPicture:
    wish = state.wish
    return MemberPicture(
        state.member,
        0 if wish is None else wish.wanted_da,
        _granted_da(state, now),
        state.most_da(now, now),
        state.measured_da,
        wish is not None,
        state.is_online,
        not state.is_uncontrolled,
        None if wish is None or wish.wanted_da == 0 or _granted_da(state, now) else wish.waits_since,
    )

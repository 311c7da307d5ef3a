"""What to command next: lower at once, raise only into what nobody else may draw any more (roadmap/smart-charging §3).

Pure. A command is counted from the moment it is planned; its answer, or that none came, changes what is counted later.
Every grant is checked against all moments of its lease: what other members may draw then if no message reached anyone
again, and the smallest limit of that time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from evpower.power.allocation import Wish, allocate
from evpower.power.possible_draw import LEASE, LONG_LEASE, Grant, MemberState
from evpower.power.site import Conductor, OutletId, Site

RENEW_AFTER = timedelta(seconds=120)
#: Between two commands to one connector, unless the second lowers.
PACE = timedelta(seconds=10)
#: Less of a change is not sent by itself: 1 A.
LEAST_CHANGE_DA = 10
#: A command that was not answered by then is lost.
ANSWER_WITHIN = timedelta(seconds=30)
#: Until when a lease that is sent now may hold. Longer ones are below what their members rest at, and beyond that
#: nobody is above it without another command.
HORIZON = ANSWER_WITHIN + LEASE


@dataclass(frozen=True)
class Order:
    """A grant to be sent."""

    outlet: OutletId
    grant: Grant


def plan(site: Site, states: Mapping[OutletId, MemberState], now: datetime) -> list[Order]:
    """The commands that are due at this moment."""
    return Planner(site, states, now).orders()


def possible_loads(site: Site, states: Iterable[MemberState], now: datetime, until: datetime) -> dict[Conductor, int]:
    """What may flow in each conductor at most between the two."""
    return site.loads({state.member.outlet: state.most_da(now, until) for state in states})


class Planner:
    """One look at a site."""

    def __init__(self, site: Site, states: Mapping[OutletId, MemberState], now: datetime) -> None:
        self._site = site
        self._states = dict(states)
        self._now = now
        self._limits = site.limits(now, now + HORIZON)
        #: By the end of a lease: what may flow until then.
        self._loads: dict[timedelta, dict[Conductor, int]] = {}

    def orders(self) -> list[Order]:
        targets = self.targets()
        counted = {outlet: state.most_da(self._now, self._now) for outlet, state in self._states.items()}
        orders = []
        for outlet in sorted(targets, key=lambda each: (targets[each] - counted[each], each)):
            current_da = self._next_da(self._states[outlet], targets[outlet])
            if current_da is not None:
                orders.append(Order(outlet, self._send(self._states[outlet], current_da)))
        return orders

    def first_grant(self, outlet: OutletId, wish: Wish) -> Grant:
        """What a charge that is about to be asked for begins with; 0 where others have to be lowered first."""
        state = replace(self._states[outlet], wish=wish, has_begun=False, grants=())
        self._states[outlet] = state
        target_da = self.targets().get(outlet, 0)
        return replace(self._send(state, self._granted(state, target_da)), had_by=None)

    def targets(self) -> dict[OutletId, int]:
        """What each charge here should get, once everybody has answered."""
        wishes = [state.wish for state in self._states.values() if state.wish is not None and _is_ours(state)]
        others = [state for state in self._states.values() if state.wish is None or not _is_ours(state)]
        taken = possible_loads(self._site, others, self._now, self._now + HORIZON)
        room = {conductor: limit_da - taken.get(conductor, 0) for conductor, limit_da in self._limits.items()}
        targets = allocate(self._site, room, wishes, self._now)
        beside = {
            state.member.outlet: state.member.failsafe_da
            for state in others
            if state.wish is not None and state.is_online
        }
        return targets | beside

    def _next_da(self, state: MemberState, target_da: int) -> int | None:
        """What to command now; None: nothing. One command at a time."""
        if not state.has_begun or state.waits():
            return None
        now, last = self._now, state.grants[-1] if state.grants else None
        held = state.commanded
        current_da = self._granted(state, target_da)
        is_paced = last is None or now - last.sent_at >= (RENEW_AFTER if state.is_uncontrolled else PACE)
        if held is None or held.ends_from <= now:
            return current_da if is_paced else None
        is_due = now - held.sent_at >= RENEW_AFTER or held.sent_at < (state.renew_since or held.sent_at)
        if is_due and is_paced:
            is_change = current_da < held.current_da or current_da >= held.current_da + LEAST_CHANGE_DA
            return current_da if is_change else held.current_da
        if current_da < held.current_da and not state.is_uncontrolled:
            is_sent = current_da <= held.current_da - LEAST_CHANGE_DA or self._is_over(state)
        else:
            is_sent = current_da >= held.current_da + LEAST_CHANGE_DA and is_paced
        return current_da if is_sent else None

    def _granted(self, state: MemberState, target_da: int) -> int:
        """As much of the target as nobody else may draw during the lease; less than charges a car is a pause."""
        if state.is_uncontrolled:
            return target_da  # all it can draw is counted anyway
        granted_da = min(target_da, self._room(state, HORIZON))
        return granted_da if granted_da >= state.member.min_da else 0

    def _room(self, state: MemberState, duration: timedelta) -> int:
        if duration not in self._loads:
            until = self._now + duration
            self._loads[duration] = possible_loads(self._site, self._states.values(), self._now, until)
        loads, own = self._loads[duration], state.most_da(self._now, self._now + duration)
        return min(self._limits[each] - loads.get(each, 0) + own for each in self._site.conductors[state.member.outlet])

    def _is_over(self, state: MemberState) -> bool:
        """Whether more may flow above it now than its conductors let through."""
        return self._room(state, timedelta()) < state.most_da(self._now, self._now)

    def _send(self, state: MemberState, current_da: int) -> Grant:
        grant = Grant(current_da, self._now, self._now + ANSWER_WITHIN, duration=_lease_of(state, current_da))
        sent = replace(state, grants=(*state.grants, grant))
        self._states[state.member.outlet] = sent
        for duration, loads in self._loads.items():
            until = self._now + duration
            more_da = sent.most_da(self._now, until) - state.most_da(self._now, until)
            for conductor in self._site.conductors[state.member.outlet]:
                loads[conductor] += more_da
        return grant


def _is_ours(state: MemberState) -> bool:
    """Whether a grant decides what it draws."""
    return state.is_online and not state.is_uncontrolled


def _lease_of(state: MemberState, current_da: int) -> timedelta:
    return LONG_LEASE if current_da < state.rests_at_da else LEASE

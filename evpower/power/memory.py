"""What a process remembers of the cars at a site it grants for, beside the rows."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from evpower.power.allocation import Wish
from evpower.power.evidence import CarEvidence
from evpower.power.possible_draw import GrantAnswer, MemberState
from evpower.power.rows.now import Facts
from evpower.power.site import Member, OutletId, da_of_watts
from evpower.power.states import expired, turned

#: What a driver's profile weighs (roadmap/smart-charging §2.3).
WEIGHTS = {"fast": 3, "regular": 2, "cheap": 1, "green": 1}
REGULAR = 2


@dataclass
class _Car:
    """One charge at a connector."""

    charge: str
    evidence: CarEvidence = field(default_factory=CarEvidence)
    held_since: datetime | None = None
    waits_since: datetime | None = None
    away_since: datetime | None = None
    had_of_turn: timedelta = timedelta()


class Memory:
    """Of one site."""

    def __init__(self) -> None:
        self._cars: dict[OutletId, _Car] = {}

    def state_of(self, member: Member, facts: Facts, now: datetime) -> MemberState:
        """The member as the planner sees it; what is new in the rows is remembered."""
        state = MemberState(
            member,
            is_online=facts.connected_at is not None,
            has_failsafe=facts.failsafe_set_da == member.failsafe_da,
            is_uncontrolled=facts.uncontrolled is not None,
            default_da=facts.default_da,
            has_begun=facts.transaction_id is not None,
            renew_since=max(filter(None, (facts.connected_at, facts.schedule_wanted_at)), default=None),
            grants=facts.grants,
            measured_da=facts.measured_da if facts.transaction_id is not None else 0,
            measured_at=facts.measured_at if facts.transaction_id is not None else None,
        )
        if facts.arrived_at is None:
            self._cars.pop(member.outlet, None)
            return state
        car = self._car(member.outlet, facts)
        car.evidence = _learnt(car.evidence, state, facts, now)
        wanted_da = car.evidence.wanted_da(member.most_da, member.min_da, now)
        if facts.limited_da is not None:  # by somebody else: what it could not draw is others'
            wanted_da = min(wanted_da, facts.limited_da) if facts.limited_da >= member.min_da else 0
        wish = Wish(
            member,
            wanted_da,
            facts.arrived_at,
            facts.energy_wh,
            WEIGHTS.get(facts.profile_type or "", REGULAR),
            facts.priority,
            car.held_since,
            car.waits_since,
            car.away_since,
            car.had_of_turn,
            *_departure(member, facts, now),
        )
        state = turned(expired(replace(state, wish=wish), now), now)
        assert state.wish is not None
        car.held_since, car.waits_since = state.wish.held_since, state.wish.waits_since
        car.away_since, car.had_of_turn = state.wish.away_since, state.wish.had_of_turn
        return state

    def disobeys(self, outlet: OutletId) -> bool:
        car = self._cars.get(outlet)
        return car is not None and car.evidence.disobeys

    def keep(self, outlets: Collection[OutletId]) -> None:
        """Forget the others: they are members no more."""
        for outlet in self._cars.keys() - set(outlets):
            del self._cars[outlet]

    def _car(self, outlet: OutletId, facts: Facts) -> _Car:
        charge = str(facts.session_id or facts.transaction_id)
        car = self._cars.get(outlet)
        if car is None or car.charge != charge:
            car = self._cars[outlet] = _Car(charge, waits_since=_paused_since(facts))
        return car


def _paused_since(facts: Facts) -> datetime | None:
    """From when on it was held at nothing, by the grants that its station accepted: what a new process has to know, and
    whoever only looks. None: the last one was more, or there was none."""
    since: datetime | None = None
    for grant in facts.grants:
        if grant.answer is GrantAnswer.ACCEPTED:
            since = None if grant.current_da > 0 else since or grant.had_by
    return since


def _learnt(evidence: CarEvidence, state: MemberState, facts: Facts, now: datetime) -> CarEvidence:
    if state.measured_at is not None:
        held = state.commanded
        # What it was allowed by any command it may hold to; what it has been measured at allows nothing.
        allowed = replace(state, is_uncontrolled=False, is_online=False, measured_at=None)
        allowed_da = allowed.most_da(state.measured_at, state.measured_at)
        granted_da = 0 if held is None else held.current_da
        if held is None or held.had_by is None or held.had_by <= state.measured_at:
            evidence = evidence.measure(state.measured_at, state.measured_da, granted_da, allowed_da)
    if facts.is_suspended:
        return evidence.suspend(now)
    return evidence.resume() if facts.is_charging else evidence


def _departure(member: Member, facts: Facts, now: datetime) -> tuple[int, datetime | None]:
    """What it needs in every phase from now on to leave on time."""
    if facts.departure_at is None or facts.need_wh is None or facts.departure_at <= now:
        return 0, None
    rest_wh = max(0, facts.need_wh - facts.energy_wh)
    hours = (facts.departure_at - now) / timedelta(hours=1)
    return da_of_watts(rest_wh / max(hours, 0.01), len(member.phases)), facts.departure_at

"""A site in a simulated world: cars come and go, sockets drop, commands are lost or refused, meters lie.

The planner is the product's; stations are simulated by what the standard says of profiles: the one of the charge while
its time lasts, else the permanent one. What a station may draw changes only at events, so a check after each of them
is a check of every moment. What no planner can prevent is left out of the world, and docs/power.md says so:

- a station that has just reported a card's start takes its first command, and its contactor closes 15 s later;
- without a line, a card starts a charge at the earliest 400 s after the line was lost.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import time, timedelta

from evpower.power.allocation import Wish
from evpower.power.evidence import CarEvidence
from evpower.power.planning import ANSWER_WITHIN, Order, Planner, plan, possible_loads
from evpower.power.possible_draw import Grant, GrantAnswer, MemberState
from evpower.power.site import Conductor, Group, GroupId, LimitHours, Member, OutletId, Site
from evpower.power.states import answered, began, expired, turned
from tests.power.sites import BISHKEK, NOW, ROOT, outlet

TICK_S = 15
CONTACTOR_S = 15
OFFLINE_START_S = 400
PEAK = (time(18), time(22))


def at(second: float) -> timedelta:
    return timedelta(seconds=second)


@dataclass
class Car:
    need_wh: float
    most_da: int
    arrived: float
    had_wh: float = 0
    #: For how long it could have charged, reached by commands and with room for every third car, and has not.
    waited_s: float = 0


@dataclass
class Station:
    """What is true at a connector, whatever we know of it."""

    member: Member
    line: bool = True
    lost_at: float = 0
    car: Car | None = None
    closed: bool = False
    #: Of the charge: its current, and when its time is over.
    profile: tuple[int, float] | None = None
    refuses: bool = False
    lie: float = 1.0
    #: Counts charges, so that what was planned for one does not happen to the next.
    charge: int = 0

    def cap_da(self, now: float) -> int:
        """The most it may draw now."""
        if not self.closed:
            return 0
        if self.profile is not None and now < self.profile[1]:
            return self.profile[0]
        return self.member.failsafe_da

    def draw_da(self, now: float) -> int:
        cap_da = self.cap_da(now)
        if self.car is None or self.car.had_wh >= self.car.need_wh or cap_da < 60:
            return 0
        return min(cap_da, self.car.most_da)


@dataclass
class Figures:
    """What came of one seed."""

    cars: int = 0
    commands: int = 0
    worst_da: int = -(10**9)
    over: list[str] = field(default_factory=list)
    longest_wait_s: float = 0
    #: How long our own, more careful count was above the limit: after a fault that no command foresees.
    counted_over_s: float = 0
    used: float = 0


class World:
    """One seed's day."""

    def __init__(self, seed: int, hours: float = 24) -> None:
        self.chance = random.Random(seed)
        self.end_s = hours * 3600
        self.now = 0.0
        self.figures = Figures()
        self.site = crowded_site(self.chance)
        self.stations = {key: Station(member) for key, member in self.site.members.items()}
        self.states = {key: MemberState(member, is_online=True) for key, member in self.site.members.items()}
        self.evidence: dict[OutletId, CarEvidence] = {}
        self.server_is_up = True
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._n = 0
        self._minute = -1
        self._limits: dict[Conductor, int] = {}

    # ------------------------------------------------------------------------------------------------ the clock

    def later(self, seconds: float, what: Callable[[], None]) -> None:
        self._n += 1
        heapq.heappush(self._events, (self.now + seconds, self._n, what))

    def run(self) -> Figures:
        for key in self.stations:
            self.later(self.chance.expovariate(1 / 3600), lambda key=key: self.arrive(key))  # type: ignore[misc]  # mypy: defaults of lambdas
            self.later(self.chance.expovariate(1 / 20_000), lambda key=key: self.lose_line(key))  # type: ignore[misc]  # as above
            self.later(self.chance.expovariate(1 / 40_000), lambda key=key: self.begin_refusing(key))  # type: ignore[misc]  # as above
            self.later(self.chance.expovariate(1 / 30_000), lambda key=key: self.begin_lying(key))  # type: ignore[misc]  # as above
        self.later(0, self.tick_again)
        self.later(30, self.measure_again)
        while self._events and self._events[0][0] <= self.end_s:
            self.now, _, what = heapq.heappop(self._events)
            what()
            self.check()
        return self.figures

    def check(self) -> None:
        """What stations may draw keeps to every limit."""
        loads = self.site.loads({key: each.cap_da(self.now) for key, each in self.stations.items()})
        limits = self.limits_now()
        for conductor, load_da in loads.items():
            over_da = load_da - limits[conductor]
            self.figures.worst_da = max(self.figures.worst_da, over_da)
            if over_da > 0:
                self.figures.over.append(f"{self.now:.1f} s: {conductor} carries {load_da}, limit {limits[conductor]}")

    def limits_now(self) -> dict[Conductor, int]:
        """They change at whole minutes."""
        if int(self.now // 60) != self._minute:
            self._minute = int(self.now // 60)
            moment = NOW + at(self.now)
            self._limits = self.site.limits(moment, moment)
        return self._limits

    # ------------------------------------------------------------------------------------------------ the server

    def tick_again(self) -> None:
        self.later(TICK_S, self.tick_again)
        self.tick()
        moment = NOW + at(self.now)
        counted = possible_loads(self.site, self.states.values(), moment, moment)
        limits = self.limits_now()
        if any(counted[conductor] > limits[conductor] for conductor in counted):
            self.figures.counted_over_s += TICK_S

    def tick(self) -> None:
        if not self.server_is_up:
            return
        moment = NOW + at(self.now)
        busy = [(key, expired(state, moment)) for key, state in self.states.items() if state.wish is not None]
        if not busy:
            return
        for key, state in busy:
            assert state.wish is not None
            wanted_da = self._evidence(key).wanted_da(state.member.most_da, 60, moment)
            if wanted_da != state.wish.wanted_da:
                state = replace(state, wish=replace(state.wish, wanted_da=wanted_da))
            state = turned(state, moment)
            refused = state.is_uncontrolled and self.stations[key].refuses
            is_uncontrolled = self._evidence(key).disobeys or refused
            if is_uncontrolled != state.is_uncontrolled:
                state = replace(state, is_uncontrolled=is_uncontrolled)
            self.states[key] = state
        for order in plan(self.site, self.states, moment):
            self.send(order)

    def _evidence(self, key: OutletId) -> CarEvidence:
        return self.evidence.setdefault(key, CarEvidence())

    def send(self, order: Order) -> None:
        key, grant = order.outlet, order.grant
        station, state = self.stations[key], self.states[key]
        is_first = not state.grants
        self.states[key] = replace(state, grants=(*state.grants, grant))
        self.figures.commands += 1
        charge = station.charge
        fate = "heard" if is_first else self.chance.choices(("heard", "unheard", "unanswered"), (94, 3, 3))[0]
        there_s, back_s = self.chance.uniform(0.05, 3), self.chance.uniform(0.05, 3)

        def answer(answer: GrantAnswer) -> None:
            if station.charge == charge:
                self.states[key] = answered(self.states[key], grant.sent_at, answer, NOW + at(self.now))
                if answer is GrantAnswer.REFUSED:
                    self.states[key] = replace(self.states[key], is_uncontrolled=True)
                elif answer is GrantAnswer.ACCEPTED and not self._evidence(key).disobeys:
                    self.states[key] = replace(self.states[key], is_uncontrolled=False)
                self.tick()

        def lost() -> None:
            answer(GrantAnswer.LOST)

        def arrive() -> None:
            if not station.line or fate == "unheard":
                self.later(ANSWER_WITHIN.total_seconds() - there_s, lost)
                return
            refused = station.refuses and not is_first
            if station.charge == charge and station.car is not None and not refused:
                ends_s = (grant.sent_at - NOW + grant.duration).total_seconds()
                station.profile = (grant.current_da, ends_s)
                self.later(max(0.0, ends_s - self.now), lambda: None)
            if fate == "unanswered" or not station.line:
                self.later(ANSWER_WITHIN.total_seconds() - there_s, lost)
            else:
                self.later(back_s, lambda: answer(GrantAnswer.REFUSED if refused else GrantAnswer.ACCEPTED))

        self.later(there_s, arrive)

    def measure_again(self) -> None:
        self.later(30, self.measure_again)
        for key, station in self.stations.items():
            draw_da = station.draw_da(self.now)
            self.figures.used += draw_da
            if station.car is not None:
                station.car.had_wh += draw_da / 10 * 230 * len(station.member.phases) * 30 / 3600
                self._watch_wait(key, station, station.car)
                if station.car.had_wh >= station.car.need_wh and self.chance.random() < 0.02:
                    self.leave(key)
            state = self.states[key]
            if station.line and self.server_is_up and state.wish is not None and state.has_begun:
                self._report(key, station, state, round(draw_da * station.lie))

    def _report(self, key: OutletId, station: Station, state: MemberState, measured_da: int) -> None:
        moment = NOW + at(self.now)
        held, evidence = state.commanded, self._evidence(key)
        allowed_da = replace(state, is_uncontrolled=False, measured_at=None).most_da(moment, moment)
        evidence = evidence.measure(moment, measured_da, held.current_da if held else 0, allowed_da)
        full = station.car is not None and station.car.had_wh >= station.car.need_wh
        if full and station.cap_da(self.now) >= 60:
            evidence = evidence.suspend(moment)
        self.evidence[key] = evidence
        wish = state.wish and replace(state.wish, energy_wh=int(station.car.had_wh if station.car else 0))
        self.states[key] = replace(state, wish=wish, measured_da=measured_da, measured_at=moment)

    def _watch_wait(self, key: OutletId, station: Station, car: Car) -> None:
        """A car waits while commands reach its station, it wants to charge, and it gets less than charges it."""
        if station.cap_da(self.now) >= 60 or car.had_wh >= car.need_wh:
            car.waited_s = 0
        elif station.line and station.closed and not station.refuses and self._has_room(key):
            car.waited_s += 30
            self.figures.longest_wait_s = max(self.figures.longest_wait_s, car.waited_s)

    def _has_room(self, key: OutletId) -> bool:
        """Whether what cannot be commanded leaves room for a third of the cars around."""
        moment = NOW + at(self.now)
        ours = {k: s.is_online and not s.is_uncontrolled for k, s in self.states.items()}
        others = [state for k, state in self.states.items() if not ours[k]]
        taken = possible_loads(self.site, others, moment, moment)
        cars = self.site.loads({k: 1 for k, each in self.stations.items() if ours[k] and each.car is not None})
        limits = self.limits_now()
        return all(
            limits[each] - taken.get(each, 0) >= 60 * -(-cars.get(each, 0) // 3) for each in self.site.conductors[key]
        )

    # ------------------------------------------------------------------------------------------------- the cars

    def arrive(self, key: OutletId) -> None:
        station = self.stations[key]
        gap_s = self.chance.expovariate(1 / 5400)
        if station.car is not None:
            self.later(gap_s, lambda: self.arrive(key))
            return
        car = Car(self.chance.uniform(2_000, 25_000), self.chance.choice((60, 100, 160, 320)), self.now)
        if not station.line:
            if self.now - station.lost_at > OFFLINE_START_S:
                self._begin(key, car)
        elif not self.states[key].is_online:
            pass  # its line is back, and we do not know it yet
        elif self.chance.random() < 0.5:
            self._start_by_phone(key, car)
        else:
            self._begin(key, car)
            charge = station.charge
            self.later(self.chance.uniform(0.1, 1), lambda: self._hear_begin(key, charge, ()))
        self.figures.cars += 1
        self.later(self.chance.uniform(3600, 14_400), lambda: self.leave(key))
        self.later(gap_s + 3600, lambda: self.arrive(key))

    def _start_by_phone(self, key: OutletId, car: Car) -> None:
        station, moment = self.stations[key], NOW + at(self.now)
        if not self.server_is_up or self.states[key].wish is not None:
            return
        wish = Wish(station.member, station.member.most_da, moment)
        self.evidence[key] = CarEvidence()
        self.tick()
        grant = Planner(self.site, self.states, moment).first_grant(key, wish)
        self.states[key] = replace(self.states[key], wish=wish, has_begun=False, grants=(grant,))
        charge = station.charge

        def begin() -> None:
            if station.car is None and station.line and station.charge == charge:
                self._begin(key, car)
                ends_s = self.now + grant.duration.total_seconds()
                station.profile = (grant.current_da, ends_s)
                self.later(ends_s - self.now, lambda: None)
                charge_now = station.charge
                self.later(0.5, lambda: self._hear_begin(key, charge_now, (grant,)))
            else:
                self.states[key] = replace(self.states[key], wish=None, grants=())

        self.later(self.chance.uniform(1, 20), begin)

    def _begin(self, key: OutletId, car: Car) -> None:
        station = self.stations[key]
        station.charge += 1
        station.car, station.profile, station.closed = car, None, False
        charge = station.charge

        def close() -> None:
            if station.charge == charge and station.car is not None:
                station.closed = True

        self.later(CONTACTOR_S, close)

    def _hear_begin(self, key: OutletId, charge: int, grants: tuple[Grant, ...]) -> None:
        station = self.stations[key]
        if station.charge != charge or station.car is None or not self.server_is_up:
            return
        moment = NOW + at(self.now)
        wish = Wish(station.member, station.member.most_da, moment)
        self.evidence[key] = CarEvidence()
        self.states[key] = began(replace(self.states[key], wish=wish, grants=grants), moment)
        self.tick()

    def leave(self, key: OutletId) -> None:
        station = self.stations[key]
        if station.car is None or (not station.closed and self.chance.random() < 0.9):
            return
        station.charge += 1
        station.car, station.profile, station.closed = None, None, False
        if station.line and self.server_is_up:
            self._hear_end(key, station.charge)

    def _hear_end(self, key: OutletId, charge: int) -> None:
        if self.stations[key].charge == charge:
            self.states[key] = replace(self.states[key], wish=None, grants=(), is_uncontrolled=False)
            self.evidence[key] = CarEvidence()
            self.tick()

    # ------------------------------------------------------------------------------------------------- the faults

    def lose_line(self, key: OutletId) -> None:
        station = self.stations[key]
        if station.car is not None and not station.closed:
            self.later(60, lambda: self.lose_line(key))
            return
        station.line, station.lost_at = False, self.now

        def notice() -> None:
            if not station.line:
                self.states[key] = replace(self.states[key], is_online=False)
                self.tick()

        def come_back() -> None:
            if station.car is not None and not station.closed:
                self.later(CONTACTOR_S, come_back)
                return
            station.line = True
            self.later(self.chance.uniform(0.5, 5), lambda: self._hear_return(key))

        self.later(self.chance.uniform(0, 60), notice)
        self.later(self.chance.choice((90, 400, 1200, 3600)), come_back)
        self.later(self.chance.expovariate(1 / 20_000) + 7200, lambda: self.lose_line(key))

    def _hear_return(self, key: OutletId) -> None:
        """The station reports what it did meanwhile: a charge that goes on, another one, or none."""
        station, state = self.stations[key], self.states[key]
        if not station.line:
            return
        state = replace(state, is_online=True)
        if station.car is None:
            state = replace(state, wish=None, grants=(), is_uncontrolled=False)
        elif state.wish is None or station.profile is None:
            wish = Wish(station.member, station.member.most_da, NOW + at(self.now))
            state = began(replace(state, wish=wish, grants=()), NOW + at(self.now))
        self.states[key] = state
        self.tick()

    def begin_refusing(self, key: OutletId) -> None:
        station = self.stations[key]
        station.refuses = True

        def stop() -> None:
            station.refuses = False

        self.later(self.chance.uniform(60, 900), stop)
        self.later(self.chance.expovariate(1 / 40_000) + 3600, lambda: self.begin_refusing(key))

    def begin_lying(self, key: OutletId) -> None:
        station = self.stations[key]
        station.lie = self.chance.choice((0.0, 0.5, 1.3, 3.0))

        def stop() -> None:
            station.lie = 1.0

        self.later(self.chance.uniform(60, 900), stop)
        self.later(self.chance.expovariate(1 / 30_000) + 3600, lambda: self.begin_lying(key))


def crowded_site(chance: random.Random) -> Site:
    """A connection with up to three circuits below, where at least every third car can charge."""
    circuits = chance.randint(0, 3)
    below = [GroupId(2 + n) for n in range(circuits)]
    members = [
        Member(outlet(n), chance.choice(below or [ROOT]), chance.choice(((1,), (2,), (3,), (1, 2, 3), (1, 2, 3))))
        for n in range(1, chance.randint(3, 10))
    ]
    wide = [Group(ROOT, None, 10**6), *(Group(each, ROOT, 10**6) for each in below)]
    counts = Site(wide, members, BISHKEK).loads({member.outlet: 1 for member in members})
    groups = []
    for group in wide:
        most = max((n for (of, _), n in counts.items() if of == group.id), default=0)
        limit_da = 60 * (-(-most // 3)) + chance.randint(0, 60 * most + 200)
        peak = LimitHours(frozenset(range(1, 8)), PEAK[0], PEAK[1], max(60 * (-(-most // 3)), limit_da * 2 // 3))
        groups.append(replace(group, limit_da=limit_da, schedule=(peak,) if chance.random() < 0.5 else ()))
    smallest = Site(groups, members, BISHKEK).limits(NOW, NOW + timedelta(days=1))
    share = min(smallest[conductor] // n for conductor, n in counts.items())
    failsafe_da = chance.choice((0, min(share, 60), min(share, 320)))
    return Site(groups, [replace(member, failsafe_da=failsafe_da) for member in members], BISHKEK)

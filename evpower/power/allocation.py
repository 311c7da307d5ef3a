"""Who gets how much of a site: the least that charges a car to each, the rest by weights (roadmap/smart-charging §2).

Pure, and on whole tenths of an ampere: with limits on that grid too, rounding down keeps every sum below its limit.
"""

from __future__ import annotations

import heapq
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from evpower.power.site import Conductor, Member, OutletId, Site

#: A grant lasts so long before it may be taken away for another's turn.
TURN = timedelta(minutes=15)
#: A turn that is cut short with less than this left is over.
LEAST_REST = timedelta(minutes=5)
#: After a whole turn and a shorter pause there is no new one.
PAUSE = timedelta(minutes=5)
#: Turns that were decided at one moment begin so far apart: each waits for its station's answer, and for others'.
TURNS_APART = timedelta(seconds=60)
#: Who has waited through a turn is next, whatever it has had before: passed over at its end it waits for two more, and
#: with what faults and answers take for more than 45 minutes.
WAITED_LONG = TURN + TURNS_APART
#: Less than the grid by far, more than what adding up floats loses.
_TINY = 1e-6


@dataclass(frozen=True)
class Wish:
    """A car at a member, as it is now."""

    member: Member
    #: What it would draw if it could; 0: nothing, for now.
    wanted_da: int
    arrived_at: datetime
    energy_wh: int = 0
    weight: int = 2
    #: The lower is served first where there is not enough for all.
    priority: int = 0
    #: Since when it has a grant, and since when it waits for one; the other is None.
    #: The wait begins later by the time its station was away.
    held_since: datetime | None = None
    waits_since: datetime | None = None
    #: Since when its station is away while it waits.
    away_since: datetime | None = None
    #: How much of its turn it had when it lost its grant: of one that was cut short the next grant gives it the rest.
    had_of_turn: timedelta = timedelta()
    #: To leave on time with what it needs, and when that is.
    needed_da: int = 0
    leaves_at: datetime | None = None
    #: Its turn gives way to who has waited longer, and could not charge when it began.
    is_lent: bool = False


def allocate(site: Site, limits: Mapping[Conductor, int], wishes: Sequence[Wish], now: datetime) -> dict[OutletId, int]:
    """What each may draw, in tenths of an ampere for each phase; 0 is a pause.

    `limits` are those of `site`, less what is drawn by what cannot be commanded.
    """
    room = {conductor: float(max(0, limit_da)) for conductor, limit_da in limits.items()}
    conductors = site.conductors
    served: list[Wish] = []
    kept = _Kept()
    for wish in _in_turn(_without_what_is_lent(wishes, limits, conductors, now), now):
        least, path = wish.member.min_da, conductors[wish.member.outlet]
        if all(room[conductor] - kept.for_another_da(conductor, wish, now) >= least for conductor in path):
            _take(room, path, least)
            served.append(wish)
        elif _waits_long(wish, now) and not kept.path and all(limits[each] >= least for each in path):
            # Its conductors are not free at one moment by themselves: for who has waited longest they are kept.
            kept = _Kept(path, least, _free_at(wish, served, room, conductors, now))
    floors = _floors(served, room, conductors)
    shares = _Filling(served, floors, room, conductors).fill()
    grants = {wish.member.outlet: 0 for wish in wishes}
    return grants | {outlet: int(share + _TINY) for outlet, share in shares.items()}


def demand_da(wish: Wish) -> int:
    """What more than this would be of no use; below its least a car does not charge at all."""
    return 0 if wish.wanted_da <= 0 else max(wish.member.min_da, min(wish.wanted_da, wish.member.most_da))


@dataclass(frozen=True)
class _Kept:
    """Conductors that are kept for who has waited longest, and when all of them can be free for it."""

    path: Sequence[Conductor] = ()
    least_da: int = 0
    free_at: datetime | None = None

    def for_another_da(self, conductor: Conductor, wish: Wish, now: datetime) -> int:
        """What of it this one may not have. A turn that begins now and is over by then keeps nobody waiting: without it
        nothing would flow there meanwhile."""
        if wish.is_lent or conductor not in self.path:
            return 0
        begins = wish.held_since is None and had_of_turn(wish, now) < TURN
        fits = begins and self.free_at is not None and _turn_ends(wish, now) <= self.free_at + TURNS_APART
        return 0 if fits else self.least_da


def _without_what_is_lent(
    wishes: Sequence[Wish],
    limits: Mapping[Conductor, int],
    conductors: Mapping[OutletId, Sequence[Conductor]],
    now: datetime,
) -> list[Wish]:
    """Those that want something. A turn that began where somebody who had waited long, and longer, could not charge is
    lent: it gives way when that one can, or nobody could say how long a car waits whose site has faults."""
    wanting = [wish for wish in wishes if wish.wanted_da > 0]
    long = [
        wish
        for wish in wanting
        if _waits_long(wish, now) and all(limits[each] >= wish.member.min_da for each in conductors[wish.member.outlet])
    ]

    def is_lent(wish: Wish) -> bool:
        if wish.held_since is None or now - wish.held_since >= TURN:
            return False
        waited_since = wish.waits_since or wish.held_since
        path = set(conductors[wish.member.outlet])
        return any(
            each.waits_since is not None
            and each.waits_since < waited_since
            and each.waits_since + WAITED_LONG <= wish.held_since
            and not path.isdisjoint(conductors[each.member.outlet])
            for each in long
        )

    return [replace(wish, is_lent=True) if is_lent(wish) else wish for wish in wanting] if long else wanting


def _free_at(
    wish: Wish,
    served: Sequence[Wish],
    room: Mapping[Conductor, float],
    conductors: Mapping[OutletId, Sequence[Conductor]],
    now: datetime,
) -> datetime:
    """When enough turns are over for it."""
    free_at = now
    for conductor in conductors[wish.member.outlet]:
        missing = wish.member.min_da - room[conductor]
        for other in sorted(served, key=lambda each: _turn_ends(each, now)):
            if missing > 0 and conductor in conductors[other.member.outlet]:
                missing -= other.member.min_da
                free_at = max(free_at, _turn_ends(other, now))
    return free_at


def had_of_turn(wish: Wish, now: datetime) -> timedelta:
    """What a car that waits has had already of the turn that its next grant gives it.

    A whole one, after a short pause: somebody else was next who could not charge after all, and is next again at once.
    """
    is_new = wish.had_of_turn >= TURN and wish.waits_since is not None and now - wish.waits_since >= PAUSE
    return timedelta() if is_new else wish.had_of_turn


def _turn_ends(wish: Wish, now: datetime) -> datetime:
    return max(now, (wish.held_since or now - had_of_turn(wish, now)) + TURN)


def _in_turn(wishes: Iterable[Wish], now: datetime) -> list[Wish]:
    """First whose turn is not over, then who has waited long, then by priority, energy and arrival."""

    def order(wish: Wish) -> tuple[int, float, int, int, datetime, OutletId]:
        rank, waited_s = 2, 0.0
        if wish.held_since is not None and now - wish.held_since < TURN and not wish.is_lent:
            rank = 0
        elif wish.waits_since is not None and _waits_long(wish, now):
            rank, waited_s = 1, (now - wish.waits_since).total_seconds()
        return rank, -waited_s, wish.priority, wish.energy_wh, wish.arrived_at, wish.member.outlet

    return sorted(wishes, key=order)


def _waits_long(wish: Wish, now: datetime) -> bool:
    return wish.waits_since is not None and now - wish.waits_since >= WAITED_LONG


def _floors(
    served: Sequence[Wish], room: dict[Conductor, float], conductors: Mapping[OutletId, Sequence[Conductor]]
) -> dict[OutletId, float]:
    """The least of each: what charges it, or what it needs to leave on time as far as there is room, soonest first."""
    floors = {wish.member.outlet: float(wish.member.min_da) for wish in served}
    for wish in sorted((each for each in served if each.leaves_at), key=lambda each: (each.leaves_at, each.arrived_at)):
        path = conductors[wish.member.outlet]
        wanted_da = min(wish.needed_da, demand_da(wish)) - wish.member.min_da
        more = min(float(wanted_da), *(room[conductor] for conductor in path))
        if more > 0:
            _take(room, path, more)
            floors[wish.member.outlet] += more
    return floors


def _take(room: dict[Conductor, float], path: Iterable[Conductor], amount: float) -> None:
    for conductor in path:
        room[conductor] -= amount


class _Filling:
    """Progressive filling: the level rises, and with it every share that is not full, has begun, and is not blocked.

    At level t a share is what charges the car plus its weight times t, at least its floor and at most its demand. Each
    member has one beginning and one end; each conductor is full at a level that changes only when one of its own does.
    """

    def __init__(
        self,
        served: Sequence[Wish],
        floors: Mapping[OutletId, float],
        room: dict[Conductor, float],
        conductors: Mapping[OutletId, Sequence[Conductor]],
    ) -> None:
        self._wishes = {wish.member.outlet: wish for wish in served}
        self._shares = dict(floors)
        self._room = room
        self._conductors = conductors
        #: At which level each began whose share rises now.
        self._rising: dict[OutletId, float] = {}
        self._below: dict[Conductor, set[OutletId]] = defaultdict(set)
        self._weights: dict[Conductor, float] = defaultdict(float)
        #: At which level `_room` was looked at.
        self._at: dict[Conductor, float] = defaultdict(float)
        self._full: list[tuple[float, Conductor]] = []

    def fill(self) -> dict[OutletId, float]:
        """The shares when nothing rises any more."""
        turns = self._turns()
        while turns:
            level, ends, outlet = heapq.heappop(turns)
            self._block_until(level)
            if not ends:
                self._begin(outlet, level)
            elif outlet in self._rising:
                self._end(outlet, level)
                self._shares[outlet] = float(demand_da(self._wishes[outlet]))
        self._block_until(math.inf)
        return self._shares

    def _turns(self) -> list[tuple[float, bool, OutletId]]:
        """At which level each begins to rise (False) and is full (True)."""
        turns = []
        for outlet, wish in self._wishes.items():
            floor, most, least = self._shares[outlet], demand_da(wish), wish.member.min_da
            if most > floor:
                turns += [((floor - least) / wish.weight, False, outlet), ((most - least) / wish.weight, True, outlet)]
        heapq.heapify(turns)
        return turns

    def _begin(self, outlet: OutletId, level: float) -> None:
        path = self._conductors[outlet]
        for conductor in path:
            self._advance(conductor, level)
        if any(self._room[conductor] <= _TINY for conductor in path):
            return
        self._rising[outlet] = level
        for conductor in path:
            self._below[conductor].add(outlet)
            self._change(conductor, self._wishes[outlet].weight)

    def _end(self, outlet: OutletId, level: float) -> None:
        weight = self._wishes[outlet].weight
        self._shares[outlet] += weight * (level - self._rising.pop(outlet))
        for conductor in self._conductors[outlet]:
            self._below[conductor].discard(outlet)
            self._advance(conductor, level)
            self._change(conductor, -weight)

    def _block_until(self, level: float) -> None:
        """Nobody gets more below a conductor that is full; one whose moment has changed meanwhile is not."""
        while self._full and self._full[0][0] <= level:
            full_at, conductor = heapq.heappop(self._full)
            if self._below[conductor] and abs(self._full_at(conductor) - full_at) <= _TINY:
                for outlet in tuple(self._below[conductor]):
                    self._end(outlet, full_at)

    def _advance(self, conductor: Conductor, level: float) -> None:
        self._room[conductor] -= self._weights[conductor] * (level - self._at[conductor])
        self._at[conductor] = level

    def _change(self, conductor: Conductor, weight: float) -> None:
        self._weights[conductor] += weight
        if self._below[conductor]:
            heapq.heappush(self._full, (self._full_at(conductor), conductor))

    def _full_at(self, conductor: Conductor) -> float:
        return self._at[conductor] + max(0.0, self._room[conductor]) / self._weights[conductor]

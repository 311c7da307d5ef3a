"""The stops of a long way. Pure: places, ways between them and a car go in, legs and stops come out.

Fewest minutes over driving, charging (to 80 % at most) and the wait that is expected. At each stop a car charges what
the next leg needs, or all that it may: with a fixed power a best plan of these two exists. What the car needs is its
driver's figure; what it arrives with is arithmetic.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count

from evpower.navigation.distance import Way

#: Above it charging is slow, and no plan waits for it.
CHARGE_TO_PERCENT = 80.0
STOPS_MOST = 8
#: Where the way begins and ends, beside the places of stops 0, 1, 2 …
START, END = -1, -2


@dataclass(frozen=True)
class Car:
    """A car, as its driver knows it."""

    battery_kwh: float
    consumption_kwh_100km: float
    soc_percent: float
    min_soc_percent: float
    max_power_kw: float
    connector_types: tuple[str, ...]

    def percent_for(self, kilometres: float) -> float:
        """Of the battery."""
        return kilometres * self.consumption_kwh_100km / self.battery_kwh

    def kwh_of(self, percent: float) -> float:
        return percent * self.battery_kwh / 100


@dataclass(frozen=True)
class ChargingPlace:
    """Where a car can charge: with what power, and how long a free connector is waited for, as expected."""

    power_kw: float
    wait_minutes: float


@dataclass(frozen=True)
class Leg:
    """A drive to a stop, or to END; with how much of the battery it ends."""

    to: int
    way: Way
    arrive_soc: float


@dataclass(frozen=True)
class Stop:
    """A charge at a place."""

    at: int
    charge_kwh: float
    charge_minutes: float
    wait_minutes: float


@dataclass(frozen=True)
class Journey:
    """The whole way; `total_minutes` has the waits."""

    legs: tuple[Leg, ...]
    stops: tuple[Stop, ...]
    total_minutes: float


@dataclass(frozen=True)
class _Reached:
    """A place, and how it was come to."""

    at: int
    soc: float
    minutes: float
    legs: tuple[Leg, ...]
    stops: tuple[Stop, ...]


#: From START or a place, to a place or END.
Ways = Mapping[tuple[int, int], Way]


def plan_journey(vehicle: Car, places: Sequence[ChargingPlace], ways: Ways) -> Journey | None:
    """The quickest; None: there is none."""
    order = count()
    waiting = [(0.0, next(order), _Reached(START, vehicle.soc_percent, 0.0, (), ()))]
    seen = set[tuple[int, int]]()
    while waiting:
        _, _, here = heapq.heappop(waiting)
        if here.at == END:
            return Journey(here.legs, here.stops, here.minutes)
        # To a tenth of a percent it is the same.
        if (here.at, round(here.soc * 10)) in seen:
            continue
        seen.add((here.at, round(here.soc * 10)))
        for there in _onwards(vehicle, places, ways, here):
            heapq.heappush(waiting, (there.minutes, next(order), there))
    return None


def _onwards(vehicle: Car, places: Sequence[ChargingPlace], ways: Ways, here: _Reached) -> list[_Reached]:
    """Where one gets from here: without charging at the start, with a charge at a stop."""
    # A place that is not the end is one more stop.
    found, stops = [], len(here.stops) + (here.at != START)
    for to in (END, *range(len(places))):
        way = ways.get((here.at, to))
        if way is None or to == here.at or (to != END and stops >= STOPS_MOST):
            continue
        needed = vehicle.min_soc_percent + vehicle.percent_for(way.distance_km)
        if here.at == START:
            if needed <= here.soc:
                found.append(_drive(vehicle, here, to, way, here.soc))
            continue
        # A stop without a charge is a detour: the way past it is another edge.
        found += [
            _charge(vehicle, places[here.at], here, to, way, until)
            for until in {needed, CHARGE_TO_PERCENT}
            if max(here.soc, needed) <= until <= CHARGE_TO_PERCENT and until > here.soc
        ]
    return found


def _charge(vehicle: Car, place: ChargingPlace, here: _Reached, to: int, way: Way, until: float) -> _Reached:
    charge_kwh = vehicle.kwh_of(until - here.soc)
    minutes = charge_kwh / min(place.power_kw, vehicle.max_power_kw) * 60
    stop = Stop(here.at, charge_kwh, minutes, place.wait_minutes)
    charged = _Reached(here.at, until, here.minutes + minutes + place.wait_minutes, here.legs, (*here.stops, stop))
    return _drive(vehicle, charged, to, way, until)


def _drive(vehicle: Car, here: _Reached, to: int, way: Way, soc: float) -> _Reached:
    left = soc - vehicle.percent_for(way.distance_km)
    leg = Leg(to, way, left)
    return _Reached(to, left, here.minutes + way.drive_minutes, (*here.legs, leg), here.stops)


def longest_gap_km(places: int, ways: Ways) -> float:
    """The longest leg that no way can do without: of all ways, the one whose longest leg is the shortest."""
    waiting, done = [(0.0, START)], set[int]()
    while waiting:
        gap, here = heapq.heappop(waiting)
        if here == END:
            return gap
        if here in done:
            continue
        done.add(here)
        for to in (END, *range(places)):
            way = ways.get((here, to))
            if way is not None and to not in done:
                heapq.heappush(waiting, (max(gap, way.distance_km), to))
    return 0.0

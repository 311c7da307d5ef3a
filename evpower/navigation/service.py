"""What doors ask: stations near a driver, links to one, the stops of a long way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal
from zoneinfo import ZoneInfo

import trio

from evpower.clock import Clock
from evpower.db.pool import Pool
from evpower.db.unit_of_work import reading
from evpower.forecast.outlook import ForecastSlot
from evpower.forecast.service import Forecasts
from evpower.navigation.distance import GeoPoint, Way, beside_line_km, box_around, distance_km, straight_way
from evpower.navigation.errors import NoCoordinates, NoRoute
from evpower.navigation.hours import is_open
from evpower.navigation.journey import END, START, Car, ChargingPlace, Journey, longest_gap_km, plan_journey
from evpower.navigation.links import route_links
from evpower.navigation.roads import PLACES_MOST, Roads
from evpower.navigation.rows.places import LocatedPlace, places_near, read_place, remaining_minutes
from evpower.network.listing import ListedConnector, ListedLocation, ListedStation, LocationFilter
from evpower.network.locations import Locations

Sort = Literal["distance", "arrival", "price"]
#: Of the straight line between start and end.
CORRIDOR_KM = 30.0
#: Places that a plan chooses among: the strongest of each part of the way.
PLACES_OF_PLAN = 30
#: A charge that is met lasts so long on, until charges of four weeks say it.
REMAINING_MIN, REMAINING_DAYS = 20.0, 28
#: What they say is a mean of them all: it is read again after so long.
REMAINING_KEPT = timedelta(hours=1)
#: Nothing is known of an arrival: either way.
EVEN = 0.5


@dataclass(frozen=True)
class NearSearch:
    """What is looked for around a place."""

    middle: GeoPoint
    radius_km: float
    wanted: LocationFilter
    only_available: bool
    sort: Sort
    limit: int


@dataclass(frozen=True)
class NearLocation:
    """A location, how far it is, and what it will be like on arrival (None: not known)."""

    location: ListedLocation
    distance_km: float
    way: Way
    at_arrival: ForecastSlot | None


@dataclass(frozen=True)
class StopAt:
    """A stop of a plan: where, at what connector, for how much."""

    location_id: str
    connector_type: str
    cost_som: Decimal
    at_arrival: ForecastSlot | None


@dataclass(frozen=True)
class PlannedJourney:
    """A plan, with the stops in the order of its own."""

    journey: Journey
    stops: Sequence[StopAt]
    #: By the plan's numbers.
    location_ids: Mapping[int, str]

    @property
    def is_approximate(self) -> bool:
        return any(leg.way.approximate for leg in self.journey.legs)


@dataclass(frozen=True)
class _Candidate:
    """A location on the way, and its strongest connector for the car."""

    location: ListedLocation
    place: GeoPoint
    station: ListedStation
    connector: ListedConnector

    @property
    def power_kw(self) -> float:
        return self.station.power_of(self.connector)


class Navigation:
    """Without `forecasts` nothing is said of arrivals, and a wait is as likely as none."""

    def __init__(
        self,
        pool: Pool,
        clock: Clock,
        locations: Locations,
        roads: Roads,
        forecasts: Forecasts | None,
        timezone: ZoneInfo,
    ) -> None:
        """`timezone` is that of opening hours."""
        self._pool = pool
        self._clock = clock
        self._locations = locations
        self.roads = roads
        self._forecasts = forecasts
        self._timezone = timezone
        #: When it was read, and what it said.
        self._remaining: tuple[datetime, float] | None = None

    async def near(self, search: NearSearch) -> list[NearLocation]:
        """The locations that are wanted, in the order that is wanted."""
        box = box_around(search.middle, search.radius_km)
        async with reading(self._pool) as conn:
            places = await places_near(conn, search.middle, search.radius_km, box)
        picture, _ = await self._locations.picture()
        wanted = {each.id: each for each in search.wanted.apply(picture.locations)}
        found = [(place, wanted[place.location_id]) for place in places if place.location_id in wanted]
        if search.only_available:
            found = [(place, each) for place, each in found if _is_available(each, search.wanted)]
        if search.sort == "price":
            found.sort(key=lambda one: _least_rate(one[1], search.wanted))
        found = found[: search.limit if search.sort != "arrival" else PLACES_MOST - 1]
        ways = await self.roads.ways([search.middle], [place.place for place, _ in found])
        drives = [(place, each, ways[search.middle, place.place]) for place, each in found]
        if search.sort == "arrival":
            drives = sorted(drives, key=lambda one: one[2].drive_minutes)[: search.limit]
        then = await self._at_arrival(
            [(each, way.drive_minutes) for _, each, way in drives], search.wanted.connector_type
        )
        return [NearLocation(each, place.distance_km or 0.0, way, then.get(each.id)) for place, each, way in drives]

    async def links(self, location_id: str, start: GeoPoint | None) -> Mapping[str, str]:
        """Deep links to a location, by its id alone. Raises NoCoordinates."""
        async with reading(self._pool) as conn:
            found = await read_place(conn, location_id) if location_id.isprintable() else None
        if found is None:
            raise NoCoordinates
        return route_links(found.place, found.name, start)

    async def plan(self, start: GeoPoint, end: GeoPoint, vehicle: Car, depart_at: datetime | None) -> PlannedJourney:
        """The quickest way with its stops. Raises NoRoute."""
        candidates = await self._on_the_way(start, end, vehicle, depart_at or self._clock.now())
        places = [each.place for each in candidates]
        ways = await self.roads.ways([start, *places], [end, *places])
        numbered = {START: start, END: end, **dict(enumerate(places))}
        of_plan = {
            (one, other): ways[numbered[one], numbered[other]]
            for one in numbered
            for other in numbered
            if one != END and other != START and one != other
        }
        now = self._clock.now()
        ahead_min = max(0.0, ((depart_at or now) - now).total_seconds() / 60)
        then = await self._arrivals(
            candidates, [of_plan[START, n].drive_minutes + ahead_min for n in range(len(places))]
        )
        remaining = await self._remaining_at(now)
        charging = [ChargingPlace(each.power_kw, _wait(then.get(each.location.id), remaining)) for each in candidates]
        journey = await trio.to_thread.run_sync(plan_journey, vehicle, charging, of_plan)
        if journey is None:
            raise NoRoute(longest_gap_km(len(places), of_plan))
        stops = [
            _stop(candidates[stop.at], stop.charge_kwh, then.get(candidates[stop.at].location.id))
            for stop in journey.stops
        ]
        return PlannedJourney(journey, stops, {n: each.location.id for n, each in enumerate(candidates)})

    async def _on_the_way(self, start: GeoPoint, end: GeoPoint, vehicle: Car, at: datetime) -> list[_Candidate]:
        """Locations beside the line where the car can charge: the strongest of each part of it that will be open when
        a car that leaves at this moment drives by."""
        middle = GeoPoint((start.latitude + end.latitude) / 2, (start.longitude + end.longitude) / 2)
        whole = distance_km(start, end)
        radius_km = whole / 2 + CORRIDOR_KM * 2
        async with reading(self._pool) as conn:
            near = await places_near(conn, middle, radius_km, box_around(middle, radius_km))
        picture, _ = await self._locations.picture()
        listed = {each.id: each for each in picture.locations}
        strongest = dict[int, _Candidate]()
        for each in near:
            beside, along = beside_line_km(start, end, each.place)
            there_at = at + timedelta(minutes=straight_way(start, each.place).drive_minutes)
            is_right = beside <= CORRIDOR_KM and is_open(each.hours, there_at, self._timezone)
            found = _candidate(each, listed.get(each.location_id), vehicle) if is_right else None
            part = int(along / max(whole, 1) * (PLACES_OF_PLAN - 1))
            if found is not None and (part not in strongest or found.power_kw > strongest[part].power_kw):
                strongest[part] = found
        return [strongest[part] for part in sorted(strongest)]

    async def _remaining_at(self, now: datetime) -> float:
        """For how many minutes a charge that is met lasts on, on the average."""
        if self._remaining is None or not timedelta(0) <= now - self._remaining[0] < REMAINING_KEPT:
            async with reading(self._pool) as conn:
                found = await remaining_minutes(conn, now - timedelta(days=REMAINING_DAYS))
            self._remaining = now, found or REMAINING_MIN
        return self._remaining[1]

    async def _arrivals(self, candidates: Sequence[_Candidate], minutes: Sequence[float]) -> dict[str, ForecastSlot]:
        """Each by the type that the car would use there."""
        then = dict[str, ForecastSlot]()
        for connector_type in {each.connector.connector_type for each in candidates}:
            asked = [
                (each.location, ahead)
                for each, ahead in zip(candidates, minutes, strict=True)
                if each.connector.connector_type == connector_type
            ]
            then |= await self._at_arrival(asked, connector_type)
        return then

    async def _at_arrival(
        self, arrivals: Sequence[tuple[ListedLocation, float]], connector_type: str | None
    ) -> dict[str, ForecastSlot]:
        if self._forecasts is None:
            return {}
        return await self._forecasts.at_arrival(arrivals, connector_type)


def _candidate(at: LocatedPlace, location: ListedLocation | None, vehicle: Car) -> _Candidate | None:
    """Only stations in service count."""
    if location is None:
        return None
    fitting = [
        _Candidate(location, at.place, station, connector)
        for station in location.stations
        for connector in station.connectors
        if station.in_service
        and any(connector.is_of(each) for each in vehicle.connector_types)
        and station.power_of(connector) > 0
    ]
    return max(fitting, key=lambda each: each.power_kw, default=None)


def _wait(then: ForecastSlot | None, remaining_min: float) -> float:
    """As expected: as likely as nothing is free, so long as a charge that is met lasts on."""
    return (1 - (EVEN if then is None else then.probability)) * remaining_min


def _stop(at: _Candidate, charge_kwh: float, then: ForecastSlot | None) -> StopAt:
    """What it costs by the price of now."""
    cost = Decimal(charge_kwh) * at.station.rate_per_kwh + at.station.session_fee
    return StopAt(at.location.id, at.connector.connector_type, cost.quantize(Decimal("0.01")), then)


def _is_available(location: ListedLocation, wanted: LocationFilter) -> bool:
    return any(station.offers(each) for station, each in wanted.connectors(location))


def _least_rate(location: ListedLocation, wanted: LocationFilter) -> Decimal:
    rates = [station.rate_per_kwh for station, _ in wanted.connectors(location)]
    return min(rates, default=Decimal("Infinity"))

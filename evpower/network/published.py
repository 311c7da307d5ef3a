"""What phones were told of the network last, and the news that a reading makes of it (contract/websocket-api §6).

Pure. A reading replaces the stations and locations that it was of; the others are not looked at.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Set
from dataclasses import dataclass, field
from itertools import chain
from typing import TypeAlias

from evpower.identifiers import StationId
from evpower.network.counts import LocationCounts, LocationTally
from evpower.network.listing import ListedLocation, ListedStation


@dataclass(frozen=True)
class LocationUpdate:
    """A location's status or counts differ from what was published last."""

    location_id: str
    counts: LocationCounts


@dataclass(frozen=True)
class StationUpdate:
    """A station's status or connectors differ from what was published last, or the station is new."""

    station: ListedStation
    #: Whether its serial number is another station's id, which then is whom that name means.
    is_shadowed: bool = False


NetworkNews: TypeAlias = LocationUpdate | StationUpdate


@dataclass(frozen=True)
class NetworkReading:
    """Locations that were asked for, whole, and stations that were, with those of either that the public sees."""

    location_ids: Collection[str] = ()
    locations: Collection[ListedLocation] = ()
    station_ids: Collection[StationId] = ()
    stations: Collection[ListedStation] = ()

    @property
    def found(self) -> Iterator[ListedStation]:
        """Every station that was read; a later one of the same id is the newer."""
        yield from self.stations
        for location in self.locations:
            yield from location.stations


@dataclass
class _Place:
    """A location that is shown."""

    tally: LocationTally = field(default_factory=LocationTally)
    station_ids: set[StationId] = field(default_factory=set)


class PublishedNetwork:
    """Stations and the counts of locations as they were published last."""

    def __init__(self) -> None:
        self._stations: dict[StationId, ListedStation] = {}
        self._places: dict[str, _Place] = {}

    @property
    def location_ids(self) -> Set[str]:
        return self._places.keys()

    def take(self, reading: NetworkReading) -> list[NetworkNews]:
        """Put the reading in the place of what it was of; the news, by location.

        A location's stations come before it. What is gone is no news but of its location's counts.
        Raises KeyError when a station's location is neither published nor in the reading.
        """
        found = {station.id: station for station in reading.found}
        asked = {*reading.station_ids, *self._stations_at(reading.location_ids), *found}
        old = {id_: self._stations[id_] for id_ in asked if id_ in self._stations}
        touched = {*reading.location_ids, *(station.location_id for station in (*old.values(), *found.values()))}
        counts = {id_: self._places[id_].tally.counts for id_ in touched if id_ in self._places}
        for station in old.values():
            self._remove(station)
        self._show(reading)
        for station in found.values():
            self._add(station)
        changed: defaultdict[str, list[ListedStation]] = defaultdict(list)
        for station in found.values():
            if station.id not in old or old[station.id].appearance != station.appearance:
                changed[station.location_id].append(station)
        news: list[NetworkNews] = []
        for location_id in sorted(touched & self._places.keys()):
            news += [StationUpdate(each, each.serial_number in self._stations) for each in changed[location_id]]
            now = self._places[location_id].tally.counts
            if counts.get(location_id) != now:
                news.append(LocationUpdate(location_id, now))
        return news

    def _stations_at(self, location_ids: Collection[str]) -> Iterator[StationId]:
        return chain.from_iterable(self._places[id_].station_ids for id_ in location_ids if id_ in self._places)

    def _show(self, reading: NetworkReading) -> None:
        """The locations of the reading are those that are shown of the ones it was of."""
        for location_id in reading.location_ids:
            self._places.pop(location_id, None)
        self._places.update((location.id, _Place()) for location in reading.locations)

    def _add(self, station: ListedStation) -> None:
        place = self._places[station.location_id]
        place.tally.add(station.status, station.connectors_summary)
        place.station_ids.add(station.id)
        self._stations[station.id] = station

    def _remove(self, station: ListedStation) -> None:
        place = self._places[station.location_id]
        place.tally.add(station.status, station.connectors_summary, -1)
        place.station_ids.discard(station.id)
        del self._stations[station.id]

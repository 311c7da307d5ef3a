"""The picture as one reader may see it: an operator sees their own stations, and no sums of the whole network."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from evpower.attention.cells import CellKind, StationCells, faults, is_missing
from evpower.attention.overview import DayFigures, RunningCharges
from evpower.attention.picture import Picture
from evpower.attention.todo import Todo
from evpower.identifiers import StationId
from evpower.staff.records import Acting

#: Up to so many connectors are tiles with names; up to so many are cells; above, only troubles are named (§3.2).
TILES_MOST, CELLS_MOST = 60, 600
#: As many running charges as the first screen shows.
RUNNING_SHOWN = 20


@dataclass(frozen=True)
class GridPlace:
    """A heading of the grid: a location, or in a large network a city; each station with its number in the grid."""

    name: str
    stations: tuple[tuple[int, StationCells], ...]


@dataclass(frozen=True)
class Glance:
    """What a reader sees."""

    picture: Picture
    stations: Mapping[StationId, StationCells]
    running: RunningCharges
    todo: Todo
    #: None: not theirs to see.
    day: DayFigures | None
    kinds: Mapping[CellKind, int]
    offline_stations: int
    #: Connectors, by the rule of To do.
    faulted: int

    @property
    def density(self) -> str:
        """How large a cell may be."""
        connectors = sum(self.kinds.values())
        return "tiles" if connectors <= TILES_MOST else "cells" if connectors <= CELLS_MOST else "dots"

    def places(self) -> Iterator[GridPlace]:
        """The grid, in its order."""
        by_city, name, group = self.density == "dots", "", list[tuple[int, StationCells]]()
        for station_id, station in self.stations.items():
            facts = station.facts
            here = (facts.city or facts.location_name) if by_city else facts.location_name
            if group and here != name:
                yield GridPlace(name, tuple(group))
                group = []
            name = here
            group.append((self.picture.order[station_id], station))
        if group:
            yield GridPlace(name, tuple(group))


def glance(picture: Picture, acting: Acting) -> Glance:
    """What they may see of it."""
    if acting.own is None:
        return Glance(
            picture,
            picture.stations,
            picture.running,
            picture.todo,
            picture.day,
            picture.kinds,
            picture.offline,
            picture.faulted,
        )
    stations = {each: picture.stations[each] for each in picture.order if acting.has_station(each)}
    own = tuple(each for each in picture.running.newest if acting.has_station(each.station_id))
    running = RunningCharges(own, len(own), sum(e.power_w or 0 for e in own), sum(e.held_tyiyn for e in own))
    kinds = Counter(cell.kind for station in stations.values() for cell in station.cells)
    todo = picture.todo.of_stations(acting.own.stations)
    missing, faulted = (sum(map(count, stations.values())) for count in (is_missing, faults))
    return Glance(picture, stations, running, todo, None, kinds, missing, faulted)

"""The network on a map: dots at their latitude and longitude, in a projection of our own, without tiles (§3.2)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import cos, radians

from evpower.attention.cells import CellKind, StationCells
from evpower.pages.map.oblasts import BORDERS, Border

WIDTH = 1000
#: Between the outermost dots and the edge.
MARGIN = 40
#: A network in one street is not drawn larger than this, in degrees.
LEAST_SPAN = 0.02
HEIGHT_MOST = 1400
#: What a name takes, and how many of them are readable.
NAME_WIDTH, NAME_HEIGHT, NAMES_MOST = 200, 22, 60
#: The kind that is seen of a location: the first that occurs there.
WORST_FIRST = (
    CellKind.FAULTED,
    CellKind.OFFLINE,
    CellKind.NEVER_HEARD,
    CellKind.CHARGING,
    CellKind.PLUGGED,
    CellKind.FREE,
    CellKind.CLOSED,
)


@dataclass(frozen=True)
class MapPlace:
    """A location: where it is drawn, of which kind, with how many connectors of it; not drawn without coordinates."""

    id: str
    name: str
    kind: CellKind
    connectors: int
    x: int = 0
    y: int = 0
    #: Its name is drawn too: there is room for it.
    is_named: bool = False


@dataclass(frozen=True)
class DrawnMap:
    """Places in the order in which they are drawn, troubles above the others, and those that have no place."""

    width: int
    height: int
    places: Sequence[MapPlace]
    unplaced: Sequence[MapPlace]
    #: Lines as SVG has them; those that are in sight.
    borders: Sequence[str] = ()


def draw_map(stations: Iterable[StationCells]) -> DrawnMap:
    """One dot for each location."""
    by_location: dict[str, list[StationCells]] = {}
    for station in stations:
        by_location.setdefault(station.facts.location_id, []).append(station)
    found = [(_place(id, here), _where(here[0])) for id, here in by_location.items()]
    known = [where for _, where in found if where is not None]
    unplaced = [place for place, where in found if where is None]
    if not known:
        return DrawnMap(WIDTH, 0, (), unplaced)
    projection = _Projection(known)
    places = [projection.put(place, where) for place, where in found if where is not None]
    places.sort(key=lambda each: -WORST_FIRST.index(each.kind))
    borders = [line for border in BORDERS if (line := projection.line(border)) is not None]
    return DrawnMap(WIDTH, projection.height, _named(places), unplaced, borders)


def _named(places: Sequence[MapPlace]) -> list[MapPlace]:
    """Names where no other name is, troubles' first."""
    named: list[MapPlace] = []
    found: list[MapPlace] = []
    for place in reversed(places):
        is_free = all(abs(each.x - place.x) > NAME_WIDTH or abs(each.y - place.y) > NAME_HEIGHT for each in named)
        is_named = is_free and len(named) < NAMES_MOST
        found.append(replace(place, is_named=is_named))
        if is_named:
            named.append(place)
    return found[::-1]


def _where(station: StationCells) -> tuple[float, float] | None:
    """Latitude and longitude; None when they are not known, or are nowhere."""
    latitude, longitude = station.facts.latitude, station.facts.longitude
    if latitude is None or longitude is None or (latitude == 0 and longitude == 0):
        return None
    return (latitude, longitude) if abs(latitude) < 85 and abs(longitude) <= 180 else None


def _place(id: str, stations: Sequence[StationCells]) -> MapPlace:
    kinds = [cell.kind for station in stations for cell in station.cells]
    kind = next((each for each in WORST_FIRST if each in kinds), CellKind.NEVER_HEARD)
    return MapPlace(id, stations[0].facts.location_name, kind, len(kinds))


class _Projection:
    """Degrees of longitude are as much shorter as they are at the middle of the network; north is up."""

    def __init__(self, known: Sequence[tuple[float, float]]) -> None:
        south, north = min(lat for lat, _ in known), max(lat for lat, _ in known)
        west, east = min(lon for _, lon in known), max(lon for _, lon in known)
        self._shorter = cos(radians((south + north) / 2))
        across, up = max(LEAST_SPAN, (east - west) * self._shorter), max(LEAST_SPAN, north - south)
        inner = WIDTH - 2 * MARGIN
        self._scale = min(inner / across, (HEIGHT_MOST - 2 * MARGIN) / up)
        self._middle = ((south + north) / 2, (west + east) / 2)
        self.height = round(up * self._scale) + 2 * MARGIN

    def put(self, place: MapPlace, where: tuple[float, float]) -> MapPlace:
        x, y = self._at(*where)
        return MapPlace(place.id, place.name, place.kind, place.connectors, x, y)

    def line(self, border: Border) -> str | None:
        """The border as points of a line; None when none of it can be in sight."""
        points = [self._at(latitude, longitude) for longitude, latitude in border]
        is_seen = any(
            max(x1, x2) >= 0 and min(x1, x2) <= WIDTH and max(y1, y2) >= 0 and min(y1, y2) <= self.height
            for (x1, y1), (x2, y2) in pairwise(points)
        )
        return " ".join(f"{x},{y}" for x, y in points) if is_seen else None

    def _at(self, latitude: float, longitude: float) -> tuple[int, int]:
        x = WIDTH / 2 + (longitude - self._middle[1]) * self._shorter * self._scale
        y = self.height / 2 - (latitude - self._middle[0]) * self._scale
        return round(x), round(y)

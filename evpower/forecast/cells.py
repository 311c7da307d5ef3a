"""The hierarchy of a forecast: the network's curve, a location beneath it, its hours of the week. Pure.

Level 1 is the network by kind of day and hour, 2 the location's place in it, 3 the location by kind of day and hour,
4 by weekday and hour (roadmap/forecast-navigation §2).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from evpower.forecast.calendar import CELLS, SAME_KIND
from evpower.forecast.method import lent, parent_of_location, shrunk

#: Below so many charges in a cell, one person's habit could be read from a location of one connector.
FEWEST_CHARGES = 5
#: So many hours of observations, or what is forecast is not the location's own, and nothing of a young network.
WEEK_HOURS = 7 * 24


@dataclass(frozen=True)
class Cells:
    """The observations of one location and type, by hour of the week: Σ w, Σ w x, charges begun."""

    weights: Sequence[float]
    free: Sequence[float]
    arrivals: Sequence[int]
    #: Observations, each of an hour.
    hours: int
    #: Connectors of the whole location.
    connectors: int = 2

    @cached_property
    def weight(self) -> float:
        return sum(self.weights)

    @cached_property
    def free_weight(self) -> float:
        return sum(self.free)

    def of_kind(self, cell: int) -> tuple[float, float]:
        """Σ w and Σ w x of the same hour on all days of the cell's kind."""
        same = SAME_KIND[cell]
        return sum(self.weights[each] for each in same), sum(self.free[each] for each in same)

    def is_private(self, cell: int) -> bool:
        """Whether the cell alone could show one person's charges."""
        return self.connectors <= 1 and self.arrivals[cell] < FEWEST_CHARGES


NOTHING = Cells((0.0,) * CELLS, (0.0,) * CELLS, (0,) * CELLS, 0)


@dataclass(frozen=True)
class NetworkCurve:
    """What is usual in the network, by hour of the week (equal on all days of a kind)."""

    weights: Sequence[float]
    usual: Sequence[float]
    mean: float
    #: Of the location that is watched longest.
    hours: int


def curve(locations: Iterable[Cells]) -> NetworkCurve:
    """The network's curve of these locations; of none, one half, which nothing may be said from."""
    weights, free, hours = [0.0] * CELLS, [0.0] * CELLS, 0
    for each in locations:
        weights = [known + more for known, more in zip(weights, each.weights, strict=True)]
        free = [known + more for known, more in zip(free, each.free, strict=True)]
        hours = max(hours, each.hours)
    total = sum(weights)
    mean = sum(free) / total if total else 0.5
    of_kind = [sum(weights[each] for each in SAME_KIND[cell]) for cell in range(CELLS)]
    usual = [
        sum(free[each] for each in SAME_KIND[cell]) / of_kind[cell] if of_kind[cell] else mean for cell in range(CELLS)
    ]
    return NetworkCurve(of_kind, usual, mean, hours)


@dataclass(frozen=True)
class CellEstimate:
    """What is usual in a cell, and how many observations stand behind it."""

    probability: float
    n: float


class Usual:
    """A location beneath the network: what is usual there, hour by hour of the week."""

    def __init__(self, cells: Cells, network: NetworkCurve) -> None:
        self._cells = cells
        self._network = network
        self._known: dict[int, CellEstimate] = {}

    @cached_property
    def mean(self) -> float:
        """The location's; without observations the network's."""
        return self._cells.free_weight / self._cells.weight if self._cells.weight else self._network.mean

    @property
    def is_young(self) -> bool:
        """Whether the location was watched for less than a week."""
        return self._cells.hours < WEEK_HOURS

    @property
    def hours(self) -> int:
        """Observations, each of an hour."""
        return self._cells.hours

    def observed(self, cell: int) -> float | None:
        """The mean of the cell alone; None without observations, and where it could show one person's charges."""
        weight = self._cells.weights[cell]
        return None if not weight or self._cells.is_private(cell) else self._cells.free[cell] / weight

    def in_network(self, cell: int) -> float:
        """Level 1."""
        return self._network.usual[cell]

    def at(self, cell: int) -> CellEstimate:
        """Level 4, or 3 where 4 could show one person's charges."""
        found = self._known.get(cell)
        if found is None:
            found = self._known[cell] = self._estimate(cell)
        return found

    def _estimate(self, cell: int) -> CellEstimate:
        network = self._network
        above = parent_of_location(network.usual[cell], self.mean, network.mean)
        weight, free = self._cells.of_kind(cell)
        of_kind = shrunk(weight, free, above)
        if self._cells.is_private(cell):
            return CellEstimate(of_kind, lent(network.weights[cell], weight))
        own, own_free = self._cells.weights[cell], self._cells.free[cell]
        return CellEstimate(shrunk(own, own_free, of_kind), lent(network.weights[cell], weight, own))

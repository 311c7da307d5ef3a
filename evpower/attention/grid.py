"""The grid as it was drawn last: stations are kept, and only those that changed are drawn anew (§9)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import trio

from evpower.attention.cells import CellKind, StationCells, StationFactsNow, faults, is_missing, station_cells
from evpower.attention.rules import may_need_a_person
from evpower.identifiers import StationId

#: Stations that are drawn before everything else in the process has its turn.
DRAWN_AT_ONCE = 50
#: Places that are compared before that.
PLACED_AT_ONCE = 1000


class Grid:
    """What is kept between two pictures."""

    def __init__(self) -> None:
        self.facts: dict[StationId, StationFactsNow] = {}
        self.cells: dict[StationId, StationCells] = {}
        #: The place of each station.
        self.order: dict[StationId, int] = {}
        #: The number of the picture in which each was last drawn anew.
        self.drawn_in: dict[StationId, int] = {}
        #: Connectors of each kind; stations that should be online and are not; connectors with a fault.
        self.kinds: Counter[CellKind] = Counter()
        self.offline = self.faulted = 0
        #: Those that may need a person, and how many are active at each location.
        self.suspects: dict[StationId, StationCells] = {}
        self.active: Mapping[str, int] = {}
        #: Rises when stations came, went or changed places.
        self.layouts = 0
        self._silent: frozenset[StationId] = frozenset()

    async def draw(
        self, read: Mapping[StationId, StationFactsNow], silent: frozenset[StationId], number: int, *, whole: bool
    ) -> tuple[StationId, ...]:
        """Draw the cells anew of what was read, and of what fell silent or spoke again; those that look different.

        `whole`: everything was read. In parts: thousands of stations hold up nothing else in the process.
        """
        if whole:
            await self._place(read)
        await trio.lowlevel.checkpoint()
        redrawn = {*read, *(silent ^ self._silent)} & self.facts.keys()
        await trio.lowlevel.checkpoint()
        self.facts.update((each, read[each]) for each in read.keys() & redrawn)
        self._silent = silent
        drawn = []
        for index, station_id in enumerate([each for each in self.facts if each in redrawn] if redrawn else ()):
            if index % DRAWN_AT_ONCE == 0:
                await trio.lowlevel.checkpoint()
            if self._draw(station_id, is_online=station_id not in silent):
                self.drawn_in[station_id] = number
                drawn.append(station_id)
        if whole:
            # What is new comes last until it stands in its place.
            await trio.lowlevel.checkpoint()
            self.cells = {each: self.cells[each] for each in self.facts}
            await trio.lowlevel.checkpoint()
            self.suspects = {each: self.suspects[each] for each in self.facts if each in self.suspects}
            self.active = Counter(each.location_id for each in read.values() if each.admin_status == "active")
        return tuple(drawn)

    async def _place(self, read: Mapping[StationId, StationFactsNow]) -> None:
        """The order of everything that was read; what is gone is counted no more."""
        is_same = len(read) == len(self.facts)
        for index, (new, old) in enumerate(zip(read.values(), self.facts.values(), strict=False)):
            if index % PLACED_AT_ONCE == 0:
                await trio.lowlevel.checkpoint()
            is_same = is_same and (new.id, new.location_id, new.city) == (old.id, old.location_id, old.city)
        self.layouts += not is_same
        self.facts = dict(read)
        self.order = {each: place for place, each in enumerate(self.facts)}
        await trio.lowlevel.checkpoint()
        for gone in self.cells.keys() - self.facts.keys():
            self._count(self.cells[gone], -1)
        self.cells = {each: self.cells[each] for each in self.facts if each in self.cells}

    def _draw(self, station_id: StationId, *, is_online: bool) -> bool:
        """Whether it looks different."""
        cells = station_cells(self.facts[station_id], is_online=is_online)
        was = self.cells.get(station_id)
        self._count(was, -1)
        self._count(cells, 1)
        self.cells[station_id] = cells
        if may_need_a_person(cells):
            self.suspects[station_id] = cells
        else:
            self.suspects.pop(station_id, None)
        return was is None or not was.looks_as(cells)

    def _count(self, station: StationCells | None, by: int) -> None:
        """Keep the sums as stations are drawn: adding thousands up for each picture would take the loop's time."""
        if station is not None:
            for cell in station.cells:
                self.kinds[cell.kind] += by
            self.offline += by * is_missing(station)
            self.faulted += by * faults(station)

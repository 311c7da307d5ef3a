"""The picture that every page shows: read once for all viewers, and not at all while nobody looks (§9).

It is read every two seconds while somebody watches, and at most four times a second when something has changed.
Stations are kept; only those that changed are read again. A picture keeps the time it was read at, so that no reader
can take an old one for new.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NoReturn

import trio

from evpower.attention.beneath import Beneath, BeneathFacts
from evpower.attention.cells import CellKind, StationCells
from evpower.attention.folding import folded
from evpower.attention.grid import Grid
from evpower.attention.overview import DayFigures, RunningCharges
from evpower.attention.reading import PictureReading, PictureRows
from evpower.attention.rows.over import store_over
from evpower.attention.rows.overview import read_running
from evpower.attention.rules import of_beneath, raised
from evpower.attention.todo import Todo, ended_now, make_todo
from evpower.clock import Clock
from evpower.db.pool import Pool
from evpower.db.unit_of_work import reading, unit_of_work
from evpower.events import Event, EventBus, GapInEvents, NetworkChanged
from evpower.identifiers import StationId
from evpower.worker import Wake, contain

log = logging.getLogger("evpower.attention")

#: How often the figures are read while somebody watches, and how soon after a change at the earliest.
LOOK_EVERY_S = 2.0
LOOKS_APART_S = 0.25
#: Events that nobody has taken up; more are a gap.
EVENTS_MOST = 20_000
#: Longer, and the picture stays the old one, with its age.
LOOK_WITHIN_S = 5.0
FAILURE = "the operators' picture could not be read; the pages show the last one with its age"


@dataclass(frozen=True)
class Picture:
    """Everything the first screen shows, as it was at `taken_at`; `number` rises with each one."""

    number: int
    taken_at: datetime
    #: In the order of the grid.
    stations: Mapping[StationId, StationCells]
    #: The place of each in that order.
    order: Mapping[StationId, int]
    #: The number of the picture in which each was last drawn anew, and which were in this one.
    drawn_in: Mapping[StationId, int]
    drawn: tuple[StationId, ...]
    running: RunningCharges
    day: DayFigures
    todo: Todo
    #: Another one when stations came, went or changed places: then the grid is another one.
    layout: str
    #: Connectors of each kind; stations that should be online and are not; connectors with a fault.
    kinds: Mapping[CellKind, int]
    offline: int
    faulted: int

    def drawn_since(self, number: int) -> Iterator[StationId]:
        """Stations that look different from picture `number` on."""
        if number == self.number - 1:
            yield from self.drawn
        elif number < self.number:
            yield from (each for each, drawn_in in self.drawn_in.items() if drawn_in > number)


class Pictures:
    """The one reader of pictures in this process."""

    def __init__(
        self,
        pool: Pool,
        clock: Clock,
        bus: EventBus,
        reading: PictureReading,
        series: str,
        beneath: Beneath,
    ) -> None:
        self._pool = pool
        self._clock = clock
        self._bus = bus
        self._reading = reading
        self._beneath = beneath
        self._grid, self._todo = Grid(), Todo()
        #: What was read is of before a gap, or nothing was.
        self._all_stale = True
        self._changed: set[StationId] = set()
        self._one_look = trio.Lock()
        #: Of this process alone: another one has other numbers.
        self._series = series
        self._number = 0
        self._latest: Picture | None = None
        #: From when the last picture is, while a newer one cannot be read.
        self.away_since: datetime | None = None
        self._next = trio.Event()
        self._wake = Wake()
        self._closing = self._follows = False
        self.watchers = 0

    @property
    def latest(self) -> Picture | None:
        """The last one that could be read; None before the first."""
        return self._latest

    async def fresh(self) -> Picture | None:
        """One that is no older than a look ago, if it can be read; otherwise the last one, if there is any."""
        now = self._clock.now()
        if self._latest is None or now - self._latest.taken_at > timedelta(seconds=LOOK_EVERY_S):
            with contain(log, "%s", FAILURE):
                await self.look()
        return self._latest

    async def charges_at(self, station_id: StationId) -> RunningCharges:
        """What runs at one station: in a large network the picture has the newest charges alone."""
        async with reading(self._pool) as conn:
            return await read_running(conn, self._clock.now(), station_id)

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Have pictures read while the block lasts."""
        self.watchers += 1
        self._wake.set()
        try:
            yield
        finally:
            self.watchers -= 1

    async def after(self, number: int) -> Picture:
        """The first picture with a higher number. Waits. Raises trio.EndOfChannel when the doors close."""
        while self._latest is None or self._latest.number <= number:
            if self._closing:
                raise trio.EndOfChannel
            await self._next.wait()
        return self._latest

    async def end_watchers(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """A task of the doors: when they close, every stream of changes ends, so that the doors wait for none."""
        task_status.started()
        try:
            await trio.sleep_forever()
        finally:
            self._closing = True
            self._next.set()

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> NoReturn:
        """Follow events, and read while somebody watches; until cancelled."""
        async with trio.open_nursery() as nursery:
            await nursery.start(self._follow)
            task_status.started()
            while True:
                while not self.watchers:
                    await self._wake.wait()
                with contain(log, "%s", FAILURE):
                    await self.look()
                await trio.sleep(LOOKS_APART_S)
                await self._wake.wait(LOOK_EVERY_S - LOOKS_APART_S)

    async def _follow(self, *, task_status: trio.TaskStatus[None]) -> NoReturn:
        """Which stations changed; a channel that was closed because we fell behind is a gap like any other."""
        started = False
        while True:
            with self._bus.subscribe(lambda _event: True, EVENTS_MOST) as events:
                self._all_stale, self._follows = True, True
                if not started:
                    task_status.started()
                    started = True
                async for event in events:
                    self._take(event)

    def _take(self, event: Event) -> None:
        if isinstance(event, GapInEvents | NetworkChanged):
            self._all_stale = True
        else:
            self._changed.add(event.station_id)
        self._wake.set()

    async def look(self) -> None:
        """Read what may have changed. Raises what PostgreSQL raises, and trio.TooSlowError."""
        async with self._one_look:
            try:
                with trio.fail_after(LOOK_WITHIN_S):
                    await self._look()
            except Exception:
                self.away_since = self._clock.now() if self._latest is None else self._latest.taken_at
                raise
            self.away_since = None

    async def _look(self) -> None:
        grid, now = self._grid, self._clock.now()
        # Nobody says what changed before we follow events.
        changed, whole = self._changed, self._all_stale or not self._follows
        self._changed, self._all_stale = set(), False
        try:
            beneath = await self._beneath.read()
            read = await self._reading.read(now, beneath, None if whole else changed)
        except BaseException:
            self._all_stale |= whole
            self._changed |= changed
            raise
        self._number += 1
        try:
            drawn = await grid.draw({each.id: each for each in read.facts}, read.silent, self._number, whole=whole)
        except BaseException:
            self._all_stale = True  # half of it is drawn
            raise
        if not whole and {each.id for each in read.facts} != changed & grid.facts.keys():
            # One came or went: its place in the order is in the whole list alone.
            self._all_stale = True
            self._wake.set()
        await self._list(read, beneath, now)
        await trio.lowlevel.checkpoint()
        self._publish(read, drawn, now)

    async def _list(self, read: PictureRows, beneath: BeneathFacts, now: datetime) -> None:
        """The To do list; what is seen to be over now is kept, for other processes and for the one after this."""
        # Thousands of conditions take tens of milliseconds, which are not the event loop's; until it is done, nothing
        # of what it reads is changed.
        self._todo = await trio.to_thread.run_sync(self._listed, read, beneath, now)
        if ended := ended_now(self._todo, now):
            with contain(log, "a row of To do that is over could not be kept"):
                async with unit_of_work(self._pool) as uow:
                    await store_over(uow.conn, ended)

    def _listed(self, read: PictureRows, beneath: BeneathFacts, now: datetime) -> Todo:
        grid, before_at = self._grid, None if self._latest is None else self._latest.taken_at
        conditions = [*raised(read.gathered, grid.suspects.values(), grid.cells, now), *of_beneath(beneath, now)]
        # A row that is as it was stays the one it was: thousands of parts are not freed on the event loop.
        was = {each.item.key: each.item for each in self._todo.entries}
        items = [was[item.key] if was.get(item.key) == item else item for item in folded(conditions, grid.active)]
        return make_todo(items, read.marks, self._todo, now, before_at=before_at, kept=read.over)

    def _publish(self, read: PictureRows, drawn: tuple[StationId, ...], now: datetime) -> None:
        grid = self._grid
        self._latest = Picture(
            self._number,
            now,
            dict(grid.cells),
            grid.order,
            dict(grid.drawn_in),
            drawn,
            read.running,
            read.day,
            self._todo,
            f"{self._series}-{grid.layouts}",
            dict(grid.kinds),
            grid.offline,
            grid.faulted,
        )
        self._next.set()
        self._next = trio.Event()

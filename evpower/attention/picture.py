"""The picture that every page shows: read once for all viewers, and not at all while nobody looks (§9).

It is read every two seconds while somebody watches, and at most four times a second when something has changed.
Stations are kept; only those that changed are read again. A picture keeps the time it was read at, so that no reader
can take an old one for new.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import NoReturn
from zoneinfo import ZoneInfo

import trio

from evpower.attention.beneath import Beneath
from evpower.attention.cells import CellKind, StationCells, StationFactsNow, is_missing, station_cells
from evpower.attention.folding import folded
from evpower.attention.gifts import Gifts
from evpower.attention.overview import DayFigures, RunningCharges
from evpower.attention.rows.conditions import gather
from evpower.attention.rows.marks import read_marks
from evpower.attention.rows.network import read_station_facts, silent_stations
from evpower.attention.rows.overview import read_day, read_running
from evpower.attention.rules import may_need_a_person, of_beneath, raised
from evpower.attention.todo import Todo, make_todo
from evpower.availability.records import NetworkHour
from evpower.availability.service import StationAvailability
from evpower.clock import Clock, midnight
from evpower.db.pool import Pool
from evpower.db.unit_of_work import reading
from evpower.events import Event, EventBus, GapInEvents, NetworkChanged
from evpower.identifiers import StationId
from evpower.worker import Wake, contain

log = logging.getLogger("evpower.attention")

#: How often the figures are read while somebody watches, and how soon after a change at the earliest.
LOOK_EVERY_S = 2.0
LOOKS_APART_S = 0.25
#: The day's figures move slowly.
DAY_EVERY_S = 10.0
#: As often as they are kept (availability/service.py).
HOURS_EVERY_S = 60.0
#: Events that nobody has taken up; more are a gap.
EVENTS_MOST = 20_000
#: Longer, and the picture stays the old one, with its age.
LOOK_WITHIN_S = 5.0
#: Stations that are drawn before everything else in the process has its turn.
DRAWN_AT_ONCE = 50
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
    #: Connectors of each kind, and stations that should be online and are not.
    kinds: Mapping[CellKind, int]
    offline: int

    def drawn_since(self, number: int) -> Iterator[StationId]:
        """Stations that look different from picture `number` on."""
        if number == self.number - 1:
            yield from self.drawn
        elif number < self.number:
            yield from (each for each, drawn_in in self.drawn_in.items() if drawn_in > number)


@dataclass
class _Known:
    """What is kept between two pictures."""

    facts: dict[StationId, StationFactsNow] = field(default_factory=dict)
    silent: frozenset[StationId] = frozenset()
    cells: dict[StationId, StationCells] = field(default_factory=dict)
    order: dict[StationId, int] = field(default_factory=dict)
    drawn_in: dict[StationId, int] = field(default_factory=dict)
    #: Those that may need a person, and how many are active at each location.
    kinds: Counter[CellKind] = field(default_factory=Counter)
    offline: int = 0
    suspects: dict[StationId, StationCells] = field(default_factory=dict)
    active: Mapping[str, int] = field(default_factory=dict)
    layouts: int = 0
    day: DayFigures = field(default_factory=DayFigures)
    day_at_s: float = float("-inf")
    hours: tuple[NetworkHour, ...] = ()
    hours_at_s: float = float("-inf")
    todo: Todo = field(default_factory=Todo)
    #: What was read is of before a gap, or nothing was.
    all_stale: bool = True


class Pictures:
    """The one reader of pictures in this process."""

    def __init__(
        self,
        pool: Pool,
        clock: Clock,
        bus: EventBus,
        availability: StationAvailability,
        heartbeat_timeout_s: float,
        timezone: ZoneInfo,
        series: str,
        beneath: Beneath,
        gifts: Gifts,
    ) -> None:
        self._pool = pool
        self._clock = clock
        self._bus = bus
        self._availability = availability
        self._beneath = beneath
        self._gifts = gifts
        self._heartbeat_timeout = timedelta(seconds=heartbeat_timeout_s)
        self._timezone = timezone
        self._known = _Known()
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
                self._known.all_stale, self._follows = True, True
                if not started:
                    task_status.started()
                    started = True
                async for event in events:
                    self._take(event)

    def _take(self, event: Event) -> None:
        if isinstance(event, GapInEvents | NetworkChanged):
            self._known.all_stale = True
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
        known, now = self._known, self._clock.now()
        # Nobody says what changed before we follow events.
        changed, whole = self._changed, known.all_stale or not self._follows
        self._changed, known.all_stale = set(), False
        try:
            if trio.current_time() - known.hours_at_s > HOURS_EVERY_S:
                known.hours = await self._availability.network_hours()
                known.hours_at_s = trio.current_time()
            beneath = await self._beneath.read()
            async with reading(self._pool) as conn:
                facts = await read_station_facts(conn, None if whole else changed) if whole or changed else []
                silent = await silent_stations(conn, now - self._heartbeat_timeout)
                running = await read_running(conn, now)
                gifts = await self._gifts.read(conn, now)
                gathered = replace(await gather(conn, now), ailing=beneath.ailing, gifts=gifts)
                marks = await read_marks(conn)
                if trio.current_time() - known.day_at_s > DAY_EVERY_S:
                    known.day = replace(await read_day(conn, now, midnight(now, self._timezone)), hours=known.hours)
                    known.day_at_s = trio.current_time()
        except BaseException:
            known.all_stale |= whole
            self._changed |= changed
            raise
        self._number += 1
        try:
            drawn = await self._draw({each.id: each for each in facts}, silent, whole=whole)
        except BaseException:
            known.all_stale = True  # half of it is drawn
            raise
        if not whole and {each.id for each in facts} != changed & known.facts.keys():
            # One came or went: its place in the order is in the whole list alone.
            known.all_stale = True
            self._wake.set()
        conditions = [*raised(gathered, known.suspects.values(), known.cells, now), *of_beneath(beneath, now)]
        known.todo = make_todo(folded(conditions, known.active), marks, known.todo, now)
        layout = f"{self._series}-{known.layouts}"
        self._latest = Picture(
            self._number,
            now,
            dict(known.cells),
            known.order,
            dict(known.drawn_in),
            drawn,
            running,
            known.day,
            known.todo,
            layout,
            dict(known.kinds),
            known.offline,
        )
        self._next.set()
        self._next = trio.Event()

    async def _draw(
        self, read: Mapping[StationId, StationFactsNow], silent: frozenset[StationId], *, whole: bool
    ) -> tuple[StationId, ...]:
        """Draw the cells anew of what was read, and of what fell silent or spoke again; those that look different.

        In parts: thousands of stations hold up nothing else in the process.
        """
        known = self._known
        if whole:
            places = [(each.id, each.location_id, each.city) for each in read.values()]
            if places != [(each.id, each.location_id, each.city) for each in known.facts.values()]:
                known.layouts += 1
            known.facts = dict(read)
            known.order = {each: place for place, each in enumerate(known.facts)}
            for gone in known.cells.keys() - known.facts.keys():
                self._count(known.cells[gone], -1)
            known.cells = {each: known.cells[each] for each in known.facts if each in known.cells}
        redrawn = (read.keys() | (silent ^ known.silent)) & known.facts.keys()
        known.facts.update((each, read[each]) for each in read.keys() & redrawn)
        known.silent = silent
        drawn = []
        for index, station_id in enumerate(sorted(redrawn, key=known.order.__getitem__)):
            if index % DRAWN_AT_ONCE == DRAWN_AT_ONCE - 1:
                await trio.lowlevel.checkpoint()
            cells = station_cells(known.facts[station_id], is_online=station_id not in silent)
            was = known.cells.get(station_id)
            self._count(was, -1)
            self._count(cells, 1)
            known.cells[station_id] = cells
            if may_need_a_person(cells):
                known.suspects[station_id] = cells
            else:
                known.suspects.pop(station_id, None)
            if was is None or not was.looks_as(cells):
                known.drawn_in[station_id] = self._number
                drawn.append(station_id)
        if whole:
            known.cells = {each: known.cells[each] for each in known.facts}
            known.suspects = {each: known.suspects[each] for each in known.facts if each in known.suspects}
            known.active = Counter(each.location_id for each in read.values() if each.admin_status == "active")
        return tuple(drawn)

    def _count(self, station: StationCells | None, by: int) -> None:
        """Keep the sums as stations are drawn: adding thousands up for each picture would take the loop's time."""
        if station is not None:
            for cell in station.cells:
                self._known.kinds[cell.kind] += by
            self._known.offline += by * is_missing(station)

"""Publishes changes in what the public can read of the network (contract/websocket-api §6).

One task reads, compares with what it published last, and publishes the difference: so pushes carry the state after the
change, keep their order, and never come when nothing public changed. Only the locations of touched stations are read;
when it fell behind, or the database was away, the whole network is compared instead.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from operator import attrgetter
from typing import TypeAlias

import trio

from evpower.events import Event, EventBus, GapInEvents, NetworkChanged
from evpower.identifiers import StationId
from evpower.network.listing import ListedLocation, ListedStation
from evpower.network.locations import Locations

log = logging.getLogger("evpower.feed")

BACKLOG = 4096
#: Above this many locations one reading of all of them is cheaper.
READ_ALL_ABOVE = 16
RETRY_AFTER_S = 1.0
#: After a reading of everything the feed rests this many times as long as it took: in a storm, when thousands of
#: stations change at once, the feed takes a fifth of the process at most.
REST_TIMES = 4


@dataclass(frozen=True)
class LocationUpdate:
    """A location's status or counts differ from what was published last."""

    location: ListedLocation


@dataclass(frozen=True)
class StationUpdate:
    """A station's status or connectors differ from what was published last, or the station is new."""

    station: ListedStation
    #: Whether its serial number is another station's id, which then is whom that name means.
    is_shadowed: bool = False


NetworkNews: TypeAlias = LocationUpdate | StationUpdate


class NetworkFeed:
    """The worker; `publish` is called for each change, in order, and must not wait."""

    def __init__(self, bus: EventBus, locations: Locations, publish: Callable[[NetworkNews], None]) -> None:
        self._bus = bus
        self._locations = locations
        self._publish = publish
        self._published: dict[str, ListedLocation] = {}
        #: The location of each station, as published last.
        self._at: dict[StationId, str] = {}
        self._rest_s = 0.0

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Follow until cancelled; ready when the network has been read once."""
        with self._bus.subscribe(_every_one, backlog=BACKLOG) as events:
            for location in (await self._locations.read()).locations:
                self._remember(location)
            task_status.started()
            await self._follow(events)
        while True:
            with self._bus.subscribe(_every_one, backlog=BACKLOG) as events:
                await self._until_done(None)
                await self._follow(events)

    async def _follow(self, events: trio.MemoryReceiveChannel[Event]) -> None:
        """Until the channel ends, which it does when we fell behind."""
        async for event in events:
            touched = [event]
            try:
                while True:
                    touched.append(events.receive_nowait())
            except (trio.WouldBlock, trio.EndOfChannel):
                pass
            await self._until_done(touched)
            await trio.sleep(self._rest_s)
            self._rest_s = 0.0
        log.warning("the live feed fell behind; the whole network is compared")

    async def _until_done(self, touched: list[Event] | None) -> None:
        """Compare the locations of these events (None: all); while the database is away, try again."""
        while True:
            try:
                return await self._compare(touched)
            except Exception:
                log.exception("the network could not be read and will be again")
            await trio.sleep(RETRY_AFTER_S)
            touched = None

    async def _compare(self, touched: list[Event] | None) -> None:
        if touched is not None and any(isinstance(event, GapInEvents) for event in touched):
            touched = None
        location_ids = None if touched is None else await self._locations_of(touched)
        if location_ids is None or len(location_ids) > READ_ALL_ABOVE:
            began_at = trio.current_time()
            found = (await self._locations.read()).locations
            self._rest_s = REST_TIMES * (trio.current_time() - began_at)
            location_ids = {*self._published, *(location.id for location in found)}
        else:
            found = tuple([each for id_ in location_ids for each in (await self._locations.read(id_)).locations])
        before = {location_id: self._published.pop(location_id, None) for location_id in location_ids}
        for location in found:
            self._remember(location)
        for location in sorted(found, key=attrgetter("id")):
            self._publish_difference(before[location.id], location)

    async def _locations_of(self, touched: list[Event]) -> set[str]:
        """Where the stations of these events are, and where they were."""
        location_ids = {event.location_id for event in touched if isinstance(event, NetworkChanged)}
        stations = {event.station_id for event in touched if not isinstance(event, NetworkChanged | GapInEvents)}
        location_ids |= await self._locations.containing(stations)
        return location_ids | {self._at[station] for station in stations if station in self._at}

    def _remember(self, location: ListedLocation) -> None:
        self._published[location.id] = location
        self._at.update((station.id, location.id) for station in location.stations)

    def _publish_difference(self, before: ListedLocation | None, after: ListedLocation) -> None:
        """Nothing is published for a location that is gone: there is no message for that (§4)."""
        known = {station.id: station.appearance for station in before.stations} if before else {}
        for station in after.stations:
            if known.get(station.id) != station.appearance:
                self._publish(StationUpdate(station, is_shadowed=station.serial_number in self._at))
        if before is None or before.appearance != after.appearance:
            self._publish(LocationUpdate(after))


def _every_one(event: Event) -> bool:
    """Each of them may have changed something the public can read of a station."""
    return True

"""Publishes changes in what the public can read of the network (contract/websocket-api §6).

One task reads, compares with what it published last, and publishes the difference: so pushes carry the state after the
change, keep their order, and never come when nothing public changed. Only touched stations are read, and their
locations counted by difference, so a change costs the same in a large location; when it fell behind, or the database
was away, the whole network is compared instead.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

import trio

from evpower.events import Event, EventBus, GapInEvents, NetworkChanged
from evpower.network.locations import Locations
from evpower.network.published import NetworkNews, NetworkReading, PublishedNetwork

log = logging.getLogger("evpower.feed")

BACKLOG = 4096
RETRY_AFTER_S = 1.0
#: The first change is published at once; those that follow it within this time are read together.
GATHER_S = 0.05
#: After a reading the feed rests this many times as long as it took: in a storm, when thousands of stations change at
#: once, the feed takes a fifth of the process at most.
REST_TIMES = 4
#: As long as the database is slow, nobody waits longer for news than this.
REST_MOST_S = 1.0


class NetworkFeed:
    """The worker; `publish` is called for each change, in order, and must not wait."""

    def __init__(self, bus: EventBus, locations: Locations, publish: Callable[[NetworkNews], None]) -> None:
        self._bus = bus
        self._locations = locations
        self._publish = publish
        self._published = PublishedNetwork()
        self._rest_s = 0.0

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Follow until cancelled; ready when the network has been read once."""
        with self._bus.subscribe(_every_one, backlog=BACKLOG) as events:
            self._published.take(await self._everything())
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
        began_at = trio.current_time()
        if touched is None or any(isinstance(event, GapInEvents) for event in touched):
            read = await self._everything()
        else:
            read = await self._read(touched)
        for news in self._published.take(read):
            self._publish(news)
        took_s = trio.current_time() - began_at
        self._rest_s = min(max(GATHER_S, REST_TIMES * took_s), REST_MOST_S)

    async def _everything(self) -> NetworkReading:
        found = (await self._locations.read()).locations
        return NetworkReading({*self._published.location_ids, *(location.id for location in found)}, found)

    async def _read(self, touched: list[Event]) -> NetworkReading:
        """Locations that an administrator changed, whole; of the others the stations of these events."""
        location_ids = {event.location_id for event in touched if isinstance(event, NetworkChanged)}
        station_ids = {event.station_id for event in touched if not isinstance(event, NetworkChanged | GapInEvents)}
        stations = await self._locations.stations(station_ids) if station_ids else []
        location_ids |= {station.location_id for station in stations} - self._published.location_ids
        found = [each for id_ in location_ids for each in (await self._locations.read(id_)).locations]
        rest = [station for station in stations if station.location_id not in location_ids]
        return NetworkReading(location_ids, found, station_ids, rest)


def _every_one(event: Event) -> bool:
    """Each of them may have changed something the public can read of a station."""
    return True

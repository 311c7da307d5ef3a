"""Watches: "notify me when a connector is free here" (roadmap/history-favorites-push §2).

A notice is for whoever comes first, no reservation. What is free is read as the public sees it, so whatever makes a
connector free counts: a status, the end of a charge, a station that is back, an administrator. A connector that is free
when the watch is made counts too: it may have become so after the driver looked.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

import trio

from evpower.accounts.owner import lock_owner
from evpower.clock import ClockWatch
from evpower.db.pool import Pool
from evpower.db.unit_of_work import UnitOfWork, reading, unit_of_work
from evpower.errors import ConnectorNotFound, InvalidRequest, LocationNotFound
from evpower.favorites.errors import NoSuchLocation, TooManyWatches
from evpower.favorites.rows import watches as rows
from evpower.favorites.rows.watches import Watch
from evpower.idempotency.claim import IdempotencyClaim
from evpower.idempotency.keys import keep_claim
from evpower.identifiers import ClientId, ConnectorId, StationId
from evpower.network.listing import ListedLocation
from evpower.network.locations import Locations
from evpower.worker import repeat

log = logging.getLogger("evpower.favorites")

WATCHES_MOST = 5
LONGEST = timedelta(hours=12)
LOOK_EVERY_S = 5.0
#: Above this many locations one reading of all of them is cheaper.
READ_ALL_ABOVE = 16
UNTIL_WRONG = "время в будущем, не позже чем через 12 часов"


@dataclass(frozen=True)
class ConnectorFree:
    """The one notice of a watch."""

    watch_id: int
    client_id: ClientId
    location_id: str
    station_id: StationId
    connector_id: ConnectorId


#: Writes the message in the unit of work that ends the watch; it is not delivered here.
Notify: TypeAlias = Callable[[UnitOfWork, ConnectorFree], Awaitable[None]]

#: What becomes of a watch: a client made it, or ended it; its notice was written, or its time was over.
WatchStep: TypeAlias = Literal["made", "ended", "notified", "over"]


class Watches:
    """What a client does with watches, and the worker that ends them; any number of processes may run one."""

    def __init__(self, pool: Pool, watch: ClockWatch, locations: Locations, notify: Notify) -> None:
        self._pool = pool
        self._clock = watch
        self._locations = locations
        self._notify = notify
        #: Of this process, since the start.
        self.steps: Counter[WatchStep] = Counter()

    async def start(
        self,
        client_id: ClientId,
        location_id: str,
        connector_type: str | None = None,
        until: datetime | None = None,
        claim: IdempotencyClaim | None = None,
    ) -> datetime:
        """One notice when a connector of this type (None: any) is free; until when it is waited for, 12 hours at most.

        A client has one watch at a location: another one takes its place. Raises InvalidRequest (`until`),
        NoSuchLocation (unknown, or not shown), ConnectorNotFound (none of that type), TooManyWatches, ClientDeleted,
        IdempotencyMismatch.
        """
        now = self._clock.look()
        until = until or now + LONGEST
        if not now < until <= now + LONGEST:
            raise InvalidRequest(("until", UNTIL_WRONG))
        if not _has(await self._shown(location_id), connector_type):
            raise ConnectorNotFound
        async with unit_of_work(self._pool) as uow:
            owner = await lock_owner(uow, client_id, claim, now)
            if await rows.count_others(uow.conn, owner, location_id, now) >= WATCHES_MOST:
                raise TooManyWatches
            await rows.store_watch(uow.conn, owner, location_id, connector_type, now, until)
        self.steps["made"] += 1
        return until

    async def waits_until(self, client_id: ClientId, location_id: str) -> datetime:
        """Until when the client waits there; now, when it waits no longer."""
        async with reading(self._pool) as conn:
            return await rows.read_until(conn, client_id, location_id) or self._clock.look()

    async def stop(self, client_id: ClientId, location_id: str, claim: IdempotencyClaim | None = None) -> None:
        """Wait no longer; also when nothing was waited for. Raises IdempotencyMismatch."""
        async with unit_of_work(self._pool) as uow:
            await keep_claim(uow, claim, self._clock.look())
            ended = await rows.delete_watch(uow.conn, client_id, location_id)
        self.steps["ended"] += ended

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Look until cancelled."""
        task_status.started()
        await repeat(self.look, LOOK_EVERY_S, log=log, failure="free connectors were not looked for and will be again")

    async def look(self) -> None:
        """Notify whoever waits for what is free now; end what is over, unless the wall clock is in doubt."""
        now, in_doubt = self._clock.look(), self._clock.holds
        async with reading(self._pool) as conn:
            waiting = await rows.list_waiting(conn, now)
            over = await rows.count_over(conn, now)
        if over and not in_doubt:
            async with unit_of_work(self._pool) as uow:
                over = await rows.drop_over(uow.conn, now)
            self.steps["over"] += over
            log.info("watches are over: %d", over)
        if not waiting:
            return
        locations = {each.id: each for each in await self._read({watch.location_id for watch in waiting})}
        for watch in waiting:
            location = locations.get(watch.location_id)
            free = None if location is None else _free(location, watch)
            if free is not None:
                await self._end(watch, free)

    async def _end(self, watch: Watch, free: ConnectorFree) -> None:
        async with unit_of_work(self._pool) as uow:
            if not await rows.take_watch(uow.conn, watch):
                return
            await self._notify(uow, free)
        self.steps["notified"] += 1
        station, connector = free.station_id, free.connector_id
        line = "connector is free, a client is notified: client_id=%s, station=%s, connector=%s, watch=%s"
        log.info(line, watch.client_id, station, connector, watch.id)

    async def _read(self, location_ids: Collection[str]) -> list[ListedLocation]:
        """Those that the public sees; each once, however many wait."""
        if len(location_ids) > READ_ALL_ABOVE:
            return list((await self._locations.read()).locations)
        return [each for id_ in sorted(location_ids) for each in (await self._locations.read(id_)).locations]

    async def _shown(self, location_id: str) -> ListedLocation:
        try:
            return await self._locations.location(location_id)
        except LocationNotFound:
            raise NoSuchLocation from None


def _has(location: ListedLocation, connector_type: str | None) -> bool:
    return any(each.is_of(connector_type) for station in location.stations for each in station.connectors)


def _free(location: ListedLocation, watch: Watch) -> ConnectorFree | None:
    """The first connector there that ends this watch."""
    for station in location.stations:
        for each in station.connectors:
            if each.is_of(watch.connector_type) and station.offers(each):
                return ConnectorFree(watch.id, watch.client_id, location.id, station.id, each.connector_id)
    return None

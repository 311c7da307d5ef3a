"""Who is there: last messages flushed in groups, and the watchdog that notices silence (design §9.20; seed §2)."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from datetime import datetime

import trio

from evpower.clock import ClockWatch
from evpower.db.pool import Pool
from evpower.db.unit_of_work import reading, unit_of_work
from evpower.events import EventBus, StationChanged
from evpower.identifiers import StationId
from evpower.link.ports import LiveStations
from evpower.network.rows.stations import mark_silent, spoken_version, store_presence
from evpower.push.events import PushEvent
from evpower.push.outbox import PushOutbox
from evpower.worker import Wake, repeat

log = logging.getLogger("evpower.presence")

#: The live value is in memory; the row is at most this old.
FLUSH_EVERY_S = 3.0
#: The seed's background check.
WATCH_EVERY_S = 120.0


class Presence:
    """The worker that keeps `stations.last_heartbeat_at` and `is_available` true."""

    def __init__(
        self,
        pool: Pool,
        watch: ClockWatch,
        link: LiveStations,
        bus: EventBus,
        push: PushOutbox,
        heartbeat_timeout_s: float,
    ) -> None:
        self._pool = pool
        self._watch = watch
        self._link = link
        self._bus = bus
        self._push = push
        self._timeout_s = heartbeat_timeout_s
        self._flushed: dict[StationId, datetime] = {}
        self._silence_seen = Wake()

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Flush and watch until cancelled; a database that is away is waited for."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_repeat, self.flush, FLUSH_EVERY_S)
            nursery.start_soon(_repeat, self.watch, WATCH_EVERY_S, self._silence_seen)
            task_status.started()

    def silence_seen(self) -> None:
        """Somebody read that a station is silent: it need not wait for the next check to be announced."""
        self._silence_seen.set()

    async def flush(self) -> None:
        """Store the time of the last message of every station that spoke since the last flush."""
        seen = self._link.seen()
        news = {station: at for station, at in seen.items() if self._flushed.get(station) != at}
        if news:
            async with unit_of_work(self._pool) as uow:
                returned = await store_presence(uow.conn, news)
            self._announce(returned)
        self._flushed = dict(seen)

    async def watch(self) -> None:
        """Mark stations silent for longer than the timeout; none while the wall clock is in doubt."""
        if self._watch.holds:
            return
        async with unit_of_work(self._pool) as uow:
            silent = await mark_silent(uow.conn, self._watch.before(self._timeout_s))
            at_s = int(self._watch.look().timestamp())
            await self._push.enqueue(uow, *(_offline(station_id, at_s) for station_id in silent))
        for station_id in silent:
            log.warning("station is offline: station=%s", station_id)
        self._announce(silent)

    def _announce(self, stations: list[StationId]) -> None:
        for station_id in stations:
            self._bus.publish(StationChanged(station_id))


async def last_spoken(pool: Pool, station_id: StationId) -> str | None:
    """Which version of OCPP the station spoke last; None when it has not been here yet. Raises DatabaseUnavailable."""
    async with reading(pool) as conn:
        return await spoken_version(conn, station_id)


def _offline(station_id: StationId, at_s: int) -> PushEvent:
    """For the owners of its location, once for each time it falls silent."""
    return PushEvent("station_offline", f"station_offline:{station_id}:{at_s}", station_id=station_id)


async def _repeat(job: Callable[[], Awaitable[None]], every_s: float, wake: Wake | None = None) -> None:
    await repeat(job, every_s, wake, log=log, failure="presence could not be stored and will be repeated")

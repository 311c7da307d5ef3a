"""What pages and doors ask: a station's outages and uptime, the network's hours; and the worker that keeps them."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import trio

from evpower.availability.records import NetworkHour, SeenAvailability, by_day, uptime
from evpower.availability.rows import hours as rows
from evpower.clock import Clock, midnight
from evpower.db.pool import Pool
from evpower.db.unit_of_work import reading, unit_of_work
from evpower.identifiers import StationId
from evpower.worker import repeat

log = logging.getLogger("evpower.availability")

EVERY_S = 60.0
#: Hours that are computed anew in each round; and in a round of each hour, for what was billed or corrected later.
ANEW, ANEW_HOURLY = timedelta(hours=2), timedelta(days=3)
KEPT_FOR = timedelta(days=62)


class StationAvailability:
    """Reads outages and hours, and keeps the hours: several processes write the same."""

    def __init__(self, pool: Pool, clock: Clock, zone: ZoneInfo) -> None:
        self._pool = pool
        self._clock = clock
        self._zone = zone
        self._whole_at: datetime | None = None

    async def seen(self, station_id: StationId, days: int = 30) -> SeenAvailability:
        """The last `days` days, today included: uptime of the whole and of each day, outages the newest first.

        Time before the station was added does not count; time in maintenance does. Raises StationNotFound.
        """
        now = self._clock.now()
        since = midnight(now, self._zone) - timedelta(days=days - 1)
        async with reading(self._pool) as conn:
            known_since = await rows.read_known_since(conn, station_id)
            if known_since is None:
                return SeenAvailability(station_id, None, (), ())
            since = max(since, known_since)
            outages = await rows.read_outages(conn, station_id, since)
        return SeenAvailability(
            station_id, uptime(outages, since, now), by_day(outages, since, now, self._zone), outages
        )

    async def network_hours(self, hours: int = 24) -> tuple[NetworkHour, ...]:
        """The network's last hours, the oldest first; the last one is not over."""
        now = self._clock.now()
        async with reading(self._pool) as conn:
            return await rows.read_network_hours(conn, now - timedelta(hours=hours - 1), now)

    async def network_uptime(self, days: int = 30) -> float | None:
        """The share of the last days in which the active stations were heard of; None of no station.

        Time before a station was added does not count, as for one station (`seen`).
        """
        now = self._clock.now()
        async with reading(self._pool) as conn:
            return await rows.read_network_uptime(conn, now - timedelta(days=days), now)

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Keep the hours until cancelled."""
        task_status.started()
        await repeat(self.work, EVERY_S, log=log, failure="the sums of the hours could not be kept; again later")

    async def work(self) -> None:
        """Compute the last hours from rows; once an hour those of the last days too."""
        now = self._clock.now()
        is_whole = self._whole_at is None or abs(now - self._whole_at) >= timedelta(hours=1)
        async with unit_of_work(self._pool) as uow:
            await rows.keep_hours(uow.conn, now - (ANEW_HOURLY if is_whole else ANEW), now)
        if is_whole:
            self._whole_at = now


async def forget_hours(pool: Pool, now: datetime) -> None:
    """Drop what is older than two months."""
    async with unit_of_work(pool) as uow:
        await rows.delete_old(uow.conn, now - KEPT_FOR)

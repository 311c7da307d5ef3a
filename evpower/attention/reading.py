"""One reading of every row that a picture is made of (§9)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import trio

from evpower.attention.beneath import BeneathFacts
from evpower.attention.cells import StationFactsNow
from evpower.attention.conditions import Gathered
from evpower.attention.gifts import Gifts
from evpower.attention.overview import DayFigures, RunningCharges
from evpower.attention.rows.conditions import gather
from evpower.attention.rows.marks import Mark, read_marks
from evpower.attention.rows.network import read_station_facts, silent_stations
from evpower.attention.rows.over import Over, read_over
from evpower.attention.rows.overview import read_day, read_running
from evpower.attention.todo import OVER_SHOWN_FOR
from evpower.availability.records import NetworkHour
from evpower.availability.service import StationAvailability
from evpower.clock import midnight
from evpower.db.pool import Pool
from evpower.db.unit_of_work import reading
from evpower.identifiers import StationId

#: The day's figures move slowly.
DAY_EVERY_S = 10.0
#: As often as they are kept (availability/service.py).
HOURS_EVERY_S = 60.0
#: Of 30 days an hour is little.
UPTIME_EVERY_S = 600.0


@dataclass(frozen=True)
class PictureRows:
    """As of one moment; `facts` are of the stations that changed, or of all."""

    facts: Sequence[StationFactsNow]
    silent: frozenset[StationId]
    running: RunningCharges
    gathered: Gathered
    marks: Mapping[str, Mark]
    over: tuple[Over, ...]
    day: DayFigures


class PictureReading:
    """Reads them; what moves slowly is kept for a while."""

    def __init__(
        self,
        pool: Pool,
        availability: StationAvailability,
        gifts: Gifts,
        heartbeat_timeout_s: float,
        timezone: ZoneInfo,
    ) -> None:
        self._pool = pool
        self._availability = availability
        self._gifts = gifts
        self._heartbeat_timeout = timedelta(seconds=heartbeat_timeout_s)
        self._timezone = timezone
        self._day, self._day_at_s = DayFigures(), float("-inf")
        self._hours: tuple[NetworkHour, ...] = ()
        self._hours_at_s = self._uptime_at_s = float("-inf")
        self._uptime: float | None = None

    async def read(self, now: datetime, beneath: BeneathFacts, changed: Collection[StationId] | None) -> PictureRows:
        """Now; the facts of these stations alone, when given."""
        if trio.current_time() - self._hours_at_s > HOURS_EVERY_S:
            self._hours = await self._availability.network_hours()
            self._hours_at_s = trio.current_time()
        if trio.current_time() - self._uptime_at_s > (HOURS_EVERY_S if self._uptime is None else UPTIME_EVERY_S):
            self._uptime = await self._availability.network_uptime()
            self._uptime_at_s = trio.current_time()
        async with reading(self._pool) as conn:
            facts = await read_station_facts(conn, changed) if changed is None or changed else []
            silent = await silent_stations(conn, now - self._heartbeat_timeout)
            running = await read_running(conn, now)
            gifts = await self._gifts.read(conn, now)
            gathered = replace(await gather(conn, now), ailing=beneath.ailing, gifts=gifts)
            marks, over = await read_marks(conn), await read_over(conn, now - OVER_SHOWN_FOR)
            if trio.current_time() - self._day_at_s > DAY_EVERY_S:
                self._day = await read_day(conn, now, midnight(now, self._timezone))
                self._day_at_s = trio.current_time()
        day = replace(self._day, hours=self._hours, uptime=self._uptime)
        return PictureRows(facts, silent, running, gathered, marks, over, day)

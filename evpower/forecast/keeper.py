"""The worker that observes: a look at all connectors every minute, the hours when they are over, the cells each night.

What it writes is computed from rows; any number of processes may run one, and one of them works at a time. While the
wall clock is in doubt it looks at nothing: that time is not observed.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import trio

from evpower.clock import ClockWatch
from evpower.db.pool import Pool
from evpower.db.unit_of_work import reading, unit_of_work
from evpower.forecast.calendar import HOUR, Calendar
from evpower.forecast.rows import cells, hours, looks
from evpower.worker import repeat

log = logging.getLogger("evpower.forecast")

LOOK_EVERY_S = 60.0
#: Without a look for longer, what happened since is not known.
GAP = timedelta(minutes=5)
#: Hours that are written at once after a pause.
HOURS_AT_ONCE = 24
#: Locations whose cells are made in one unit of work.
LOCATIONS_AT_ONCE = 50
#: Until when free times are kept, and hours.
CHANGES_KEPT, HOURS_KEPT = timedelta(days=62), timedelta(days=400)


class ForecastKeeper:
    """Keeps what was observed; `work` is one round."""

    def __init__(self, pool: Pool, watch: ClockWatch, calendar: Calendar) -> None:
        self._pool = pool
        self._watch = watch
        self._calendar = calendar

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Observe until cancelled."""
        task_status.started()
        await repeat(self.work, LOOK_EVERY_S, log=log, failure="connectors were not looked at and will be again")

    async def work(self) -> None:
        """Look; write the hours that are over; at the first round of a day its cells."""
        if self._watch.holds:
            return
        now = self._watch.look()
        mark = await self._look(now)
        if mark is None:
            return
        await self._write_hours(mark, now)
        if mark.cells_of != self._calendar.day(now):
            await self._make_cells(now)

    async def recompute(self, since: datetime, until: datetime) -> None:
        """Write the hours between two moments anew, as far as their changes are kept (62 days)."""
        async with unit_of_work(self._pool) as uow:
            mark = await looks.take_watermark(uow.conn)
            if mark is not None:
                await hours.keep_hours(uow.conn, mark.began_at, self._calendar.hour(since), self._calendar.hour(until))

    async def _look(self, now: datetime) -> looks.Watermark | None:
        """None: another process looks."""
        hour = self._calendar.hour(now)
        async with unit_of_work(self._pool) as uow:
            await looks.begin(uow.conn, now, hour)
            mark = await looks.take_watermark(uow.conn)
            if mark is not None:
                if now - mark.looked_at > GAP:
                    log.info("connectors were not looked at from %s to %s", mark.looked_at, now)
                    await looks.note_gap(uow.conn, mark.looked_at, now)
                await looks.look(uow.conn, now, hour, mark.looked_at)
        return mark

    async def _write_hours(self, mark: looks.Watermark, now: datetime) -> None:
        since, over = mark.hours_until, self._calendar.hour(now)
        while since < over:
            until = min(over, since + HOURS_AT_ONCE * HOUR)
            async with unit_of_work(self._pool) as uow:
                if await looks.take_watermark(uow.conn) is None:
                    return
                await hours.keep_hours(uow.conn, mark.began_at, since, until)
            since = until

    async def _make_cells(self, now: datetime) -> None:
        """Of all that was observed before the day began; and what is too old goes."""
        day = self._calendar.day(now)
        midnight = self._calendar.midnight(day)
        async with reading(self._pool) as conn:
            locations = await cells.list_locations(conn)
        for some in in_slices(locations):
            async with unit_of_work(self._pool) as uow:
                await cells.store_cells(uow.conn, self._calendar, some, midnight - HOURS_KEPT, midnight)
        async with unit_of_work(self._pool) as uow:
            await looks.forget(uow.conn, now - CHANGES_KEPT, now - HOURS_KEPT)
            await cells.note_cells(uow.conn, day)
        log.info("forecasts are made of what was observed before %s: locations=%d", day, len(locations))


def in_slices(locations: Sequence[str]) -> Iterator[Sequence[str]]:
    """So many at once that no unit of work lasts long."""
    for first in range(0, len(locations), LOCATIONS_AT_ONCE):
        yield locations[first : first + LOCATIONS_AT_ONCE]

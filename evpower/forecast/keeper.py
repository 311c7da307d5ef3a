"""The worker that observes: a look at all connectors every minute, and the hours when they are over.

What it writes is computed from rows; any number of processes may run one, and one of them works at a time. While the
wall clock is in doubt it looks at nothing: that time is not observed.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

import trio

from evpower.clock import ClockWatch
from evpower.db.pool import Pool
from evpower.db.unit_of_work import unit_of_work
from evpower.forecast.calendar import HOUR, Calendar
from evpower.forecast.rows import hours, looks
from evpower.worker import repeat

log = logging.getLogger("evpower.forecast")

LOOK_EVERY_S = 60.0
#: Without a look for longer, what happened since is not known.
GAP = timedelta(minutes=5)
#: Hours that are written at once after a pause.
HOURS_AT_ONCE = 24


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
        """Look, and write the hours that are over."""
        if self._watch.holds:
            return
        now = self._watch.look()
        mark = await self._look(now)
        if mark is not None:
            await self._write_hours(mark, now)

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
            mark = await looks.take_watermark(uow.conn)
            if mark is None and await looks.begin(uow.conn, now, hour):
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

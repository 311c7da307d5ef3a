"""The worker that judges: the forecasts of a day whose every target is past are made anew and scored, each night.

What a day is judged by is read as of its midnight (roadmap/forecast-navigation §3). It runs beside the looks, in
slices, and computes beside the event loop.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta

import trio

from evpower.clock import ClockWatch
from evpower.db.pool import Pool
from evpower.db.unit_of_work import reading, unit_of_work
from evpower.forecast.backtest import SKILL_DAYS, DayScores, LocationDay, minutes_needed, score, what_scores_say
from evpower.forecast.calendar import Calendar
from evpower.forecast.cells import WEEK_HOURS, Cells, NetworkCurve, Usual, curve
from evpower.forecast.keeper import HOURS_KEPT, in_slices
from evpower.forecast.rows import cells, scores, states
from evpower.worker import repeat

log = logging.getLogger("evpower.forecast")

LOOK_EVERY_S = 600.0
#: A day of a thousand locations is scored in seconds.
LEASE = timedelta(minutes=30)
#: The last targets of a day lie in the next one, which must be over.
OVER_AFTER = timedelta(days=2)
DAY = timedelta(days=1)


class NightlyScores:
    """Scores days that are not scored yet; `work` is one look for them."""

    def __init__(self, pool: Pool, watch: ClockWatch, calendar: Calendar) -> None:
        self._pool = pool
        self._watch = watch
        self._calendar = calendar

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Score until cancelled."""
        task_status.started()
        await repeat(self.work, LOOK_EVERY_S, log=log, failure="forecasts were not scored and will be again")

    async def work(self) -> None:
        """Score each day of the last four weeks that is due, unless another process does."""
        if self._watch.holds:
            return
        now = self._watch.look()
        due = await self._due(now)
        if not due:
            return
        async with unit_of_work(self._pool) as uow:
            began_at = await states.claim_scoring(uow.conn, now, LEASE)
        if began_at is None:
            return
        for day in due:
            await self._score(day, began_at)
        async with unit_of_work(self._pool) as uow:
            await states.release_scoring(uow.conn)

    async def _due(self, now: datetime) -> list[date]:
        """Days whose targets are past and whose hours are written, the oldest first; none before there is a past."""
        last = self._calendar.day(now) - OVER_AFTER
        first = last - timedelta(days=SKILL_DAYS - 1)
        async with reading(self._pool) as conn:
            scored = await scores.scored_days(conn, first)
            known_since = await scores.first_day(conn, self._calendar.zone.key)
        if known_since is None:
            return []
        days = [first + n * DAY for n in range((last - first).days + 1)]
        return [day for day in days if day >= known_since + 7 * DAY and day not in scored]

    async def _score(self, day: date, began_at: datetime) -> None:
        midnight = self._calendar.midnight(day)
        async with reading(self._pool) as conn:
            locations = await cells.list_locations(conn)
            before, days = await scores.read_day_scores(conn, day - (SKILL_DAYS + 1) * DAY, day - DAY)
            watched = await states.read_watched(conn, began_at, midnight, minutes_needed())
        of_each = dict[str, Cells]()
        for some in in_slices(locations):
            async with reading(self._pool) as conn:
                of_each |= await cells.read_sums(conn, self._calendar, some, midnight - HOURS_KEPT, midnight)
        network = await trio.to_thread.run_sync(curve, of_each.values())
        found = DayScores()
        if network.hours >= WEEK_HOURS:
            says = what_scores_say(before, days)
            for some in in_slices(locations):
                seen = await self._seen(some, of_each, network, midnight, watched)
                await trio.to_thread.run_sync(score, found, seen, midnight, self._calendar, says)
        async with unit_of_work(self._pool) as uow:
            await scores.store_scores(uow.conn, day, found)
        log.info("forecasts are scored: day=%s, skill=%s", day, what_scores_say(found, 0).skill)

    async def _seen(
        self,
        location_ids: Sequence[str],
        of_each: Mapping[str, Cells],
        network: NetworkCurve,
        midnight: datetime,
        watched: frozenset[int],
    ) -> list[LocationDay]:
        """What was so at these locations; a new one is known from when it was made."""
        async with reading(self._pool) as conn:
            free = await states.read_free(conn, location_ids, midnight, minutes_needed())
            since = await states.read_since(conn, location_ids)
        return [
            LocationDay(
                Usual(of_each[each], network),
                free.get(each, frozenset()),
                frozenset(minute for minute in watched if midnight + timedelta(minutes=minute) >= since[each]),
            )
            for each in location_ids
            if each in of_each and each in since
        ]

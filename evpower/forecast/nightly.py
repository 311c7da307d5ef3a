"""The worker of the night: cells as of midnight, and the forecasts of a day whose every target is past, scored.

What a day is judged by is read as of its midnight (roadmap/forecast-navigation §3). It runs beside the looks, in
slices, and computes beside the event loop.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta

import trio

from evpower.clock import ClockWatch
from evpower.db.pool import Pool
from evpower.db.unit_of_work import reading, unit_of_work
from evpower.forecast.backtest import SKILL_DAYS, DayScores, LocationDay, minutes_needed, score, what_scores_say
from evpower.forecast.calendar import Calendar
from evpower.forecast.cells import WEEK_HOURS, Cells, NetworkCurve, Usual, curve
from evpower.forecast.rows import cells, looks, scores, states
from evpower.worker import repeat

log = logging.getLogger("evpower.forecast")

#: What it looks for comes once a day.
LOOK_EVERY_S = 600.0
#: A night's work on a thousand locations lasts minutes.
LEASE = timedelta(minutes=30)
#: Locations of one statement: a slice is a few milliseconds of the event loop.
LOCATIONS_AT_ONCE = 25
#: Until when free times are kept, and hours.
CHANGES_KEPT, HOURS_KEPT = timedelta(days=62), timedelta(days=400)
#: The last targets of a day lie in the next one, which must be over.
OVER_AFTER = timedelta(days=2)
DAY = timedelta(days=1)


class NightlyWork:
    """Makes what is not made yet; `work` is one look for it, and one process works at a time."""

    def __init__(self, pool: Pool, watch: ClockWatch, calendar: Calendar) -> None:
        self._pool = pool
        self._watch = watch
        self._calendar = calendar

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Work until cancelled."""
        task_status.started()
        await repeat(self.work, LOOK_EVERY_S, log=log, failure="the night's forecasts were not made and will be again")

    async def work(self) -> None:
        """The cells of this day, if they are due; the scores of each day of four weeks that can be judged."""
        if self._watch.holds:
            return
        now = self._watch.look()
        due, has_cells = await self._due(now), await self._has_cells(now)
        if has_cells and not due:
            return
        async with unit_of_work(self._pool) as uow:
            began_at = await states.claim_night(uow.conn, now, LEASE)
        if began_at is None:
            return
        if not has_cells:
            await self._make_cells(now)
        for day in due:
            await self._score(day, began_at)
        async with unit_of_work(self._pool) as uow:
            await states.release_night(uow.conn)

    async def _has_cells(self, now: datetime) -> bool:
        async with reading(self._pool) as conn:
            newest = await cells.read_newest(conn)
        return newest is not None and newest[0] == self._calendar.day(now)

    async def _make_cells(self, now: datetime) -> None:
        """Of all that was observed before the day began; and what is too old goes."""
        day = self._calendar.day(now)
        midnight = self._calendar.midnight(day)
        async with reading(self._pool) as conn:
            locations = await cells.list_locations(conn)
        for some in _in_slices(locations):
            async with unit_of_work(self._pool) as uow:
                await cells.store_cells(uow.conn, self._calendar, some, midnight - HOURS_KEPT, midnight)
        async with unit_of_work(self._pool) as uow:
            await looks.forget(uow.conn, now - CHANGES_KEPT, now - HOURS_KEPT)
            await cells.note_cells(uow.conn, day)
        log.info("forecasts are made of what was observed before %s: locations=%d", day, len(locations))

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
        for some in _in_slices(locations):
            async with reading(self._pool) as conn:
                of_each |= await cells.read_sums(conn, self._calendar, some, midnight - HOURS_KEPT, midnight)
        network = await trio.to_thread.run_sync(curve, of_each.values())
        found = DayScores()
        if network.hours >= WEEK_HOURS:
            says = what_scores_say(before, days)
            for some in _in_slices(locations):
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


def _in_slices(locations: Sequence[str]) -> Iterator[Sequence[str]]:
    for first in range(0, len(locations), LOCATIONS_AT_ONCE):
        yield locations[first : first + LOCATIONS_AT_ONCE]

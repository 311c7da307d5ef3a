"""Starts that nothing came of are given up, with their money (billing-rules §3; money audit A14).

The deadline counts only while we run and the station is connected: what else goes by is no chance to begin. And after
our start, or its return, a station has a minute to deliver what it queued, because its charge may have begun already.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from evpower.charging.rows import start_waits
from evpower.charging.rows.start_waits import StartWait
from evpower.charging.settler import Settler
from evpower.clock import ClockWatch
from evpower.db.pool import Pool
from evpower.db.unit_of_work import unit_of_work
from evpower.link.ports import LiveStations

log = logging.getLogger("evpower.recovery")

#: A station that is back delivers its queue within this.
DELIVERS_WITHIN = timedelta(seconds=60)


@dataclass(frozen=True)
class StartDeadlineRules:
    """For how long a start is waited for: while it could come, and in all (config [charging])."""

    deadline: timedelta
    longest: timedelta


def counted(wait: StartWait, now: datetime, *, connected: bool, we_run_since: datetime) -> StartWait:
    """The wait up to now. Time is counted from when it was counted last, or from the order on, or from our start."""
    if not connected:
        return replace(wait, counted_at=now, present_since=None)
    since = max(wait.counted_at or wait.created_at, we_run_since)
    # Before the first count the station is taken to be here since the order, which it was asked to carry out.
    came_at = since if wait.counted_at is None else wait.present_since or now
    return replace(
        wait,
        waited_s=wait.waited_s + max(0.0, (now - since).total_seconds()),
        counted_at=now,
        present_since=max(came_at, we_run_since),
    )


def is_over(wait: StartWait, now: datetime, rules: StartDeadlineRules) -> bool:
    """Whether the start is given up."""
    if now - wait.created_at >= rules.longest:
        return True
    is_here = wait.present_since is not None and now - wait.present_since >= DELIVERS_WITHIN
    return is_here and wait.waited_s > rules.deadline.total_seconds()


class StartDeadlines:
    """Counts how long each start has waited, and gives up those that are over; the counts are rows."""

    def __init__(
        self, pool: Pool, watch: ClockWatch, link: LiveStations, settler: Settler, rules: StartDeadlineRules
    ) -> None:
        self._pool = pool
        self._watch = watch
        self._link = link
        self._settler = settler
        self._rules = rules
        self._we_run_since = watch.look()

    async def check(self) -> None:
        """Count on, and refund what is over; nothing is while the wall clock is in doubt (money audit B2)."""
        now = self._watch.look()
        we_run_since = self._watch.redated(self._we_run_since)
        async with unit_of_work(self._pool) as uow:
            waits = [
                counted(
                    self._redated(wait),
                    now,
                    connected=self._link.is_connected(wait.station_id),
                    we_run_since=we_run_since,
                )
                for wait in await start_waits.take_waits(uow.conn)
            ]
            await start_waits.store_waits(uow.conn, waits)
        for wait in () if self._watch.holds else waits:
            if is_over(wait, now, self._rules):
                log.warning("never started, refunded: session_id=%s", wait.session_id)
                await self._settler.release(wait.session_id, status="error", cause="overdue", reason="StartTimeout")

    def _redated(self, wait: StartWait) -> StartWait:
        """Its times as the clock of today would have written them: a clock that jumped is no time waited."""
        redated = self._watch.redated
        return replace(
            wait,
            created_at=redated(wait.created_at),
            counted_at=None if wait.counted_at is None else redated(wait.counted_at),
            present_since=None if wait.present_since is None else redated(wait.present_since),
        )

"""Finds sessions that nothing will end by itself, by their rows alone (billing-rules §3; ocpp-behaviour §5.5).

A start that never began, a charge over twelve hours, a station that rebooted and says nothing more, a stop whose
conversation died with the process: each is found within a check interval of falling due, in any process.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import trio

from evpower.charging.rows import due_sessions, sessions
from evpower.charging.settler import Settler
from evpower.charging.start_deadlines import StartDeadlines
from evpower.charging.start_stop import Commands
from evpower.charging.transaction import RECOVERY
from evpower.clock import Clock, ClockWatch
from evpower.db.pool import Pool
from evpower.db.unit_of_work import reading, unit_of_work
from evpower.identifiers import SessionId
from evpower.worker import repeat

log = logging.getLogger("evpower.recovery")

#: At least once a minute, so that the ten minutes mean something.
CHECK_EVERY_S = 15.0
#: Stops asked at once. A station that does not answer takes the whole wait of a stop, and must not hold up the others'.
ASKED_AT_ONCE = 100


@dataclass(frozen=True)
class RecoveryRules:
    """After how long each kind of silence is acted on, in seconds (config [charging])."""

    longest_session_s: float
    reboot_grace_s: float
    stop_wait_s: float
    stop_repeat_s: float


class Recovery:
    """The overdue-session worker."""

    def __init__(
        self,
        pool: Pool,
        clock: Clock,
        commands: Commands,
        settler: Settler,
        start_deadlines: StartDeadlines,
        rules: RecoveryRules,
        watch: ClockWatch | None = None,
    ) -> None:
        self._pool = pool
        self._clock = clock
        self._watch = watch or ClockWatch(clock)
        self._commands = commands
        self._settler = settler
        self._start_deadlines = start_deadlines
        self._rules = rules

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Check until cancelled; the first check repairs what a crash left.

        Tasks of their own, because refunds need no station and must not wait for the answers of any.
        """
        async with trio.open_nursery() as nursery:
            for job in (self.settle_silent, self.stop_overdue):
                nursery.start_soon(self._repeat, job, CHECK_EVERY_S)
            nursery.start_soon(self._repeat, self.repeat_stops, min(CHECK_EVERY_S, self._rules.stop_repeat_s))
            task_status.started()

    async def check(self) -> None:
        """Act on every session that is overdue now."""
        await self.settle_silent()
        await self.stop_overdue()
        await self.repeat_stops()

    async def settle_silent(self) -> None:
        """Refund what never began, and settle what ended with a reboot."""
        await self._start_deadlines.check()
        for session_id in await self._find(due_sessions.SILENT_SINCE_REBOOT, self._rules.reboot_grace_s):
            await self._end(session_id, "PowerLoss")

    async def stop_overdue(self) -> None:
        """Have stations end what runs too long and what was asked to stop, all at once; returns when all have ended."""
        too_long = await self._find(due_sessions.RUNNING_TOO_LONG, self._rules.longest_session_s)
        # Twice the wait of a stop: a live conversation has ended its session by then.
        overdue = await self._find(due_sessions.STOP_OVERDUE, 2 * self._rules.stop_wait_s)
        claimed = [session_id for session_id in too_long if await self._claims_stop(session_id)]
        for session_id in claimed:
            log.warning("runs too long and is stopped: session_id=%s", session_id)
        await self._ask_to_stop([*claimed, *overdue])

    async def repeat_stops(self) -> None:
        """Have stations asked again that go on although they were asked to stop, or although no session pays."""
        await self._commands.repeat_stops().done.wait()

    async def _repeat(self, job: Callable[[], Awaitable[None]], every_s: float) -> None:
        await repeat(job, every_s, log=log, failure="recovery failed and will be repeated")

    async def _find(self, query: str, older_than_s: float) -> list[SessionId]:
        """None while the wall clock is in doubt (money audit B2)."""
        if self._watch.holds:
            return []
        async with reading(self._pool) as conn:
            return await due_sessions.session_ids(conn, query, before=self._watch.before(older_than_s))

    async def _claims_stop(self, session_id: SessionId) -> bool:
        """Claim the asking for this stop; False when any process has claimed it before."""
        async with unit_of_work(self._pool) as uow:
            return await sessions.request_stop(uow.conn, session_id, RECOVERY, self._clock.now())

    async def _ask_to_stop(self, session_ids: Sequence[SessionId]) -> None:
        slots = trio.CapacityLimiter(ASKED_AT_ONCE)

        async def ask(session_id: SessionId) -> None:
            async with slots:
                await self._commands.stop(session_id).done.wait()

        async with trio.open_nursery() as asking:
            for session_id in session_ids:
                asking.start_soon(ask, session_id)

    async def _end(self, session_id: SessionId, reason: str) -> None:
        """Settle with the last reading; a true StopTransaction may still correct it."""
        log.warning("no word since the charger rebooted, settled: session_id=%s", session_id)
        async with unit_of_work(self._pool) as uow:
            await sessions.end_session(
                uow.conn, session_id, cause="reboot", reason=reason, estimated=True, at=self._clock.now()
            )
        await self._settler.settle(session_id)

"""Finds sessions that nothing will end by itself, by their rows alone (billing-rules §3; ocpp-behaviour §5.5).

A start that never began, a charge over twelve hours, a charger that rebooted and says nothing more, a stop whose
conversation died with the process: each is found within a check interval of falling due, in any process.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta

import trio

from evpower.charging.rows import due_sessions, sessions
from evpower.charging.settler import Settler
from evpower.charging.start_stop import Commands
from evpower.clock import Clock
from evpower.db.pool import Pool
from evpower.db.unit_of_work import reading, unit_of_work
from evpower.identifiers import SessionId

log = logging.getLogger("evpower.recovery")

#: At least once a minute, so that the ten minutes mean something.
CHECK_EVERY_S = 15.0


@dataclass(frozen=True)
class RecoveryRules:
    """After how long each kind of silence is acted on, in seconds (config [charging])."""

    start_deadline_s: float
    longest_session_s: float
    reboot_grace_s: float
    stop_wait_s: float


class Recovery:
    """The overdue-session worker."""

    def __init__(self, pool: Pool, clock: Clock, commands: Commands, settler: Settler, rules: RecoveryRules) -> None:
        self._pool = pool
        self._clock = clock
        self._commands = commands
        self._settler = settler
        self._rules = rules

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Check until cancelled; the first check repairs what a crash left."""
        task_status.started()
        while True:
            try:
                await self.check()
            except Exception:
                log.exception("recovery failed and will be repeated")
            await trio.sleep(CHECK_EVERY_S)

    async def check(self) -> None:
        """Act on every session that is overdue now."""
        rules = self._rules
        for session_id in await self._find(due_sessions.NEVER_STARTED, rules.start_deadline_s):
            log.warning("never started, refunded: session_id=%s", session_id)
            await self._settler.release(session_id, status="error", reason="StartTimeout")
        for session_id in await self._find(due_sessions.SILENT_SINCE_REBOOT, rules.reboot_grace_s):
            await self._end(session_id, "PowerLoss")
        for session_id in await self._find(due_sessions.RUNNING_TOO_LONG, rules.longest_session_s):
            if await self._claims_stop(session_id):
                log.warning("runs too long and is stopped: session_id=%s", session_id)
                await self._ask_to_stop(session_id)
        # Twice the wait of a stop: a live conversation has ended its session by then.
        for session_id in await self._find(due_sessions.STOP_OVERDUE, 2 * rules.stop_wait_s):
            await self._ask_to_stop(session_id)

    async def _find(self, query: str, older_than_s: float) -> list[SessionId]:
        async with reading(self._pool) as conn:
            before = self._clock.now() - timedelta(seconds=older_than_s)
            return await due_sessions.session_ids(conn, query, before=before)

    async def _claims_stop(self, session_id: SessionId) -> bool:
        """Whether nobody has asked for this stop yet, in any process; from now on somebody has."""
        async with unit_of_work(self._pool) as uow:
            return await sessions.request_stop(uow.conn, session_id, "recovery", self._clock.now())

    async def _ask_to_stop(self, session_id: SessionId) -> None:
        await self._commands.stop(session_id).done.wait()

    async def _end(self, session_id: SessionId, reason: str) -> None:
        """Settle with the last reading; a true StopTransaction may still correct it."""
        log.warning("no word since the charger rebooted, settled: session_id=%s", session_id)
        async with unit_of_work(self._pool) as uow:
            await sessions.end_session(uow.conn, session_id, reason=reason, estimated=True, at=self._clock.now())
        await self._settler.settle(session_id)

"""The worker that checks the ledger at night, and the check a person asks for; what was found is kept (issue H §5)."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import trio

from evpower.billing.ledger_check import LedgerCheck, LedgerCheckRecord, due_night
from evpower.billing.rows import ledger_checks
from evpower.billing.rows.ledger_checks import read_last_check
from evpower.billing.service import BillingService
from evpower.clock import ClockWatch
from evpower.db.pool import Pool
from evpower.db.unit_of_work import reading, unit_of_work
from evpower.worker import Wake, repeat

__all__ = ["LedgerChecks", "read_last_check"]

log = logging.getLogger("payment")

LOOK_EVERY_S = 60.0
#: Longer than a check of a large ledger takes.
LEASE = timedelta(hours=1)


class LedgerChecks:
    """Checks the ledger's invariants over all rows, and keeps what it found."""

    def __init__(self, pool: Pool, watch: ClockWatch, billing: BillingService, zone: ZoneInfo) -> None:
        self._pool = pool
        self._billing = billing
        self._watch = watch
        self._zone = zone
        self._wake = Wake()
        #: Since when a check is under way here that a person asked for.
        self.asked_at: datetime | None = None

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Check when it is due, until cancelled: at 03:30, or as soon as a process is there after it."""
        task_status.started()
        failure = "the ledger was not checked and will be soon"
        await repeat(self._round, LOOK_EVERY_S, self._wake, log=log, failure=failure)

    def ask(self) -> None:
        """Have the worker check now. One check answers all who ask before its end; a process that dies forgets it."""
        if self.asked_at is None:
            self.asked_at = self._watch.look()
            self._wake.set()

    async def _round(self) -> None:
        try:
            if self.asked_at is not None:
                await self.check_now()
        finally:
            self.asked_at = None
        await self.work_due()

    async def work_due(self) -> bool:
        """Do the check of the last night that is due, unless it is done or another process's; whether it was done.

        Nothing while the wall clock is in doubt.
        """
        if self._watch.holds:
            return False
        now = self._watch.look()
        async with unit_of_work(self._pool) as uow:
            check_id = await ledger_checks.claim_night(uow.conn, due_night(now, self._zone), now, now + LEASE)
        if check_id is None:
            return False
        check = await self._billing.check()
        async with unit_of_work(self._pool) as uow:
            await ledger_checks.end_check(uow.conn, check_id, check, self._watch.look())
        _log_found(check)
        return True

    async def check_now(self) -> LedgerCheck:
        """A person asks: what is found counts as the last check from now on."""
        began_at = self._watch.look()
        check = await self._billing.check()
        async with unit_of_work(self._pool) as uow:
            await ledger_checks.add_asked(uow.conn, check, began_at, self._watch.look())
        _log_found(check)
        return check

    async def last(self) -> LedgerCheckRecord | None:
        """The check that was finished last, of a night or asked for."""
        async with reading(self._pool) as conn:
            return await read_last_check(conn)

    async def last_night(self) -> LedgerCheckRecord | None:
        """The nightly check that was finished last; None when there was none yet."""
        async with reading(self._pool) as conn:
            return await read_last_check(conn, nightly_alone=True)


def _log_found(check: LedgerCheck) -> None:
    """A line for each row that is wrong: with these a person begins."""
    if check.ok:
        log.info("the ledger is right: entries=%d", check.entries)
    for what, rows in check.problems.items():
        for row in rows:
            log.error("the ledger is broken: what=%s, row=%s", what, dict(row))

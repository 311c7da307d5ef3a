"""Housekeeping: partitions made ahead and dropped past their retention, old keys and attempts forgotten; the clock."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import NoReturn, Protocol

import trio

from evpower.attempts.service import forget_attempts
from evpower.attention.service import forget_marks
from evpower.availability.service import forget_hours
from evpower.clock import ClockWatch
from evpower.db.partitions import maintain_partitions
from evpower.db.pool import Pool
from evpower.health.service import forget_plug_ins
from evpower.idempotency.keys import forget_keys
from evpower.network_file.imports import forget_imports
from evpower.power.service import forget_moments
from evpower.push.deliverer import forget_messages
from evpower.reports.device_events import drop_overdue
from evpower.reports.transaction_events import forget_events
from evpower.sign_in.phone_codes import forget_codes
from evpower.sign_in.service import forget_sign_ins
from evpower.staff.acts import forget_acts
from evpower.webhooks.deliverer import forget_deliveries
from evpower.worker import contain, repeat

log = logging.getLogger("evpower.db")

EVERY_S = 3600.0
#: Far below `JUMP_S` of the clock, so that a jump is not taken for time that went by.
LOOK_AT_CLOCK_EVERY_S = 1.0


class Retention(Protocol):
    """How many days of each partitioned table are kept."""

    @property
    def meter_value_retention_days(self) -> int: ...

    @property
    def frame_retention_days(self) -> int: ...


class Upkeep:
    """The housekeeping worker."""

    def __init__(self, pool: Pool, watch: ClockWatch, retention: Retention, idempotency_days: int) -> None:
        self._pool = pool
        self._watch = watch
        self._retention_days = {
            "ocpp_meter_values": retention.meter_value_retention_days,
            "ocpp_frames": retention.frame_retention_days,
        }
        self._idempotency_days = idempotency_days

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Once before anything is served, then every hour."""
        await self.work()
        task_status.started()
        await trio.sleep(EVERY_S)
        await repeat(self.work, EVERY_S, log=log, failure="housekeeping failed and will be repeated")

    async def work(self) -> None:
        """Do what is due now; nothing while the wall clock is in doubt, for what it drops does not come back."""
        if self._watch.holds:
            return
        now = self._watch.look()
        # No unit of work: each partition is made and dropped in a short one of its own.
        async with self._pool.connection() as conn:
            made, dropped = await maintain_partitions(conn, now.date(), self._retention_days)
        await forget_attempts(self._pool, now)
        await forget_codes(self._pool, now)
        await forget_messages(self._pool, now)
        await forget_deliveries(self._pool, now)
        await forget_sign_ins(self._pool, now)
        await forget_acts(self._pool, now)
        await forget_marks(self._pool, now)
        await forget_events(self._pool, now)
        await drop_overdue(self._pool, now)
        await forget_plug_ins(self._pool, now)
        await forget_hours(self._pool, now)
        await forget_imports(self._pool, now)
        await forget_moments(self._pool, now)
        await forget_keys(self._pool, now - timedelta(days=self._idempotency_days))
        for name in dropped:
            log.info("dropped, past its retention: %s", name)
        if made:
            log.info("partitions made: %s", ", ".join(made))


async def follow_clock(watch: ClockWatch, on_jump: Callable[[], Awaitable[None]]) -> NoReturn:
    """Look at the wall clock until cancelled; what a jump asks for is repeated until it succeeds."""
    done = 0
    while True:
        await trio.sleep(LOOK_AT_CLOCK_EVERY_S)
        watch.look()
        jumps = watch.jumps
        if jumps != done:
            with contain(log, "what a jump of the clock asks for failed and will be repeated"):
                await on_jump()
                done = jumps

"""Housekeeping: partitions made ahead and dropped past their retention, old idempotency keys forgotten."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Protocol

import trio

from evpower.clock import Clock
from evpower.db.partitions import maintain_partitions
from evpower.db.pool import Pool
from evpower.idempotency.keys import forget_keys
from evpower.worker import repeat

log = logging.getLogger("evpower.db")

EVERY_S = 3600.0


class Retention(Protocol):
    """How many days of each partitioned table are kept."""

    @property
    def meter_value_retention_days(self) -> int: ...

    @property
    def frame_retention_days(self) -> int: ...


class Upkeep:
    """The housekeeping worker."""

    def __init__(self, pool: Pool, clock: Clock, retention: Retention, idempotency_days: int) -> None:
        self._pool = pool
        self._clock = clock
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
        """Do what is due now."""
        now = self._clock.now()
        # No unit of work: each partition is made and dropped in a short one of its own.
        async with self._pool.connection() as conn:
            made, dropped = await maintain_partitions(conn, now.date(), self._retention_days)
        await forget_keys(self._pool, now - timedelta(days=self._idempotency_days))
        for name in dropped:
            log.info("dropped, past its retention: %s", name)
        if made:
            log.info("partitions made: %s", ", ".join(made))

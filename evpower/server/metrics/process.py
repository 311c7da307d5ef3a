"""Figures of the process: its clock, its event loop, and the engines it works with."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import InfoMetricFamily, Metric

import evpower
from evpower.clock import ClockWatch
from evpower.db.pool import PoolUsage
from evpower.db.redis_link import RedisLink
from evpower.metering.journal import Journal
from evpower.server.loop_lag import LoopLag
from evpower.server.metrics.families import counter, gauge, whole_histogram


def process_metrics(uptime_s: float, watch: ClockWatch, lag: LoopLag) -> Iterator[Metric]:
    """Which EvPower this is, and how it keeps time."""
    yield InfoMetricFamily("evpower_build", "Which EvPower this is.", value={"version": evpower.__version__})
    yield gauge("evpower_uptime_seconds", "Since the server began.", uptime_s)
    yield counter("evpower_clock_jumps", "Jumps of the wall clock by more than a minute.", watch.jumps)
    yield gauge("evpower_time_limits_held", "1 for ten minutes after such a jump.", float(watch.holds))
    yield whole_histogram("evpower_loop_lag_seconds", "How late the event loop is, looked at all the time.", lag.late)


def database_metrics(journal: Journal, pool: PoolUsage) -> Iterator[Metric]:
    """The journal's work, and the pool's connections."""
    yield counter("evpower_journal_batches", "Group commits of chargers' reports.", journal.batches)
    yield counter("evpower_journal_rows", "Reports they stored.", journal.rows)
    yield counter("evpower_journal_failed_rows", "Reports that were not stored; chargers repeat them.", journal.failed)
    yield gauge("evpower_database_pool_size", "Connections there may be.", pool.size)
    yield gauge("evpower_database_pool_in_use", "Connections lent or being made.", pool.in_use)
    yield gauge("evpower_database_pool_waiting", "Tasks that wait for a connection.", pool.waiting)


def redis_metrics(redis: RedisLink) -> Iterator[Metric]:
    """Whether Redis is there."""
    yield gauge("evpower_redis_up", "Whether Redis answered last time.", redis.is_there)
    yield counter("evpower_redis_losses", "How often Redis went away.", redis.losses)

"""One scrape: what the services count, and what the database is asked, written down."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import trio
from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.registry import Collector

from evpower.attempts.service import Attempts
from evpower.billing.service import BillingService
from evpower.charging.settler import Settler
from evpower.clock import ClockWatch
from evpower.db.pool import Pool
from evpower.db.redis_link import RedisLink
from evpower.db.unit_of_work import reading
from evpower.events import EventBus
from evpower.favorites.watches import WatchStep
from evpower.history.keeping import NotKept
from evpower.http.wire.access import HttpTraffic
from evpower.identity.token import Check
from evpower.idle_fees.keeper import FeePart
from evpower.metering.journal import Journal
from evpower.navigation.roads import RouterAnswer
from evpower.ocpp.door.server import StationServer
from evpower.ocpp.watch.tracer import Tracer
from evpower.payments.graph import Payments
from evpower.power.keeper import PowerKeeper
from evpower.rate_limits.service import RateLimits
from evpower.reservations.ends import EndName
from evpower.server.loop_lag import LoopLag
from evpower.server.metrics.charges import (
    end_metrics,
    ended_account_metrics,
    money_metrics,
    session_metrics,
    start_metrics,
)
from evpower.server.metrics.families import counter, gauge
from evpower.server.metrics.journeys import journey_metrics
from evpower.server.metrics.payments import payment_metrics, top_up_metrics
from evpower.server.metrics.people import (
    driver_metrics,
    limit_metrics,
    person_metrics,
    push_metrics,
    request_metrics,
    reservation_metrics,
    webhook_metrics,
    webhook_queue_metrics,
)
from evpower.server.metrics.power import power_metrics
from evpower.server.metrics.process import database_metrics, process_metrics, redis_metrics
from evpower.server.metrics.stations import door_metrics, network_metrics
from evpower.server.rows.figures import Figures, read_figures
from evpower.sign_in.phone_codes import CodeOutcome
from evpower.sign_in.service import RefreshOutcome
from evpower.webhooks.deliverer import WebhookOutcome

log = logging.getLogger("evpower")

#: A database that takes longer is, for this scrape, not there.
DATABASE_WITHIN_S = 2.0
#: However often the figures are asked for, the database is asked no more often than this.
DATABASE_KEPT_S = 3.0


@dataclass(frozen=True)
class Counting:
    """Who counts: services of this process, each of which keeps its own numbers."""

    pool: Pool
    journal: Journal
    bus: EventBus
    server: StationServer
    tracer: Tracer
    payments: Payments
    billing: BillingService
    settler: Settler
    idle_fees: Mapping[FeePart, int]
    attempts: Attempts
    rate_limits: RateLimits
    watch: ClockWatch
    sign_in_codes: Mapping[CodeOutcome, int]
    refreshed_tokens: Mapping[RefreshOutcome, int]
    push_outcomes: Mapping[tuple[str, str], int]
    webhook_outcomes: Mapping[WebhookOutcome, int]
    watch_steps: Mapping[WatchStep, int]
    reservation_ends: Mapping[EndName, int]
    not_kept: Mapping[NotKept, int]
    power: PowerKeeper
    forecast_skill: Callable[[], Mapping[int, float]]
    router_asked: Mapping[RouterAnswer, int]
    refused_tokens: Mapping[Check, int]
    heartbeat_timeout_s: float
    redis: RedisLink | None = None
    requests: HttpTraffic = field(default_factory=HttpTraffic)
    lag: LoopLag = field(default_factory=LoopLag)


class Metrics(Collector):
    """Implements `evpower.http.metrics.Exposition`."""

    content_type = CONTENT_TYPE_PLAIN_0_0_4

    def __init__(self, counting: Counting, *, database_kept_s: float = DATABASE_KEPT_S) -> None:
        self._counting = counting
        self._began_at = counting.server.clock.now()
        self._kept_s = database_kept_s
        self._read_at_s = float("-inf")
        self._asking = trio.Lock()
        self._from_database: Figures | None = None
        self._registry = CollectorRegistry()
        self._registry.register(self)
        ProcessCollector(registry=self._registry)

    async def text(self) -> bytes:
        """The figures of this moment; those of the database are as old as `database_kept_s` seconds at most, and absent
        when it does not answer."""
        async with self._asking:
            if trio.current_time() - self._read_at_s >= self._kept_s:
                self._from_database = await self._read_database()
                self._read_at_s = trio.current_time()
        return generate_latest(self._registry)

    async def _read_database(self) -> Figures | None:
        counting = self._counting
        try:
            with trio.fail_after(DATABASE_WITHIN_S):
                async with reading(counting.pool) as conn:
                    return await read_figures(conn, counting.server.clock.now(), counting.heartbeat_timeout_s)
        except Exception as error:  # the scrape must show that the database is away, so it survives that
            log.warning("metrics without the database: %s", str(error) or type(error).__name__)
            return None

    def collect(self) -> Iterator[Metric]:
        """What the registry asks for at each scrape."""
        counting = self._counting
        uptime = counting.server.clock.now() - self._began_at
        yield from process_metrics(uptime.total_seconds(), counting.watch, counting.lag)
        yield from door_metrics(counting.server)
        yield from database_metrics(counting.journal, counting.pool.usage)
        yield counter(
            "evpower_events_dropped", "Events a subscriber was too slow for; it is closed.", counting.bus.dropped
        )
        yield counter("evpower_frames_lost", "Frames of chargers that were not kept.", counting.tracer.lost)
        yield from request_metrics(counting.requests)
        yield from person_metrics(counting.refused_tokens, counting.sign_in_codes, counting.refreshed_tokens)
        yield from push_metrics(counting.push_outcomes)
        yield from webhook_metrics(counting.webhook_outcomes)
        yield from driver_metrics(counting.watch_steps, counting.not_kept)
        yield from reservation_metrics(counting.reservation_ends)
        yield from power_metrics(counting.power)
        yield from journey_metrics(counting.forecast_skill(), counting.router_asked)
        yield from limit_metrics(counting.rate_limits)
        yield from start_metrics(counting.attempts.answers)
        yield from end_metrics(counting.settler, counting.billing, counting.idle_fees)
        yield from payment_metrics(counting.payments)
        if counting.redis is not None:
            yield from redis_metrics(counting.redis)
        yield from self._of_the_database()

    def _of_the_database(self) -> Iterator[Metric]:
        figures, now = self._from_database, self._counting.server.clock.now()
        yield gauge("evpower_database_up", "Whether PostgreSQL answered this scrape.", figures is not None)
        if figures is None:
            return
        yield from network_metrics(figures.network)
        yield from session_metrics(figures)
        yield from money_metrics(figures.money, figures.ledger_check, now)
        yield from top_up_metrics(figures.top_ups, now)
        yield from ended_account_metrics(figures.ended_accounts, now)
        yield from webhook_queue_metrics(figures.webhooks)

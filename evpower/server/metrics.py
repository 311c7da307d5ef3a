"""The server's figures for Prometheus: nothing is kept here, each scrape reads what the services count anyway.

Labels have fixed values, or name a station that was admitted; nothing of a driver (client, phone, id tag) is one.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import accumulate, product
from typing import get_args

import trio
from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.registry import Collector

import evpower
from evpower.charging.session import Phase
from evpower.clock import ClockWatch
from evpower.db.pool import Pool, PoolUsage
from evpower.db.redis_link import RedisLink
from evpower.db.unit_of_work import reading
from evpower.events import EventBus
from evpower.favorites.watches import WatchStep
from evpower.history.keeping import NotKept
from evpower.identity.token import Check
from evpower.metering.journal import Journal
from evpower.metering.registers import DoubtKind
from evpower.ocpp.door.server import StationServer
from evpower.ocpp.watch.tracer import Tracer
from evpower.ocpp.watch.traffic import BOUNDS_S, Refusal, Traffic
from evpower.payments.graph import Payments
from evpower.push.delivery import Fate
from evpower.push.recipient import DeviceKind
from evpower.rate_limits.limits import KINDS
from evpower.rate_limits.service import RateLimits
from evpower.server.payment_metrics import payment_metrics, top_up_metrics
from evpower.server.rows.figures import EndedAccounts, Figures, read_figures
from evpower.sign_in.phone_codes import CodeOutcome
from evpower.sign_in.service import RefreshOutcome

log = logging.getLogger("evpower")

#: A database that takes longer is, for this scrape, not there.
DATABASE_WITHIN_S = 2.0
FINAL_PHASES = frozenset({"settled", "released"})
OPEN_PHASES = tuple(phase for phase in get_args(Phase) if phase not in FINAL_PHASES)


class Metrics(Collector):
    """Implements `evpower.http.metrics.Exposition`."""

    content_type = CONTENT_TYPE_PLAIN_0_0_4

    def __init__(
        self,
        pool: Pool,
        journal: Journal,
        bus: EventBus,
        server: StationServer,
        tracer: Tracer,
        payments: Payments,
        redis: RedisLink | None = None,
        watch: ClockWatch | None = None,
        *,
        sign_in_codes: Mapping[CodeOutcome, int],
        refreshed_tokens: Mapping[RefreshOutcome, int],
        push_outcomes: Mapping[tuple[str, str], int],
        watch_steps: Mapping[WatchStep, int],
        not_kept: Mapping[NotKept, int],
        refused_tokens: Mapping[Check, int],
        rate_limits: RateLimits,
    ) -> None:
        self._rate_limits = rate_limits
        self._pool = pool
        self._journal = journal
        self._bus = bus
        self._server = server
        self._tracer = tracer
        self._payments = payments
        self._redis = redis
        self._sign_in_codes = sign_in_codes
        self._refreshed_tokens = refreshed_tokens
        self._push_outcomes = push_outcomes
        self._watch_steps = watch_steps
        self._not_kept = not_kept
        self._refused_tokens = refused_tokens
        self._watch = watch or ClockWatch(server.clock)
        self._began_at = server.clock.now()
        self._from_database: Figures | None = None
        self._registry = CollectorRegistry()
        self._registry.register(self)
        ProcessCollector(registry=self._registry)

    async def text(self) -> bytes:
        """The figures of this moment; those of a database that does not answer are absent."""
        figures = await self._read_database()
        # No await from here on: another scrape cannot come between.
        self._from_database = figures
        return generate_latest(self._registry)

    async def _read_database(self) -> Figures | None:
        try:
            with trio.fail_after(DATABASE_WITHIN_S):
                async with reading(self._pool) as conn:
                    return await read_figures(conn)
        except Exception as error:  # the scrape must show that the database is away, so it survives that
            log.warning("metrics without the database: %s", str(error) or type(error).__name__)
            return None

    def collect(self) -> Iterator[Metric]:
        """What the registry asks for at each scrape."""
        server, uptime = self._server, self._server.clock.now() - self._began_at
        yield InfoMetricFamily("evpower_build", "Which EvPower this is.", value={"version": evpower.__version__})
        yield GaugeMetricFamily("evpower_uptime_seconds", "Since the server began.", value=uptime.total_seconds())
        yield _counter("evpower_clock_jumps", "Jumps of the wall clock by more than a minute.", self._watch.jumps)
        held = float(self._watch.holds)
        yield GaugeMetricFamily("evpower_time_limits_held", "1 for ten minutes after such a jump.", value=held)
        connected = len(server.registry.seen())
        yield GaugeMetricFamily("evpower_connected_chargers", "Open charger sockets.", value=connected)
        yield from _traffic(server.traffic)
        yield _counter("evpower_failed_logins", "Refused logins of chargers.", server.failed_logins.total)
        yield from _database(self._journal, self._pool.usage)
        yield _counter(
            "evpower_events_dropped", "Events a subscriber was too slow for; it is closed.", self._bus.dropped
        )
        yield _counter("evpower_frames_lost", "Frames of chargers that were not kept.", self._tracer.lost)
        codes = {outcome: self._sign_in_codes.get(outcome, 0) for outcome in get_args(CodeOutcome)}
        tokens = {check: self._refused_tokens.get(check, 0) for check in get_args(Check)}
        yield _by("evpower_refused_tokens", "Bearer tokens that were not believed.", ("check",), tokens)
        yield _by("evpower_sign_in_codes", "What became of codes for signing in.", ("outcome",), codes)
        refreshes = {outcome: self._refreshed_tokens.get(outcome, 0) for outcome in get_args(RefreshOutcome)}
        yield _by("evpower_sign_in_refreshes", "What became of refresh tokens.", ("outcome",), refreshes)
        yield from _push(self._push_outcomes)
        watches = {step: self._watch_steps.get(step, 0) for step in get_args(WatchStep)}
        yield _by("evpower_watches", "Clients who wait for a free connector.", ("step",), watches)
        missing = {what: self._not_kept.get(what, 0) for what in get_args(NotKept)}
        yield _by("evpower_not_kept", "What settlements could not keep of a charge.", ("what",), missing)
        yield from _rate_limits(self._rate_limits)
        yield from payment_metrics(self._payments)
        if self._redis is not None:
            yield GaugeMetricFamily("evpower_redis_up", "Whether Redis answered last time.", value=self._redis.is_there)
            yield _counter("evpower_redis_losses", "How often Redis went away.", self._redis.losses)
        yield from _sessions(self._from_database)
        if self._from_database is not None:
            yield from top_up_metrics(self._from_database.top_ups, server.clock.now())
            yield from _ended_accounts(self._from_database.ended_accounts, server.clock.now())


def _traffic(traffic: Traffic) -> Iterator[Metric]:
    times = HistogramMetricFamily(
        "evpower_ocpp_answer_seconds", "From a charger's CALL to our answer, commit included.", labels=["action"]
    )
    received = CounterMetricFamily("evpower_ocpp_calls_received", "CALLs of chargers.", labels=["action"])
    for action, answered in sorted(traffic.answered.items()):
        bounds = [*map(str, BOUNDS_S), "+Inf"]
        times.add_metric([action], list(zip(bounds, accumulate(answered.buckets), strict=True)), answered.sum_s)
        received.add_metric([action], answered.count)
    yield received
    yield times
    yield _by("evpower_ocpp_calls_sent", "CALLs to chargers.", ("action",), traffic.calls_sent)
    commands = CounterMetricFamily(
        "evpower_ocpp_commands", "How CALLs to chargers ended.", labels=["action", "outcome"]
    )
    for labels, count in sorted(traffic.commands.items()):
        commands.add_metric(labels, count)
    yield commands
    yield _by("evpower_ocpp_errors_sent", "CALLERRORs to chargers.", ("code",), traffic.errors_sent)
    yield _by("evpower_ocpp_errors_received", "CALLERRORs of chargers.", ("code",), traffic.errors_received)
    refusals = {str(refusal): traffic.refusals[refusal] for refusal in Refusal}
    yield _by("evpower_refused_sockets", "Sockets that became no charger's.", ("reason",), refusals)
    leniencies = CounterMetricFamily(
        "evpower_leniencies", "What chargers do against the standard and is tolerated.", labels=["station", "kind"]
    )
    for station_id, kinds in sorted(traffic.leniencies.items()):
        for kind, count in sorted(kinds.items()):
            leniencies.add_metric([station_id, kind], count)
    yield leniencies


def _database(journal: Journal, pool: PoolUsage) -> Iterator[Metric]:
    yield _counter("evpower_journal_batches", "Group commits of chargers' reports.", journal.batches)
    yield _counter("evpower_journal_rows", "Reports they stored.", journal.rows)
    yield _counter("evpower_journal_failed_rows", "Reports that were not stored; chargers repeat them.", journal.failed)
    yield GaugeMetricFamily("evpower_database_pool_size", "Connections there may be.", value=pool.size)
    yield GaugeMetricFamily("evpower_database_pool_in_use", "Connections lent or being made.", value=pool.in_use)
    yield GaugeMetricFamily("evpower_database_pool_waiting", "Tasks that wait for a connection.", value=pool.waiting)


def _push(outcomes: Mapping[tuple[str, str], int]) -> Iterator[Metric]:
    messages = CounterMetricFamily(
        "evpower_push", "What became of messages to phones, by the kind of device.", labels=["kind", "outcome"]
    )
    for kind, outcome in product(get_args(DeviceKind), get_args(Fate)):
        messages.add_metric([kind, outcome], outcomes.get((kind, outcome), 0))
    yield messages


def _rate_limits(limits: RateLimits) -> Iterator[Metric]:
    refused = {kind: limits.refused.get(kind, 0) for kind in KINDS}
    yield _by("evpower_requests_refused", "Requests beyond a limit of their caller.", ("kind",), refused)
    yield _counter("evpower_requests_counted_alone", "Requests that Redis did not count in time.", limits.alone)


def _sessions(figures: Figures | None) -> Iterator[Metric]:
    yield GaugeMetricFamily(
        "evpower_database_up", "Whether PostgreSQL answered this scrape.", value=figures is not None
    )
    if figures is None:
        return
    sessions = GaugeMetricFamily("evpower_sessions", "Sessions that are not final.", labels=["phase"])
    for phase in OPEN_PHASES:
        sessions.add_metric([phase], figures.open_sessions.get(phase, 0))
    yield sessions
    unsettled = figures.open_sessions.get("ended", 0)
    yield GaugeMetricFamily("evpower_unsettled_sessions", "Ended, and not yet billed.", value=unsettled)
    parked = figures.parked_reports
    yield GaugeMetricFamily("evpower_parked_reports", "Reports that wait for a person.", value=parked)
    unpaid = figures.charging_without_session
    energy = figures.unbilled_wh
    yield GaugeMetricFamily("evpower_unbilled_energy_wh", "Energy of charges that nobody pays for.", value=energy)
    yield GaugeMetricFamily("evpower_charging_without_session", "Charges that go on and nobody pays for.", value=unpaid)
    doubts = GaugeMetricFamily("evpower_doubts", "Figures of chargers that are not believed.", labels=["kind"])
    for kind in get_args(DoubtKind):
        doubts.add_metric([kind], figures.open_doubts.get(kind, 0))
    yield doubts


def _ended_accounts(figures: EndedAccounts, now: datetime) -> Iterator[Metric]:
    asked, waiting, next_at = figures.restorable, figures.to_pay_out, figures.next_erasure_at
    overdue_s = 0.0 if next_at is None else max(0.0, (now - next_at).total_seconds())
    yield GaugeMetricFamily("evpower_accounts_to_erase", "Accounts whose end was asked for.", value=asked)
    yield GaugeMetricFamily("evpower_accounts_to_pay_out", "Those that have money left.", value=waiting)
    yield GaugeMetricFamily("evpower_erasure_overdue_seconds", "Since the oldest should be erased.", value=overdue_s)


def _counter(name: str, meaning: str, value: float) -> Metric:
    return CounterMetricFamily(name, meaning, value=value)


def _by(name: str, meaning: str, labels: tuple[str], counts: Mapping[str, int]) -> Metric:
    family = CounterMetricFamily(name, meaning, labels=labels)
    for label, count in sorted(counts.items()):
        family.add_metric([label], count)
    return family

"""`run(config)`: the nursery tree, the order of its start, and the order of its end (design §2).

    resources      embedded PostgreSQL?, pool                                     closed last
    └─ workers     journal, settlement, limits, recovery, presence, upkeep,
                   conversations with stations                                    drained second
       └─ doors    stations' listener, phones' listener, control socket           closed first (doors.py)

Ready means ready: each service is started, not spawned. One SIGTERM drains, a second one (or the deadline) ends at
once; nothing is lost either way, because workers read their work from PostgreSQL. A fault in any service of this tree
ends the process with a non-zero code, and systemd starts it again.
"""

from __future__ import annotations

import gc
import logging
import os
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import trio

from evpower.clock import Clock, ClockWatch, Ids, RandomIds, SystemClock
from evpower.db.embedded import embedded_postgres
from evpower.db.migrate import migrate
from evpower.db.pool import Pool, open_pool
from evpower.db.reachable import dial
from evpower.db.which import described, is_made
from evpower.identifiers import ProcessId
from evpower.network_file.service import log_doubts
from evpower.payments.gateway import Gateways
from evpower.payments.gateways.providers import open_gateways
from evpower.push.delivery import DeliveryService
from evpower.push.means import open_push_services
from evpower.server.descriptors import make_room
from evpower.server.doors import Running, open_doors
from evpower.server.notify import Notifier
from evpower.server.process import Process, build_process
from evpower.server.upkeep import follow_clock
from evpower.settings.config import Config
from evpower.settings.state_directory import make_private
from evpower.sign_in.means import SignInMeans, open_means

log = logging.getLogger("evpower")

#: An idle settlement worker looks for due rows this often; code that ends a charge wakes it at once.
SETTLEMENT_SWEEP_S = 5.0
#: Thresholds of the garbage collector. Python's 700 young objects are a dozen station messages; nearly all of them die
#: by their reference counts, and every collection looks at whatever lives.
COLLECT_AFTER = (50_000, 20, 100)
#: After the doors: the last settlements, at most this long.
WORKERS_DRAIN_S = 5.0


#: Numbers of the signals received.
Signals = AsyncIterator[int]


async def run(
    config: Config,
    *,
    clock: Clock | None = None,
    ids: Ids | None = None,
    task_status: trio.TaskStatus[Running] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Run the server until a stop is asked for: SIGTERM, SIGINT, or cancellation.

    Raises DatabaseUnavailable, SchemaTooNew and OSError (a bind) before anything is served; later faults of essential
    services come out as they are.
    """
    # Trio's clock is the kernel's monotonic one: it rests while a machine sleeps, when no charger reaches us either.
    watch = ClockWatch(SystemClock(), trio.current_time) if clock is None else ClockWatch(clock)
    clock, ids = clock or SystemClock(), ids or RandomIds()
    make_private(config.state_dir)
    make_room(config.ocpp.max_connections + config.database.pool_size)
    process_id = ProcessId(ids.new())
    async with (
        open_means(config) as means,
        open_push_services(config.push, clock) as push_services,
        _database(config, process_id) as pool,
        open_gateways(config, clock) as gateways,
    ):
        await _prepare(pool, clock)
        log.info("database: %s", described(config.database.url, config.private_database))
        # One receiver to the end: between two of them a signal would kill us.
        with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
            await _serve(
                config, process_id, pool, gateways, means, push_services, clock, watch, ids, signals, task_status
            )
    log.info("stopped")


async def _serve(
    config: Config,
    process_id: ProcessId,
    pool: Pool,
    gateways: Gateways,
    means: SignInMeans,
    push_services: Mapping[str, DeliveryService],
    clock: Clock,
    watch: ClockWatch,
    ids: Ids,
    signals: Signals,
    task_status: trio.TaskStatus[Running],
) -> None:
    """Workers and doors, until the first signal and through the drain."""
    notifier = Notifier(os.environ)
    async with trio.open_nursery() as workers:
        process = build_process(
            config,
            process_id,
            pool,
            gateways,
            clock,
            watch,
            ids,
            workers,
            sign_in_means=means,
            push_services=push_services,
        )
        if process.app.authority.exists:
            await process.app.authority.check(clock.now())
        await start_workers(workers, process)
        async with open_doors(process) as running:
            workers.start_soon(notifier.keep_watchdog)
            _collect_less_often()
            notifier.ready()
            task_status.started(running)
            await _stop_asked(signals)
            log.info("stopping: doors close, requests in flight finish, chargers are told")
            notifier.stopping()
            workers.start_soon(_end_at_once_when_pressed, signals, config.server.drain_timeout_s + WORKERS_DRAIN_S)
        with trio.move_on_after(WORKERS_DRAIN_S):
            await process.app.settler.work_due()
        workers.cancel_scope.cancel()


def _collect_less_often() -> None:
    """What was built so far stays until the end: no collection needs to look at it again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)


@asynccontextmanager
async def _database(config: Config, process_id: ProcessId) -> AsyncIterator[Pool]:
    """The configured PostgreSQL, or a private one in the state directory, which is made when there is none."""
    private = config.private_database
    if not config.database.url and not is_made(private):
        log.warning("database.url is empty: a new private PostgreSQL is made in %s", private.resolve())
    if config.database.url:
        await dial(config.database.url)
        async with open_pool(config.database.url, size=config.database.pool_size, process_id=process_id) as pool:
            yield pool
    else:
        async with (
            embedded_postgres(private) as conninfo,
            open_pool(conninfo, size=config.database.pool_size, process_id=process_id) as pool,
        ):
            yield pool


async def _prepare(pool: Pool, clock: Clock) -> None:
    """Bring the schema up to date; refuses a database newer than this code."""
    for name in await migrate(pool, clock.now()):
        log.info("migrated: %s", name)
    await log_doubts(pool)


async def start_workers(workers: trio.Nursery, process: Process) -> None:
    """Start every worker of a process, each ready before the next; the nursery's end is theirs."""
    app = process.app
    if app.redis is not None:
        await workers.start(app.redis.run, name="redis")
    await workers.start(app.sign_in.keys.run, name="signing keys")
    await workers.start(app.sign_in.revocations.run, name="revocations")
    if process.tokens.remote_keys is not None:
        await workers.start(process.tokens.remote_keys.run, name="keys of tokens")
    workers.start_soon(follow_clock, process.watch, app.payments.poller.clock_jumped, name="clock")
    await workers.start(process.recent_lines.run, name="recent lines")
    await workers.start(process.lag.run, name="loop lag")
    await workers.start(process.upkeep.run, name="upkeep")
    await workers.start(app.journal.run, name="journal")
    await workers.start(app.lookups.run, name="arrivals")
    await workers.start(app.settler.run, SETTLEMENT_SWEEP_S, name="settlement")
    await workers.start(app.idle_fees.run, name="idle fees")
    await workers.start(app.payments.run, name="payments")
    await workers.start(app.ledger_checks.run, name="ledger checks")
    await workers.start(app.aliases.run, name="aliases")
    await workers.start(app.erasure.run, name="erasure")
    if app.push.devices.rules.is_on:
        await workers.start(app.push.deliverer.run, name="messages")
    await workers.start(app.webhook_deliverer.run, name="webhooks")
    if process.config.favorites.enabled:
        await workers.start(app.watches.run, name="watches")
    # Also when it is switched off: what lives then comes to its end, and its money back.
    await workers.start(app.reservations.worker.run, name="reservations")
    if process.config.power.enabled:
        await workers.start(app.power.run, name="power")
    await workers.start(app.limits.run, name="limits")
    await workers.start(app.register_watch.run, name="registers")
    await workers.start(app.recovery.run, name="recovery")
    await workers.start(app.transactions.run, name="events without predecessors")
    await workers.start(app.presence.run, name="presence")
    await workers.start(process.tracer.run, name="frames")
    await workers.start(process.processes.run, name="lease")
    await workers.start(process.executor.run, name="others' commands")
    await workers.start(process.listening.run, name="listening")
    await workers.start(process.feed.run, name="feed")
    await workers.start(app.pictures.run, name="pictures")
    await workers.start(app.health.run, name="health")
    await workers.start(app.availability.run, name="hours")
    if process.config.forecast.enabled:
        await workers.start(app.forecast_keeper.run, name="forecasts")
        await workers.start(app.forecasts.run, name="newest forecasts")
        await workers.start(app.forecast_nightly.run, name="forecasts of a night")


async def _stop_asked(signals: Signals) -> None:
    """Return at the next signal."""
    number = await anext(signals)
    log.info("received %s", signal.Signals(number).name)


async def _end_at_once_when_pressed(signals: Signals, deadline_s: float) -> None:
    """While draining: a second signal, or the deadline, ends the process; the rows say what is left to do."""
    with trio.move_on_after(deadline_s):
        await _stop_asked(signals)
    log.warning("ending at once")
    logging.shutdown()
    os._exit(1)

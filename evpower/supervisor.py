"""`run(config)`: the nursery tree, the order of its start, and the order of its end (design §2).

    resources      embedded PostgreSQL?, pool                                     closed last
    └─ workers     journal, settlement, limits, recovery, presence, upkeep,
                   conversations with chargers                                    drained second
       └─ doors    chargers' listener, phones' listener, control socket           closed first

Ready means ready: each service is started, not spawned. One SIGTERM drains, a second one (or the deadline) ends at
once; nothing is lost either way, because workers read their work from PostgreSQL. A fault in any service of this tree
ends the process with a non-zero code, and systemd starts it again.
"""

from __future__ import annotations

import gc
import logging
import os
import secrets
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import trio
from quart import Blueprint

import evpower
from evpower.app import App, build_app
from evpower.billing.gateways.providers import Gateways, open_gateways
from evpower.charging.administration import Administration
from evpower.charging.feed import NetworkFeed
from evpower.charging.network_link import NetworkLink
from evpower.charging.network_views import NetworkViews
from evpower.charging.other_processes import OtherProcesses
from evpower.charging.processes import Processes
from evpower.charging.provisioning import Provisioning
from evpower.charging.remote_commands import CommandExecutor
from evpower.charging.station_access import StationAccess
from evpower.charging.strangers import Strangers
from evpower.charging.tariff_plans import TariffPlans
from evpower.clock import Clock, Ids, RandomIds, SystemClock
from evpower.config import Config
from evpower.db.doubts import configuration_doubts
from evpower.db.embedded import embedded_postgres
from evpower.db.idempotency import KeyRows
from evpower.db.listening import Listening
from evpower.db.migrate import migrate
from evpower.db.pool import Pool, open_pool
from evpower.db.reachable import dial
from evpower.db.unit_of_work import reading
from evpower.db.upkeep import Upkeep
from evpower.descriptors import make_room
from evpower.http.administration import location_admin_routes, station_admin_routes, station_list_routes
from evpower.http.app import HttpSettings, build_http_app
from evpower.http.application import RequestLimits
from evpower.http.certificates import certificate_routes
from evpower.http.control import build_control_app
from evpower.http.live_hub import LiveHub, LiveLimits
from evpower.http.metrics import metrics_routes
from evpower.http.operators_work import free_vend_routes, parked_routes, tag_routes
from evpower.http.payment_admin import payment_admin_routes
from evpower.http.server import ServerSettings, serve_http
from evpower.http.service import ServiceFacts
from evpower.http.station_access import access_routes
from evpower.http.station_commands import command_routes
from evpower.http.strangers import stranger_routes
from evpower.http.tariff_plans import tariff_plan_routes
from evpower.http.tracing import trace_routes
from evpower.http.webhook_guard import WebhookLimits
from evpower.identifiers import ProcessId
from evpower.metrics import Metrics
from evpower.notify import Notifier
from evpower.ocpp.failed_logins import FailedLogins
from evpower.ocpp.lobby import Lobby
from evpower.ocpp.passwords import PasswordChecker, SaltedPasswords
from evpower.ocpp.registry import ChargerRegistry
from evpower.ocpp.server import ChargerServer, serve_chargers
from evpower.ocpp.settings import OcppSettings
from evpower.ocpp.tls import TlsFiles, TlsIdentity
from evpower.ocpp.tracer import Tracer
from evpower.ocpp.transport import SocketLimits
from evpower.operator import Operator
from evpower.probes import ServerProbes

log = logging.getLogger("evpower")

#: An idle settlement worker looks for due rows this often; it is woken at once by whoever ends a charge.
SETTLEMENT_SWEEP_S = 5.0
#: Thresholds of the garbage collector. Python's 700 young objects are a dozen charger messages; nearly all of them die
#: by their reference counts, and every collection looks at whatever lives.
COLLECT_AFTER = (50_000, 20, 100)
#: After the doors: the last settlements, at most this long.
WORKERS_DRAIN_S = 5.0


#: Numbers of the signals received.
Signals = AsyncIterator[int]


@dataclass(frozen=True)
class Running:
    """The real addresses of a server that is ready."""

    http_urls: tuple[str, ...]
    ocpp_urls: tuple[str, ...]
    control_socket: str


async def run(
    config: Config,
    *,
    clock: Clock | None = None,
    ids: Ids | None = None,
    task_status: trio.TaskStatus[Running] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Run the server until it is told to stop: SIGTERM, SIGINT, or cancellation.

    Raises DatabaseUnavailable, SchemaTooNew and OSError (a bind) before anything is served; later faults of essential
    services come out as they are.
    """
    clock, ids = clock or SystemClock(), ids or RandomIds()
    make_room(config.ocpp.max_connections + config.database.pool_size)
    process_id = ProcessId(ids.new())
    async with _database(config, process_id) as pool, open_gateways(config, clock) as gateways:
        await _prepare(pool, clock)
        # One receiver to the end: between two of them a signal would kill us.
        with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
            await _serve(config, process_id, pool, gateways, clock, ids, signals, task_status)
    log.info("stopped")


async def _serve(
    config: Config,
    process_id: ProcessId,
    pool: Pool,
    gateways: Gateways,
    clock: Clock,
    ids: Ids,
    signals: Signals,
    task_status: trio.TaskStatus[Running],
) -> None:
    """Workers and doors, until the first signal and through the drain."""
    notifier = Notifier(os.environ)
    async with trio.open_nursery() as workers:
        registry = ChargerRegistry()
        processes = Processes(pool, clock, process_id, registry)
        link = NetworkLink(registry, processes, pool, clock, ids)
        app = build_app(config, pool, link, clock, ids, workers, gateways=gateways.by_name)
        if app.authority.exists:
            await app.authority.check(clock.now())
        tracer = Tracer(pool, clock, record=config.ocpp.record_frames)
        hub = LiveHub(clock, LiveLimits(config.http.sockets_per_address, config.http.sockets_per_client))
        if app.redis is not None:
            await workers.start(app.redis.run, name="redis")
        await _start_workers(workers, config, app, tracer, pool, clock)
        executor = CommandExecutor(pool, clock, process_id, registry)
        others = OtherProcesses(app.bus, processes, link, executor, app.pricing.forget)
        await workers.start(processes.run, name="lease")
        await workers.start(executor.run, name="others' commands")
        await workers.start(Listening(pool.conninfo, others.hear, others.gap).run, name="listening")
        await workers.start(NetworkFeed(app.bus, app.locations, hub.tell).run, name="feed")
        async with _doors(config, app, tracer, hub, pool, registry, link, clock, ids) as running:
            workers.start_soon(notifier.keep_watchdog)
            _collect_less_often()
            notifier.ready()
            task_status.started(running)
            await _told_to_stop(signals)
            log.info("stopping: doors close, requests in flight finish, chargers are told")
            notifier.stopping()
            workers.start_soon(_end_at_once_when_pressed, signals, config.server.drain_timeout_s + WORKERS_DRAIN_S)
        with trio.move_on_after(WORKERS_DRAIN_S):
            await app.settler.work_due()
        workers.cancel_scope.cancel()


def _collect_less_often() -> None:
    """What was built so far stays until the end: no collection needs to look at it again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)


@asynccontextmanager
async def _database(config: Config, process_id: ProcessId) -> AsyncIterator[Pool]:
    """The configured PostgreSQL, or a private one in the state directory."""
    if config.database.url:
        await dial(config.database.url)
        async with open_pool(config.database.url, size=config.database.pool_size, process_id=process_id) as pool:
            yield pool
    else:
        async with (
            embedded_postgres(config.state_dir / "postgres") as conninfo,
            open_pool(conninfo, size=config.database.pool_size, process_id=process_id) as pool,
        ):
            yield pool


async def _prepare(pool: Pool, clock: Clock) -> None:
    """Bring the schema up to date; refuses a database newer than this code."""
    for name in await migrate(pool, clock.now()):
        log.info("migrated: %s", name)
    async with reading(pool) as conn:
        for doubt in await configuration_doubts(conn):
            log.warning("%s", doubt)


async def _start_workers(
    workers: trio.Nursery, config: Config, app: App, tracer: Tracer, pool: Pool, clock: Clock
) -> None:
    upkeep = Upkeep(pool, clock, config.ocpp, config.billing.idempotency_days)
    await workers.start(upkeep.run, name="upkeep")
    await workers.start(app.journal.run, name="journal")
    await workers.start(app.lookups.run, name="arrivals")
    await workers.start(app.settler.run, SETTLEMENT_SWEEP_S, name="settlement")
    await workers.start(app.payments.run, name="payments")
    await workers.start(app.limits.run, name="limits")
    await workers.start(app.recovery.run, name="recovery")
    await workers.start(app.presence.run, name="presence")
    await workers.start(tracer.run, name="frames")


@asynccontextmanager
async def _doors(
    config: Config,
    app: App,
    tracer: Tracer,
    hub: LiveHub,
    pool: Pool,
    registry: ChargerRegistry,
    link: NetworkLink,
    clock: Clock,
    ids: Ids,
) -> AsyncIterator[Running]:
    """Open the listeners, ready when all are; on leaving they close, each within its drain time."""
    drain_s = config.server.drain_timeout_s
    failed_logins = FailedLogins()
    operator = Operator(
        pool, clock, link, app.pricing, config.ocpp.heartbeat_timeout_s, failed_logins, app.bus, app.payments
    )
    access = StationAccess(pool, clock, link, SaltedPasswords())
    lobby = Lobby(Strangers(pool, clock, config.ocpp.heartbeat_interval_s))
    provisioning = Provisioning(pool, clock, lobby, SaltedPasswords(), app.pricing, app.bus)
    views = NetworkViews(pool, clock, link, config.ocpp.heartbeat_timeout_s)
    network = _network_operations(app, views, pool, clock)
    operations = (*_operations(app, tracer, access), stranger_routes(provisioning), *network)
    server = _charger_server(config, app, tracer, registry, failed_logins, lobby, clock, ids)
    metrics = metrics_routes(Metrics(pool, app.journal, app.bus, server, tracer, app.payments, app.redis))
    control_app = build_control_app(charging=app.charging, views=operator, ids=ids, operations=(*operations, metrics))
    config.control_socket.parent.mkdir(parents=True, exist_ok=True)
    tls = await _tls_identity(config)
    async with trio.open_nursery() as doors:
        await doors.start(_reload_at_hangup, tls, name="certificate reload")
        await doors.start(tracer.end_followers, name="traces")
        await doors.start(hub.end_listeners, name="phones' sockets")
        charger_doors = await doors.start(
            partial(
                serve_chargers,
                server,
                [(bind.host, bind.port) for bind in config.ocpp.bind],
                tls_binds=[(bind.host, bind.port) for bind in config.ocpp.tls_bind],
                tls=tls,
            ),
            name="chargers",
        )
        ocpp_urls = tuple(door.url for door in charger_doors)
        http_app = build_http_app(
            charging=app.charging,
            billing=app.billing,
            locations=app.locations,
            hub=hub,
            clock=clock,
            keys=KeyRows(pool, clock),
            probes=ServerProbes(pool, registry, app.payments.providers, app.redis),
            ids=ids,
            facts=ServiceFacts(evpower.__version__, ocpp_urls=ocpp_urls),
            settings=HttpSettings(
                limits=RequestLimits(body_bytes_max=config.http.request_limit_bytes),
                admin_token=config.http.admin_token,
                allowed_origins=config.http.allowed_origins,
                trusted_proxies=config.http.trusted_proxies,
                webhooks=WebhookLimits(config.payments.webhook_per_minute, config.payments.webhook_allow),
            ),
            operations=(*operations, station_list_routes(views)),
            at_root=(metrics,),
            payments=app.payments,
        )
        settings = ServerSettings(drain_s=drain_s)
        http_urls = await doors.start(
            partial(serve_http, http_app, [str(bind) for bind in config.http.bind], settings=settings), name="phones"
        )
        await doors.start(
            partial(serve_http, control_app, [f"unix:{config.control_socket}"], settings=settings), name="control"
        )
        yield Running(tuple(http_urls), ocpp_urls, str(config.control_socket))
        doors.cancel_scope.cancel()


def _operations(app: App, tracer: Tracer, access: StationAccess) -> tuple[Blueprint, ...]:
    """What administrators may do, the same over HTTP (with the token) and on the control socket."""
    return (
        command_routes(app.operations),
        trace_routes(tracer),
        access_routes(access),
        tag_routes(app.tags),
        parked_routes(app.parked),
        certificate_routes(app.certificates),
        free_vend_routes(app.free_vend),
        payment_admin_routes(app.payments),
    )


def _network_operations(app: App, views: NetworkViews, pool: Pool, clock: Clock) -> tuple[Blueprint, ...]:
    """What administrators may change of the network and its prices."""
    passwords = SaltedPasswords()
    administration = Administration(pool, clock, views, passwords, app.pricing, app.bus)
    return (
        location_admin_routes(administration, views),
        station_admin_routes(administration, views),
        tariff_plan_routes(TariffPlans(pool, clock, passwords, app.pricing, app.bus)),
    )


def _charger_server(
    config: Config,
    app: App,
    tracer: Tracer,
    registry: ChargerRegistry,
    failed_logins: FailedLogins,
    lobby: Lobby,
    clock: Clock,
    ids: Ids,
) -> ChargerServer:
    ocpp = config.ocpp
    settings = OcppSettings(
        limits=SocketLimits(
            max_frame_bytes=ocpp.max_frame_bytes,
            max_backlog_bytes=ocpp.max_backlog_bytes,
            open_timeout_s=ocpp.open_timeout_s,
            ping_interval_s=ocpp.ping_interval_s,
            ping_timeout_s=ocpp.ping_timeout_s,
            send_timeout_s=ocpp.send_timeout_s,
        ),
        allow_anonymous=config.anonymous_chargers,
        trusted_proxies=config.http.trusted_proxies,
        max_connections=ocpp.max_connections,
        max_handshakes=ocpp.max_handshakes,
        command_timeout_s=ocpp.command_timeout_s,
        heartbeat_timeout_s=ocpp.heartbeat_timeout_s,
        meter_value_sample_interval_s=ocpp.sample_interval_s,
    )
    return ChargerServer(
        app.reports,
        registry,
        clock,
        ids,
        PasswordChecker(secrets.token_bytes(32)),
        settings,
        tracer,
        failed_logins,
        lobby=lobby if ocpp.accept_unknown == "pending" else None,
    )


async def _tls_identity(config: Config) -> TlsIdentity | None:
    ocpp = config.ocpp
    if not ocpp.tls_bind:
        return None
    client_ca = Path(ocpp.tls_client_ca) if ocpp.tls_client_ca else None
    files = TlsFiles(Path(ocpp.tls_certificate), Path(ocpp.tls_key), client_ca, station_ca=config.station_ca[0])
    return await trio.to_thread.run_sync(TlsIdentity, files)


async def _reload_at_hangup(
    tls: TlsIdentity | None, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
) -> None:
    """SIGHUP: new connections get the certificate that is in the files now."""
    with trio.open_signal_receiver(signal.SIGHUP) as signals:
        task_status.started()
        async for _ in signals:
            if tls is None:
                log.info("received SIGHUP: no certificate to reload")
            else:
                await trio.to_thread.run_sync(tls.reload)


async def _told_to_stop(signals: Signals) -> None:
    """Return at the next signal."""
    number = await anext(signals)
    log.info("received %s", signal.Signals(number).name)


async def _end_at_once_when_pressed(signals: Signals, deadline_s: float) -> None:
    """While draining: a second signal, or the deadline, ends the process; the rows say what is left to do."""
    with trio.move_on_after(deadline_s):
        await _told_to_stop(signals)
    log.warning("ending at once")
    logging.shutdown()
    os._exit(1)

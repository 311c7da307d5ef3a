"""The doors: stations' listener, phones' listener, control socket; what is behind each, and who opens them.

What administrators may do is written once and is behind two doors: over HTTP with the token, and on the control
socket, whose file's mode says who may.
"""

from __future__ import annotations

import logging
import secrets
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import trio
from quart import Blueprint
from quart_trio import QuartTrio

import evpower
from evpower.clock import Clock
from evpower.http.app import HttpAppSettings, People, PhoneServices, build_http_app
from evpower.http.listener.server import ListenerSettings, serve_http
from evpower.http.operators.admin import AdminDoor, StaffDoor
from evpower.http.operators.administration import location_admin_routes, station_admin_routes, station_list_routes
from evpower.http.operators.certificates import certificate_routes
from evpower.http.operators.charges.attention import attention_routes
from evpower.http.operators.charges.availability import availability_routes
from evpower.http.operators.charges.call_sheets import call_sheet_routes
from evpower.http.operators.charges.events import event_routes
from evpower.http.operators.charges.evidence import evidence_routes
from evpower.http.operators.charges.forecast import forecast_score_routes
from evpower.http.operators.charges.health import health_routes
from evpower.http.operators.charges.sessions import session_routes
from evpower.http.operators.charges.statistics import statistics_routes
from evpower.http.operators.control import build_control_app
from evpower.http.operators.metrics import Exposition, metrics_routes, require_neighbour
from evpower.http.operators.operators_work import (
    attempt_routes,
    doubt_routes,
    free_vend_routes,
    parked_routes,
    start_attempt_routes,
    tag_routes,
)
from evpower.http.operators.payment_admin import payment_admin_routes
from evpower.http.operators.people.act_journal import ActJournal
from evpower.http.operators.people.clients import client_routes
from evpower.http.operators.people.deletions import deletion_routes
from evpower.http.operators.people.merges import merge_routes
from evpower.http.operators.people.push import push_admin_routes
from evpower.http.operators.people.second_factor import second_factor_routes
from evpower.http.operators.people.signing_keys import signing_key_routes
from evpower.http.operators.people.staff import enrolment_routes, staff_routes
from evpower.http.operators.station_access import access_routes, doctor_routes
from evpower.http.operators.station_commands import command_routes
from evpower.http.operators.strangers import stranger_routes
from evpower.http.operators.systems.power import power_routes
from evpower.http.operators.systems.reservations import reservation_admin_routes
from evpower.http.operators.systems.webhooks import webhook_routes_out
from evpower.http.operators.tariff_plans import tariff_plan_routes
from evpower.http.operators.tracing import trace_routes
from evpower.http.providers.webhook_guard import WebhookLimits
from evpower.http.service import ServiceFacts, service_routes
from evpower.http.wire.access import HttpTraffic
from evpower.http.wire.application import RequestLimits
from evpower.http.wire.caller import Callers
from evpower.http.wire.loop_time import CpuSeconds
from evpower.ocpp.dialects import DIALECTS
from evpower.ocpp.door.failed_logins import FailedLogins
from evpower.ocpp.door.passwords import PasswordChecker
from evpower.ocpp.door.server import StationServer, serve_stations
from evpower.ocpp.door.tls import TlsFiles, TlsIdentity
from evpower.ocpp.settings import OcppSettings
from evpower.ocpp.wire.transport import SocketLimits
from evpower.pages.app import PagesServices, PagesSettings, build_pages_app
from evpower.pages.client_acts import ClientDoers
from evpower.pages.money import Books
from evpower.pages.network.lists import NetworkLists
from evpower.pages.questions.routes import Questions
from evpower.pages.stations.asking import Asking
from evpower.pages.stations.routes import StationRooms, StationWire
from evpower.pages.stations.station_act import Doers
from evpower.pages.system import ReadSystem
from evpower.pages.why import LogLines, Reasons
from evpower.server import logs
from evpower.server.app import App
from evpower.server.metrics.graph import server_figures
from evpower.server.operator import Operator
from evpower.server.probes import ServerProbes
from evpower.server.process import Process, process_facts
from evpower.server.system_page.facts import read_system
from evpower.settings.config import Config
from evpower.worker import contain

log = logging.getLogger("evpower")


@dataclass(frozen=True)
class Running:
    """The real addresses of a server that is ready."""

    http_urls: tuple[str, ...]
    ocpp_urls: tuple[str, ...]
    control_socket: str
    #: Empty: there are no operators' pages.
    pages_urls: tuple[str, ...] = ()


@asynccontextmanager
async def open_doors(process: Process) -> AsyncIterator[Running]:
    """Open the listeners, ready when all are; on leaving they close, people's first, each within its drain time."""
    config = process.config
    failed_logins = FailedLogins()
    server = station_server(process, failed_logins)
    traffic = HttpTraffic()
    figures = server_figures(process, server, traffic)
    control_app = build_control_app(
        charging=process.app.charging,
        views=_operator(process, server),
        ids=process.ids,
        operations=(
            *operations(process, traffic),
            enrolment_routes(process.app.second_factor, process.app.browsers),
            metrics_routes(figures),
        ),
        traffic=traffic,
        journal=ActJournal(process.app.acts, process.ids, "command"),
    )
    config.control_socket.parent.mkdir(parents=True, exist_ok=True)
    tls = await _tls_identity(config)
    settings = ListenerSettings(
        drain_s=config.server.drain_timeout_s,
        connections_per_address=config.http.connections_per_address,
        connections_per_proxy=config.http.connections_per_proxy,
        trusted_proxies=config.http.trusted_proxies,
    )
    # Chargers' door closes last: until the last answer, a request may need one.
    async with trio.open_nursery() as to_stations:
        await to_stations.start(_reload_at_hangup, tls, name="certificate reload")
        ocpp_urls = await _open_to_stations(to_stations, server, config, tls)
        http_app = people_app(process, figures, ocpp_urls, traffic)
        async with trio.open_nursery() as to_people:
            await to_people.start(process.tracer.end_followers, name="traces")
            await to_people.start(process.hub.end_listeners, name="phones' sockets")
            http_binds, control_bind = [str(bind) for bind in config.http.bind], f"unix:{config.control_socket}"
            serve_phones = partial(serve_http, http_app, http_binds, settings=settings)
            http_urls = await to_people.start(serve_phones, name="phones")
            serve_control = partial(serve_http, control_app, [control_bind], settings=settings)
            await to_people.start(serve_control, name="control")
            read = partial(read_system, process, server.traffic, failed_logins)
            wire = StationWire(process.tracer, process.registry, process.link, ocpp_urls)
            pages_urls = await _open_to_operators(to_people, process, settings, traffic, wire, read)
            yield Running(tuple(http_urls), ocpp_urls, str(config.control_socket), pages_urls)
            to_people.cancel_scope.cancel()
        to_stations.cancel_scope.cancel()


async def _open_to_stations(
    doors: trio.Nursery, server: StationServer, config: Config, tls: TlsIdentity | None
) -> tuple[str, ...]:
    """Their addresses."""
    opened = await doors.start(
        partial(
            serve_stations,
            server,
            [(bind.host, bind.port) for bind in config.ocpp.bind],
            tls_binds=[(bind.host, bind.port) for bind in config.ocpp.tls_bind],
            tls=tls,
        ),
        name="chargers",
    )
    return tuple(door.url for door in opened)


async def _open_to_operators(
    doors: trio.Nursery,
    process: Process,
    settings: ListenerSettings,
    traffic: HttpTraffic,
    wire: StationWire,
    read: ReadSystem,
) -> tuple[str, ...]:
    """The addresses of the operators' pages."""
    binds, app = [str(bind) for bind in process.config.operator.bind], process.app
    if not binds:
        return ()
    await doors.start(app.pictures.end_watchers, name="viewers")
    http = process.config.http
    shown = PagesSettings(process.config.billing.timezone, http.trusted_proxies, http.admin_allow)
    services = pages_services(app, wire, process.config, process.clock, read, lambda: process.recent_lines.lines)
    pages_app = build_pages_app(services, process.clock, process.ids, shown, traffic)
    urls: list[str] = await doors.start(partial(serve_http, pages_app, binds, settings=settings), name="pages")
    log.info("operators' pages: %s", ", ".join(urls))
    return tuple(urls)


def pages_services(
    app: App, wire: StationWire, config: Config, clock: Clock, read: ReadSystem, lines: LogLines
) -> PagesServices:
    """What is behind the operators' pages."""
    doers = Doers(app.operations, app.charging, app.administration, app.access, app.client_accounts, app.finding)
    answer_within_s, timezone = config.ocpp.command_timeout_s, config.billing.timezone
    rooms = StationRooms(
        app.station_cases, app.attempts, app.charge_views, app.station_prices, app.free_vend, app.availability
    )
    return PagesServices(
        browsers=app.browsers,
        codes=app.sign_in.codes,
        second_factor=app.second_factor,
        pictures=app.pictures,
        charging=app.charging,
        acts=app.acts,
        marks=app.marks,
        charge_views=app.charge_views,
        client_accounts=app.client_accounts,
        case_files=app.case_files,
        evidence=app.case_files.evidence,
        limits=app.limits,
        client_doers=client_doers(app),
        attempts=app.attempts,
        finding=app.finding,
        station_rooms=rooms,
        station_wire=wire,
        call_sheets=app.call_sheets,
        asking=Asking(doers, app.charge_views, app.acts, app.asked_acts, clock, answer_within_s, timezone),
        books=books(app),
        power=app.power_groups,
        forecasts=app.forecasts if config.forecast.enabled else None,
        questions=Questions(app.parked, app.doubts, app.charging, app.finding, app.station_prices, app.acts),
        network=NetworkLists(app.views, app.tariff_plans, app.station_prices, app.tags, app.certificates),
        provisioning=app.provisioning,
        fleet_imports=app.fleet_imports,
        read_system=read,
        reasons=Reasons(wire.traces, lines),
    )


def client_doers(app: App) -> ClientDoers:
    """What the forms about a client ask."""
    payments = app.payments
    return ClientDoers(
        app.client_accounts, app.case_files, payments.refunds, payments.top_ups, app.tags, app.allowance, app.acts
    )


def books(app: App) -> Books:
    """What the page of money shows and acts through."""
    payments = app.payments
    return Books(
        app.day_book,
        app.ledger_checks,
        payments.decisions,
        payments.refunds,
        payments.top_ups,
        app.allowance,
        app.parked,
        app.free_vend,
    )


def people_app(
    process: Process,
    figures: Exposition,
    ocpp_urls: tuple[str, ...],
    traffic: HttpTraffic | None = None,
    *,
    cpu_s: CpuSeconds = time.thread_time,
) -> QuartTrio:
    """Every route of the people's listener; its requests are counted in `traffic`, and `cpu_s` is the clock of what one
    takes of the event loop."""
    traffic = traffic or HttpTraffic()
    config, app = process.config, process.app
    staff_door = StaffDoor(process.tokens.verifier, app.staff, app.second_factor)
    admin = AdminDoor(config.http.admin_token, staff_door, ActJournal(app.acts, process.ids, "rest"))
    metrics = metrics_routes(figures, partial(require_neighbour, admin))
    probes = ServerProbes(process.pool, process.registry, app.payments.providers, app.redis, process.watch)
    return build_http_app(
        PhoneServices(
            callers=Callers(config.auth.mode, process.tokens.verifier, app.aliases.resolve),
            charging=app.charging,
            station_pages=app.station_pages,
            billing=app.billing,
            locations=app.locations,
            hub=process.hub,
            keys=app.keys,
            rate_limits=app.rate_limits,
            payments=app.payments,
            sign_in=app.sign_in,
            accounts=app.accounts,
            favorites=app.favorites if config.favorites.enabled else None,
            history=app.history,
            push=app.push,
            documents=app.documents,
            prices=app.station_prices,
            people=People(app.profiles, app.staff),
            watches=app.watches if config.favorites.enabled else None,
            power_preferences=app.power_preferences if config.power.enabled else None,
            reservations=app.reservations.service if config.reservations.enabled else None,
            evidence=app.evidence,
            navigation=app.navigation,
            forecasts=app.forecasts if config.forecast.enabled else None,
        ),
        process.clock,
        process.ids,
        HttpAppSettings(
            limits=RequestLimits(body_bytes_max=config.http.request_limit_bytes),
            legacy_sunset=config.http.legacy_sunset,
            described_as=evpower.__version__ if config.http.openapi else "",
            allowed_origins=config.http.allowed_origins,
            trusted_proxies=config.http.trusted_proxies,
            admin_allow=config.http.admin_allow,
            rate_limit_exempt=config.http.rate_limit_exempt,
            webhooks=WebhookLimits(config.payments.webhook_per_minute, config.payments.webhook_allow),
        ),
        admin=admin,
        operations=admin_operations(process, traffic),
        at_root=(service_routes(ServiceFacts(evpower.__version__, ocpp_urls=ocpp_urls), probes), metrics),
        traffic=traffic,
        cpu_s=cpu_s,
    )


def admin_operations(process: Process, traffic: HttpTraffic) -> tuple[Blueprint, ...]:
    """What is below the administrators' door: the operations, and what the control socket has in another form."""
    app = process.app
    return (
        *operations(process, traffic),
        station_list_routes(app.views),
        session_routes(app.charge_views, app.charging),
        second_factor_routes(app.second_factor),
    )


def operations(process: Process, traffic: HttpTraffic) -> tuple[Blueprint, ...]:
    """What operators may see and do at both doors."""
    app = process.app
    return (
        command_routes(app.operations),
        trace_routes(process.tracer, process.link),
        evidence_routes(app.case_files, process.tracer),
        access_routes(app.access),
        doctor_routes(app.access, app.tags, app.billing, partial(process_facts, process, traffic.seen)),
        tag_routes(app.tags),
        parked_routes(app.parked),
        doubt_routes(app.doubts),
        attempt_routes(app.attempts),
        start_attempt_routes(app.attempts),
        attention_routes(app.pictures),
        health_routes(app.health),
        availability_routes(app.availability),
        call_sheet_routes(app.call_sheets, process.registry.socket_now),
        event_routes(app.station_cases),
        *((forecast_score_routes(app.forecasts),) if process.config.forecast.enabled else ()),
        certificate_routes(app.certificates),
        free_vend_routes(app.free_vend),
        webhook_routes_out(app.webhooks),
        power_routes(app.power_groups),
        *((reservation_admin_routes(app.reservations.desk),) if process.config.reservations.enabled else ()),
        push_admin_routes(app.push, app.aliases.resolve),
        deletion_routes(app.accounts, app.allowance),
        payment_admin_routes(app.payments, app.allowance, app.case_files),
        merge_routes(app.merging),
        stranger_routes(app.provisioning),
        location_admin_routes(app.administration, app.views),
        station_admin_routes(app.administration, app.views),
        tariff_plan_routes(app.tariff_plans),
        statistics_routes(app.charge_views),
        client_routes(app.client_accounts, app.charge_views, app.case_files),
        *staff_routes(app.staff),
        signing_key_routes(app.sign_in.keys),
    )


def _operator(process: Process, server: StationServer) -> Operator:
    app, timeout_s = process.app, process.config.ocpp.heartbeat_timeout_s
    logins, hang_ups = server.failed_logins, server.habits.hang_ups
    return Operator(process.pool, process.clock, process.link, app, timeout_s, logins, hang_ups)


def station_server(process: Process, failed_logins: FailedLogins) -> StationServer:
    """What serves stations, on whatever listeners it is given."""
    config, ocpp = process.config, process.config.ocpp
    settings = OcppSettings(
        limits=SocketLimits(
            max_frame_bytes=ocpp.max_frame_bytes,
            max_backlog_bytes=ocpp.max_backlog_bytes,
            open_timeout_s=ocpp.open_timeout_s,
            ping_interval_s=ocpp.ping_interval_s,
            ping_timeout_s=ocpp.ping_timeout_s,
            send_timeout_s=ocpp.send_timeout_s,
        ),
        # Not set: at loopback doors from this machine, which each handshake decides.
        allow_anonymous=config.anonymous_stations and ocpp.allow_anonymous,
        trusted_proxies=config.http.trusted_proxies,
        max_connections=ocpp.max_connections,
        max_handshakes=ocpp.max_handshakes,
        max_handshakes_per_address=ocpp.max_handshakes_per_address,
        max_handshakes_per_proxy=ocpp.max_handshakes_per_proxy,
        command_timeout_s=ocpp.command_timeout_s,
        heartbeat_timeout_s=ocpp.heartbeat_timeout_s,
        meter_value_sample_interval_s=ocpp.sample_interval_s,
        cost_updated_interval_s=ocpp.cost_updated_interval_s,
    )
    return StationServer(
        process.app.reports,
        process.registry,
        process.clock,
        process.ids,
        PasswordChecker(secrets.token_bytes(32)),
        settings,
        DIALECTS,
        process.traffic,
        process.tracer,
        failed_logins,
        process.habits,
        lobby=process.app.lobby if ocpp.accept_unknown == "pending" else None,
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
    """SIGHUP: the log file is opened by its name again, and new connections get the certificate that is in the files
    now."""
    with trio.open_signal_receiver(signal.SIGHUP) as signals:
        task_status.started()
        async for _ in signals:
            with contain(log, "the log file could not be opened again; the one that is open is written"):
                logs.reopen()
            if tls is None:
                log.info("received SIGHUP: no certificate to reload")
            else:
                await trio.to_thread.run_sync(tls.reload)

"""The pages put together: what is open to everybody, and what is behind the gate."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

import trio
from quart import Blueprint, Response, g, redirect, request
from quart_trio import QuartTrio
from werkzeug.exceptions import HTTPException

from evpower.administration.charge_views import ChargeViews
from evpower.administration.client_accounts import ClientAccounts
from evpower.administration.finding import Search
from evpower.administration.provisioning import Provisioning
from evpower.attempts.service import Attempts
from evpower.attention.picture import Pictures
from evpower.attention.service import Marks
from evpower.case_files.call_sheets import CallSheets
from evpower.case_files.service import CaseFiles
from evpower.charging.limits import LimitKeeper
from evpower.charging.service import ChargingService
from evpower.client_address import LOOPBACK, Network
from evpower.clock import Clock, Ids
from evpower.db.failures import DatabaseAway
from evpower.errors import (
    DatabaseUnavailable,
    EvPowerError,
    Forbidden,
    InvalidRequest,
    NotFound,
    TooManyRequests,
    Unauthorized,
)
from evpower.forecast.service import Forecasts
from evpower.history.bill_evidence import Evidence
from evpower.http.wire.access import READING_METHODS, HttpTraffic, shown_path
from evpower.http.wire.loop_time import CpuSeconds
from evpower.network_file.imports import FleetImports
from evpower.pages.charge_list import charge_list_routes
from evpower.pages.charges import charge_routes
from evpower.pages.client_acts import ClientDoers, client_act_routes
from evpower.pages.drivers import driver_routes
from evpower.pages.forecast.routes import forecast_pages
from evpower.pages.frame.application import PagesApplication
from evpower.pages.frame.assets import asset_routes, read_assets
from evpower.pages.frame.rendering import Renderer
from evpower.pages.frame.shown import Pages
from evpower.pages.frame.visitor import Gate, signed_in, visitor
from evpower.pages.live import live_routes
from evpower.pages.lookups import LookedUp, Nearest, lookup_routes
from evpower.pages.map.routes import map_routes
from evpower.pages.money import Books, money_routes
from evpower.pages.network.fleet_import import import_routes
from evpower.pages.network.lists import NetworkLists, network_routes
from evpower.pages.network.strangers import stranger_routes
from evpower.pages.now import now_routes
from evpower.pages.power.routes import power_routes
from evpower.pages.power.sites import SharedViews
from evpower.pages.power.writing import power_forms
from evpower.pages.questions.routes import Questions, question_routes
from evpower.pages.sign_in import require_second_factor, sign_in_routes
from evpower.pages.stations.asking import Asking
from evpower.pages.stations.call_sheets import call_sheet_pages
from evpower.pages.stations.routes import StationRooms, StationWire, station_routes
from evpower.pages.system import ReadSystem, system_routes
from evpower.pages.todo import todo_routes
from evpower.pages.why import Reasons, why_routes
from evpower.power.service import PowerGroups
from evpower.sign_in.browsers import Browsers
from evpower.sign_in.phone_codes import PhoneCodes
from evpower.staff.acts import OperatorActs
from evpower.staff.second_factor import SecondFactor

log = logging.getLogger("evpower.pages")

#: The first kind that fits decides; the name is a text of `problem.`.
PROBLEMS: tuple[tuple[type[Exception], int, str], ...] = (
    (Forbidden, 403, "forbidden"),
    (NotFound, 404, "not_found"),
    (InvalidRequest, 400, "form"),
    (TooManyRequests, 429, "too_many"),
    (DatabaseUnavailable, 503, "database"),
    (DatabaseAway, 503, "database"),
    (trio.TooSlowError, 503, "slow"),
    (EvPowerError, 409, "refused"),
)
HTTP_PROBLEMS = {403: "forbidden", 404: "not_found", 405: "not_found", 413: "form"}


@dataclass(frozen=True)
class PagesSettings:
    """Who may ask, and the time zone that times are shown in."""

    timezone: ZoneInfo
    trusted_proxies: Collection[Network] = LOOPBACK
    admin_allow: Collection[Network] = ()
    cpu_s: CpuSeconds = field(default=time.thread_time)


@dataclass(frozen=True)
class PagesServices:
    """What pages show and do."""

    browsers: Browsers
    codes: PhoneCodes
    second_factor: SecondFactor
    pictures: Pictures
    charging: ChargingService
    acts: OperatorActs
    marks: Marks
    charge_views: ChargeViews
    client_accounts: ClientAccounts
    case_files: CaseFiles
    evidence: Evidence
    limits: LimitKeeper
    client_doers: ClientDoers
    attempts: Attempts
    finding: Search
    books: Books
    questions: Questions
    power: PowerGroups
    forecasts: Forecasts | None
    network: NetworkLists
    provisioning: Provisioning
    fleet_imports: FleetImports
    read_system: ReadSystem
    station_rooms: StationRooms
    station_wire: StationWire
    call_sheets: CallSheets
    asking: Asking
    reasons: Reasons


def build_pages_app(
    services: PagesServices, clock: Clock, ids: Ids, settings: PagesSettings, traffic: HttpTraffic | None = None
) -> QuartTrio:
    """The application to serve on `operator.bind`; it owns nothing, so it needs no start and no end."""
    app = PagesApplication(
        "evpower.pages",
        ids=ids,
        trusted_proxies=settings.trusted_proxies,
        admin_allow=settings.admin_allow,
        cpu_s=settings.cpu_s,
        traffic=traffic,
    )
    assets = read_assets()
    render, gate = Renderer(clock, ids, settings.timezone, assets), Gate(services.browsers, clock)
    app.register_error_handler(Exception, _Problems(render, Nearest(services.finding)).answer)
    app.register_blueprint(asset_routes(assets))
    app.register_blueprint(sign_in_routes(services.browsers, services.codes, services.second_factor, gate, render))
    app.register_blueprint(_behind_the_gate(services, clock, ids, gate, render, settings.timezone))
    return app


def _behind_the_gate(
    services: PagesServices, clock: Clock, ids: Ids, gate: Gate, render: Renderer, timezone: ZoneInfo
) -> Blueprint:
    behind, pages = Blueprint("behind", __name__), Pages(services.pictures, render)
    power_views = SharedViews(services.power, clock)

    @behind.before_request
    async def admit() -> Any:
        await gate.let_in()
        if request.method not in READING_METHODS:
            await require_second_factor(services.second_factor)
            log.info("operator: actor=%s, %s %s", signed_in().acting.actor, request.method, shown_path())

    for routes in (
        now_routes(services.pictures, pages),
        todo_routes(services.pictures, services.marks, services.acts, pages),
        why_routes(services.pictures, services.reasons, pages),
        live_routes(services.pictures, clock, ids, render),
        charge_list_routes(services.charge_views, pages, clock, timezone),
        charge_routes(services.charging, services.limits, services.case_files, services.evidence, services.acts, pages),
        client_act_routes(services.client_doers, pages),
        driver_routes(services.client_accounts, services.case_files, services.acts, pages),
        lookup_routes(LookedUp(services.attempts, services.acts, services.finding), pages),
        question_routes(services.questions, pages),
        money_routes(services.books, services.acts, pages, clock, timezone),
        network_routes(services.network, services.acts, pages, clock),
        stranger_routes(services.provisioning, services.network.views, services.acts, pages),
        import_routes(services.fleet_imports, services.acts, pages),
        system_routes(services.read_system, pages),
        station_routes(services.pictures, services.station_rooms, services.station_wire, services.asking, pages),
        call_sheet_pages(services.call_sheets, services.station_wire.sockets, services.acts, pages),
        map_routes(services.pictures, pages),
        forecast_pages(services.forecasts, services.network.views, pages),
        power_routes(services.power, power_views, services.pictures, services.acts, pages, clock, ids, timezone),
        power_forms(services.power, power_views, services.network.views, services.acts, pages),
    ):
        behind.register_blueprint(routes)
    return behind


class _Problems:
    """What went wrong, as a page."""

    def __init__(self, render: Renderer, nearest: Nearest) -> None:
        self._render = render
        self._nearest = nearest

    async def answer(self, error: Exception) -> Any:
        """The sign-in for who is not let in; otherwise what is the matter, what to do, and the id for the log."""
        if isinstance(error, Unauthorized):
            following = request.full_path.rstrip("?") if request.method == "GET" else "/"
            # A stream or a piece of a page cannot be sent elsewhere; its page can, when it is loaded anew.
            is_piece = "HX-Request" in request.headers
            return _empty(401) if is_piece else redirect(f"/sign-in?next={quote(following)}", 303)
        if isinstance(error, Forbidden) and error.details.get("reason") == "totp_required":
            return redirect("/second-factor?next=/", 303)
        if isinstance(error, HTTPException):
            status, name, detail = error.code or 500, HTTP_PROBLEMS.get(error.code or 500, "failed"), None
        else:
            status, name = next(((s, n) for kind, s, n in PROBLEMS if isinstance(error, kind)), (500, "failed"))
            detail = _detail(error)
        if status >= 500:
            log.error("a page could not be shown", exc_info=error)
        kind, nearest = await self._nearest.of(request.path) if status == 404 and visitor() else (None, [])
        names = {"problem": name, "detail": detail, "kind": kind, "nearest": nearest}
        correlation_id = g.get("correlation_id", "")
        return self._render.page("problem.html", status, glance=None, correlation_id=correlation_id, **names)


def _detail(error: Exception) -> str | None:
    """What a person can do something about; the role that may, where a right is missing."""
    if isinstance(error, Forbidden):
        return str(error.details.get("roles") or "") or None
    return error.message if isinstance(error, EvPowerError) and not isinstance(error, DatabaseUnavailable) else None


def _empty(status: int) -> Response:
    return Response(b"", status=status, content_type="text/plain")

"""The operator's door: JSON over a Unix socket for the CLI (design §8). The same services, no rules of its own.

Every success is `{"success": true, "data": …}`, every failure the public error envelope.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast, get_args
from urllib.parse import unquote

import trio
from quart import Blueprint, Response, request
from quart_trio import QuartTrio

from evpower.charging.service import ChargingService
from evpower.clock import Ids
from evpower.errors import InvalidRequest, NotFound, SessionNotFound
from evpower.http.operators.bodies.queries import sessions_query
from evpower.http.operators.people.act_journal import ActJournal
from evpower.http.operators.shapes.control import (
    import_body,
    ledger_body,
    session_body,
    sheet_body,
    status_body,
    tried_body,
)
from evpower.http.operators.views import IdKind, OperatorViews
from evpower.http.phones.shapes import stopped_body
from evpower.http.wire.access import HttpTraffic
from evpower.http.wire.answers import written_data
from evpower.http.wire.application import HttpApplication, RequestLimits
from evpower.http.wire.caller import acting
from evpower.http.wire.kinds import QUERY_CHARS_MAX
from evpower.http.wire.requests import BodyFields, read_bytes, session_id_or_none
from evpower.http.wire.rights import act_as
from evpower.staff.records import Acting

PREFIX = "/control"
#: The operator's name on this machine, percent-encoded: a user who may write to the socket is believed.
OPERATOR_HEADER = "EvPower-Operator"
OPERATOR_CHARS_MAX = 100
#: A stop waits up to 5 s for the station.
STOP_WITHIN_S = 20
READ_WITHIN_S = 10
#: A whole fleet, or every posting of the ledger.
LONG_WORK_WITHIN_S = 120
#: The fleet file of a large network, and the only large body there is (seed §9).
FLEET_BYTES_MAX = 10 * 1024 * 1024
LIMITS = RequestLimits(larger={f"{PREFIX}/import": FLEET_BYTES_MAX})


def build_control_app(
    *,
    charging: ChargingService,
    views: OperatorViews,
    ids: Ids,
    limits: RequestLimits = LIMITS,
    operations: Iterable[Blueprint] = (),
    traffic: HttpTraffic | None = None,
    journal: ActJournal | None = None,
) -> QuartTrio:
    """The application to serve on the control socket; the socket's mode is its access control.

    `operations` are those of the administrators' door (`http/admin.py`), here below /control; requests are counted in
    `traffic`, writes are kept in the `journal`.
    """
    app = HttpApplication("evpower.control", ids=ids, limits=limits, traffic=traffic)

    @app.before_request
    async def name_operator() -> None:
        act_as(Acting(_operator(request.headers.get(OPERATOR_HEADER, ""))))

    if journal is not None:
        journal.follow(app)
    app.register_blueprint(_reading_routes(views))
    app.register_blueprint(_acting_routes(charging, views))
    for operation in operations:
        app.register_blueprint(operation, url_prefix=f"{PREFIX}{operation.url_prefix or ''}")
    return app


def _reading_routes(views: OperatorViews) -> Blueprint:
    routes = Blueprint("control_reading", __name__, url_prefix=PREFIX)

    @routes.get("/status")
    async def status() -> Response:
        with trio.fail_after(READ_WITHIN_S):
            return written_data(status_body(await views.status()))

    @routes.get("/stations")
    async def stations() -> Response:
        with trio.fail_after(READ_WITHIN_S):
            return written_data([sheet_body(each) for each in await views.stations()])

    @routes.get("/sessions")
    async def sessions() -> Response:
        running_only, wanted = sessions_query(BodyFields(request.args))
        with trio.fail_after(READ_WITHIN_S):
            found = await views.sessions(wanted, running_only=running_only)
        return written_data([session_body(each) for each in found])

    @routes.get("/ids/<kind>")
    async def ids(kind: str) -> Response:
        if kind not in get_args(IdKind):
            raise NotFound
        with trio.fail_after(READ_WITHIN_S):
            found = await views.ids(cast("IdKind", kind), request.args.get("begins", "")[:QUERY_CHARS_MAX])
        return written_data(list(found))

    @routes.get("/ledger")
    async def ledger() -> Response:
        with trio.fail_after(LONG_WORK_WITHIN_S):
            last_night = await views.last_night()
            return written_data(ledger_body(await views.check_ledger(), last_night))

    return routes


def _acting_routes(charging: ChargingService, views: OperatorViews) -> Blueprint:
    routes = Blueprint("control_acting", __name__, url_prefix=PREFIX)

    @routes.post("/sessions/<session_id>/stop")
    async def stop(session_id: str) -> Response:
        known_id = session_id_or_none(session_id)
        if known_id is None:
            raise SessionNotFound
        with trio.fail_after(STOP_WITHIN_S):
            return written_data(stopped_body(await charging.stop_session(known_id, caller=None, actor=acting())))

    @routes.post("/import")
    async def import_fleet() -> Response:
        try:
            text = (await read_bytes()).decode()
        except UnicodeDecodeError:
            raise InvalidRequest(("body", "файл должен быть в кодировке UTF-8")) from None
        move_app_tags = request.args.get("move_app_tags") == "1"
        with trio.fail_after(LONG_WORK_WITHIN_S):
            if request.args.get("dry_run") == "1":
                return written_data(tried_body(await views.try_fleet(text, move_app_tags=move_app_tags)))
            return written_data(
                import_body(await views.import_fleet(text, actor=acting(), move_app_tags=move_app_tags))
            )

    return routes


def _operator(name: str) -> str:
    """`operator ann`, always with that prefix, so that none passes for a client or for the administrator's token."""
    name = unquote(name).strip()[:OPERATOR_CHARS_MAX]
    return f"operator {name}" if name and name.isprintable() else "operator"

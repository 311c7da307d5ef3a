"""`/charges`: the list, one charge with its bill and everything behind it, and what is done to it (§5)."""

from __future__ import annotations

import json
from typing import Any

import trio
from quart import Blueprint, Response, redirect, request

from evpower.administration.charge_views import ChargeFilter, ChargeViews
from evpower.administration.records import Page
from evpower.case_files.service import CaseFiles
from evpower.charging.service import ChargingService
from evpower.digits import whole_number
from evpower.errors import SessionNotFound
from evpower.history.bill_evidence import Evidence
from evpower.http.operators.shapes.cases.charge import charge_case_body
from evpower.http.wire.requests import session_id_or_none
from evpower.http.wire.values import jsonable
from evpower.identifiers import ClientId, SessionId
from evpower.pages.frame.curve import draw_curve
from evpower.pages.frame.forms import form_key
from evpower.pages.frame.shown import Pages
from evpower.pages.frame.visitor import signed_in
from evpower.staff.acts import Intent, OperatorActs
from evpower.staff.rights import Right

#: A stop waits up to 5 s for the station.
WITHIN_S = 20
PER_PAGE = 100
MOST_PAGES = 10_000
STATUSES = ("started", "stopped", "error")


def charge_routes(
    charging: ChargingService,
    views: ChargeViews,
    case_files: CaseFiles,
    evidence: Evidence,
    acts: OperatorActs,
    pages: Pages,
) -> Blueprint:
    """What people see of charges, and do to one, at stations of theirs."""
    routes = Blueprint("charges", __name__, url_prefix="/charges")

    @routes.get("")
    async def charges() -> Response:
        visitor, given = signed_in(), {name: request.args.get(name, "").strip() for name in ("station", "client")}
        visitor.require(Right.READ)
        number = whole_number(request.args.get("page", "1"), MOST_PAGES) or 1
        status = request.args.get("status", "")
        own = visitor.acting.own
        wanted = ChargeFilter(
            station=given["station"] or None,
            client_id=ClientId(given["client"]) if given["client"] else None,
            status=status if status in STATUSES else None,
            of_stations=None if own is None else own.stations,
        )
        with trio.fail_after(WITHIN_S):
            found = await views.charges(wanted, Page(PER_PAGE, (number - 1) * PER_PAGE))
        return await pages.show(
            "charges/list.html",
            found=found,
            given=given,
            chosen_status=status,
            statuses=STATUSES,
            number=number,
            per_page=PER_PAGE,
        )

    @routes.get("/<session_id>")
    async def charge(session_id: str) -> Response:
        known_id = _known(session_id)
        with trio.fail_after(WITHIN_S):
            case = await case_files.charge(known_id)
            signed_in().require(Right.READ, case.session.station_id)
            curve = await evidence.curve(known_id)
        session = case.session
        is_energy = session.limit_type == "energy" and session.limit_value is not None
        limit_wh = int(session.limit_value * 1000) if is_energy and session.limit_value is not None else None
        return await pages.show("charges/charge.html", case=case, curve=draw_curve(curve, limit_wh))

    @routes.get("/<session_id>/evidence.json")
    async def download(session_id: str) -> Response:
        known_id = _known(session_id)
        with trio.fail_after(WITHIN_S):
            case = await case_files.charge(known_id)
            signed_in().require(Right.READ, case.session.station_id)
        body = json.dumps(jsonable(charge_case_body(case, [], frames_left_out=True)), ensure_ascii=False, indent=1)
        response = Response(body, content_type="application/json; charset=utf-8")
        response.headers["Content-Disposition"] = f'attachment; filename="evidence-{known_id[:8]}.json"'
        return response

    @routes.post("/<session_id>/stop")
    async def stop(session_id: str) -> Any:
        known_id, key = _known(session_id), await form_key()
        visitor = signed_in()
        with trio.fail_after(WITHIN_S):
            visitor.require(Right.COMMAND, (await charging.session(known_id)).station_id)

            async def perform() -> None:
                await charging.stop_session(known_id, caller=None, actor=visitor.acting.actor)

            await acts.once(visitor.acting, Intent(key, "stop", known_id), perform)
        return redirect(f"/charges/{known_id}", 303)

    return routes


def _known(session_id: str) -> SessionId:
    known_id = session_id_or_none(session_id)
    if known_id is None:
        raise SessionNotFound
    return known_id

"""`/charges/{id}`: one charge with its bill and everything behind it, and what is done to it (§5)."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import trio
from quart import Blueprint, Response, redirect, request

from evpower.case_files.service import CaseFiles
from evpower.case_files.timeline import CaseSession
from evpower.charging.limits import LimitKeeper
from evpower.charging.service import ChargingService
from evpower.errors import SessionNotFound
from evpower.history.bill_evidence import Evidence
from evpower.http.operators.shapes.cases.charge import charge_case_body
from evpower.http.wire.requests import session_id_or_none
from evpower.http.wire.values import jsonable
from evpower.identifiers import SessionId
from evpower.pages.frame.curve import CurveMarks, draw_curve
from evpower.pages.frame.forms import form_key
from evpower.pages.frame.shown import Pages
from evpower.pages.frame.visitor import signed_in
from evpower.staff.acts import Intent, OperatorActs
from evpower.staff.rights import Right
from evpower.texts.catalogue import LANGUAGES

#: A stop waits up to 5 s for the station.
WITHIN_S = 20
RUNNING = ("starting", "charging", "stopping")


def charge_routes(
    charging: ChargingService,
    limits: LimitKeeper,
    case_files: CaseFiles,
    evidence: Evidence,
    acts: OperatorActs,
    pages: Pages,
) -> Blueprint:
    """What people see of charges, and do to one, at stations of theirs."""
    routes = Blueprint("charges", __name__, url_prefix="/charges")

    @routes.get("/<session_id>")
    async def charge(session_id: str) -> Response:
        known_id = _known(session_id)
        with trio.fail_after(WITHIN_S):
            case = await case_files.charge(known_id)
            signed_in().require(Right.READ, case.session.station_id)
            curve, doubted = await evidence.drawn(known_id)
            act = await acts.act(request.args.get("act", "")) if request.args.get("act") else None
        session = case.session
        is_energy = session.limit_type == "energy" and session.limit_value is not None
        limit_wh = int(session.limit_value * 1000) if is_energy and session.limit_value is not None else None
        planned_at = limits.planned_at(known_id) if session.phase in RUNNING else _stop_at_limit(session)
        stop_s = None if planned_at is None else max(0, int((planned_at - session.started_at).total_seconds()))
        return await pages.show(
            "charges/charge.html",
            case=case,
            curve=draw_curve(curve, CurveMarks(limit_wh, doubted, stop_s)),
            planned_at=planned_at,
            act=act if act is not None and act.target == session.client_id else None,
            for_driver={language: pages.render.wording(language) for language in LANGUAGES},
        )

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


def _stop_at_limit(session: CaseSession) -> datetime | None:
    """When the stop was sent that had been planned for the limit."""
    return session.stop_requested_at if session.end_cause == "limit" else None


def _known(session_id: str) -> SessionId:
    known_id = session_id_or_none(session_id)
    if known_id is None:
        raise SessionNotFound
    return known_id

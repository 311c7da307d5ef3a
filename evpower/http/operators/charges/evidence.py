"""`GET /sessions/{id}/evidence`: everything that is known of one charge (contract/operator-pages §5, §10.3)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import trio
from quart import Blueprint, Response

from evpower.case_files.charge_case import ChargeCase
from evpower.case_files.service import CaseFiles
from evpower.errors import Forbidden, SessionNotFound
from evpower.http.operators.shapes.cases.charge import ChargeCaseBody, charge_case_body
from evpower.http.operators.tracing import Traces
from evpower.http.wire.answers import written_data
from evpower.http.wire.described import described
from evpower.http.wire.requests import session_id_or_none
from evpower.http.wire.rights import NOT_OWN, needs, who
from evpower.identifiers import StationId
from evpower.staff.rights import Right

WITHIN_S = 20
#: What a station said around a charge: its start is asked for before, its end is answered after.
FRAMES_AROUND = timedelta(minutes=2)
FRAMES_MAX = 500


def evidence_routes(case_files: CaseFiles, traces: Traces) -> Blueprint:
    """With the frames of its station from its start to its end, as long as they are kept."""
    routes = Blueprint("charge_evidence", __name__, url_prefix="/sessions")

    @routes.get("/<session_id>/evidence")
    @needs(Right.READ, filters=True)
    @described("Everything that is known of a charge", data=ChargeCaseBody)
    async def evidence(session_id: str) -> Response:
        known_id = session_id_or_none(session_id)
        if known_id is None:
            raise SessionNotFound
        with trio.fail_after(WITHIN_S):
            case = await case_files.charge(known_id)
            if not who().has_station(case.session.station_id):
                raise Forbidden(NOT_OWN, reason="not_own")
            frames, left_out = await _frames(traces, case)
            return written_data(charge_case_body(case, frames, frames_left_out=left_out))

    return routes


async def _frames(traces: Traces, case: ChargeCase) -> tuple[list[dict[str, Any]], bool]:
    """The newest of them, and whether there are earlier ones."""
    until = _last_at(case)
    station_id, since = StationId(case.session.station_id), case.session.created_at - FRAMES_AROUND
    until = None if until is None else until + FRAMES_AROUND
    found = await traces.history(station_id, since, FRAMES_MAX + 1, until=until)
    return found[-FRAMES_MAX:], len(found) > FRAMES_MAX


def _last_at(case: ChargeCase) -> datetime | None:
    """When the last was done for it; None: it goes on."""
    session = case.session
    if session.phase not in ("settled", "released"):
        return None
    return max(filter(None, (session.phase_at, session.ended_at, session.settled_at, session.corrected_at)))

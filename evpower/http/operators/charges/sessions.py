"""`/sessions` below the administrators' door, in the owner's app's shapes (contract/rest-api §7.7)."""

from __future__ import annotations

from dataclasses import replace

import trio
from quart import Blueprint, Response, request

from evpower.administration.charge_views import ChargeFilter, ChargeViews
from evpower.administration.records import ChargeRecord, Page
from evpower.charging.service import ChargingService
from evpower.errors import Forbidden, SessionNotFound
from evpower.http.operators.bodies.queries import history_query, place_text, running_query
from evpower.http.operators.shapes.charges import ChargeBody, ChargePageBody, charge_body
from evpower.http.phones.answer_types.charging import StoppedBody
from evpower.http.phones.shapes import stopped_body
from evpower.http.wire.answers import written_data
from evpower.http.wire.caller import acting
from evpower.http.wire.described import described
from evpower.http.wire.requests import BodyFields, session_id_or_none
from evpower.http.wire.rights import NOT_OWN, needs, who
from evpower.staff.rights import Extent, Right

WITHIN_S = 10
#: A stop waits up to 5 s for the station.
STOP_WITHIN_S = 20


def session_routes(views: ChargeViews, charging: ChargingService) -> Blueprint:
    """`[?station_id=]` (running; all with `from`, `to`, `station`, `client`, `phase`, `cursor`),
    `/history[?station_id=&status=&date_from=&date_to=]`, `/{id}`, `POST /{id}/stop`.
    """
    routes = Blueprint("admin_sessions", __name__, url_prefix="/sessions")

    @routes.get("")
    @needs(Right.READ, filters=True)
    @described("Charges that run; all, with any filter but `station_id`", query=running_query, data=ChargePageBody)
    async def running() -> Response:
        wanted, page = running_query(BodyFields(request.args))
        return await _listed(views, wanted, page, goes_on=wanted.status is None)

    @routes.get("/history")
    @needs(Right.READ, filters=True)
    @described("Charges, the newest first", query=history_query, data=ChargePageBody)
    async def history() -> Response:
        return await _listed(views, *history_query(BodyFields(request.args)))

    @routes.get("/<session_id>")
    @needs(Right.READ, filters=True)
    @described("One charge", data=ChargeBody)
    async def show(session_id: str) -> Response:
        with trio.fail_after(WITHIN_S):
            return written_data(_shown(await _own(views, session_id)))

    @routes.post("/<session_id>/stop")
    @needs(Right.COMMAND, filters=True)
    @described("End a charge", data=StoppedBody, refused=200)
    async def stop(session_id: str) -> Response:
        with trio.fail_after(STOP_WITHIN_S):
            charge = await _own(views, session_id)
            return written_data(stopped_body(await charging.stop_session(charge.id, caller=None, actor=acting())))

    return routes


async def _listed(views: ChargeViews, wanted: ChargeFilter, page: Page, *, goes_on: bool = False) -> Response:
    own = who().own
    with trio.fail_after(WITHIN_S):
        found = await views.charges(replace(wanted, of_stations=None if own is None else own.stations), page)
    shown = [_shown(each) for each in found.records]
    body: ChargePageBody = {"sessions": shown, "total": found.total, "limit": page.limit, "offset": page.offset}
    if goes_on and len(shown) == page.limit:
        body["next_cursor"] = place_text(found.records[-1].created_at, found.records[-1].id)
    return written_data(body)


async def _own(views: ChargeViews, session_id: str) -> ChargeRecord:
    """A charge that may be seen. Raises SessionNotFound, Forbidden."""
    known_id = session_id_or_none(session_id)
    if known_id is None:
        raise SessionNotFound
    charge = await views.charge(known_id)
    if not who().has_station(charge.station_id):
        raise Forbidden(NOT_OWN, reason="not_own")
    return charge


def _shown(charge: ChargeRecord) -> ChargeBody:
    return charge_body(charge, with_contacts=who().extent(Right.CLIENTS) is Extent.ALL)

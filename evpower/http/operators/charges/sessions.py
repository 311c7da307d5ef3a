"""`/sessions` below the administrators' door, in the owner's app's shapes (contract/rest-api §7.7)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import trio
from quart import Blueprint, Response, request

from evpower.administration.charge_views import ChargeFilter, ChargeViews
from evpower.administration.records import ChargeRecord, Listed
from evpower.charging.service import ChargingService
from evpower.errors import Forbidden, InvalidRequest, SessionNotFound
from evpower.http.operators.administration import page_in_query
from evpower.http.operators.shapes.charges import charge_body
from evpower.http.operators.shapes.network import page_body
from evpower.http.phones.shapes import stopped_body
from evpower.http.wire.answers import written_data
from evpower.http.wire.caller import acting
from evpower.http.wire.requests import session_id_or_none
from evpower.http.wire.rights import NOT_OWN, needs, who
from evpower.http.wire.values import Body
from evpower.staff.rights import Extent, Right

WITHIN_S = 10
#: A stop waits up to 5 s for the station.
STOP_WITHIN_S = 20
STATUSES = ("started", "stopped", "error")


def session_routes(views: ChargeViews, charging: ChargingService) -> Blueprint:
    """`[?station_id=]` (running), `/history[?station_id=&status=&date_from=&date_to=]`, `/{id}`, `POST /{id}/stop`."""
    routes = Blueprint("admin_sessions", __name__, url_prefix="/sessions")

    @routes.get("")
    @needs(Right.READ, filters=True)
    async def running() -> Response:
        return await _listed(views, _filter(status="started"))

    @routes.get("/history")
    @needs(Right.READ, filters=True)
    async def history() -> Response:
        status = request.args.get("status")
        if status is not None and status not in STATUSES:
            raise InvalidRequest(("status", f"одно из: {', '.join(STATUSES)}"))
        since, before = _moment("date_from"), _moment("date_to", whole_day=True)
        return await _listed(views, _filter(status=status, since=since, before=before))

    @routes.get("/<session_id>")
    @needs(Right.READ, filters=True)
    async def show(session_id: str) -> Response:
        with trio.fail_after(WITHIN_S):
            return written_data(_shown(await _own(views, session_id)))

    @routes.post("/<session_id>/stop")
    @needs(Right.COMMAND, filters=True)
    async def stop(session_id: str) -> Response:
        with trio.fail_after(STOP_WITHIN_S):
            charge = await _own(views, session_id)
            return written_data(stopped_body(await charging.stop_session(charge.id, caller=None, actor=acting())))

    return routes


def _filter(*, status: str | None, since: datetime | None = None, before: datetime | None = None) -> ChargeFilter:
    own, station = who().own, request.args.get("station_id")
    if station is not None and not station.isprintable():
        raise InvalidRequest(("station_id", "недопустимый идентификатор"))
    of_stations = None if own is None else own.stations
    return ChargeFilter(station=station, status=status, since=since, before=before, of_stations=of_stations)


async def _listed(views: ChargeViews, wanted: ChargeFilter) -> Response:
    with trio.fail_after(WITHIN_S):
        found: Listed[ChargeRecord] = await views.charges(wanted, page_in_query())
    return written_data(page_body("sessions", found, _shown))


async def _own(views: ChargeViews, session_id: str) -> ChargeRecord:
    """A charge that may be seen. Raises SessionNotFound, Forbidden."""
    known_id = session_id_or_none(session_id)
    if known_id is None:
        raise SessionNotFound
    charge = await views.charge(known_id)
    if not who().has_station(charge.station_id):
        raise Forbidden(NOT_OWN, reason="not_own")
    return charge


def _shown(charge: ChargeRecord) -> Body:
    return charge_body(charge, with_contacts=who().extent(Right.CLIENTS) is Extent.ALL)


def _moment(name: str, *, whole_day: bool = False) -> datetime | None:
    """A date or a time of the present address, in UTC without an offset; of a date its begin, or its end."""
    text = request.args.get(name)
    if text is None:
        return None
    try:
        if "T" not in text:
            day = date.fromisoformat(text) + timedelta(days=1 if whole_day else 0)
            return datetime(day.year, day.month, day.day, tzinfo=UTC)
        # A plus that was not encoded arrives as a blank.
        moment = datetime.fromisoformat(text.replace(" ", "+"))
    except (ValueError, OverflowError):
        raise InvalidRequest((name, "ожидается дата или время ISO 8601")) from None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)

"""`/reservations`: kept connectors, at both doors of operators (contract/roadmap/reservations §7)."""

from __future__ import annotations

from datetime import datetime
from typing import NotRequired, TypedDict, cast, get_args

import trio
from quart import Blueprint, Response, request

from evpower.http.operators.bodies.queries import SINCE
from evpower.http.wire.answers import written_data
from evpower.http.wire.caller import acting, refuse_actor
from evpower.http.wire.described import described
from evpower.http.wire.kinds import FLAG, one_of
from evpower.http.wire.requests import BodyFields, read_object
from evpower.http.wire.rights import needs, who
from evpower.identifiers import StationId
from evpower.money import som_number
from evpower.reservations.desk import CanceledReason, LocationReservations, ReservationDesk
from evpower.reservations.reservation import CanceledBy, ReservationRecord, ReservationStatus
from evpower.staff.rights import Right

WITHIN_S = 10


class KeptConnectorBody(TypedDict):
    """A reservation; sums in som, those of its end once it is over."""

    reservation_id: str
    client_id: str
    station_id: str
    connector_id: int
    status: ReservationStatus
    guaranteed: bool
    created_at: datetime
    starts_at: datetime
    expires_at: datetime
    hold_amount: float
    fee_amount: NotRequired[float]
    ended_at: NotRequired[datetime]
    canceled_by: NotRequired[CanceledBy]
    reason: NotRequired[str]
    session_id: NotRequired[str]


class LocationReservationsBody(TypedDict):
    """What became of a location's reservations; shares in per cent, `minutes_blocked` that connectors were kept."""

    location_id: str
    name: str
    reservations: int
    fulfilled_percent: float
    no_show_percent: float
    minutes_blocked: int
    fees: float


def active_query(fields: BodyFields) -> bool:
    """`?active=true`: those that live alone. Raises InvalidRequest."""
    active = fields.optional("active", FLAG)
    fields.check()
    return bool(active)


def report_query(fields: BodyFields) -> tuple[datetime, datetime | None]:
    """`?from=&to=`: started from then on, before then (now). Raises InvalidRequest."""
    since, before = fields.required("from", SINCE), fields.optional("to", SINCE)
    fields.check()
    assert since is not None
    return since, before


def cancel_order(fields: BodyFields) -> CanceledReason:
    """Why. Raises InvalidRequest."""
    reason = fields.required("reason", one_of(*get_args(CanceledReason)))
    fields.check()
    return cast("CanceledReason", reason)


def kept_connector_body(of: ReservationRecord) -> KeptConnectorBody:
    body: KeptConnectorBody = {
        "reservation_id": of.id,
        "client_id": of.client_id,
        "station_id": of.station_id,
        "connector_id": of.connector_id,
        "status": of.status,
        "guaranteed": of.guaranteed,
        "created_at": of.created_at,
        "starts_at": of.starts_at,
        "expires_at": of.expires_at,
        "hold_amount": som_number(of.hold_tyiyn),
    }
    if of.fee_tyiyn is not None and of.ended_at is not None:
        body["fee_amount"] = som_number(0 if of.returned_at is not None else of.fee_tyiyn)
        body["ended_at"] = of.ended_at
    if of.canceled_by is not None:
        body["canceled_by"] = of.canceled_by
    if of.reason is not None:
        body["reason"] = of.reason
    if of.session_id is not None:
        body["session_id"] = of.session_id
    return body


def location_reservations_body(of: LocationReservations) -> LocationReservationsBody:
    return {
        "location_id": of.location_id,
        "name": of.name,
        "reservations": of.reservations,
        "fulfilled_percent": round(100 * of.fulfilled / of.reservations, 1),
        "no_show_percent": round(100 * of.no_shows / of.reservations, 1),
        "minutes_blocked": of.minutes,
        "fees": som_number(of.fees_tyiyn),
    }


def reservation_admin_routes(desk: ReservationDesk) -> Blueprint:
    """`[?active=true]`, `/report?from=&to=`, `POST /{id}/cancel`."""
    routes = Blueprint("admin_reservations", __name__, url_prefix="/reservations")

    @routes.get("")
    @needs(Right.READ, filters=True)
    @described("Reservations, the newest first", query=active_query, data=list[KeptConnectorBody])
    async def listed() -> Response:
        active = active_query(BodyFields(request.args))
        with trio.fail_after(WITHIN_S):
            found = await desk.listed(active=active, of_stations=_own())
        return written_data([kept_connector_body(each) for each in found])

    @routes.get("/report")
    @needs(Right.READ, filters=True)
    @described("What became of reservations, by location", query=report_query, data=list[LocationReservationsBody])
    async def report() -> Response:
        since, before = report_query(BodyFields(request.args))
        with trio.fail_after(WITHIN_S):
            found = await desk.report(since, before, _own())
        return written_data([location_reservations_body(each) for each in found])

    @routes.post("/<reservation_id>/cancel")
    @needs(Right.COMMAND, filters=True)
    @described("End a reservation without a fee", body=cancel_order, data=KeptConnectorBody)
    async def cancel(reservation_id: str) -> Response:
        body = await read_object()
        refuse_actor(body)
        reason = cancel_order(BodyFields(body))
        with trio.fail_after(WITHIN_S):
            ended = await desk.cancel(reservation_id, reason, acting(), who().has_station)
        return written_data(kept_connector_body(ended))

    return routes


def _own() -> frozenset[StationId] | None:
    """The stations of who asks; None: all."""
    own = who().own
    return None if own is None else frozenset(own.stations)

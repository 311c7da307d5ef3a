"""The network as administrators change it: below their door and on the control socket (contract/rest-api §7.7).

PUT names only what changes; null empties. Nothing can be deleted: `status` becomes `inactive`.
"""

from __future__ import annotations

from typing import Any

import trio
from quart import Blueprint, Response, request

from evpower.administration.network_views import NetworkViews
from evpower.administration.service import Administration
from evpower.digits import whole_number
from evpower.errors import LocationNotFound, NotFound
from evpower.http.operators.bodies.queries import locations_query, stations_query
from evpower.http.operators.shapes.network import (
    ChangedLocationBody,
    ChangedStationBody,
    LocationPageBody,
    LocationRecordBody,
    StationPageBody,
    StationRecordBody,
    changed_location_body,
    changed_station_body,
    location_body,
    location_page_body,
    station_body,
    station_page_body,
)
from evpower.http.operators.station_commands import known_station
from evpower.http.wire.answers import written_data
from evpower.http.wire.caller import acting, refuse_actor
from evpower.http.wire.described import described
from evpower.http.wire.requests import BodyFields, read_object
from evpower.http.wire.rights import needs, who
from evpower.network_file.described import connector_schema, location_schema, station_schema
from evpower.staff.rights import Right

WITHIN_S = 20
ID_CHARS_MAX = 255
LIMIT_MAX, OFFSET_MAX, CONNECTOR_MAX = 500, 10**9, 1000


def location_admin_routes(administration: Administration, views: NetworkViews) -> Blueprint:
    """`/locations[?status=&limit=&offset=]` and `/locations/{id}`."""
    routes = Blueprint("location_admin", __name__, url_prefix="/locations")

    @routes.get("")
    @needs(Right.READ, filters=True)
    @described("Locations", query=locations_query, data=LocationPageBody)
    async def list_locations() -> Response:
        with trio.fail_after(WITHIN_S):
            own = who().own
            status, page = locations_query(BodyFields(request.args))
            found = await views.locations(status, page, of=None if own is None else own.locations)
            return written_data(location_page_body(found))

    @routes.get("/<location_id>")
    @needs(Right.READ)
    @described("One location", data=LocationRecordBody)
    async def show(location_id: str) -> Response:
        with trio.fail_after(WITHIN_S):
            return written_data(location_body(await views.location(_known_location(location_id))))

    @routes.post("")
    @needs(Right.NETWORK)
    @described("Make a location", body=location_schema(change=False), data=ChangedLocationBody)
    async def create() -> Response:
        body = await read_change()
        with trio.fail_after(WITHIN_S):
            changed = await administration.create_location(body, actor=acting())
            return written_data(changed_location_body(changed))

    @routes.put("/<location_id>")
    @needs(Right.NETWORK)
    @described("Change a location", body=location_schema(change=True), data=ChangedLocationBody)
    async def change(location_id: str) -> Response:
        body = await read_change()
        with trio.fail_after(WITHIN_S):
            found = _known_location(location_id)
            changed = await administration.change_location(found, body, actor=acting())
            return written_data(changed_location_body(changed))

    return routes


def station_list_routes(views: NetworkViews) -> Blueprint:
    """`/stations[?status=&location_id=&is_online=&limit=&offset=]`; not for the control socket, which has a list of
    its own there."""
    routes = Blueprint("station_list", __name__, url_prefix="/stations")

    @routes.get("")
    @needs(Right.READ, filters=True)
    @described("Stations", query=stations_query, data=StationPageBody)
    async def list_stations() -> Response:
        wanted, page = stations_query(BodyFields(request.args))
        if wanted.location_id is not None:
            _known_location(wanted.location_id)
        own = who().own
        with trio.fail_after(WITHIN_S):
            found = await views.stations(wanted, page, of=None if own is None else own.stations)
            return written_data(station_page_body(found))

    return routes


def station_admin_routes(administration: Administration, views: NetworkViews) -> Blueprint:
    """`POST /stations`, `/stations/{id}`, and below it `POST /connectors`, `PUT /connectors/{number}`."""
    routes = Blueprint("station_admin", __name__, url_prefix="/stations")

    @routes.get("/<station_id>")
    @needs(Right.READ)
    @described("One station with its connectors", data=StationRecordBody)
    async def show(station_id: str) -> Response:
        with trio.fail_after(WITHIN_S):
            return written_data(station_body(await views.station(known_station(station_id))))

    @routes.post("")
    @needs(Right.NETWORK)
    @described("Make a station", body=station_schema(change=False), data=ChangedStationBody)
    async def create() -> Response:
        body = await read_change()
        with trio.fail_after(WITHIN_S):
            changed = await administration.create_station(body, actor=acting())
            return written_data(changed_station_body(changed))

    @routes.put("/<station_id>")
    @needs(Right.NETWORK)
    @described("Change a station", body=station_schema(change=True), data=ChangedStationBody)
    async def change(station_id: str) -> Response:
        body = await read_change()
        with trio.fail_after(WITHIN_S):
            found = known_station(station_id)
            changed = await administration.change_station(found, body, actor=acting())
            return written_data(changed_station_body(changed))

    @routes.post("/<station_id>/connectors")
    @needs(Right.NETWORK)
    @described("Make a connector", body=connector_schema(change=False), data=ChangedStationBody)
    async def create_connector(station_id: str) -> Response:
        body = await read_change()
        with trio.fail_after(WITHIN_S):
            found = known_station(station_id)
            changed = await administration.create_connector(found, body, actor=acting())
            return written_data(changed_station_body(changed))

    @routes.put("/<station_id>/connectors/<number>")
    @needs(Right.NETWORK)
    @described("Change a connector", body=connector_schema(change=True), data=ChangedStationBody)
    async def change_connector(station_id: str, number: str) -> Response:
        body = await read_change()
        with trio.fail_after(WITHIN_S):
            found, connector = known_station(station_id), _connector(number)
            changed = await administration.change_connector(found, connector, body, actor=acting())
            return written_data(changed_station_body(changed))

    return routes


async def read_change() -> dict[str, Any]:
    """The body of a change; who makes it is the door's to say."""
    body = await read_object()
    refuse_actor(body)
    return body


def _known_location(text: str) -> str:
    """Raises LocationNotFound for an id no location can have."""
    if not text.isprintable() or len(text) > ID_CHARS_MAX:
        raise LocationNotFound("Локация не найдена")
    return text


def _connector(text: str) -> int:
    """Raises NotFound for what is no connector's number."""
    number = whole_number(text, CONNECTOR_MAX)
    if number is None:
        raise NotFound("Коннектор не найден")
    return number

"""The network as administrators change it: below their door and on the control socket (contract/rest-api §7.7).

PUT names only what changes; null empties. Nothing can be deleted: `status` becomes `inactive`.
"""

from __future__ import annotations

from typing import Any, cast, get_args

import trio
from quart import Blueprint, Response, request

from evpower.administration.network_views import NetworkViews, StationFilter
from evpower.administration.records import Page
from evpower.administration.service import Administration
from evpower.digits import whole_number
from evpower.errors import InvalidRequest, LocationNotFound, NotFound
from evpower.http.operators.shapes.network import changed_body, location_body, page_body, station_body
from evpower.http.operators.station_commands import known_station
from evpower.http.wire.answers import written_data
from evpower.http.wire.caller import acting, refuse_actor
from evpower.http.wire.requests import flag_in_query, read_object
from evpower.http.wire.rights import needs, who
from evpower.network.status import AdminStatus
from evpower.staff.rights import Right

WITHIN_S = 20
ID_CHARS_MAX = 255
LIMIT_MAX, OFFSET_MAX, CONNECTOR_MAX = 500, 10**9, 1000


def location_admin_routes(administration: Administration, views: NetworkViews) -> Blueprint:
    """`/locations[?status=&limit=&offset=]` and `/locations/{id}`."""
    routes = Blueprint("location_admin", __name__, url_prefix="/locations")

    @routes.get("")
    @needs(Right.READ, filters=True)
    async def list_locations() -> Response:
        with trio.fail_after(WITHIN_S):
            own = who().own
            found = await views.locations(_status(), page_in_query(), of=None if own is None else own.locations)
            return written_data(page_body("locations", found, location_body))

    @routes.get("/<location_id>")
    @needs(Right.READ)
    async def show(location_id: str) -> Response:
        with trio.fail_after(WITHIN_S):
            return written_data(location_body(await views.location(_known_location(location_id))))

    @routes.post("")
    @needs(Right.NETWORK)
    async def create() -> Response:
        body = await read_change()
        with trio.fail_after(WITHIN_S):
            changed = await administration.create_location(body, actor=acting())
            return written_data(changed_body(changed, location_body))

    @routes.put("/<location_id>")
    @needs(Right.NETWORK)
    async def change(location_id: str) -> Response:
        body = await read_change()
        with trio.fail_after(WITHIN_S):
            found = _known_location(location_id)
            changed = await administration.change_location(found, body, actor=acting())
            return written_data(changed_body(changed, location_body))

    return routes


def station_list_routes(views: NetworkViews) -> Blueprint:
    """`/stations[?status=&location_id=&is_online=&limit=&offset=]`; not for the control socket, which has a list of
    its own there."""
    routes = Blueprint("station_list", __name__, url_prefix="/stations")

    @routes.get("")
    @needs(Right.READ, filters=True)
    async def list_stations() -> Response:
        wanted = StationFilter(_status(), request.args.get("location_id"), flag_in_query("is_online", default=None))
        if wanted.location_id is not None:
            _known_location(wanted.location_id)
        own = who().own
        with trio.fail_after(WITHIN_S):
            found = await views.stations(wanted, page_in_query(), of=None if own is None else own.stations)
            return written_data(page_body("stations", found, station_body))

    return routes


def station_admin_routes(administration: Administration, views: NetworkViews) -> Blueprint:
    """`POST /stations`, `/stations/{id}`, and below it `POST /connectors`, `PUT /connectors/{number}`."""
    routes = Blueprint("station_admin", __name__, url_prefix="/stations")

    @routes.get("/<station_id>")
    @needs(Right.READ)
    async def show(station_id: str) -> Response:
        with trio.fail_after(WITHIN_S):
            return written_data(station_body(await views.station(known_station(station_id))))

    @routes.post("")
    @needs(Right.NETWORK)
    async def create() -> Response:
        body = await read_change()
        with trio.fail_after(WITHIN_S):
            changed = await administration.create_station(body, actor=acting())
            return written_data(changed_body(changed, station_body))

    @routes.put("/<station_id>")
    @needs(Right.NETWORK)
    async def change(station_id: str) -> Response:
        body = await read_change()
        with trio.fail_after(WITHIN_S):
            found = known_station(station_id)
            changed = await administration.change_station(found, body, actor=acting())
            return written_data(changed_body(changed, station_body))

    @routes.post("/<station_id>/connectors")
    @needs(Right.NETWORK)
    async def create_connector(station_id: str) -> Response:
        body = await read_change()
        with trio.fail_after(WITHIN_S):
            found = known_station(station_id)
            changed = await administration.create_connector(found, body, actor=acting())
            return written_data(changed_body(changed, station_body))

    @routes.put("/<station_id>/connectors/<number>")
    @needs(Right.NETWORK)
    async def change_connector(station_id: str, number: str) -> Response:
        body = await read_change()
        with trio.fail_after(WITHIN_S):
            found, connector = known_station(station_id), _connector(number)
            changed = await administration.change_connector(found, connector, body, actor=acting())
            return written_data(changed_body(changed, station_body))

    return routes


async def read_change() -> dict[str, Any]:
    """The body of a change; who makes it is the door's to say."""
    body = await read_object()
    refuse_actor(body)
    return body


def _status() -> AdminStatus | None:
    text = request.args.get("status")
    if text is not None and text not in get_args(AdminStatus):
        raise InvalidRequest(("status", f"одно из: {', '.join(get_args(AdminStatus))}"))
    return cast("AdminStatus | None", text)


def page_in_query() -> Page:
    """`limit` and `offset` of the present address. Raises InvalidRequest."""
    return Page(whole_in_query("limit", Page.limit, 1, LIMIT_MAX), whole_in_query("offset", Page.offset, 0, OFFSET_MAX))


def whole_in_query(name: str, default: int, least: int, most: int) -> int:
    """A whole number of the present address. Raises InvalidRequest."""
    number = whole_number(request.args.get(name, str(default)), most)
    if number is None or number < least:
        raise InvalidRequest((name, f"целое число от {least} до {most}"))
    return number


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

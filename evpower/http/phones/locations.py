"""The network: /api/v1/locations and /api/v1/stations (contract/rest-api §2). Public in every mode."""

from __future__ import annotations

from typing import Any

import trio
from quart import Blueprint, Response, request

from evpower.forecast.service import Forecasts
from evpower.http.phones.answer_types.network import DetailBody, ListBody, RefreshedBody, StationsBody
from evpower.http.phones.journeys.forecasts import at_arrival_body
from evpower.http.phones.location_shape import WrittenNetwork, body_with_stations, detail_body
from evpower.http.wire.answers import Answer, written, written_bytes
from evpower.http.wire.described import described
from evpower.http.wire.kinds import FLAG, POWER_KW, QUERY_TEXT, counted
from evpower.http.wire.requests import BodyFields
from evpower.network.list_cache import NetworkPicture
from evpower.network.listing import LocationFilter
from evpower.network.locations import Locations

ANSWER_WITHIN_S = 9
#: Further ahead the hours of a location say more.
ARRIVE_IN_MOST_MIN = 24 * 60


def location_routes(locations: Locations, *, forecasts: Forecasts | None = None, prefix: str) -> Blueprint:
    """The routes below `prefix`; without `forecasts` nothing is said of an arrival."""
    routes = Blueprint("locations", __name__, url_prefix=prefix)
    newest: WrittenNetwork | None = None

    def network(picture: NetworkPicture) -> WrittenNetwork:
        nonlocal newest
        if newest is None or newest.picture is not picture:
            newest = WrittenNetwork(picture)
        return newest

    @routes.get("/locations")
    @described("The network", caller="anyone", query=list_query, answer=ListBody)
    async def list_locations() -> Response:
        include_stations, wanted, arrive_in = list_query(BodyFields(request.args))
        with trio.fail_after(ANSWER_WITHIN_S):
            picture, cached = await locations.picture()
            shown = network(picture)
            if arrive_in is None or forecasts is None:
                return written_bytes(shown.list(wanted, include_stations=include_stations, cached=cached))
            found = wanted.apply(picture.locations)
            then = await forecasts.at_arrival([(each, arrive_in) for each in found], wanted.connector_type)
        beside = {location_id: {"available_at_arrival": at_arrival_body(slot)} for location_id, slot in then.items()}
        return written_bytes(shown.list_with(found, beside, include_stations=include_stations, cached=cached))

    @routes.get("/locations/<location_id>")
    @described("One location with its stations", caller="anyone", answer=DetailBody)
    async def location(location_id: str) -> Response:
        with trio.fail_after(ANSWER_WITHIN_S):
            return written(Answer(detail_body(await locations.location(location_id))))

    @routes.post("/locations/<location_id>/refresh-status")
    @described("One location, read anew", caller="anyone", answer=RefreshedBody)
    async def refresh(location_id: str) -> Response:
        locations.refresh()
        with trio.fail_after(ANSWER_WITHIN_S):
            body = body_with_stations(await locations.location(location_id))
        return written(Answer({"success": True, "message": "Статус локации обновлен", "location": body}))

    @routes.get("/stations")
    @described("The stations of the network", caller="anyone", query=location_filter, answer=StationsBody)
    async def stations() -> Response:
        wanted = location_filter(BodyFields(request.args))
        with trio.fail_after(ANSWER_WITHIN_S):
            picture, _ = await locations.picture()
        return written_bytes(network(picture).stations(wanted))

    return routes


def list_query(fields: BodyFields) -> tuple[bool, LocationFilter, int | None]:
    """Whether stations are shown, of which locations, in how many minutes somebody arrives (§2.1).

    InvalidRequest names what is wrong.
    """
    fields.optional("include_status", FLAG)
    include_stations = fields.optional("include_stations", FLAG)
    arrive_in = fields.optional("arrive_in", counted(0, ARRIVE_IN_MOST_MIN))
    return include_stations or False, location_filter(fields), arrive_in


def location_filter(fields: BodyFields) -> LocationFilter:
    """The filters of an address; an empty one filters nothing. InvalidRequest names what is wrong."""
    low, high = fields.optional("min_power", POWER_KW), fields.optional("max_power", POWER_KW)
    texts: dict[str, Any] = {
        name: fields.optional(name, QUERY_TEXT) for name in ("location_id", "city", "search", "connector_type")
    }
    fields.check()
    return LocationFilter(**texts, power_kw_min=low, power_kw_max=high)

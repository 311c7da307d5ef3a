"""The network: /api/v1/locations and /api/v1/stations (contract/rest-api §2). Public in every mode."""

from __future__ import annotations

import math
from typing import Any

import msgspec
import trio
from quart import Blueprint, Response, request

from evpower.errors import InvalidRequest
from evpower.http.phones.location_shape import detail_body, list_body, listed_station_body, location_body
from evpower.http.wire.answers import Answer, written, written_bytes
from evpower.http.wire.requests import flag_in_query
from evpower.network.list_cache import NetworkPicture
from evpower.network.listing import LocationFilter
from evpower.network.locations import Locations

ANSWER_WITHIN_S = 9
TEXT_CHARS_MAX = 200


def location_routes(locations: Locations, *, prefix: str) -> Blueprint:
    """The routes below `prefix`."""
    routes = Blueprint("locations", __name__, url_prefix=prefix)
    whole_list = _WholeList()

    @routes.get("/locations")
    async def list_locations() -> Response:
        flag_in_query("include_status", default=True)
        include_stations = flag_in_query("include_stations", default=False)
        wanted = _filter()
        with trio.fail_after(ANSWER_WITHIN_S):
            picture, cached = await locations.picture()
        if wanted.is_empty:
            return written_bytes(whole_list.encoded(picture, include_stations=include_stations, cached=cached))
        found = wanted.apply(picture.locations)
        return written(Answer(list_body(found, include_stations=include_stations, cached=cached)))

    @routes.get("/locations/<location_id>")
    async def location(location_id: str) -> Response:
        with trio.fail_after(ANSWER_WITHIN_S):
            return written(Answer(detail_body(await locations.location(location_id))))

    @routes.post("/locations/<location_id>/refresh-status")
    async def refresh(location_id: str) -> Response:
        locations.forget()
        with trio.fail_after(ANSWER_WITHIN_S):
            body = location_body(await locations.location(location_id), include_stations=True)
        return written(Answer({"success": True, "message": "Статус локации обновлен", "location": body}))

    @routes.get("/stations")
    async def stations() -> Response:
        wanted = _filter()
        with trio.fail_after(ANSWER_WITHIN_S):
            picture, _ = await locations.picture()
        found = [listed_station_body(station) for station in wanted.stations(picture.locations)]
        return written(Answer({"success": True, "stations": found, "total": len(found)}))

    return routes


class _WholeList:
    """The unfiltered answers of one picture, each written once: the list is read far more often than it changes."""

    def __init__(self) -> None:
        self._picture: NetworkPicture | None = None
        self._answers: dict[tuple[bool, bool], bytes] = {}

    def encoded(self, picture: NetworkPicture, *, include_stations: bool, cached: bool) -> bytes:
        if picture is not self._picture:
            self._picture, self._answers = picture, {}
        key = include_stations, cached
        if key not in self._answers:
            body = list_body(picture.locations, include_stations=include_stations, cached=cached)
            self._answers[key] = msgspec.json.encode(body)
        return self._answers[key]


def _filter() -> LocationFilter:
    """The filters of the present request; an empty one filters nothing. Raises InvalidRequest, naming it."""
    low, high = _power("min_power"), _power("max_power")
    texts: dict[str, Any] = {name: _text(name) for name in ("location_id", "city", "search", "connector_type")}
    return LocationFilter(**texts, power_kw_min=low, power_kw_max=high)


def _text(name: str) -> str | None:
    text = request.args.get(name, "").strip()
    if len(text) > TEXT_CHARS_MAX:
        raise InvalidRequest((name, f"не более {TEXT_CHARS_MAX} символов"))
    return text or None


def _power(name: str) -> float | None:
    text = request.args.get(name, "").strip()
    if not text:
        return None
    try:
        power_kw = float(text)
    except ValueError:
        power_kw = math.nan
    if not 0 <= power_kw < math.inf:
        raise InvalidRequest((name, "должно быть числом не меньше 0"))
    return power_kw

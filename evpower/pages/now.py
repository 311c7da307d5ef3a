"""`/`: the first screen, and what a dot of a large network is when it is pointed at (contract/operator-pages §3)."""

from __future__ import annotations

import trio
from quart import Blueprint, Response

from evpower.attention.picture import Pictures
from evpower.errors import StationNotFound
from evpower.identifiers import StationId
from evpower.pages.frame.shown import Pages
from evpower.pages.frame.visitor import choices, signed_in

WITHIN_S = 5


def now_routes(pictures: Pictures, pages: Pages) -> Blueprint:
    """The first screen."""
    routes = Blueprint("now", __name__)

    @routes.get("/")
    async def now() -> Response:
        return await pages.show_grid("now/now.html")

    # Dots have no room for this: with it the page of 5,000 stations would be three times as large.
    @routes.get("/hover/<station_id>")
    async def hover(station_id: str) -> Response:
        picture, wanted = await pictures.fresh(), StationId(station_id)
        station = None if picture is None else picture.stations.get(wanted)
        if station is None or not signed_in().acting.has_station(wanted):
            raise StationNotFound
        with trio.fail_after(WITHIN_S):
            charges = (await pictures.charges_at(wanted)).of(wanted)
        text = pages.render.text("now/hover.txt", choices().language, station=station, charges=charges)
        return Response(text, content_type="text/plain; charset=utf-8")

    return routes

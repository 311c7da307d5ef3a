"""`/map`: the network where it is (contract/operator-pages §3.2)."""

from __future__ import annotations

from quart import Blueprint, Response

from evpower.attention.glance import glance
from evpower.attention.picture import Pictures
from evpower.pages.frame.shown import Pages
from evpower.pages.frame.visitor import signed_in
from evpower.pages.map.drawing import draw_map
from evpower.staff.rights import Right


def map_routes(pictures: Pictures, pages: Pages) -> Blueprint:
    """What a reader may see of the network."""
    routes = Blueprint("map", __name__)

    @routes.get("/map")
    async def show_map() -> Response:
        signed_in().require(Right.READ)
        picture = await pictures.fresh()
        stations = () if picture is None else glance(picture, signed_in().acting).stations.values()
        drawn = draw_map(stations)
        return await pages.show("now/map.html", drawn=drawn)

    return routes

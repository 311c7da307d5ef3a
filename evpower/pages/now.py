"""`/`: the first screen (contract/operator-pages §3)."""

from __future__ import annotations

from quart import Blueprint, Response

from evpower.pages.frame.shown import Pages


def now_routes(pages: Pages) -> Blueprint:
    """The first screen."""
    routes = Blueprint("now", __name__)

    @routes.get("/")
    async def now() -> Response:
        return await pages.show("now/now.html")

    return routes

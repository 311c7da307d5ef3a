"""`/stations/{id}`: how a station is, what was tried and charged there, and its last frames (§4)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Protocol

import trio
from quart import Blueprint, Response

from evpower.administration.charge_views import ChargeFilter, ChargeViews
from evpower.administration.records import Page
from evpower.attempts.service import Attempts
from evpower.attention.picture import Pictures
from evpower.errors import StationNotFound
from evpower.identifiers import StationId
from evpower.narrowing import Narrowing
from evpower.pages.frame.shown import Pages
from evpower.pages.frame.visitor import signed_in
from evpower.staff.rights import Right

WITHIN_S = 20
SHOWN = 20
FRAMES_OF = timedelta(hours=2)
FRAMES_SHOWN = 60


class Frames(Protocol):
    """What a station said, and what it was asked."""

    async def history(self, station_id: StationId, since: timedelta, limit: int) -> list[dict[str, Any]]: ...


def station_routes(
    pictures: Pictures, attempts: Attempts, views: ChargeViews, frames: Frames, pages: Pages
) -> Blueprint:
    """One station."""
    routes = Blueprint("stations", __name__, url_prefix="/stations")

    @routes.get("/<path:station_id>")
    async def station(station_id: str) -> Response:
        known, visitor = StationId(station_id), signed_in()
        picture = await pictures.fresh()
        cells = None if picture is None else picture.stations.get(known)
        if cells is None:
            raise StationNotFound
        visitor.require(Right.READ, known)
        with trio.fail_after(WITHIN_S):
            tried = await attempts.listed(Narrowing(station_id=known, limit=SHOWN))
            charged = await views.charges(ChargeFilter(station=known), Page(SHOWN))
            heard = await frames.history(known, FRAMES_OF, FRAMES_SHOWN)
        return await pages.show("stations/station.html", station=cells, attempts=tried, found=charged, frames=heard)

    return routes

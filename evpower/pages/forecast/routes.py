"""`/network/forecast`: how good forecasts were, and the week of a location (roadmap/forecast-navigation §6).

An operator sees the weeks of their own locations; the scores are the network's.
"""

from __future__ import annotations

from typing import Any

import trio
from quart import Blueprint, Response

from evpower.administration.network_views import NetworkViews
from evpower.administration.records import Page
from evpower.errors import LocationNotFound
from evpower.forecast.backtest import METHODS
from evpower.forecast.outlook import HORIZONS_MIN
from evpower.forecast.service import Forecasts
from evpower.pages.forecast.drawing import (
    HIGH,
    LEFT,
    LONG,
    SIDE,
    SKILL_MOST,
    TALL,
    TOP,
    WIDE,
    heat_map,
    reliability,
    skill_lines,
)
from evpower.pages.frame.shown import Pages
from evpower.pages.frame.visitor import signed_in
from evpower.staff.rights import Right

WITHIN_S = 20
#: As many as a page lists; the others are found by the list of locations.
LISTED = 500
#: Of a week, as its template draws it.
SIZE = {"wide": WIDE, "high": HIGH, "left": LEFT, "top": TOP}


def forecast_pages(forecasts: Forecasts | None, views: NetworkViews, pages: Pages) -> Blueprint:
    """None: forecasts are switched off, and the page says so."""
    routes = Blueprint("forecast", __name__, url_prefix="/network/forecast")

    def require_own(location_id: str) -> None:
        """Raises LocationNotFound for one that is another's."""
        own = signed_in().acting.own
        signed_in().require(Right.READ)
        if own is not None and location_id not in own.locations:
            raise LocationNotFound

    @routes.get("")
    async def network() -> Response:
        own = signed_in().acting.own
        signed_in().require(Right.READ)
        if forecasts is None:
            return await pages.show("forecast/network.html", is_on=False)
        with trio.fail_after(WITHIN_S):
            found = await views.locations(None, Page(LISTED), of=None if own is None else own.locations)
            scores = await forecasts.scores() if signed_in().may(Right.CLIENTS) else None
        names: dict[str, Any] = {"horizons": HORIZONS_MIN, "methods": METHODS, "side": SIDE, "long": LONG, "tall": TALL}
        if scores is not None:
            names |= {"buckets": reliability(scores.scores), "lines": skill_lines(scores.by_day)}
            names |= {"days": sorted(scores.by_day), "skill_most": SKILL_MOST}
        return await pages.show("forecast/network.html", is_on=True, found=found, scores=scores, **names)

    @routes.get("/<path:location_id>")
    async def location(location_id: str) -> Response:
        require_own(location_id)
        if forecasts is None:
            return await pages.show("forecast/network.html", is_on=False)
        with trio.fail_after(WITHIN_S):
            place = await views.location(location_id)
            week = await forecasts.week(location_id)
        observed, usual = heat_map(week.observed), heat_map(week.usual)
        return await pages.show(
            "forecast/location.html", place=place, week=week, observed=observed, usual=usual, size=SIZE
        )

    return routes

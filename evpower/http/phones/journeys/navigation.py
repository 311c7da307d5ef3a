"""Ways to stations: /api/v1/locations/nearby, …/route-links, /api/v1/navigation/plan (roadmap/forecast-navigation §5).

Public; nothing is written, and a repeated request is answered anew.
"""

from __future__ import annotations

from typing import Any

import trio
from quart import Blueprint, Response, request

from evpower.http.phones.answer_types.navigation import NearbyBody, PlanBody, RouteLinksBody
from evpower.http.phones.journeys.fields import links_query, near_query, plan_order
from evpower.http.phones.journeys.forecasts import at_arrival_body, named
from evpower.http.phones.location_shape import location_body
from evpower.http.wire.answers import Answer, written
from evpower.http.wire.described import described
from evpower.http.wire.requests import BodyFields, read_object
from evpower.http.wire.values import known, number
from evpower.navigation.journey import END, Leg, Stop
from evpower.navigation.service import Navigation, NearLocation, PlannedJourney, StopAt

ANSWER_WITHIN_S = 9


def navigation_routes(navigation: Navigation, *, prefix: str) -> Blueprint:
    """The routes below `prefix`."""
    routes = Blueprint("navigation", __name__, url_prefix=prefix)

    @routes.get("/locations/nearby")
    @described("Locations near a place", caller="anyone", query=near_query, answer=NearbyBody)
    async def nearby() -> Response:
        search = near_query(BodyFields(request.args))
        with trio.fail_after(ANSWER_WITHIN_S):
            found = await navigation.near(search)
        locations = [_near_body(each) for each in found]
        return written(Answer({"success": True, "locations": locations, "total": len(locations)}))

    @routes.get("/locations/<location_id>/route-links")
    @described("Links that open the way in other apps", caller="anyone", query=links_query, answer=RouteLinksBody)
    async def links(location_id: str) -> Response:
        start = links_query(BodyFields(request.args))
        with trio.fail_after(ANSWER_WITHIN_S):
            found = await navigation.links(named(location_id), start)
        return written(Answer({"success": True, **found}))

    @routes.post("/navigation/plan")
    @described("The stops of a long way", caller="anyone", body=plan_order, answer=PlanBody, refused=200)
    async def plan() -> Response:
        order = plan_order(BodyFields(await read_object()))
        with trio.fail_after(ANSWER_WITHIN_S):
            found = await navigation.plan(order.start, order.end, order.vehicle, order.depart_at)
        return written(Answer(_plan_body(found)))

    return routes


def _near_body(found: NearLocation) -> dict[str, Any]:
    then = found.at_arrival
    return {
        **location_body(found.location),
        "distance_km": round(found.distance_km, 1),
        "drive_minutes": round(found.way.drive_minutes),
        "approximate": found.way.approximate,
        **known({"available_at_arrival": None if then is None else at_arrival_body(then)}),
    }


def _plan_body(found: PlannedJourney) -> dict[str, Any]:
    journey = found.journey
    return {
        "success": True,
        "legs": [_leg_body(leg, found) for leg in journey.legs],
        "stops": [_stop_body(stop, at) for stop, at in zip(journey.stops, found.stops, strict=True)],
        "total_minutes": round(journey.total_minutes),
        "approximate": found.is_approximate,
    }


def _leg_body(leg: Leg, found: PlannedJourney) -> dict[str, Any]:
    return {
        "to": "destination" if leg.to == END else {"location_id": found.location_ids[leg.to]},
        "distance_km": round(leg.way.distance_km, 1),
        "drive_minutes": round(leg.way.drive_minutes),
        "arrive_soc": round(leg.arrive_soc, 1),
    }


def _stop_body(stop: Stop, at: StopAt) -> dict[str, Any]:
    then = at.at_arrival
    return {
        "location_id": at.location_id,
        "connector_type": at.connector_type,
        "charge_kwh": round(stop.charge_kwh, 1),
        "charge_minutes": round(stop.charge_minutes),
        "cost_som": number(at.cost_som),
        **known({"available_at_arrival": None if then is None else at_arrival_body(then)}),
    }

"""How likely a connector will be free: /api/v1/locations/{id}/forecast, /best-times (roadmap/forecast-navigation §4).

Public; an answer may be five minutes old.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import trio
from quart import Blueprint, Response, request

from evpower.errors import LocationNotFound
from evpower.forecast.outlook import ForecastSlot
from evpower.forecast.service import HOURS_MOST, QUIET_HOURS, TTL_S, Forecasts, LocationForecast
from evpower.http.phones.answer_types.forecast import AtArrivalBody, BestTimesBody, ForecastBody, ForecastSlotBody
from evpower.http.wire.answers import Answer, written
from evpower.http.wire.described import described
from evpower.http.wire.kinds import MOMENT_IN_ADDRESS, QUERY_TEXT, counted
from evpower.http.wire.requests import BodyFields
from evpower.http.wire.values import instant, known
from evpower.identifiers import LOCATION_ID

ANSWER_WITHIN_S = 9
HOURS = 24
NOT_ENOUGH = "not_enough_data"
#: How the skill at a horizon is called.
HORIZON_NAMES = {15: "15m", 60: "1h", 360: "6h", 1440: "24h"}


def forecast_query(fields: BodyFields) -> tuple[str | None, datetime | None, int]:
    """Of which type, from when on, for how many hours. Raises InvalidRequest."""
    connector_type, since = fields.optional("connector_type", QUERY_TEXT), fields.optional("from", MOMENT_IN_ADDRESS)
    hours = fields.optional("hours", counted(1, HOURS_MOST))
    fields.check()
    return connector_type, since, HOURS if hours is None else hours


def best_times_query(fields: BodyFields) -> str | None:
    """Of which type. Raises InvalidRequest."""
    connector_type = fields.optional("connector_type", QUERY_TEXT)
    fields.check()
    return connector_type


def forecast_routes(forecasts: Forecasts, *, prefix: str) -> Blueprint:
    """The routes below `prefix`."""
    routes = Blueprint("forecasts", __name__, url_prefix=f"{prefix}/locations")

    @routes.get("/<location_id>/forecast")
    @described("How likely a connector will be free", caller="anyone", query=forecast_query, answer=ForecastBody)
    async def forecast(location_id: str) -> Response:
        connector_type, since, hours = forecast_query(BodyFields(request.args))
        with trio.fail_after(ANSWER_WITHIN_S):
            found = await forecasts.of_location(named(location_id), connector_type, since, hours)
        return _public(_head(found) | _forecast(found))

    @routes.get("/<location_id>/best-times")
    @described("When a free connector is most likely", caller="anyone", query=best_times_query, answer=BestTimesBody)
    async def best_times(location_id: str) -> Response:
        connector_type = best_times_query(BodyFields(request.args))
        with trio.fail_after(ANSWER_WITHIN_S):
            found, quiet = await forecasts.quietest(named(location_id), connector_type)
        return _public(_head(found) | {"best_times": [_quiet_time(each) for each in quiet]})

    return routes


def named(location_id: str) -> str:
    """What a location may be called. Raises LocationNotFound."""
    if LOCATION_ID.fullmatch(location_id) is None:
        raise LocationNotFound("Локация не найдена")
    return location_id


def at_arrival_body(slot: ForecastSlot) -> AtArrivalBody:
    """What stands beside a location."""
    return {"probability": slot.probability, "confidence": slot.confidence}


def _head(found: LocationForecast) -> dict[str, Any]:
    body = {"location_id": found.location_id, "connector_type": found.connector_type}
    reason = None if found.slots else NOT_ENOUGH
    return {"success": True, **known(body), "last_updated": instant(found.made_at), "ttl": TTL_S} | known(
        {"reason": reason}
    )


def _forecast(found: LocationForecast) -> dict[str, Any]:
    return {
        "now": {"available": found.available, "total": found.total},
        "method": "shrinkage-1",
        "skill": {HORIZON_NAMES[ahead]: round(skill, 2) for ahead, skill in sorted(found.skill.items())},
        "forecast": [_slot(each) for each in found.slots],
    }


def _slot(slot: ForecastSlot) -> ForecastSlotBody:
    return {
        "start": instant(slot.start),
        "probability": slot.probability,
        "low": slot.low,
        "high": slot.high,
        "confidence": slot.confidence,
        "basis": slot.basis,
    }


def _quiet_time(slot: ForecastSlot) -> dict[str, Any]:
    """Two hours from this one on."""
    return {
        "start": instant(slot.start),
        "end": instant(slot.start + timedelta(hours=QUIET_HOURS)),
        **at_arrival_body(slot),
        "basis": slot.basis,
    }


def _public(body: dict[str, Any]) -> Response:
    response = written(Answer(body))
    response.headers["Cache-Control"] = f"public, max-age={TTL_S}"
    return response

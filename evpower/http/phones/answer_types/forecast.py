"""What forecasts answer (roadmap/forecast-navigation §4): probabilities in steps of 0.05, never 0 or 1."""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

from evpower.forecast.method import Confidence
from evpower.forecast.outlook import Basis
from evpower.http.wire.described import Instant, Success

NotEnough = Literal["not_enough_data"]


class NowBody(TypedDict):
    """Connectors of the type asked for: free now, and all."""

    available: int
    total: int


class ForecastSlotBody(TypedDict):
    """The hour that begins at `start`; four of five such forecasts have their truth between `low` and `high`."""

    start: Instant
    probability: float
    low: float
    high: float
    confidence: Confidence
    basis: Basis


class ForecastBody(TypedDict):
    """The coming hours of a location; `skill` by how far ahead: above 0, better than the best naive guess."""

    success: Success
    location_id: str
    connector_type: NotRequired[str]
    last_updated: Instant
    ttl: int
    now: NowBody
    method: Literal["shrinkage-1"]
    skill: dict[str, float]
    forecast: list[ForecastSlotBody]
    reason: NotRequired[NotEnough]


class QuietTimeBody(TypedDict):
    """A time at which a free connector is likely; the end is not part of it."""

    start: Instant
    end: Instant
    probability: float
    confidence: Confidence
    basis: Basis


class BestTimesBody(TypedDict):
    """The quietest times of the coming seven days, the soonest first."""

    success: Success
    location_id: str
    connector_type: NotRequired[str]
    last_updated: Instant
    ttl: int
    best_times: list[QuietTimeBody]
    reason: NotRequired[NotEnough]


class AtArrivalBody(TypedDict):
    """How likely a connector is free then."""

    probability: float
    confidence: Confidence

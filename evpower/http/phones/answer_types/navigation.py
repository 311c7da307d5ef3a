"""What the doors of ways answer (roadmap/forecast-navigation §5): kilometres, minutes, som."""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

from evpower.http.phones.answer_types.forecast import AtArrivalBody
from evpower.http.phones.answer_types.network import LocationBody
from evpower.http.wire.described import Success


class NearLocationBody(LocationBody):
    """A location and the way to it; `approximate`: not by a router."""

    distance_km: float
    drive_minutes: int
    approximate: bool


class NearbyBody(TypedDict):
    """Locations around a place."""

    success: Success
    locations: list[NearLocationBody]
    total: int


class RouteLinksBody(TypedDict):
    """Deep links into other apps."""

    success: Success
    geo: str
    yandex_navi: str
    yandex_maps: str
    two_gis: str
    google_maps: str
    apple_maps: str


class StopPlaceBody(TypedDict):
    """A stop."""

    location_id: str


class LegBody(TypedDict):
    """A drive; `arrive_soc` is arithmetic of the caller's figures, an estimate."""

    to: StopPlaceBody | Literal["destination"]
    distance_km: float
    drive_minutes: int
    arrive_soc: float


class StopBody(TypedDict):
    """A charge; its cost by the price of now."""

    location_id: str
    connector_type: str
    charge_kwh: float
    charge_minutes: int
    cost_som: float
    available_at_arrival: NotRequired[AtArrivalBody]


class PlanBody(TypedDict):
    """A way with its stops; `total_minutes` has the waits that are expected."""

    success: Success
    legs: list[LegBody]
    stops: list[StopBody]
    total_minutes: int
    approximate: bool

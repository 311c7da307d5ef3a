"""The messages of the phones' socket (contract/websocket-api §2-4)."""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

from evpower.http.wire.described import Instant
from evpower.network.counts import ConnectorsSummary, StationsSummary
from evpower.network.listing import SocketStatus
from evpower.network.status import LocationStatus, PublicStatus


class GreetingBody(TypedDict):
    """The first message; the socket listens to `all` already."""

    type: Literal["connection"]
    status: Literal["connected"]
    client_id: str
    message: str


class SubscriptionBody(TypedDict):
    """A confirmation, also of what changed nothing."""

    type: Literal["subscription"]
    status: Literal["subscribed", "unsubscribed"]
    channel: str


class PongBody(TypedDict):
    """Unix seconds."""

    type: Literal["pong"]
    timestamp: float


class ErrorBody(TypedDict):
    """What was sent cannot be understood, or is too much; the socket stays open."""

    type: Literal["error"]
    message: str


class LocationFactsBody(TypedDict):
    """A location after a change, as the seed has it."""

    location_id: str
    status: LocationStatus
    available_connectors: int
    total_connectors: int
    stations_count: int
    available_stations: int
    occupied_stations: int
    offline_stations: int
    maintenance_stations: int
    timestamp: Instant


class LocationUpdateBody(TypedDict):
    """A location after a change: under `data` as the seed has it, beside it as the app reads it."""

    type: Literal["location_status_update"]
    data: LocationFactsBody
    location_id: str
    status: LocationStatus
    available_connectors: int
    stations_summary: StationsSummary
    connectors_summary: ConnectorsSummary
    timestamp: Instant


class LiveConnectorBody(TypedDict):
    """A configured connector."""

    connector_id: int
    id: int
    status: SocketStatus
    available: bool
    type: str
    power_kw: NotRequired[float]


class StationFactsBody(TypedDict):
    """A station after a change, as the seed has it."""

    station_id: str
    location_id: str
    status: PublicStatus
    connectors: list[LiveConnectorBody]
    timestamp: Instant


class StationUpdateBody(StationFactsBody):
    """A station after a change: under `data` as the seed has it, beside it as the app reads it."""

    type: Literal["station_status_update"]
    data: StationFactsBody
    available_connectors: int
    occupied_connectors: int
    serial_number: str


#: What the server sends, by the message's name.
SENT = {
    "greeting": GreetingBody,
    "subscription": SubscriptionBody,
    "pong": PongBody,
    "error": ErrorBody,
    "locationUpdate": LocationUpdateBody,
    "stationUpdate": StationUpdateBody,
}

"""What the doors to locations and stations answer (contract/rest-api §2, §3.1): som, kWh, kW."""

from __future__ import annotations

from typing import NotRequired, TypedDict

from evpower.billing.reservation import LimitType
from evpower.http.phones.answer_types.forecast import AtArrivalBody
from evpower.http.wire.described import Currency, Instant, Success
from evpower.network.counts import ConnectorsSummary, StationsSummary
from evpower.network.listing import Reliability
from evpower.network.status import AdminStatus, LocationStatus, PublicStatus, StoredStatus


class TariffBody(TypedDict):
    """What a start at this moment would use."""

    price_per_kwh: float
    session_fee: float
    currency: Currency


class ListedConnectorBody(TypedDict):
    """A configured connector of the list."""

    connector_number: int
    connector_type: str
    power_kw: NotRequired[float]
    status: StoredStatus
    reliability: Reliability


class ListedStationBody(TariffBody):
    """A station of the list."""

    id: str
    serial_number: str
    model: str
    manufacturer: str
    location_id: str
    status: PublicStatus
    power_capacity: float
    connectors_count: int
    connector_types: list[str]
    tariff: TariffBody
    connectors_summary: ConnectorsSummary
    is_available: bool
    last_heartbeat_at: NotRequired[Instant]
    connectors: list[ListedConnectorBody]
    reliability: Reliability


class CoordinatesBody(TypedDict):
    """Both keys are always there."""

    latitude: float | None
    longitude: float | None


class LocationBody(TypedDict):
    """A location; its stations where they were asked for."""

    id: str
    name: str
    address: str
    city: str | None
    country: str | None
    coordinates: CoordinatesBody
    latitude: NotRequired[float]
    longitude: NotRequired[float]
    status: LocationStatus
    stations_summary: StationsSummary
    connectors_summary: ConnectorsSummary
    stations_count: int
    connectors_count: int
    available_connectors: int
    stations: NotRequired[list[ListedStationBody]]
    available_at_arrival: NotRequired[AtArrivalBody]


class ListBody(TypedDict):
    """The network."""

    success: Success
    locations: list[LocationBody]
    total_locations: int
    total: int
    cached: bool


class DetailBody(LocationBody):
    """One location, at the top and once more under `location`."""

    success: Success
    location: LocationBody


class RefreshedBody(TypedDict):
    """A location read anew."""

    success: Success
    message: str
    location: LocationBody


class StationsBody(TypedDict):
    """The stations of the list, without their locations."""

    success: Success
    stations: list[ListedStationBody]
    total: int


class ConnectorBody(TypedDict):
    """A configured connector; `status` is OCPP's own."""

    connector_id: int
    id: int
    status: str
    available: bool
    connector_type: str
    type: str
    power_kw: NotRequired[float]
    error_code: str | None
    error: str | None
    reliability: Reliability


class RunningBody(TypedDict):
    """A running session without anything about its client."""

    session_id: NotRequired[str]
    connector_id: int
    start_time: Instant
    energy_consumed: float
    limit_type: LimitType


class StationBody(TypedDict):
    """A station now; `tariff_rub_kwh` is som, a misnomer that apps live with."""

    success: Success
    station_id: str
    is_online: bool
    online: bool
    last_heartbeat: Instant | None
    last_heartbeat_at: Instant | None
    connectors: list[ConnectorBody]
    current_sessions: list[RunningBody]
    firmware_version: str | None
    serial_number: str
    model: str
    manufacturer: str
    status: PublicStatus
    station_status: PublicStatus
    admin_status: AdminStatus
    location_status: LocationStatus
    available_for_charging: bool
    location_id: str
    location_name: str
    location_address: str
    total_connectors: int
    available_connectors: int
    occupied_connectors: int
    faulted_connectors: int
    tariff_rub_kwh: float
    session_fee: float
    currency: Currency
    working_hours: str
    message: str
    reliability: Reliability

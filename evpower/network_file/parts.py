"""What a fleet file says, as rows of the tables it fills (design §8).

None is a field the file leaves out: it takes its default in a new row and is left alone in an existing one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from evpower.identifiers import ClientId, StationId


@dataclass(frozen=True)
class Connector:
    """A configured connector."""

    id: str
    station_id: StationId
    connector_number: int
    connector_type: str | None
    power_kw: Decimal | None
    #: False: out of use, whatever the station says.
    is_enabled: bool | None
    #: Where it is at a station of OCPP 2.0.1; None: the first connector of the EVSE of its own number.
    evse_id: int | None
    evse_connector: int | None


@dataclass(frozen=True)
class StationPolicy:
    """What a station does that only its operator knows."""

    station_id: StationId
    free_vend: bool


@dataclass(frozen=True)
class Station:
    """A charging station; `connectors_count` is its physical sockets (seed §4)."""

    id: StationId
    location_id: str
    serial_number: str
    model: str | None
    manufacturer: str | None
    power_capacity: Decimal | None
    connectors_count: int
    status: str | None
    tariff_plan_id: str | None
    price_per_kwh: Decimal | None
    session_fee: Decimal | None
    currency: str | None
    firmware_version: str | None
    installation_date: date | None
    user_id: str | None
    password: str | None = field(repr=False)
    free_vend: bool | None
    connectors: tuple[Connector, ...]


@dataclass(frozen=True)
class Location:
    """A place with stations."""

    id: str
    name: str
    address: str
    city: str | None
    country: str | None
    latitude: Decimal | None
    longitude: Decimal | None
    status: str | None
    user_id: str | None
    admin_id: str | None
    #: Where cars turn in, what a driver must know by language, the height of a gate, OCPI's Hours.
    entrance_latitude: Decimal | None
    entrance_longitude: Decimal | None
    directions: Mapping[str, str] | None
    height_limit_m: Decimal | None
    opening_hours: Mapping[str, Any] | None
    stations: tuple[Station, ...]


@dataclass(frozen=True)
class IdTag:
    """A card."""

    id_tag: str
    tag_type: str | None
    status: str | None
    client_id: ClientId | None
    parent_id_tag: str | None
    expiry_date: datetime | None


@dataclass(frozen=True)
class Client:
    """A driver; the opening balance is booked once (design §9.5)."""

    id: ClientId
    phone: str | None
    name: str | None
    email: str | None
    status: str | None
    opening_balance_tyiyn: int


@dataclass(frozen=True)
class TariffRule:
    """A price and when it applies (billing-rules §7)."""

    id: str
    tariff_plan_id: str
    name: str
    description: str | None
    tariff_type: str
    connector_type: str | None
    power_range_min: Decimal | None
    power_range_max: Decimal | None
    price: Decimal
    currency: str | None
    time_start: time | None
    time_end: time | None
    days_of_week: list[int] | None
    is_weekend: bool | None
    priority: int | None
    is_active: bool | None
    valid_from: date | None
    valid_until: date | None
    min_duration_minutes: int | None
    max_duration_minutes: int | None


@dataclass(frozen=True)
class TariffPlan:
    """A set of rules stations refer to."""

    id: str
    name: str
    description: str | None
    is_default: bool | None
    is_active: bool | None
    billing_mode: str | None
    parking_grace_minutes: int | None
    parking_cap: Decimal | None
    only_above_occupancy: int | None
    parking_quiet_from: time | None
    parking_quiet_until: time | None
    rules: tuple[TariffRule, ...]


@dataclass(frozen=True)
class Fleet:
    """A whole file; `warnings` are configurations that want a look."""

    locations: tuple[Location, ...]
    id_tags: tuple[IdTag, ...]
    clients: tuple[Client, ...]
    tariff_plans: tuple[TariffPlan, ...]
    warnings: tuple[str, ...]

    @property
    def policies(self) -> tuple[StationPolicy, ...]:
        return tuple(StationPolicy(each.id, each.free_vend) for each in self.stations if each.free_vend is not None)

    @property
    def placed_connectors(self) -> tuple[Connector, ...]:
        """Those with a place at an EVSE of their own."""
        return tuple(each for station in self.stations for each in station.connectors if each.evse_id is not None)

    @property
    def stations(self) -> tuple[Station, ...]:
        return tuple(station for location in self.locations for station in location.stations)

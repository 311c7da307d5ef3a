"""What administrators see of a row, whole (contract/rest-api §7.7). None is a value that is not set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, time
from decimal import Decimal
from typing import Generic, Literal, TypeVar

from evpower.billing.tariff import BillingMode
from evpower.identifiers import ClientId, SessionId, StationId
from evpower.network.listing import configuration_warnings
from evpower.network.status import AdminStatus

Record = TypeVar("Record", covariant=True)


@dataclass(frozen=True)
class LocationRecord:
    """A location, with what is counted at it."""

    id: str
    name: str
    address: str
    city: str | None
    country: str | None
    latitude: float | None
    longitude: float | None
    status: AdminStatus
    stations_count: int
    connectors_count: int
    user_id: str | None
    admin_id: str | None
    created_at: datetime
    updated_at: datetime
    entrance_latitude: float | None
    entrance_longitude: float | None
    #: By language: ru, ky, en.
    directions: Mapping[str, str] | None
    height_limit_m: float | None
    #: OCPI's Hours.
    opening_hours: Mapping[str, object] | None


@dataclass(frozen=True)
class ConnectorRecord:
    """A configured connector; `status` and `error_code` are OCPP's, None when there is no error.

    `busy` while a session runs on it, whatever the station says.
    """

    id: str
    connector_number: int
    connector_type: str | None
    power_kw: float | None
    #: Where it is at a station of OCPP 2.0.1.
    evse_id: int
    evse_connector: int
    is_enabled: bool
    error_code: str | None
    status: str
    busy: bool


@dataclass(frozen=True)
class StationRecord:
    """A station with its connectors; `connectors_count` is its physical sockets, `last_heartbeat_at` the stored one."""

    id: StationId
    serial_number: str
    model: str | None
    manufacturer: str | None
    location_id: str
    location_name: str
    location_address: str
    power_capacity: float
    connectors_count: int
    status: AdminStatus
    tariff_plan_id: str | None
    price_per_kwh: Decimal | None
    session_fee: Decimal
    currency: str
    firmware_version: str | None
    last_heartbeat_at: datetime | None
    created_at: datetime
    updated_at: datetime
    connectors: tuple[ConnectorRecord, ...]
    #: Of its inventory (OCPP 2.0.1).
    reported_evses: Sequence[int] | None
    configured_evses: Sequence[int]

    @property
    def configuration_warnings(self) -> list[str]:
        """What cannot be true of these rows, as sentences for a person."""
        return configuration_warnings(
            self.connectors_count,
            [each.connector_number for each in self.connectors],
            self.reported_evses,
            self.configured_evses,
        )


@dataclass(frozen=True)
class SeenStation:
    """A station, when it was last heard by any process, and whether that is recent enough to be online."""

    record: StationRecord
    last_seen_at: datetime | None
    is_online: bool


@dataclass(frozen=True)
class TariffRuleRecord:
    """A price and when it applies. Times of day and dates are ISO 8601 texts; days of the week are 1 (Monday) to 7."""

    id: str
    name: str
    description: str | None
    tariff_type: str
    price: float
    currency: str
    connector_type: str
    power_range_min: float
    power_range_max: float
    time_start: str | None
    time_end: str | None
    days_of_week: list[int] | None
    is_weekend: bool | None
    priority: int
    is_active: bool
    valid_from: str | None
    valid_until: str | None
    min_duration_minutes: int | None
    max_duration_minutes: int | None


@dataclass(frozen=True)
class TariffPlanRecord:
    """A tariff plan with its rules, those that count first; `stations_count` is how many stations have it."""

    id: str
    name: str
    description: str | None
    is_default: bool
    is_active: bool
    #: Whether a charge keeps the price of its start, or each rate holds for its own time.
    billing_mode: BillingMode
    #: What it takes for a place that is kept (billing `ParkingRules`); nothing without a cap.
    parking_grace_minutes: int | None
    parking_cap: Decimal | None
    only_above_occupancy: int | None
    parking_quiet_from: time | None
    parking_quiet_until: time | None
    created_at: datetime
    updated_at: datetime
    stations_count: int
    rules: tuple[TariffRuleRecord, ...]


@dataclass(frozen=True)
class StrangerRecord:
    """A station that no station is known for: what it reported of itself, and what was decided, by whom."""

    identity: str
    status: Literal["pending", "rejected"]
    vendor: str
    model: str
    firmware_version: str | None
    serial_number: str | None
    address: str
    boots: int
    first_seen_at: datetime
    last_seen_at: datetime
    decided_at: datetime | None
    decided_by: str | None


@dataclass(frozen=True)
class ChargeRecord:
    """A charge as administrators see it; `cost_tyiyn` is its bill, or what it has cost so far."""

    id: SessionId
    client_id: ClientId
    client_email: str | None
    client_phone: str | None
    station_id: StationId
    station_name: str
    location_name: str
    location_address: str
    connector_id: int
    status: Literal["started", "stopped", "error"]
    phase: str
    estimated: bool
    energy_kwh: Decimal
    cost_tyiyn: int
    duration_minutes: int
    limit_type: str
    limit_value: Decimal | None
    start_time: datetime
    stop_time: datetime | None
    created_at: datetime


@dataclass(frozen=True)
class FailedStart:
    """A start that was refused before there was a charge: a row beside charges, by its number among the attempts.

    `answer` is a refusal's code or a card's verdict, `sentence` what the driver read; None: not known.
    """

    id: int
    client_id: ClientId | None
    station_id: StationId
    location_name: str | None
    connector_id: int | None
    door: str
    answer: str
    sentence: str | None
    reason: str | None
    created_at: datetime


@dataclass(frozen=True)
class ClientAccount:
    """A client with their money and what they charged; `spent_tyiyn` is what charges took from the balance."""

    id: ClientId
    name: str | None
    email: str | None
    phone: str | None
    status: str
    anonymized: bool
    balance_tyiyn: int
    debt_tyiyn: int
    sessions_count: int
    energy_kwh: Decimal
    spent_tyiyn: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True)
class Page:
    """Which of the matching rows are wanted, in the order of their ids."""

    limit: int = 50
    offset: int = 0


@dataclass(frozen=True)
class Listed(Generic[Record]):
    """The rows of a page, and how many match in all."""

    records: tuple[Record, ...]
    total: int
    page: Page


@dataclass(frozen=True)
class Changed(Generic[Record]):
    """A row as it is after a change, and what is doubtful of it, as sentences for a person."""

    record: Record
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class SiteContact:
    """What is known, in anybody's words: a guard with their hours, a telephone company with the number of a SIM."""

    person: str | None = None
    phone: str | None = None
    hours: str | None = None
    sim_provider: str | None = None
    sim_number: str | None = None
    #: What else helps: where the board is, who has the key.
    note: str | None = None

    @property
    def is_empty(self) -> bool:
        return not any(getattr(self, each.name) for each in fields(self))


@dataclass(frozen=True)
class StoredContact:
    """A contact, and who wrote it down when."""

    contact: SiteContact
    changed_at: datetime
    changed_by: str

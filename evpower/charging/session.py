"""A driver's charge: what was ordered, what it may cost, what became of it.

Views are what the doors show: plain facts, integers, aware UTC times; each door gives them its own shape.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

from evpower.billing.tariff import Price
from evpower.identifiers import ClientId, ConnectorId, SessionId, StationId

LimitType = Literal["none", "energy", "amount"]
PublicSessionStatus = Literal["started", "stopped", "error"]


@dataclass(frozen=True)
class StartOrder:
    """What a driver asks for; neither limit means an unlimited charge, both mean energy capped by an amount."""

    client_id: ClientId
    station_id: StationId
    connector_id: ConnectorId
    energy_wh: int | None = None
    amount_tyiyn: int | None = None


@dataclass(frozen=True)
class IdempotencyClaim:
    """A driver's Idempotency-Key with what it was used for (billing-rules §8); the hash is of the parsed body."""

    client_id: ClientId
    key: str
    method: str
    path: str
    body_hash: str


@dataclass(frozen=True)
class SessionView:
    """One session as its rows tell it, with the live readings of its transaction when there are any."""

    session_id: SessionId
    client_id: ClientId
    station_id: StationId
    connector_id: ConnectorId
    status: PublicSessionStatus
    phase: str
    start_time: datetime
    stop_time: datetime | None
    reserved_tyiyn: int
    energy_wh: int
    #: The running cost while started, the final cost afterwards.
    cost_tyiyn: int
    refunded_tyiyn: int
    additional_tyiyn: int
    debt_tyiyn: int
    estimated: bool
    rate_per_kwh: Decimal
    rate_per_minute: Decimal
    session_fee_tyiyn: int
    limit_type: LimitType
    #: Wh for an energy limit, tyiyn for an amount limit, None for none.
    limit_value: int | None
    amount_cap_tyiyn: int | None
    #: 0–100, one decimal.
    limit_percentage: Decimal
    limit_reached: bool
    duration_minutes: int
    client_balance_tyiyn: int
    station_online: bool
    wire_transaction_id: str | None
    ocpp_status: str | None
    meter_start_wh: int | None
    meter_current_wh: int | None
    power_w: float | None
    current_a: float | None
    voltage_v: float | None
    soc_percent: float | None
    temperature_c: float | None
    last_sample_at: datetime | None
    stop_reason: str | None


@dataclass(frozen=True)
class StartedSession:
    """A start that was reserved; `station_online` tells whether the charger was connected to hear of it."""

    session: SessionView
    price: Price
    energy_wh: int | None
    #: (reserved − session fee) / rate, kWh with one decimal; only for amount and unlimited starts.
    estimated_energy_kwh: Decimal | None
    station_online: bool


@dataclass(frozen=True)
class StoppedSession:
    """A session that is final; `already_stopped` when it was so before this request."""

    session: SessionView
    already_stopped: bool


@dataclass(frozen=True)
class ConnectorView:
    connector_id: ConnectorId
    connector_type: str
    power_kw: float | None
    #: The last OCPP word, or Unavailable before the first.
    ocpp_status: str
    stored_status: str
    error_code: str | None
    available: bool


@dataclass(frozen=True)
class RunningSession:
    """A running session as the public may see it: no client data."""

    session_id: SessionId
    connector_id: ConnectorId
    start_time: datetime
    energy_wh: int
    limit_type: LimitType


@dataclass(frozen=True)
class StationView:
    """`GET /station/status`: everything but the wire's shape (contract/rest-api §3.1)."""

    station_id: StationId
    serial_number: str
    model: str
    manufacturer: str
    firmware_version: str | None
    admin_status: str
    public_status: str
    location_status: str
    location_id: str
    location_name: str
    location_address: str
    is_online: bool
    last_seen_at: datetime | None
    connectors: tuple[ConnectorView, ...]
    running: tuple[RunningSession, ...]
    connectors_count: int
    rate_per_kwh: Decimal
    session_fee: Decimal

"""What the doors of the history answer (contract/rest-api §7.3, roadmap/history-favorites-push §1): som, kWh, kW."""

from __future__ import annotations

from typing import NotRequired, TypedDict

from evpower.billing.reservation import LimitType
from evpower.charging.session import PublicSessionStatus
from evpower.charging.transaction import EndCause
from evpower.http.wire.described import Instant, Success


class PastLocationBody(TypedDict):
    """A place by its name and address."""

    name: str
    address: str


class PastStationBody(TypedDict):
    """Where a charge was taken."""

    model: str
    location: PastLocationBody


class PastChargeBody(TypedDict):
    """One charge; `amount` and `ended_at` come with its end."""

    id: str
    station_id: str
    connector_id: int
    status: PublicSessionStatus
    energy_kwh: float
    amount: NotRequired[float]
    started_at: Instant
    ended_at: NotRequired[Instant]
    duration_minutes: int
    limit_type: LimitType
    limit_value: NotRequired[float]
    station: PastStationBody
    reserved_amount: float
    refunded_amount: NotRequired[float]
    additional_charge: NotRequired[float]
    debt_amount: NotRequired[float]
    rate_per_kwh: float
    session_fee: float
    average_power_kw: NotRequired[float]
    max_power_kw: NotRequired[float]
    soc_start: NotRequired[int]
    soc_end: NotRequired[int]
    stop_reason: NotRequired[EndCause]
    estimated: NotRequired[bool]
    corrected_at: NotRequired[Instant]


class PastChargesBody(TypedDict):
    """A page of charges, newest first."""

    success: Success
    data: list[PastChargeBody]
    total: int
    limit: int
    offset: int
    next_cursor: NotRequired[str]


class MovementBody(TypedDict):
    """A line of the statement, or a top-up that was not paid."""

    id: str
    transaction_type: str
    amount: float
    requested_amount: NotRequired[float]
    balance_before: NotRequired[float]
    balance_after: NotRequired[float]
    description: NotRequired[str]
    session_id: NotRequired[str]
    created_at: Instant
    completed_at: NotRequired[Instant]
    status: str
    payment_method: NotRequired[str]
    invoice_id: NotRequired[str]


class MovementsBody(TypedDict):
    """A page of movements of money, newest first."""

    success: Success
    data: list[MovementBody]
    total: int
    limit: int
    offset: int
    next_cursor: NotRequired[str]


class StatsBody(TypedDict):
    """What the settled charges of the period come to."""

    total_sessions: int
    total_energy_kwh: float
    total_amount: float
    average_session_minutes: float


class MonthBody(TypedDict):
    """One month in Bishkek."""

    month: str
    sessions: int
    energy_kwh: float
    amount: float


class FavoriteStationBody(TypedDict):
    """The station of most charges, by the name of its place."""

    id: str
    name: str
    visits: int


class PastSumsBody(TypedDict):
    """Statistics, the newest month first."""

    success: Success
    stats: StatsBody
    monthly: list[MonthBody]
    favorite_station: NotRequired[FavoriteStationBody]

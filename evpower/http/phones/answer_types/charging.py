"""What the charging doors and the balance answer (contract/rest-api §4, §5.1): som, kWh, and Wh for registers."""

from __future__ import annotations

from typing import NotRequired, TypedDict

from evpower.billing.reservation import LimitType
from evpower.charging.session import PublicSessionStatus
from evpower.charging.transaction import EndCause
from evpower.http.wire.described import Currency, FreeForm, Instant, Success
from evpower.power.preferences import PreferenceResult


class PricingBody(TypedDict):
    """The tariff a start uses."""

    rate_per_kwh: float
    rate_per_minute: float
    session_fee: float
    parking_fee_per_minute: float
    currency: Currency
    active_rule: str
    rule_details: FreeForm
    time_based: bool
    next_rate_change: NotRequired[Instant]
    tariff_plan_id: NotRequired[str]
    rule_id: NotRequired[str]


class PriceBody(TypedDict):
    """What a charge at a station costs at a moment."""

    success: Success
    station_id: str
    pricing: PricingBody


class PriceWindowBody(TypedDict):
    """It holds from `begins_at` on, and at `ends_at` not any more."""

    begins_at: Instant
    ends_at: Instant
    pricing: PricingBody


class PriceScheduleBody(TypedDict):
    """The prices of a day, from midnight to midnight in the network's time zone."""

    success: Success
    station_id: str
    date: str
    windows: list[PriceWindowBody]


#: A rate of energy, and from when it holds; the last one to the charge's end.
ScheduledRateBody = TypedDict("ScheduledRateBody", {"from": Instant, "rate_per_kwh": float})


class StartedBody(TypedDict):
    """A start that was accepted."""

    success: Success
    message: str
    session_id: str
    station_id: str
    client_id: str
    connector_id: int
    reserved_amount: float
    limit_type: LimitType
    limit_value: NotRequired[float]
    rate_per_kwh: float
    session_fee: float
    estimated_energy: NotRequired[float]
    estimated_cost: float
    energy_kwh: NotRequired[float]
    current_balance: float
    new_balance: float
    currency: Currency
    station_online: bool
    pricing: PricingBody
    rate_schedule: NotRequired[list[ScheduledRateBody]]


class FinalFigures(TypedDict, total=False):
    """What a charge came to, once it is over; `estimated` until the station has reported the end."""

    final_cost: float
    refunded_amount: float
    additional_charge: float
    debt_amount: float
    estimated: bool
    stop_reason: EndCause
    ocpp_stop_reason: str


class SessionFacts(FinalFigures):
    """What the flat and the nested form of a session share."""

    status: PublicSessionStatus
    station_id: str
    connector_id: int
    start_time: Instant
    stop_time: Instant | None
    reserved_amount: float
    energy_consumed: float
    current_cost: float
    rate_per_kwh: float
    session_fee: float
    limit_type: LimitType
    limit_value: NotRequired[float]
    limit_percentage: float
    limit_reached: bool
    duration_minutes: int
    station_online: bool
    doubtful: bool
    meter_start: NotRequired[int]
    meter_current: NotRequired[int]
    estimated_minutes_left: NotRequired[int]
    projected_cost: NotRequired[float]
    overshoot_wh: NotRequired[int]
    signed_meter: NotRequired[Success]
    suspended_by_site_minutes: NotRequired[int]
    rate_schedule: NotRequired[list[ScheduledRateBody]]


class TemperaturesBody(TypedDict):
    """Degrees Celsius."""

    station_body: float


class NestedSessionBody(SessionFacts):
    """The same session as the app's second schema has it."""

    id: str
    session_id: str
    energy_kwh: float
    charging_duration_minutes: int
    ocpp_transaction_id: int | None


class NestedProgressBody(TypedDict):
    """The progress as the app's second schema has it."""

    id: str
    session_id: str
    status: PublicSessionStatus
    energy_consumed: float
    energy_kwh: float


class ProgressBody(TypedDict):
    """A session for a caller who has no token of its client where one is required."""

    success: Success
    session_id: str
    status: PublicSessionStatus
    energy_consumed: float
    energy_consumed_kwh: float
    current_energy: float
    charging_power: NotRequired[float]
    message: str
    session: NestedProgressBody


class StatusBody(SessionFacts):
    """A session now; `client_id` for that client, and in mode `trust`."""

    success: Success
    session_id: str
    client_id: NotRequired[str]
    energy_consumed_kwh: float
    current_energy: float
    progress_percent: float
    cost: float
    current_amount: float
    final_amount_som: float
    amount_charged_som: float
    charging_power: NotRequired[float]
    station_current: NotRequired[float]
    station_voltage: NotRequired[float]
    ev_battery_soc: NotRequired[float]
    temperatures: NotRequired[TemperaturesBody]
    ocpp_transaction_id: str | None
    transaction_id: str | None
    ocpp_status: str | None
    has_meter_data: bool
    last_update: Instant | None
    message: str
    session: NestedSessionBody


class StoppedBody(FinalFigures):
    """A charge that was ended and settled; a repeated stop answers the same figures.

    Who does not say whose charge it is gets no `client_id` and no balance.
    """

    success: Success
    message: str
    session_id: str
    station_id: str
    client_id: NotRequired[str]
    connector_id: int
    start_time: Instant
    stop_time: NotRequired[Instant]
    duration_minutes: int
    energy_consumed: float
    rate_per_kwh: float
    session_fee: float
    reserved_amount: float
    actual_cost: float
    refund_amount: float
    new_balance: NotRequired[float]
    current_balance: NotRequired[float]
    status: PublicSessionStatus
    station_online: bool
    already_stopped: NotRequired[bool]


class BalanceBody(TypedDict):
    """A client's money; `balance` is free, what running sessions hold is taken out."""

    success: Success
    client_id: str
    balance: float
    current_balance: float
    available_balance: float
    reserved_amount: float
    total_balance: float
    debt_amount: float
    currency: Currency
    last_topup_at: Instant | None
    total_spent: float | None
    status: str
    active_sessions: list[str]


class PreferencesBody(TypedDict):
    """What became of a driver's wishes, in OCPI's words."""

    success: Success
    result: PreferenceResult

"""What the doors of the history answer (contract/rest-api §7.3, roadmap/history-favorites-push §1): som, kWh, kW."""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

from evpower.billing.reservation import LimitType
from evpower.charging.session import PublicSessionStatus
from evpower.charging.transaction import EndCause
from evpower.history.receipt import ReceiptBoundary, ReceiptContent
from evpower.http.wire.described import Currency, Instant, Success


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


class CurvePointBody(TypedDict):
    """A moment of a charge, in seconds since its start."""

    t_s: int
    kw: float
    kwh: float
    soc: NotRequired[int]


class RatesBody(TypedDict):
    """What it was billed by, in som."""

    rate_per_kwh: float
    rate_per_minute: float
    session_fee: float
    currency: Currency


class PostingBody(TypedDict):
    """One side of an entry of the ledger."""

    entry: str
    key: str
    account: str
    amount: float
    created_at: Instant


class PayerBody(TypedDict):
    """Who paid, and how much."""

    client_id: str
    amount: NotRequired[float]


class WholeChargeData(PastChargeBody):
    """A charge and everything that is kept of it."""

    curve: list[CurvePointBody]
    pricing: RatesBody
    postings: list[PostingBody]
    payers: list[PayerBody]


class WholeChargeBody(TypedDict):
    """One charge."""

    success: Success
    data: WholeChargeData


class ReceiptBody(ReceiptContent):
    """A numbered document; a correction names the receipt that it corrects."""

    number: str
    kind: Literal["receipt", "correction"]
    corrects: NotRequired[str]
    issued_at: Instant


class ReceiptsBody(TypedDict):
    """A charge's receipt, as it was issued, and what corrected it since."""

    success: Success
    receipt: ReceiptBody
    corrections: list[ReceiptBody]


class RegisterBody(TypedDict):
    """A register the bill stands on."""

    context: Literal["Transaction.Begin", "Sample.Periodic", "Transaction.End"]
    register_wh: int
    measured_at: NotRequired[Instant]


class SignedBody(TypedDict):
    """What the meter signed, as received; `verified` is our own check, where there is one."""

    context: NotRequired[str]
    encoding_method: NotRequired[str]
    signed_data: str
    public_key: NotRequired[str]
    verified: NotRequired[bool | Literal["unknown_key"]]


class RatedEnergyBody(TypedDict):
    """So much of a charge at one rate."""

    energy_kwh: float
    rate_per_kwh: float


class EvidenceBody(TypedDict):
    """From what a bill is recomputed; `equal`: it is what the formula makes and what the ledger sold.

    Where its price moved, `parts` are what it was billed by.
    """

    success: Success
    readings: list[RegisterBody]
    energy_kwh: float
    duration_minutes: int
    tariff: RatesBody
    postings: list[PostingBody]
    amount: float
    recomputed_amount: float
    equal: bool
    signed: list[SignedBody]
    parts: NotRequired[list[RatedEnergyBody]]
    rate_boundaries: NotRequired[list[ReceiptBoundary]]

"""What the history shows: charges, movements of money, what they come to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Generic, Literal, TypeVar

from evpower.history.curve import mean_power_w

T = TypeVar("T")
Period = Literal["month", "year", "all"]
LIMIT_MAX = 100
OFFSET_MAX = 10_000


@dataclass(frozen=True)
class ListPlace:
    """Where a page begins: after the row of this moment with this id; or at an offset."""

    created_at: datetime
    row_id: str


@dataclass(frozen=True)
class PageWish:
    """How much of a list, and from where."""

    limit: int = 50
    offset: int = 0
    after: ListPlace | None = None


@dataclass(frozen=True)
class HistoryFilter:
    """None asks nothing; `since` is in, `before` is not."""

    status: str | None = None
    station_id: str | None = None
    location_id: str | None = None
    #: Of a movement of money.
    type: str | None = None
    since: datetime | None = None
    before: datetime | None = None


@dataclass(frozen=True)
class HistoryPage(Generic[T]):
    """Rows newest first, how many match in all, and where the next page begins; None: there is none."""

    rows: Sequence[T]
    total: int
    next: ListPlace | None


@dataclass(frozen=True)
class PastCharge:
    """One charge of a client; sums in tyiyn, None while it is not final."""

    session_id: str
    station_id: str
    connector_id: int
    status: str
    energy_wh: int
    amount_tyiyn: int | None
    reserved_tyiyn: int
    refunded_tyiyn: int
    additional_tyiyn: int
    debt_tyiyn: int
    rate_per_kwh: Decimal
    rate_per_minute: Decimal
    session_fee: Decimal
    limit_type: str
    #: kWh of an energy limit, som of an amount limit.
    limit_value: Decimal | None
    created_at: datetime
    started_at: datetime
    ended_at: datetime | None
    end_cause: str | None
    estimated: bool
    corrected_at: datetime | None
    station_model: str
    location_name: str
    location_address: str
    #: Of its curve, when one is kept.
    rising_s: int | None
    max_power_w: int | None
    soc_start: int | None
    soc_end: int | None

    @property
    def average_power_w(self) -> int | None:
        """While energy rose."""
        return None if self.rising_s is None else mean_power_w(self.energy_wh, timedelta(seconds=self.rising_s))

    def duration_minutes(self, now: datetime) -> int:
        """From its start to its end, or so far."""
        return max(0, int(((self.ended_at or now) - self.started_at).total_seconds() // 60))


@dataclass(frozen=True)
class Movement:
    """A line of the statement, or a top-up that was not paid (`topup:17`), which has no balances."""

    row_id: str
    type: str
    amount: Decimal
    requested_amount: Decimal | None
    balance_before: Decimal | None
    balance_after: Decimal | None
    description: str | None
    session_id: str | None
    created_at: datetime
    completed_at: datetime | None
    status: str
    payment_method: str | None
    invoice_id: str | None


@dataclass(frozen=True)
class MonthSum:
    """What was charged in a month of the network's time zone."""

    #: Its first day there.
    month: str
    sessions: int
    energy_kwh: Decimal
    amount: Decimal
    minutes: Decimal


@dataclass(frozen=True)
class FavoriteStation:
    """Where a client charged most often."""

    id: str
    name: str
    visits: int


@dataclass(frozen=True)
class PastSums:
    """What the settled charges of a period come to."""

    months: Sequence[MonthSum]
    favorite: FavoriteStation | None

"""Which price applies when (billing-rules §7).

Windows and weekdays are read in the network's own time zone (Asia/Bishkek), which the caller has applied.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import product
from typing import Literal

from evpower.billing.rates import ZERO, Rates, ScheduledRate

#: Whether a charge keeps the price of its start, or each rate holds for its own time (smart-charging §6).
BillingMode = Literal["snapshot", "segments"]
TariffType = Literal["per_kwh", "per_minute", "session_fee", "parking_fee", "reservation_per_minute", "no_show_fee"]
KINDS: tuple[TariffType, ...] = ("per_kwh", "per_minute", "session_fee", "parking_fee")
DEFAULT_RULE_NAME = "Базовый тариф"
MIDNIGHT = time(0, 0)
_LAST_MINUTE = time(23, 59)
#: The price of a charge is known for so long from its start; afterwards the last rate of it holds.
SCHEDULED = timedelta(hours=12)
_LOOK_AHEAD_DAYS = 8


@dataclass(frozen=True)
class ParkingTerms:
    """What a plan takes for a car that keeps its place (smart-charging §6); hours are local, both or neither."""

    rate_per_minute: Decimal
    grace_minutes: int
    #: The most a charge can cost so.
    cap_tyiyn: int
    #: Only while more than so many percent of the location's connectors are occupied; None: always.
    only_above_occupancy: int | None = None
    quiet_from: time | None = None
    quiet_until: time | None = None


@dataclass(frozen=True)
class ParkingRules:
    """The same of a plan, whose rule names the price of a minute."""

    grace_minutes: int
    cap_tyiyn: int
    only_above_occupancy: int | None
    quiet_from: time | None
    quiet_until: time | None

    def at(self, rate_per_minute: Decimal) -> ParkingTerms | None:
        """With the price of a minute; None where it is nothing."""
        return ParkingTerms(rate_per_minute, **vars(self)) if rate_per_minute > 0 else None


@dataclass(frozen=True)
class Price:
    """The price a start at this moment uses; rates are som per unit, exact decimals."""

    rate_per_kwh: Decimal
    rate_per_minute: Decimal = ZERO
    session_fee: Decimal = ZERO
    parking_fee_per_minute: Decimal = ZERO
    active_rule: str = DEFAULT_RULE_NAME
    rule_details: dict[str, object] = field(default_factory=dict)
    time_based: bool = False
    next_rate_change: datetime | None = None
    tariff_plan_id: str | None = None
    rule_id: str | None = None
    #: The rates of the next hours, the one of now first; empty where the price of the start holds.
    schedule: tuple[ScheduledRate, ...] = ()
    #: What a car that keeps its place costs; None where its plan takes nothing for that.
    parking: ParkingTerms | None = None

    @property
    def rates(self) -> Rates:
        """What is written into the session and never changes there."""
        return Rates(self.rate_per_kwh, self.rate_per_minute, self.session_fee)

    def highest_rates(self, energy_wh: int | None, power_kw: float | None) -> Rates:
        """The same with the highest rate that can be reached at this power before so much energy has flowed.

        Without a known power it is the highest there is.
        """
        if not self.schedule or energy_wh is None:
            return self.rates
        (began_at, _), until = self.schedule[0], None
        if power_kw:
            until = began_at + timedelta(hours=energy_wh / 1000 / power_kw)
        reached = [rate for starts_at, rate in self.schedule[1:] if until is None or starts_at < until]
        return replace(self.rates, per_kwh=max([self.rate_per_kwh, *reached]))

    def discounted(self, percent: Decimal) -> Price:
        """The same price with a discount on energy and minutes, never on fees."""
        keep = 1 - percent / 100
        return replace(self, rate_per_kwh=self.rate_per_kwh * keep, rate_per_minute=self.rate_per_minute * keep)


@dataclass(frozen=True)
class Rule:
    """A row of `tariff_rules`."""

    id: str
    tariff_plan_id: str
    name: str
    tariff_type: TariffType
    price: Decimal
    connector_type: str = "ALL"
    power_range_min: float = 0
    power_range_max: float = 1000
    time_start: time | None = None
    time_end: time | None = None
    days_of_week: tuple[int, ...] | None = None
    is_weekend: bool | None = None
    priority: int = 0
    valid_from: date | None = None
    valid_until: date | None = None
    created_at: datetime | None = None
    #: Of its plan; without `parking` it takes nothing for a place, whatever its rules say.
    billing_mode: BillingMode = "snapshot"
    parking: ParkingRules | None = None

    def applies(self, connector_type: str, power_kw: float, at: datetime) -> bool:
        """Whether the rule holds for this connector at this local moment."""
        if self.connector_type not in ("ALL", connector_type):
            return False
        if not self.power_range_min <= power_kw <= self.power_range_max:
            return False
        day = self._day_of_window(at)
        return day is not None and self._holds_on(day)

    @property
    def window(self) -> tuple[time, time]:
        """From when until when it holds, in whole minutes: `start ≤ t < end`. Midnight as an end is the day's.

        Seconds belong to the minute they are in, and 23:59 is how a table names the end of a day.
        """
        start, end = self.time_start or MIDNIGHT, self.time_end or MIDNIGHT
        minute = end.replace(second=0, microsecond=0)
        if minute == _LAST_MINUTE:
            end = MIDNIGHT
        elif minute != end:
            end = (datetime.combine(date.min, minute) + timedelta(minutes=1)).time()
        return start.replace(second=0, microsecond=0), end

    def _day_of_window(self, at: datetime) -> date | None:
        """The day the window around `at` began, or None outside it; `start ≤ t < end`, over midnight too."""
        now, today = at.time(), at.date()
        start, end = self.window
        if start == end == MIDNIGHT:
            return today
        if start < end:
            return today if start <= now < end else None
        if now >= start:
            return today
        return today - timedelta(days=1) if now < end else None

    def _holds_on(self, day: date) -> bool:
        if self.valid_from is not None and day < self.valid_from:
            return False
        if self.valid_until is not None and day > self.valid_until:
            return False
        if self.days_of_week is not None:
            return day.isoweekday() in self.days_of_week
        return self.is_weekend is None or self.is_weekend == (day.isoweekday() >= 6)


@dataclass(frozen=True)
class ClientTariff:
    """A client's own agreement, the first to be asked."""

    discount_percent: Decimal
    tariff_plan_id: str | None
    rules: tuple[Rule, ...]
    fixed_rate_per_kwh: Decimal | None
    fixed_rate_per_minute: Decimal | None
    session_fee: Decimal | None


@dataclass(frozen=True)
class PriceBook:
    """Everything a price is chosen from, for one connector and client."""

    connector_type: str
    power_kw: float
    default_rate: Decimal
    station_rate: Decimal | None
    station_fee: Decimal
    station_rules: tuple[Rule, ...]
    client_tariff: ClientTariff | None

    def price(self, at: datetime) -> Price:
        """The price at a local moment, with the next moment at which it changes (within eight days)."""
        now = self._price_at(at)
        for edge in self._edges(at):
            later = self._price_at(edge)
            if _figures(later) != _figures(now):
                return replace(now, time_based=True, next_rate_change=edge)
        return now

    def fee(self, kind: TariffType, at: datetime) -> Decimal:
        """What is asked beside the price of a charge, som; 0 where no plan has a rule of this kind.

        The plan of the client's own agreement comes before the station's; a discount is never on fees.
        """
        for rules in (self.client_tariff.rules if self.client_tariff else (), self.station_rules):
            holding = [each for each in rules if each.tariff_type == kind]
            holding = [each for each in holding if each.applies(self.connector_type, self.power_kw, at)]
            if holding:
                return max(holding, key=_rank).price
        return ZERO

    def schedule(self, at: datetime) -> tuple[ScheduledRate, ...]:
        """The rates of energy of the next hours, from this local moment on; none where a charge keeps its price.

        Which of them it is says the first plan that is asked, also where no rule of it holds now.
        """
        tariff = self.client_tariff
        if tariff is not None and tariff.fixed_rate_per_kwh is not None:
            return ()
        rules = tariff.rules if tariff is not None else ()
        if not rules and not self.station_rate:
            rules = self.station_rules
        if not any(rule.billing_mode == "segments" for rule in rules):
            return ()
        rates = [ScheduledRate(at, self._price_at(at).rate_per_kwh)]
        for edge in self._edges(at):
            if edge - at >= SCHEDULED:
                break
            if (rate := self._price_at(edge).rate_per_kwh) != rates[-1].per_kwh:
                rates.append(ScheduledRate(edge, rate))
        return tuple(rates)

    def _price_at(self, at: datetime) -> Price:
        """Client tariff, station's own price, the plan's rules, the default: in this order."""
        tariff = self.client_tariff
        if tariff is None:
            return self._normal_price(at)
        if tariff.fixed_rate_per_kwh is not None:
            return Price(
                tariff.fixed_rate_per_kwh,
                tariff.fixed_rate_per_minute or ZERO,
                tariff.session_fee or ZERO,
                active_rule="Индивидуальный тариф",
                tariff_plan_id=tariff.tariff_plan_id,
            )
        base = self._planned(tariff.rules, at) or self._normal_price(at)
        return base.discounted(tariff.discount_percent)

    def _normal_price(self, at: datetime) -> Price:
        if self.station_rate is not None and self.station_rate > 0:
            return Price(self.station_rate, session_fee=self.station_fee, active_rule="Тариф станции")
        return self._planned(self.station_rules, at) or Price(self.default_rate)

    def _planned(self, rules: Sequence[Rule], at: datetime) -> Price | None:
        """The best rule of each kind, combined; a plan that names no energy price leaves the default rate in force."""
        holding = [rule for rule in rules if rule.applies(self.connector_type, self.power_kw, at)]
        best = {kind: max((r for r in holding if r.tariff_type == kind), key=_rank, default=None) for kind in KINDS}
        chosen = {kind: rule for kind, rule in best.items() if rule is not None}
        if not chosen:
            return None
        leading = next(iter(chosen.values()))
        prices = {kind: rule.price for kind, rule in chosen.items()}
        return Price(
            prices.get("per_kwh", self.default_rate),
            prices.get("per_minute", ZERO),
            prices.get("session_fee", ZERO),
            prices.get("parking_fee", ZERO),
            active_rule=leading.name,
            rule_details={kind: {"id": rule.id, "name": rule.name} for kind, rule in chosen.items()},
            tariff_plan_id=leading.tariff_plan_id,
            rule_id=leading.id,
            parking=None if leading.parking is None else leading.parking.at(prices.get("parking_fee", ZERO)),
        )

    def _edges(self, at: datetime) -> Iterable[datetime]:
        """Every later moment at which some rule may begin or end to hold, in order."""
        rules = self.station_rules + (self.client_tariff.rules if self.client_tariff else ())
        if not rules:
            return ()
        times = {MIDNIGHT} | {edge for rule in rules for edge in rule.window}
        days = (at.date() + timedelta(days=n) for n in range(_LOOK_AHEAD_DAYS))
        return sorted(edge for day, t in product(days, times) if (edge := datetime.combine(day, t, at.tzinfo)) > at)


def _rank(rule: Rule) -> tuple[int, float]:
    """Highest priority first, then the newest."""
    return rule.priority, rule.created_at.timestamp() if rule.created_at else 0.0


def _figures(price: Price) -> tuple[Decimal, ...]:
    return price.rate_per_kwh, price.rate_per_minute, price.session_fee, price.parking_fee_per_minute

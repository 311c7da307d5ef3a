"""What a receipt says: the charge, its tariff, the formula with its numbers, and what became of the money held.

Frozen as JSON when a charge is settled; a correction makes a second document that names the first
(contract/roadmap/history-favorites-push §1).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal, NotRequired, TypedDict

from evpower.billing.rates import Rates, RateStep
from evpower.billing.settlement import Usage
from evpower.metering.boundaries import Boundary, DeliveredBy, crossings
from evpower.money import CURRENCY, exact_tyiyn, som, som_number, tyiyn

NUMBER_DIGITS = 6
#: Where the values that the meter of a charge has signed are.
EVIDENCE = "/api/v1/history/charging/{}/evidence"


@dataclass(frozen=True)
class ReceiptFacts:
    """A final session as it is in its rows when its receipt is issued."""

    session_id: str
    station_id: str
    station_model: str
    station_serial_number: str
    connector_id: int
    connector_type: str | None
    location_name: str
    location_address: str
    city: str | None
    started_at: datetime
    ended_at: datetime | None
    energy_wh: int
    amount_tyiyn: int
    reserved_tyiyn: int
    refunded_tyiyn: int
    additional_tyiyn: int
    debt_tyiyn: int
    rate_per_kwh: Decimal
    rate_per_minute: Decimal
    session_fee: Decimal
    #: In which the site had nothing for it; they are not billed (roadmap/smart-charging §5).
    suspended_by_site_minutes: int
    estimated: bool
    #: Values that its meter signed are kept.
    signed: bool
    #: Where its price moved: the rates that followed, and at which readings.
    steps: tuple[RateStep, ...] = ()
    boundaries: tuple[Boundary, ...] = ()

    @property
    def rates(self) -> Rates:
        """What it was billed by."""
        return Rates(self.rate_per_kwh, self.rate_per_minute, self.session_fee, self.steps)


class ReceiptLine(TypedDict):
    """One term of the formula; `text` is it with its numbers: `15 кВт⋅ч × 13,5 = 202,50`."""

    name: Literal["energy", "time", "session_fee", "not_billed"]
    text: str
    amount: float
    quantity: NotRequired[float]
    rate: NotRequired[float]


class ReceiptStation(TypedDict):
    """Where the charge was taken."""

    id: str
    model: str
    serial_number: str
    connector_id: int
    connector_type: NotRequired[str]


class ReceiptLocation(TypedDict):
    """The place by its name and address as they were then."""

    name: str
    address: str


class ReceiptTariff(TypedDict):
    """The rates, in som."""

    rate_per_kwh: float
    rate_per_minute: float
    session_fee: float


class EnergyAt(TypedDict):
    """What the charge had delivered by a moment."""

    at: str
    energy_kwh: float


class ReceiptBoundary(EnergyAt):
    """The same of a moment at which a rate began: linear between the readings around it, which are far apart when it is
    estimated."""

    before: EnergyAt
    after: EnergyAt
    estimated: bool


class ReceiptContent(TypedDict):
    """Everything on the document but its number and its time."""

    session_id: str
    station: ReceiptStation
    location: ReceiptLocation
    started_at: str
    ended_at: NotRequired[str]
    energy_kwh: float
    duration_minutes: int
    suspended_by_site_minutes: NotRequired[int]
    tariff: ReceiptTariff
    lines: list[ReceiptLine]
    amount: float
    reserved_amount: float
    refunded_amount: float
    additional_charge: float
    debt_amount: float
    currency: str
    estimated: bool
    evidence: NotRequired[str]
    rate_boundaries: NotRequired[list[ReceiptBoundary]]


@dataclass(frozen=True)
class ChargeReceipt:
    """A numbered document of a charge; `corrects` is the number of the receipt that it corrects."""

    number: str
    issued_at: datetime
    content: ReceiptContent
    corrects: str | None = None


def number_text(year: int, serial: int) -> str:
    """A document's number: `2026-000017`."""
    return f"{year}-{serial:0{NUMBER_DIGITS}d}"


def content_of(facts: ReceiptFacts, minutes: int) -> ReceiptContent:
    """The document; `minutes` are those that were billed."""
    station: ReceiptStation = {
        "id": facts.station_id,
        "model": facts.station_model,
        "serial_number": facts.station_serial_number,
        "connector_id": facts.connector_id,
    }
    if facts.connector_type:
        station["connector_type"] = facts.connector_type
    city = f"{facts.city}, " if facts.city and facts.city not in facts.location_address else ""
    content: ReceiptContent = {
        "session_id": facts.session_id,
        "station": station,
        "location": {"name": facts.location_name, "address": city + facts.location_address},
        "started_at": facts.started_at.isoformat(),
        "energy_kwh": float(_kwh(facts.energy_wh)),
        "duration_minutes": minutes,
        "tariff": {
            "rate_per_kwh": float(facts.rate_per_kwh),
            "rate_per_minute": float(facts.rate_per_minute),
            "session_fee": float(facts.session_fee),
        },
        "lines": lines_of(facts.rates, Usage(facts.energy_wh, minutes), facts.amount_tyiyn),
        "amount": som_number(facts.amount_tyiyn),
        "reserved_amount": som_number(facts.reserved_tyiyn),
        "refunded_amount": som_number(facts.refunded_tyiyn),
        "additional_charge": som_number(facts.additional_tyiyn),
        "debt_amount": som_number(facts.debt_tyiyn),
        "currency": CURRENCY,
        "estimated": facts.estimated,
    }
    if facts.suspended_by_site_minutes:
        content["suspended_by_site_minutes"] = facts.suspended_by_site_minutes
    if facts.ended_at is not None:
        content["ended_at"] = facts.ended_at.isoformat()
    if facts.signed:
        content["evidence"] = EVIDENCE.format(facts.session_id)
    if passed := boundaries_of_bill(facts.boundaries):
        content["rate_boundaries"] = passed
    return content


def lines_of(rates: Rates, usage: Usage, amount_tyiyn: int) -> list[ReceiptLine]:
    """The formula of billing-rules §3 term by term; what it has more than was billed is a line of its own."""
    lines: list[ReceiptLine] = []
    if usage.energy_wh > 0:
        parts = rates.parts(usage.energy_wh)
        lines += [_product("energy", _kwh(part.energy_wh), "кВт⋅ч", part.per_kwh) for part in parts]
        if rates.per_minute and usage.minutes:
            lines.append(_product("time", Decimal(usage.minutes), "мин", rates.per_minute))
        if rates.session_fee:
            fee = rates.session_fee
            lines.append({"name": "session_fee", "text": f"За сессию = {_sum(fee)}", "amount": float(fee)})
    missing_tyiyn = amount_tyiyn - rates.cost_tyiyn(*usage)
    if missing_tyiyn:
        text = f"Не включено в счёт = {_sum(som(missing_tyiyn))}"
        lines.append({"name": "not_billed", "text": text, "amount": som_number(missing_tyiyn)})
    return lines


def boundaries_of_bill(boundaries: Sequence[Boundary]) -> list[ReceiptBoundary]:
    """The moments at which a rate began during the charge, and the energy that the bill counts before each."""
    return [
        {
            **_energy_at(each.at),
            "before": _energy_at(each.before),
            "after": _energy_at(each.after),
            "estimated": each.is_estimated,
        }
        for each in crossings(boundaries)
    ]


def _energy_at(delivered: DeliveredBy) -> EnergyAt:
    return {"at": delivered.at.isoformat(), "energy_kwh": float(_kwh(delivered.energy_wh))}


def _product(name: Literal["energy", "time"], quantity: Decimal, unit: str, rate: Decimal) -> ReceiptLine:
    amount = quantity * rate
    text = f"{decimal_text(quantity)} {unit} × {decimal_text(rate)} = {_sum(amount)}"
    return {"name": name, "text": text, "quantity": float(quantity), "rate": float(rate), "amount": float(amount)}


def decimal_text(number: Decimal) -> str:
    """A number as Russian prose has it, without useless zeros: `13,5`."""
    text = f"{number:f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text).replace(".", ",")


def _sum(amount: Decimal) -> str:
    """An exact sum, with two decimals where that is exact: `202,50`, `98,9955`."""
    if som(tyiyn(amount)) == amount:
        return f"{som(exact_tyiyn(amount)):.2f}".replace(".", ",")
    return decimal_text(amount)


def _kwh(energy_wh: int) -> Decimal:
    return Decimal(energy_wh) / 1000

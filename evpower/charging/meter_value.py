"""Readings of a meter, as integer Wh whatever the charger calls them (OCPP 1.6 §7.43; contract/ocpp-behaviour §5.3).

The records are named tuples: several are made for every message of every charger, and a frozen dataclass costs thrice.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import NamedTuple, Protocol

from evpower.identifiers import ConnectorId, WireTransactionId

#: A register beyond this (a million MWh) is a broken reading, not energy.
MAX_ENERGY_WH = 10**12
#: No charger delivers more than a megawatt; what claims to is recorded and not billed.
MAX_WH_PER_SECOND = 278
PLAUSIBLE_SLACK_S = 60


def plausible_energy_wh(elapsed_s: float) -> int:
    """The most energy anyone believes was delivered in this time, in Wh."""
    return int(MAX_WH_PER_SECOND * (elapsed_s + PLAUSIBLE_SLACK_S))


class SampledValue(Protocol):
    """One sampledValue as it stood on the wire, of any OCPP version; None where the charger said nothing."""

    @property
    def value(self) -> str: ...

    @property
    def measurand(self) -> str | None: ...

    @property
    def unit(self) -> str | None: ...

    @property
    def phase(self) -> str | None: ...

    @property
    def location(self) -> str | None: ...

    @property
    def format(self) -> str | None: ...


class Sample(NamedTuple):
    """What one meterValue says; a quantity that was not reported, or was nonsense, is None."""

    measured_at: datetime
    energy_wh: int | None = None
    power_w: float | None = None
    current_a: float | None = None
    voltage_v: float | None = None
    soc_percent: float | None = None
    temperature_c: float | None = None


class MeterReport(NamedTuple):
    """MeterValues: samples oldest first; `raw` is the meterValue array, byte for byte as sent."""

    connector_id: ConnectorId
    wire_transaction_id: WireTransactionId | None
    samples: tuple[Sample, ...]
    raw: bytes


DEFAULT_MEASURAND = "Energy.Active.Import.Register"
_FIELDS = {
    "Energy.Active.Import.Register": "energy_wh",
    "Power.Active.Import": "power_w",
    "Current.Import": "current_a",
    "Voltage": "voltage_v",
    "SoC": "soc_percent",
    "Temperature": "temperature_c",
}
_ZERO, _MOST = Decimal(0), Decimal(MAX_ENERGY_WH)
_KILO = frozenset({"kWh", "kW"})


def read_sample(measured_at: datetime, values: Iterable[SampledValue]) -> Sample:
    """Read one meterValue: a total beats per-phase values, phases of energy and power add up, nonsense is skipped.

    Signed data is never read as a number (duty 29); a negative register counts as nonsense.
    """
    totals: dict[str, Decimal] = {}
    phases: dict[str, list[Decimal]] = {}
    for sampled in values:
        field = _FIELDS.get(sampled.measurand or DEFAULT_MEASURAND)
        number = None if field is None else _number(sampled, field)
        if field is None or number is None:
            continue
        if sampled.phase is None:
            totals[field] = number
        else:
            phases.setdefault(field, []).append(number)
    for field, numbers in phases.items():
        adds_up = field in ("energy_wh", "power_w")
        totals.setdefault(field, sum(numbers, Decimal(0)) if adds_up else max(numbers))
    energy = totals.pop("energy_wh", None)
    energy_wh = None if energy is None else int(energy.to_integral_value(ROUND_HALF_UP))
    return Sample(measured_at, energy_wh, **{field: float(number) for field, number in totals.items()})


def _number(sampled: SampledValue, field: str) -> Decimal | None:
    is_energy = field == "energy_wh"
    if sampled.format == "SignedData" or (is_energy and sampled.location in ("Inlet", "EV")):
        return None
    try:
        number = Decimal(sampled.value.strip())
    except InvalidOperation:
        return None
    if not number.is_finite():
        return None
    if sampled.unit in _KILO:
        number *= 1000
    return number if (_ZERO if is_energy else -_MOST) <= number <= _MOST else None

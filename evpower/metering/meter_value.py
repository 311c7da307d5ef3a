"""Readings of a meter, as integer Wh whatever the station calls them (OCPP 1.6 §7.43; contract/ocpp-behaviour §5.3).

The records are named tuples: several are made for every message of every station, and a frozen dataclass costs thrice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from operator import attrgetter
from typing import NamedTuple, Protocol

from evpower.identifiers import ConnectorId, SessionId, WireTransactionId

#: A register beyond this (a million MWh) is a broken reading, not energy.
MAX_ENERGY_WH = 10**12


class SampledValue(Protocol):
    """One sampledValue as it was on the wire, of any OCPP version; None where the station sent none."""

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


class EventNumber(NamedTuple):
    """Under which number of its transaction a reading came, and when by its station (OCPP 2.0.1 §3 of ocpp201)."""

    seq_no: int
    occurred_at: datetime
    #: It was queued while the station had no line.
    offline: bool


class MeterReport(NamedTuple):
    """Readings: samples oldest first; `raw` is the list of them, byte for byte as sent."""

    connector_id: ConnectorId
    wire_transaction_id: WireTransactionId | None
    samples: tuple[Sample, ...]
    raw: bytes
    #: The standard's name of the message.
    reported_as: str = "readings"
    #: The meter has signed some of it (duty 29).
    signed: bool = False
    #: It may belong to a charge; else it is stored and bears on none (OCPP 2.0.1 J01).
    of_a_charge: bool = True
    #: Of a reading that is an event, and is kept as one in its row.
    number: EventNumber | None = None


DEFAULT_MEASURAND = "Energy.Active.Import.Register"
_ZERO, _MOST = Decimal(0), Decimal(MAX_ENERGY_WH)


class _Quantity(NamedTuple):
    """One measurand we read."""

    field: str
    least: Decimal = -_MOST
    #: By unit: what a number is multiplied by; in any other unit it is not read. None: shown as it is.
    factors: dict[str | None, int] | None = None
    #: The grid's side, the cabinet and the car have meters of their own, which are not the driver's (duty 29).
    at_the_outlet: bool = True


_QUANTITIES = {
    DEFAULT_MEASURAND: _Quantity("energy_wh", _ZERO, {None: 1, "Wh": 1, "kWh": 1000}),
    "Power.Active.Import": _Quantity("power_w", factors={None: 1, "W": 1, "kW": 1000}),
    "Current.Import": _Quantity("current_a"),
    "Voltage": _Quantity("voltage_v"),
    "SoC": _Quantity("soc_percent", at_the_outlet=False),
    "Temperature": _Quantity("temperature_c", at_the_outlet=False),
}
_OUTLET = (None, "", "Outlet", "Cable")
#: Where the register of the charge is when the message has none at the outlet.
_CABINET = "Body"
#: The two spellings of three phases. Between two phases (L1-L2) there is a voltage, but no energy of its own.
_PHASES = (("L1", "L2", "L3"), ("L1-N", "L2-N", "L3-N"))
#: Longer texts are no numbers of a meter.
_MOST_CHARS = 40

NOT_AT_THE_OUTLET = "not measured at the outlet"
NOT_A_NUMBER = "not a number of this kind"
ANOTHER_UNIT = "in another unit"
SOME_PHASES = "some phases without a total"


_measured_at = attrgetter("measured_at")


class _Skipped(Exception):
    """Why a value is not read."""


def read_samples(
    meter_values: Sequence[tuple[datetime, Sequence[SampledValue]]], skipped: Callable[[str], None]
) -> list[Sample]:
    """Read a message's meterValues, each with its time; a sample for each time, oldest first.

    Where the message has no register of the charge as a whole, the only phase it names is the whole, and so is what the
    cabinet measures: single-phase stations mark their one register L1, others Body (field ruling 3.4).
    """
    reasons: list[str] = []
    samples = [read_sample(at, values, reasons.append) for at, values in meter_values]
    if reasons and all(sample.energy_wh is None for sample in samples):
        reasons.clear()
        samples = _read_makeshift(meter_values, reasons.append)
    for reason in reasons:
        skipped(reason)
    samples.sort(key=_measured_at)
    return samples


def _read_makeshift(
    meter_values: Sequence[tuple[datetime, Sequence[SampledValue]]], skipped: Callable[[str], None]
) -> list[Sample]:
    """What was measured at one time is read together: phases may come in meterValues of their own."""
    by_time: dict[datetime, list[SampledValue]] = {}
    named = set()
    for at, values in meter_values:
        by_time.setdefault(at, []).extend(values)
        named |= {each.phase for each in values if (each.measurand or DEFAULT_MEASURAND) == DEFAULT_MEASURAND}
    only_phase = next(iter(named)) if len(named) == 1 else None
    return [read_sample(at, values, skipped, _Makeshift(only_phase)) for at, values in by_time.items()]


class _Makeshift(NamedTuple):
    """The message has no register of the charge as a whole."""

    #: The one phase all its registers are of, if so.
    only_phase: str | None


def read_sample(
    measured_at: datetime,
    values: Iterable[SampledValue],
    skipped: Callable[[str], None] = lambda _reason: None,
    makeshift: _Makeshift | None = None,
) -> Sample:
    """Read one meterValue; `skipped` is called with each value that has a name we read and cannot be believed.

    The highest of several registers counts (a list may hold those of the begin and the end). Without a total the
    register is the sum of all three phases, and of nothing less. Signed data is never read as a number (duty 29).
    """
    totals: dict[str, Decimal] = {}
    phases: dict[str, dict[str, Decimal]] = {}
    for sampled in values:
        measurand = sampled.measurand or DEFAULT_MEASURAND
        quantity = _QUANTITIES.get(measurand)
        if quantity is None or sampled.format == "SignedData":
            continue
        try:
            number = _number(sampled, quantity, at_cabinet=makeshift is not None)
        except _Skipped as why:
            skipped(f"{measurand}: {why}")
            continue
        field = quantity.field
        known, name = (phases.setdefault(field, {}), sampled.phase) if sampled.phase else (totals, field)
        known[name] = max(number, known.get(name, number)) if field == "energy_wh" else number
    for field in phases.keys() - totals.keys():
        total = _total(field, phases[field], makeshift and makeshift.only_phase)
        if total is not None:
            totals[field] = total
        elif field == "energy_wh":
            skipped(f"{DEFAULT_MEASURAND}: {SOME_PHASES}")
    energy = totals.pop("energy_wh", None)
    energy_wh = None if energy is None else int(energy.to_integral_value(ROUND_HALF_UP))
    return Sample(measured_at, energy_wh, **{field: float(number) for field, number in totals.items()})


def _number(sampled: SampledValue, quantity: _Quantity, *, at_cabinet: bool) -> Decimal:
    """The value in our unit. Raises _Skipped."""
    elsewhere = sampled.location not in _OUTLET and not (at_cabinet and sampled.location == _CABINET)
    if quantity.at_the_outlet and elsewhere:
        raise _Skipped(NOT_AT_THE_OUTLET)
    text = sampled.value
    if len(text) > _MOST_CHARS or "_" in text or not text.isascii():
        raise _Skipped(NOT_A_NUMBER)  # Decimal reads 1_000, and other alphabets' digits
    factors = quantity.factors
    factor = 1 if factors is None else factors.get(sampled.unit or None)
    if factor is None:
        raise _Skipped(ANOTHER_UNIT)
    try:
        number = Decimal(text)
        if not quantity.least <= number <= _MOST:
            raise _Skipped(NOT_A_NUMBER)
    except InvalidOperation:  # no number, or NaN, which compares with nothing
        raise _Skipped(NOT_A_NUMBER) from None
    if factor != 1:
        number *= factor
        if number > _MOST:
            raise _Skipped(NOT_A_NUMBER)
    return _celsius(number, sampled.unit) if sampled.unit in ("K", "Fahrenheit") else number


def _celsius(number: Decimal, unit: str) -> Decimal:
    """From kelvin or Fahrenheit."""
    return number - Decimal("273.15") if unit == "K" else (number - 32) * 5 / 9


def _total(field: str, by_phase: dict[str, Decimal], only_phase: str | None) -> Decimal | None:
    """What the phases say of the whole: energy and power add up, of current and voltage the highest is shown."""
    if field not in ("energy_wh", "power_w"):
        return max((number for phase, number in by_phase.items() if phase != "N"), default=None)
    for kind in _PHASES:
        there = [by_phase[phase] for phase in kind if phase in by_phase]
        # One phase alone may carry all the power there is; a register that lacks one is another register.
        if len(there) == len(kind) or (there and (field == "power_w" or only_phase in kind)):
            return sum(there, _ZERO)
    return None


class Progress(NamedTuple):
    """How far a running session came with this report."""

    session_id: SessionId
    wire_transaction_id: WireTransactionId
    energy_wh: int
    power_w: float | None
    #: When its start happened by the station's clock, and when it came.
    started_at: datetime
    received_at: datetime
    #: When the last believed register was measured by the station's clock, and when it came; without one, the start.
    measured_at: datetime | None
    register_at: datetime

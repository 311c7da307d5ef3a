"""Readings of OCPP 2.0.1 as `metering/meter_value.py` reads them: numbers with a multiplier (§2.46, §2.54)."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

import msgspec

from evpower.metering.meter_value import Sample
from evpower.ocpp.connected_station import ConnectedStation
from evpower.ocpp.shared import readings
from evpower.ocpp.v201 import messages

#: A multiplier beyond this is no unit of a meter.
MOST_PLACES = 12
NO_UNIT = "multiplier"


class Reading(msgspec.Struct, gc=False):
    """One sampledValue with its multiplier applied. Several are made for every reading: this kind costs a third."""

    value: str
    measurand: str | None
    unit: str | None
    phase: str | None
    location: str | None
    #: 2.0.1 signs beside the number, which stays one.
    format: str | None = None


def samples_of(station: ConnectedStation, meter_values: Iterable[messages.MeterValue]) -> tuple[Sample, ...]:
    """What the readings say, oldest first; what cannot be read is noted."""
    timed = [(value.timestamp, [_reading(sampled) for sampled in value.sampled_value]) for value in meter_values]
    return readings.samples_of(station, timed)


def is_signed(meter_values: Iterable[messages.MeterValue]) -> bool:
    """Whether the meter has signed any of it."""
    return any(each.signed_meter_value is not None for value in meter_values for each in value.sampled_value)


def _reading(sampled: messages.SampledValue) -> Reading:
    unit, value = sampled.unit_of_measure, repr(sampled.value)
    if unit is None:
        return Reading(value, sampled.measurand, None, sampled.phase, sampled.location)
    if unit.multiplier:
        if abs(unit.multiplier) > MOST_PLACES:
            return Reading(value, sampled.measurand, NO_UNIT, sampled.phase, sampled.location)
        value = f"{Decimal(value).scaleb(unit.multiplier):f}"
    return Reading(value, sampled.measurand, unit.unit, sampled.phase, sampled.location)

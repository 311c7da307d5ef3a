"""Readings in a message of a station: byte for byte, and as samples."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from evpower.metering.meter_value import Sample, SampledValue, read_samples
from evpower.ocpp.connected_station import ConnectedStation
from evpower.ocpp.watch.oddities import Kind
from evpower.ocpp.wire.times import utc


class _RawMeterValues(msgspec.Struct):
    meterValue: msgspec.Raw = msgspec.Raw(b"[]")  # OCPP's own name


_raw_meter_values = msgspec.json.Decoder(_RawMeterValues).decode


def raw_readings(payload: bytes) -> bytes:
    """What was sent as readings; of a payload that is no object, all of it."""
    try:
        return bytes(_raw_meter_values(payload).meterValue)
    except msgspec.DecodeError:
        return payload


def samples_of(
    station: ConnectedStation, meter_values: Iterable[tuple[datetime | None, Sequence[SampledValue]]]
) -> tuple[Sample, ...]:
    """What they say, oldest first; what cannot be read is noted. One without a time was measured when it came."""
    note = station.connection.oddities.note

    def skipped(why: str) -> None:
        note(Kind.SKIPPED_READING, why)

    received_at = station.connection.last_seen_at
    timed = [(received_at if at is None else utc(at), sampled) for at, sampled in meter_values]
    return tuple(read_samples(timed, skipped))

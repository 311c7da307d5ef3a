"""Stored messages of OCPP 2.0.1 read again: an end that matched nothing, and what meters signed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from evpower.charging.transaction import ParkedStop
from evpower.history.evidence import SignedValue
from evpower.ocpp.shared.stored import REASON_CHARS_MAX, sampled_values, signed_value, stored_moment


def read_stop(action: str, payload: str) -> ParkedStop | None:
    """Time and reason of an end; a person gives its register. None for another message."""
    if action != "TransactionEvent":
        return None
    event = _object(payload)
    info = event.get("transactionInfo")
    reason = info.get("stoppedReason") if isinstance(info, dict) else None
    if event.get("eventType") != "Ended":
        return None
    return ParkedStop(None, stored_moment(event.get("timestamp")), str(reason or "Local")[:REASON_CHARS_MAX])


def _object(payload: str) -> dict[str, Any]:
    try:
        decoded = msgspec.json.decode(payload)
    except msgspec.DecodeError:
        return {}
    return decoded if isinstance(decoded, dict) else {}


def signed_values(meter_values: bytes | str) -> Iterator[SignedValue]:
    """The signed ones of a message's meterValue list, or of an event; of what is neither, none."""
    for sampled in sampled_values(meter_values, "meterValue"):
        meter = sampled.get("signedMeterValue")
        if isinstance(meter, dict) and (signed := signed_value(sampled.get("context"), meter.get("signedMeterData"))):
            yield signed

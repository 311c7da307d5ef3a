"""Stored messages of OCPP 1.6 read again: a parked stop (duty 23), and what meters signed, for no bill (duty 29)."""

from __future__ import annotations

import json
from collections.abc import Iterator

from evpower.charging.transaction import ParkedStop
from evpower.history.evidence import SignedValue
from evpower.metering.meter_value import MAX_ENERGY_WH
from evpower.ocpp.shared.stored import REASON_CHARS_MAX, sampled_values, signed_value, stored_moment


def read_stop(action: str, payload: str) -> ParkedStop | None:
    """Register, time and reason; None for another message."""
    if action != "StopTransaction":
        return None
    stop = json.loads(payload)
    if not isinstance(stop, dict):
        return ParkedStop(None, None, "Local")
    meter_wh = stop.get("meterStop")
    believed = isinstance(meter_wh, int) and 0 <= meter_wh <= MAX_ENERGY_WH
    reason = str(stop.get("reason") or "Local")[:REASON_CHARS_MAX]
    return ParkedStop(meter_wh if believed else None, stored_moment(stop.get("timestamp")), reason)


def signed_values(meter_values: bytes | str) -> Iterator[SignedValue]:
    """The signed ones of a message's meterValue list; of what is no such list, none."""
    for sampled in sampled_values(meter_values, "transactionData"):
        signed = sampled.get("format") == "SignedData" and signed_value(sampled.get("context"), sampled.get("value"))
        if signed:
            yield signed

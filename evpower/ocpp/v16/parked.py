"""Stored messages of OCPP 1.6 read again: a parked stop (duty 23), and what meters signed, for no bill (duty 29)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from evpower.charging.transaction import ParkedStop
from evpower.history.evidence import SignedValue
from evpower.metering.meter_value import MAX_ENERGY_WH

REASON_CHARS_MAX = 50


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
    return ParkedStop(meter_wh if believed else None, _moment(stop.get("timestamp")), reason)


def _moment(text: Any) -> datetime | None:
    """One without a zone is UTC."""
    try:
        moment = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def signed_values(meter_values: bytes | str) -> Iterator[SignedValue]:
    """The signed ones of a message's meterValue list; of what is no such list, none."""
    try:
        decoded = msgspec.json.decode(meter_values)
    except msgspec.DecodeError:
        return
    if isinstance(decoded, dict):
        decoded = decoded.get("transactionData")
    for each in _objects(decoded):
        for sampled in _objects(each.get("sampledValue")):
            value, context = sampled.get("value"), sampled.get("context")
            if sampled.get("format") == "SignedData" and isinstance(value, str) and "\0" not in value:
                yield SignedValue(context if isinstance(context, str) and "\0" not in context else None, value)


def _objects(value: object) -> Sequence[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []

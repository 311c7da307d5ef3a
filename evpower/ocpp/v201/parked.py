"""Stored messages of OCPP 2.0.1 read again: an end that matched nothing, and what meters signed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from evpower.charging.transaction import ParkedStop
from evpower.history.evidence import SignedValue

REASON_CHARS_MAX = 50


def read_stop(action: str, payload: str) -> ParkedStop | None:
    """Time and reason of an end; a person gives its register. None for another message."""
    if action != "TransactionEvent":
        return None
    event = _object(payload)
    info = event.get("transactionInfo")
    reason = info.get("stoppedReason") if isinstance(info, dict) else None
    if event.get("eventType") != "Ended":
        return None
    return ParkedStop(None, _moment(event.get("timestamp")), str(reason or "Local")[:REASON_CHARS_MAX])


def _object(payload: str) -> dict[str, Any]:
    try:
        decoded = msgspec.json.decode(payload)
    except msgspec.DecodeError:
        return {}
    return decoded if isinstance(decoded, dict) else {}


def _moment(text: Any) -> datetime | None:
    """One without a zone is UTC."""
    try:
        moment = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def signed_values(meter_values: bytes | str) -> Iterator[SignedValue]:
    """The signed ones of a message's meterValue list, or of an event; of what is neither, none."""
    try:
        decoded = msgspec.json.decode(meter_values)
    except msgspec.DecodeError:
        return
    if isinstance(decoded, dict):
        decoded = decoded.get("meterValue")
    for each in _objects(decoded):
        for sampled in _objects(each.get("sampledValue")):
            signed, context = sampled.get("signedMeterValue"), sampled.get("context")
            data = signed.get("signedMeterData") if isinstance(signed, dict) else None
            if isinstance(data, str) and "\0" not in data:
                yield SignedValue(context if isinstance(context, str) and "\0" not in context else None, data)


def _objects(value: object) -> Sequence[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []

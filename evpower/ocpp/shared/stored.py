"""Messages that were stored as they came, read again: what both versions of OCPP have in common of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from evpower.history.evidence import SignedValue

REASON_CHARS_MAX = 50


def stored_moment(text: Any) -> datetime | None:
    """One without a zone is UTC; None of what is no time."""
    try:
        moment = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def sampled_values(meter_values: bytes | str, key: str) -> Iterator[dict[str, Any]]:
    """Each sampledValue of a meterValue list, or of a message that has one under `key`; of what is neither, none."""
    try:
        decoded = msgspec.json.decode(meter_values)
    except msgspec.DecodeError:
        return
    if isinstance(decoded, dict):
        decoded = decoded.get(key)
    for each in _objects(decoded):
        yield from _objects(each.get("sampledValue"))


def signed_value(context: object, data: object) -> SignedValue | None:
    """What a meter signed; None of what PostgreSQL could not store, or is no text."""
    if not isinstance(data, str) or "\0" in data:
        return None
    return SignedValue(context if isinstance(context, str) and "\0" not in context else None, data)


def _objects(value: object) -> Sequence[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []

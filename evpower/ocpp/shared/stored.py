"""Messages that were stored as they came, read again: what both versions of OCPP have in common of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from evpower.history.evidence import SignedValue
from evpower.power.at_station.schedules import ForeignSchedule

REASON_CHARS_MAX = 50
_REPEATS = {"Daily": timedelta(days=1), "Weekly": timedelta(days=7)}


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


def read_schedules(written: object, since: datetime) -> Sequence[ForeignSchedule]:
    """Those of a profile (1.6 §7.8 has one, 2.0.1 §2.11 several), or one alone; one without a begin began at `since`.

    What cannot be read limits nothing here: the station itself obeys it all the same.
    """
    return list(_read(written, since)) if isinstance(written, Mapping) else []


def _read(written: Mapping[str, Any], since: datetime) -> Iterator[ForeignSchedule]:
    within, until = written.get("chargingSchedule", written), stored_moment(written.get("validTo"))
    repeats = _REPEATS.get(written.get("recurrencyKind", "")) if _is_recurring(written) else None
    for each in within if isinstance(within, list) else [within]:
        periods = _periods(each) if isinstance(each, Mapping) and each.get("chargingRateUnit") in ("A", "W") else ()
        if not periods:
            continue
        begins_at = stored_moment(each.get("startSchedule")) or since
        lasts = timedelta(seconds=each["duration"]) if _is_number(each.get("duration")) else None
        if until is not None and repeats is None:
            lasts = min(lasts or until - begins_at, until - begins_at)
        yield ForeignSchedule(each["chargingRateUnit"], periods, begins_at, lasts, repeats)


def _is_recurring(written: Mapping[str, Any]) -> bool:
    return written.get("chargingProfileKind") == "Recurring"


def _periods(schedule: Mapping[str, Any]) -> tuple[tuple[float, float], ...]:
    periods = schedule.get("chargingSchedulePeriod")
    if not isinstance(periods, list):
        return ()
    read = [
        (float(each["startPeriod"]), float(each["limit"]))
        for each in periods
        if isinstance(each, Mapping) and _is_number(each.get("startPeriod")) and _is_number(each.get("limit"))
    ]
    return tuple(sorted(read))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)

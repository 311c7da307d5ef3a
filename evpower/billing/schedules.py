"""Schedules of rates, and steps of a bill, as JSON columns have them: decimals are exact."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal

import msgspec

from evpower.billing.rates import RateStep, ScheduledRate


class _Stored(msgspec.Struct):
    starts_at: datetime = msgspec.field(name="from")
    rate_per_kwh: Decimal


_encode = msgspec.json.Encoder(decimal_format="number").encode
_schedule = msgspec.json.Decoder(list[_Stored])
_steps = msgspec.json.Decoder(list[tuple[int, Decimal]])


def schedule_stored(schedule: Sequence[ScheduledRate]) -> str | None:
    """What `read_schedule` reads, `[{from, rate_per_kwh}]`; None for none."""
    if not schedule:
        return None
    return _encode([_Stored(each.starts_at.astimezone(UTC), each.per_kwh) for each in schedule]).decode()


def read_schedule(stored: str | None) -> tuple[ScheduledRate, ...]:
    """The schedule of `pricing_history.rate_schedule` as text."""
    if stored is None:
        return ()
    return tuple(ScheduledRate(each.starts_at, each.rate_per_kwh) for each in _schedule.decode(stored))


def steps_stored(steps: Sequence[RateStep]) -> str | None:
    """What `read_steps` reads, `[[from Wh, rate]]`; None for none."""
    return _encode(list(steps)).decode() if steps else None


def read_steps(stored: str | None) -> tuple[RateStep, ...]:
    """The steps of `receipts.rate_steps` as text."""
    return () if stored is None else tuple(RateStep(*each) for each in _steps.decode(stored))

"""The rates of a session's rows: the price frozen with its start, and its energy at the moments when a rate began."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from evpower.billing.rates import Rates, RateStep, ScheduledRate
from evpower.metering.boundaries import boundaries_of, crossings


class _Scheduled(msgspec.Struct):
    starts_at: datetime = msgspec.field(name="from")
    rate_per_kwh: Decimal


_schedule = msgspec.json.Decoder(list[_Scheduled])
_steps = msgspec.json.Decoder(list[tuple[int, Decimal]])
_encode = msgspec.json.Encoder(decimal_format="number").encode

#: SQL of `rates_of`, of a session `s`.
RATES_COLUMNS = """
    s.rate_per_kwh, s.rate_per_minute, s.session_fee,
    (SELECT h.rate_schedule::text FROM public.pricing_history h WHERE h.id = s.pricing_history_id) AS rate_schedule,
    (SELECT b.rate_boundaries FROM evpower.ocpp_transactions b WHERE b.charging_session_id = s.id
     ORDER BY b.id LIMIT 1) AS rate_boundaries"""


def rates_of(row: Mapping[str, Any]) -> Rates:
    """What a session is billed by, of a row that has `RATES_COLUMNS`: with the steps that its readings have passed."""
    rates = Rates(row["rate_per_kwh"], row["rate_per_minute"], row["session_fee"])
    passed = crossings(boundaries_of(row["rate_boundaries"]))
    return rates.stepped(read_schedule(row["rate_schedule"]), (each.at.energy_wh for each in passed))


def take_rates(row: dict[str, Any]) -> Rates:
    """The same, with its columns taken out of the row."""
    rates = rates_of(row)
    for name in ("rate_per_kwh", "rate_per_minute", "session_fee", "rate_schedule", "rate_boundaries"):
        del row[name]
    return rates


def read_schedule(stored: str | None) -> tuple[ScheduledRate, ...]:
    """The schedule of `pricing_history.rate_schedule` as text; decimals are exact."""
    if stored is None:
        return ()
    return tuple(ScheduledRate(each.starts_at, each.rate_per_kwh) for each in _schedule.decode(stored))


def steps_stored(steps: Sequence[RateStep]) -> str | None:
    """What `read_steps` reads, `[[from Wh, rate]]`; None for none."""
    return _encode(list(steps)).decode() if steps else None


def read_steps(stored: str | None) -> tuple[RateStep, ...]:
    """The steps of `receipts.rate_steps` as text."""
    return () if stored is None else tuple(RateStep(*each) for each in _steps.decode(stored))

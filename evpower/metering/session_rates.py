"""The rates of a session's rows: the price frozen with its start, and its energy at the moments when a rate began."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

import msgspec

from evpower.billing.rates import Rates, RateStep, ScheduledRate
from evpower.metering.boundaries import Boundary, boundaries_of, crossings


class _Scheduled(msgspec.Struct):
    starts_at: datetime = msgspec.field(name="from")
    rate_per_kwh: Decimal


class _Moving(msgspec.Struct):
    schedule: list[_Scheduled]
    boundaries: list[dict[str, Any]] | None


class MovingPrice(NamedTuple):
    """The rates of a session's hours, and its energy at the moments at which they begin; both empty where the price of
    the start holds."""

    schedule: tuple[ScheduledRate, ...] = ()
    boundaries: tuple[Boundary, ...] = ()


_moving = msgspec.json.Decoder(_Moving)
_steps = msgspec.json.Decoder(list[tuple[int, Decimal]])
_encode = msgspec.json.Encoder(decimal_format="number").encode

#: SQL of `rates_of`, of a session `s`. Most prices do not move: of those its transaction is not looked at.
RATES_COLUMNS = """
    s.rate_per_kwh, s.rate_per_minute, s.session_fee,
    (SELECT jsonb_build_object('schedule', h.rate_schedule, 'boundaries', (
                SELECT b.rate_boundaries FROM evpower.ocpp_transactions b WHERE b.charging_session_id = s.id
                ORDER BY b.id LIMIT 1))::text
     FROM public.pricing_history h
     WHERE h.id = s.pricing_history_id AND h.rate_schedule IS NOT NULL) AS moving_price"""


def moving_price(row: Mapping[str, Any]) -> MovingPrice:
    """Of a row that has `RATES_COLUMNS`; decimals are exact."""
    if row["moving_price"] is None:
        return MovingPrice()
    stored = _moving.decode(row["moving_price"])
    schedule = tuple(ScheduledRate(each.starts_at, each.rate_per_kwh) for each in stored.schedule)
    return MovingPrice(schedule, boundaries_of(stored.boundaries))


def rates_of(row: Mapping[str, Any]) -> Rates:
    """What a session is billed by, of a row that has `RATES_COLUMNS`: with the steps that its readings have passed."""
    rates = Rates(row["rate_per_kwh"], row["rate_per_minute"], row["session_fee"])
    schedule, boundaries = moving_price(row)
    return rates.stepped(schedule, (each.at.energy_wh for each in crossings(boundaries))) if schedule else rates


def take_rates(row: dict[str, Any]) -> Rates:
    """The same, with its columns taken out of the row."""
    rates = rates_of(row)
    for name in ("rate_per_kwh", "rate_per_minute", "session_fee", "moving_price"):
        del row[name]
    return rates


def steps_stored(steps: Sequence[RateStep]) -> str | None:
    """What `read_steps` reads, `[[from Wh, rate]]`; None for none."""
    return _encode(list(steps)).decode() if steps else None


def read_steps(stored: str | None) -> tuple[RateStep, ...]:
    """The steps of `receipts.rate_steps` as text."""
    return () if stored is None else tuple(RateStep(*each) for each in _steps.decode(stored))

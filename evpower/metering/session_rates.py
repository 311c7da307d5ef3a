"""The rates of a session's rows: the price frozen with its start, and its energy at the moments when a rate began."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evpower.billing.rates import Rates
from evpower.billing.schedules import read_schedule
from evpower.metering.boundaries import boundaries_of, crossings

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

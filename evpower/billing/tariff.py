"""Wh and seconds → money, and which price applies (billing-rules §7)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal


@dataclass(frozen=True)
class Price:
    """The price a start at this moment uses; rates are som per unit, exact decimals."""

    rate_per_kwh: Decimal
    rate_per_minute: Decimal
    session_fee: Decimal
    parking_fee_per_minute: Decimal
    active_rule: str
    rule_details: dict[str, object]
    time_based: bool
    next_rate_change: datetime | None
    tariff_plan_id: str | None
    rule_id: str | None

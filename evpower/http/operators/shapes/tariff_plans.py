"""Tariff plans with their rules as administrators read them; null is a value that is not set."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import NotRequired, TypedDict

from evpower.administration.records import TariffPlanRecord, TariffRuleRecord
from evpower.billing.tariff import BillingMode


class TariffPlanBody(TypedDict):
    """One plan, its rules that count first before the others."""

    id: str
    name: str
    description: str | None
    is_default: bool
    is_active: bool
    created_at: datetime
    updated_at: datetime
    stations_count: int
    rules: list[TariffRuleBody]
    #: Not where a charge keeps the price of its start.
    billing_mode: NotRequired[BillingMode]
    #: What it takes for a place that is kept; only what is set.
    parking_grace_minutes: NotRequired[int]
    parking_cap: NotRequired[Decimal]
    only_above_occupancy: NotRequired[int]
    parking_quiet_from: NotRequired[str]
    parking_quiet_until: NotRequired[str]


def plan_body(plan: TariffPlanRecord) -> TariffPlanBody:
    """One plan, its rules that count first before the others."""
    body: TariffPlanBody = {
        "id": plan.id,
        "name": plan.name,
        "description": plan.description,
        "is_default": plan.is_default,
        "is_active": plan.is_active,
        "created_at": plan.created_at,
        "updated_at": plan.updated_at,
        "stations_count": plan.stations_count,
        "rules": [_rule(each) for each in plan.rules],
    }
    if plan.billing_mode != "snapshot":
        body["billing_mode"] = plan.billing_mode
    if plan.parking_grace_minutes is not None:
        body["parking_grace_minutes"] = plan.parking_grace_minutes
    if plan.parking_cap is not None:
        body["parking_cap"] = plan.parking_cap
    if plan.only_above_occupancy is not None:
        body["only_above_occupancy"] = plan.only_above_occupancy
    if plan.parking_quiet_from is not None:
        body["parking_quiet_from"] = plan.parking_quiet_from.isoformat()
    if plan.parking_quiet_until is not None:
        body["parking_quiet_until"] = plan.parking_quiet_until.isoformat()
    return body


class TariffRuleBody(TypedDict):
    """A price and when it applies."""

    id: str
    name: str
    description: str | None
    tariff_type: str
    price: float
    currency: str
    connector_type: str
    power_range_min: float
    power_range_max: float
    time_start: str | None
    time_end: str | None
    days_of_week: list[int] | None
    is_weekend: bool | None
    priority: int
    is_active: bool
    valid_from: str | None
    valid_until: str | None
    min_duration_minutes: int | None
    max_duration_minutes: int | None


def _rule(rule: TariffRuleRecord) -> TariffRuleBody:
    return {
        "id": rule.id,
        "name": rule.name,
        "description": rule.description,
        "tariff_type": rule.tariff_type,
        "price": rule.price,
        "currency": rule.currency,
        "connector_type": rule.connector_type,
        "power_range_min": rule.power_range_min,
        "power_range_max": rule.power_range_max,
        "time_start": rule.time_start,
        "time_end": rule.time_end,
        "days_of_week": rule.days_of_week,
        "is_weekend": rule.is_weekend,
        "priority": rule.priority,
        "is_active": rule.is_active,
        "valid_from": rule.valid_from,
        "valid_until": rule.valid_until,
        "min_duration_minutes": rule.min_duration_minutes,
        "max_duration_minutes": rule.max_duration_minutes,
    }

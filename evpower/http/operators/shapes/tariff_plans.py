"""Tariff plans with their rules as administrators read them; null is a value that is not set."""

from __future__ import annotations

from evpower.administration.records import TariffPlanRecord, TariffRuleRecord
from evpower.http.wire.values import Body


def plan_body(plan: TariffPlanRecord) -> Body:
    """One plan, its rules that count first before the others."""
    return {
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


def _rule(rule: TariffRuleRecord) -> Body:
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

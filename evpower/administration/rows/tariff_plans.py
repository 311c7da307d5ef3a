"""Rows of tariff plans with their rules, as administrators see and change them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from evpower.administration.records import TariffPlanRecord, TariffRuleRecord
from evpower.db.connection import Conn

READ_PLANS = """
SELECT p.id, p.name, p.description, p.is_default, p.is_active, p.billing_mode, p.parking_grace_minutes, p.parking_cap,
       p.only_above_occupancy, p.parking_quiet_from, p.parking_quiet_until, p.created_at, p.updated_at,
       (SELECT count(*) FROM public.stations s WHERE s.tariff_plan_id = p.id) AS stations_count,
       coalesce(json_agg(json_build_object(
           'id', r.id, 'name', r.name, 'description', r.description, 'tariff_type', r.tariff_type, 'price', r.price,
           'currency', r.currency, 'connector_type', r.connector_type, 'power_range_min', r.power_range_min,
           'power_range_max', r.power_range_max, 'time_start', r.time_start, 'time_end', r.time_end,
           'days_of_week', r.days_of_week, 'is_weekend', r.is_weekend, 'priority', r.priority,
           'is_active', r.is_active, 'valid_from', r.valid_from, 'valid_until', r.valid_until,
           'min_duration_minutes', r.min_duration_minutes, 'max_duration_minutes', r.max_duration_minutes)
           ORDER BY r.priority DESC, r.id) FILTER (WHERE r.id IS NOT NULL), '[]') AS rules
FROM public.tariff_plans p LEFT JOIN public.tariff_rules r ON r.tariff_plan_id = p.id
WHERE %(id)s::text IS NULL OR p.id = %(id)s
GROUP BY p.id ORDER BY p.id
"""

KNOWN_PLAN = "SELECT id, name FROM public.tariff_plans WHERE id = %(id)s"
KNOWN_RULES = "SELECT id, tariff_plan_id, name, tariff_type, price FROM public.tariff_rules WHERE id = ANY(%(ids)s)"


@dataclass(frozen=True)
class KnownPlan:
    """What every row of a plan has."""

    id: str
    name: str


@dataclass(frozen=True)
class KnownRule:
    """What every row of a rule has."""

    id: str
    tariff_plan_id: str
    name: str
    tariff_type: str
    price: Decimal


async def read_plans(conn: Conn, plan_id: str | None = None) -> tuple[TariffPlanRecord, ...]:
    """Every plan with its rules, by id, or one of them."""
    rows = await (await conn.execute(READ_PLANS, {"id": plan_id})).fetchall()
    return tuple(_plan(**row) for row in rows)


def _plan(*, rules: list[dict[str, Any]], **row: Any) -> TariffPlanRecord:
    return TariffPlanRecord(**row, rules=tuple(TariffRuleRecord(**each) for each in rules))


async def known_plan(conn: Conn, plan_id: str) -> KnownPlan | None:
    """The plan, when there is one."""
    row = await (await conn.execute(KNOWN_PLAN, {"id": plan_id})).fetchone()
    return None if row is None else KnownPlan(**row)


async def known_rules(conn: Conn, ids: Sequence[str]) -> dict[str, KnownRule]:
    """Those of these rules that there are, of any plan, by id."""
    rows = await (await conn.execute(KNOWN_RULES, {"ids": list(ids)})).fetchall()
    return {row["id"]: KnownRule(**row) for row in rows}

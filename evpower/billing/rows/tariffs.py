"""The rows a price is chosen from (billing-rules §7)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
from psycopg.types.json import Jsonb

from evpower.billing.rates import ScheduledRate
from evpower.billing.tariff import ClientTariff, ParkingRules, Price, PriceBook, Rule
from evpower.db.connection import Conn
from evpower.identifiers import ClientId, ConnectorId, SessionId, StationId
from evpower.money import exact_tyiyn

#: How long a driver has from the notice on, where a plan says nothing (smart-charging §6).
GRACE_MINUTES = 20
PARKING = ("parking_grace_minutes", "parking_cap", "only_above_occupancy", "parking_quiet_from", "parking_quiet_until")

# With the client's own agreement, where there is one.
READ_CONNECTOR_PRICE = """
SELECT s.price_per_kwh, s.session_fee, s.tariff_plan_id, c.connector_type,
       coalesce(c.power_kw, s.power_capacity) AS power_kw, t.client_id IS NOT NULL AS agreed,
       t.tariff_plan_id AS agreed_plan_id, t.discount_percent, t.fixed_rate_per_kwh, t.fixed_rate_per_minute,
       t.session_fee AS agreed_fee
FROM public.stations s
LEFT JOIN public.connectors c ON c.station_id = s.id
      AND (%(connector_id)s::int IS NULL OR c.connector_number = %(connector_id)s)
LEFT JOIN LATERAL (
    SELECT client_id, tariff_plan_id, discount_percent, fixed_rate_per_kwh, fixed_rate_per_minute, session_fee
    FROM public.client_tariffs
    WHERE client_id = %(client_id)s AND is_active AND valid_from <= %(at)s
      AND (valid_until IS NULL OR valid_until > %(at)s)
    ORDER BY valid_from DESC, created_at DESC LIMIT 1) t ON true
WHERE s.id = %(station_id)s ORDER BY c.connector_number LIMIT 1
"""

READ_STATION_PRICES = """
SELECT DISTINCT ON (s.id) s.id AS station_id, s.price_per_kwh, s.session_fee, s.tariff_plan_id, c.connector_type,
       coalesce(c.power_kw, s.power_capacity) AS power_kw
FROM public.stations s LEFT JOIN public.connectors c ON c.station_id = s.id
WHERE s.id = ANY(%(station_ids)s) ORDER BY s.id, c.connector_number
"""

READ_RULES = """
SELECT r.id, r.tariff_plan_id, r.name, r.tariff_type, r.price, r.connector_type, r.power_range_min, r.power_range_max,
       r.time_start, r.time_end, r.days_of_week, r.is_weekend, r.priority, r.valid_from, r.valid_until, r.created_at,
       p.billing_mode, p.parking_grace_minutes, p.parking_cap, p.only_above_occupancy, p.parking_quiet_from,
       p.parking_quiet_until
FROM public.tariff_rules r JOIN public.tariff_plans p ON p.id = r.tariff_plan_id
WHERE r.tariff_plan_id = ANY(%(plan_ids)s) AND r.is_active AND p.is_active
"""

INSERT_PRICING_HISTORY = """
INSERT INTO public.pricing_history
    (session_id, station_id, tariff_plan_id, rule_id, calculation_time, rate_per_kwh, rate_per_minute, session_fee,
     parking_fee_per_minute, currency, rule_name, rule_details, rate_schedule)
VALUES (%(session_id)s, %(station_id)s, %(tariff_plan_id)s, %(rule_id)s, %(at)s, %(rate_per_kwh)s, %(rate_per_minute)s,
        %(session_fee)s, %(parking_fee_per_minute)s, 'KGS', %(rule_name)s, %(rule_details)s, %(rate_schedule)s::jsonb)
RETURNING id
"""


async def read_price_book(
    conn: Conn,
    station_id: StationId,
    connector_id: ConnectorId | None,
    client_id: ClientId | None,
    at: datetime,
    default_rate: Decimal,
) -> PriceBook:
    """Everything the price of a connector (None: the station's first) for a client (None: no client) is chosen from."""
    asked = {"station_id": station_id, "connector_id": connector_id, "client_id": client_id, "at": at}
    row = await (await conn.execute(READ_CONNECTOR_PRICE, asked)).fetchone()
    if row is None:
        raise LookupError(f"station {station_id} does not exist")
    plan_id, agreed_plan_id = row["tariff_plan_id"], row["agreed_plan_id"]
    rules = await _rules(conn, [plan_id, agreed_plan_id])
    agreement = _agreement(row, rules.get(agreed_plan_id, ())) if row["agreed"] else None
    return _book(row, rules.get(plan_id, ()), default_rate, agreement)


async def read_shown_books(
    conn: Conn, station_ids: Sequence[StationId], default_rate: Decimal
) -> dict[StationId, PriceBook]:
    """What the public price of each station's first connector is chosen from; an unknown station has none."""
    cursor = await conn.execute(READ_STATION_PRICES, {"station_ids": list(station_ids)})
    rows = await cursor.fetchall()
    rules = await _rules(conn, sorted({row["tariff_plan_id"] for row in rows} - {None}))
    return {row["station_id"]: _book(row, rules.get(row["tariff_plan_id"], ()), default_rate, None) for row in rows}


def _book(
    row: dict[str, Any], rules: tuple[Rule, ...], default_rate: Decimal, client_tariff: ClientTariff | None
) -> PriceBook:
    return PriceBook(
        connector_type=row["connector_type"] or "",
        power_kw=row["power_kw"],
        default_rate=default_rate,
        station_rate=row["price_per_kwh"],
        station_fee=row["session_fee"],
        station_rules=rules,
        client_tariff=client_tariff,
    )


def _agreement(row: dict[str, Any], rules: tuple[Rule, ...]) -> ClientTariff:
    return ClientTariff(
        tariff_plan_id=row["agreed_plan_id"],
        discount_percent=row["discount_percent"],
        fixed_rate_per_kwh=row["fixed_rate_per_kwh"],
        fixed_rate_per_minute=row["fixed_rate_per_minute"],
        session_fee=row["agreed_fee"],
        rules=rules,
    )


async def _rules(conn: Conn, plan_ids: Sequence[str | None]) -> dict[str | None, tuple[Rule, ...]]:
    """The active rules of each active plan."""
    if not any(plan_ids):
        return {}
    rows = await (await conn.execute(READ_RULES, {"plan_ids": list(plan_ids)})).fetchall()
    rules: dict[str | None, list[Rule]] = {}
    for row in rows:
        row["days_of_week"] = None if row["days_of_week"] is None else tuple(row["days_of_week"])
        rules.setdefault(row["tariff_plan_id"], []).append(Rule(parking=_take_parking(row), **row))
    return {plan_id: tuple(found) for plan_id, found in rules.items()}


_encode = msgspec.json.Encoder(decimal_format="number").encode


def schedule_stored(schedule: Sequence[ScheduledRate]) -> str | None:
    """What `metering.session_rates` reads, `[{from, rate_per_kwh}]`, to the last digit; None for none."""
    rates = [{"from": each.starts_at.astimezone(UTC), "rate_per_kwh": each.per_kwh} for each in schedule]
    return _encode(rates).decode() if rates else None


def _take_parking(row: dict[str, Any]) -> ParkingRules | None:
    """What its plan takes for a place, out of the row of a rule; a plan without a cap takes nothing."""
    grace, cap, occupancy, quiet_from, quiet_until = (row.pop(name) for name in PARKING)
    if cap is None:
        return None
    return ParkingRules(GRACE_MINUTES if grace is None else grace, exact_tyiyn(cap), occupancy, quiet_from, quiet_until)


async def record_price(conn: Conn, session_id: SessionId, station_id: StationId, price: Price, at: datetime) -> int:
    """Write the price a start used into `pricing_history`; its row id."""
    row = await (
        await conn.execute(
            INSERT_PRICING_HISTORY,
            {
                "session_id": session_id,
                "station_id": station_id,
                "tariff_plan_id": price.tariff_plan_id,
                "rule_id": price.rule_id,
                "at": at,
                "rate_per_kwh": price.rate_per_kwh,
                "rate_per_minute": price.rate_per_minute,
                "session_fee": price.session_fee,
                "parking_fee_per_minute": price.parking_fee_per_minute,
                "rule_name": price.active_rule,
                "rule_details": Jsonb(price.rule_details),
                "rate_schedule": schedule_stored(price.schedule),
            },
        )
    ).fetchone()
    assert row is not None
    return int(row["id"])

"""The rows a price is chosen from (billing-rules §7)."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from psycopg import AsyncConnection
from psycopg.types.json import Jsonb

from evpower.billing.tariff import ClientTariff, Price, PriceBook, Rule
from evpower.identifiers import ClientId, ConnectorId, SessionId, StationId

READ_CONNECTOR_PRICE = """
SELECT s.price_per_kwh, s.session_fee, s.tariff_plan_id, c.connector_type,
       coalesce(c.power_kw, s.power_capacity) AS power_kw
FROM public.stations s
LEFT JOIN public.connectors c ON c.station_id = s.id
      AND (%(connector_id)s::int IS NULL OR c.connector_number = %(connector_id)s)
WHERE s.id = %(station_id)s ORDER BY c.connector_number LIMIT 1
"""

READ_CLIENT_TARIFF = """
SELECT tariff_plan_id, discount_percent, fixed_rate_per_kwh, fixed_rate_per_minute, session_fee
FROM public.client_tariffs
WHERE client_id = %(client_id)s AND is_active AND valid_from <= %(at)s AND (valid_until IS NULL OR valid_until > %(at)s)
ORDER BY valid_from DESC, created_at DESC LIMIT 1
"""

READ_RULES = """
SELECT r.id, r.tariff_plan_id, r.name, r.tariff_type, r.price, r.connector_type, r.power_range_min, r.power_range_max,
       r.time_start, r.time_end, r.days_of_week, r.is_weekend, r.priority, r.valid_from, r.valid_until, r.created_at
FROM public.tariff_rules r JOIN public.tariff_plans p ON p.id = r.tariff_plan_id
WHERE r.tariff_plan_id = %(plan_id)s AND r.is_active AND p.is_active
"""

INSERT_PRICING_HISTORY = """
INSERT INTO public.pricing_history
    (session_id, station_id, tariff_plan_id, rule_id, calculation_time, rate_per_kwh, rate_per_minute, session_fee,
     parking_fee_per_minute, currency, rule_name, rule_details)
VALUES (%(session_id)s, %(station_id)s, %(tariff_plan_id)s, %(rule_id)s, %(at)s, %(rate_per_kwh)s, %(rate_per_minute)s,
        %(session_fee)s, %(parking_fee_per_minute)s, 'KGS', %(rule_name)s, %(rule_details)s)
RETURNING id
"""


async def read_price_book(
    conn: AsyncConnection[Any],
    station_id: StationId,
    connector_id: ConnectorId | None,
    client_id: ClientId | None,
    at: datetime,
    default_rate: Decimal,
) -> PriceBook:
    """Everything the price of a connector (None: the station's first) for a client (None: nobody) is chosen from."""
    row = await (
        await conn.execute(READ_CONNECTOR_PRICE, {"station_id": station_id, "connector_id": connector_id})
    ).fetchone()
    if row is None:
        raise LookupError(f"station {station_id} does not exist")
    return PriceBook(
        connector_type=row["connector_type"] or "",
        power_kw=row["power_kw"],
        default_rate=default_rate,
        station_rate=row["price_per_kwh"],
        station_fee=row["session_fee"],
        station_rules=await _rules(conn, row["tariff_plan_id"]),
        client_tariff=await _client_tariff(conn, client_id, at) if client_id is not None else None,
    )


async def _client_tariff(conn: AsyncConnection[Any], client_id: ClientId, at: datetime) -> ClientTariff | None:
    row = await (await conn.execute(READ_CLIENT_TARIFF, {"client_id": client_id, "at": at})).fetchone()
    return None if row is None else ClientTariff(rules=await _rules(conn, row["tariff_plan_id"]), **row)


async def _rules(conn: AsyncConnection[Any], plan_id: str | None) -> tuple[Rule, ...]:
    if plan_id is None:
        return ()
    rows = await (await conn.execute(READ_RULES, {"plan_id": plan_id})).fetchall()
    for row in rows:
        row["days_of_week"] = None if row["days_of_week"] is None else tuple(row["days_of_week"])
    return tuple(Rule(**row) for row in rows)


async def record_price(
    conn: AsyncConnection[Any], session_id: SessionId, station_id: StationId, price: Price, at: datetime
) -> int:
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
            },
        )
    ).fetchone()
    assert row is not None
    return int(row["id"])

"""RunningCharges charges and the day's figures."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import trio

from evpower.attention.overview import DayFigures, RunningCharge, RunningCharges, Sold, Starts, TopUpsToday
from evpower.billing.rates import Rates
from evpower.db.connection import Conn
from evpower.health.failed_starts import FAILED, FAILED_BY
from evpower.identifiers import StationId
from evpower.metering.energy_sql import ENERGY_WH
from evpower.metering.session_rates import RATES_COLUMNS, take_rates
from evpower.money import tyiyn

#: More are behind a link. As many as the largest network has whose cells show their charge (glance.py).
MOST_RUNNING = 600
#: Rows that are made into charges before everything else in the process has its turn.
AT_ONCE = 50
#: A power older than this is not counted in the network's sum.
POWER_IS_FRESH = timedelta(minutes=3)

#: A session has at most one transaction that has not ended (charging_sessions_one_running).
RUNNING = f"""
SELECT s.id AS session_id, s.user_id AS client_id, c.name AS client_name, c.phone AS client_phone, s.station_id,
       s.connector_id, p.phase, s.start_time AS started_at, coalesce({ENERGY_WH}, 0)::bigint AS energy_wh,
       t.power_w::bigint AS power_w, t.soc_percent, t.last_sample_at AS read_at, s.limit_type, s.limit_value,
       {RATES_COLUMNS}, s.reserved_amount,
       count(*) OVER () AS count, sum(s.reserved_amount) OVER () AS held_som,
       coalesce(sum(t.power_w) FILTER (WHERE t.last_sample_at > %(fresh_since)s) OVER (), 0)::bigint AS total_power_w
FROM public.charging_sessions s
JOIN evpower.session_phases p ON p.session_id = s.id
JOIN public.clients c ON c.id = s.user_id
LEFT JOIN LATERAL (SELECT * FROM evpower.ocpp_transactions WHERE charging_session_id = s.id ORDER BY id DESC LIMIT 1) t
     ON true
WHERE s.status = 'started' AND (%(station_id)s::text IS NULL OR s.station_id = %(station_id)s)
ORDER BY s.start_time DESC, s.id LIMIT {MOST_RUNNING}
"""

#: The client's own refusals are no failures: they are neither reached nor failed (§3.4).
STARTS = f"""
SELECT a.answer, count(*) AS tried, count(*) FILTER (WHERE r.reached) AS reached,
       count(*) FILTER (WHERE NOT r.reached AND {FAILED}) AS failed
FROM evpower.start_attempts a
CROSS JOIN LATERAL (SELECT lower(a.answer) = 'accepted' AND (a.door = 'card' OR EXISTS (
    SELECT FROM evpower.ocpp_transactions t WHERE t.charging_session_id = a.session_id)) AS reached) r
WHERE a.attempted_at >= %(since)s GROUP BY a.answer ORDER BY tried DESC, a.answer
"""
SOLD = """
SELECT coalesce(sum(energy * 1000) FILTER (WHERE start_time >= %(midnight)s), 0)::bigint AS energy_wh,
       (coalesce(sum(amount) FILTER (WHERE start_time >= %(midnight)s), 0) * 100)::bigint AS revenue_tyiyn,
       coalesce(sum(energy * 1000) FILTER (WHERE start_time < %(before)s), 0)::bigint AS energy_before_wh,
       (coalesce(sum(amount) FILTER (WHERE start_time < %(before)s), 0) * 100)::bigint AS revenue_before_tyiyn
FROM public.charging_sessions
WHERE settled_at IS NOT NULL AND (start_time >= %(midnight)s
                                  OR start_time >= %(midnight_before)s AND start_time < %(before)s)
"""
TOP_UPS = """
WITH credited AS (
    SELECT p.amount_tyiyn FROM evpower.ledger_entries e JOIN evpower.ledger_postings p ON p.entry_id = e.id
    WHERE e.kind = 'balance_topup' AND e.balance_topup_id IS NOT NULL AND e.created_at >= %(midnight)s
          AND p.account = 'client'
)
SELECT (SELECT count(*) FROM credited) AS credited,
       (SELECT coalesce(sum(amount_tyiyn), 0) FROM credited)::bigint AS credited_tyiyn,
       (SELECT count(*) FROM evpower.top_up_orders
        WHERE next_check_at IS NOT NULL AND phase IN ('created', 'processing')) AS undecided
"""
WEEK = timedelta(days=7)
HOUR = timedelta(hours=1)


async def read_running(conn: Conn, now: datetime, station_id: StationId | None = None) -> RunningCharges:
    """What runs now, or runs at one station, newest first."""
    cursor = await conn.execute(RUNNING, {"fresh_since": now - POWER_IS_FRESH, "station_id": station_id})
    charges, totals = list[RunningCharge](), (0, 0, 0)
    while rows := await cursor.fetchmany(AT_ONCE):
        totals = (rows[0]["count"], rows[0]["total_power_w"], tyiyn(rows[0]["held_som"]))
        charges += [_running(now, take_rates(row), **row) for row in rows]
        await trio.lowlevel.checkpoint()
    return RunningCharges(tuple(charges), *totals)


def _running(
    now: datetime,
    rates: Rates,
    *,
    reserved_amount: Decimal,
    count: int,
    held_som: Decimal,
    total_power_w: int,
    **row: Any,
) -> RunningCharge:
    minutes = max(0, int((now - row["started_at"]).total_seconds() // 60))
    cost_tyiyn = rates.cost_tyiyn(row["energy_wh"], minutes)
    return RunningCharge(**row, cost_tyiyn=cost_tyiyn, held_tyiyn=tyiyn(reserved_amount))


async def read_day(conn: Conn, now: datetime, midnight: datetime) -> DayFigures:
    """The day's figures; `midnight` is the beginning of the day of `billing.timezone`."""
    parameters = {
        **FAILED_BY,
        "since": now - HOUR,
        "midnight": midnight,
        "midnight_before": midnight - WEEK,
        "before": now - WEEK,
    }
    answers = await (await conn.execute(STARTS, parameters)).fetchall()
    sold = await (await conn.execute(SOLD, parameters)).fetchall()
    top_ups = await (await conn.execute(TOP_UPS, parameters)).fetchall()
    refusals = tuple((row["answer"], row["tried"]) for row in answers if row["answer"].lower() != "accepted")
    reached, failed = sum(row["reached"] for row in answers), sum(row["failed"] for row in answers)
    return DayFigures(Starts(reached + failed, reached, refusals[:3]), Sold(**sold[0]), TopUpsToday(**top_ups[0]))

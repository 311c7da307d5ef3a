"""Rows of `station_outages` and `station_hours`."""

from __future__ import annotations

from datetime import datetime, timedelta

from evpower.availability.records import NetworkHour, Outage
from evpower.db.connection import Conn
from evpower.errors import StationNotFound
from evpower.health.failed_starts import FAILED, FAILED_BY
from evpower.identifiers import StationId

OUTAGES = """
SELECT began_at, ended_at, cause, close_code FROM evpower.station_outages
WHERE station_id = %(station_id)s AND (ended_at IS NULL OR ended_at > %(since)s) ORDER BY began_at DESC
"""
KNOWN_SINCE = """
SELECT last_heartbeat_at, least(created_at, last_heartbeat_at, (
    SELECT min(o.began_at) FROM evpower.station_outages o WHERE o.station_id = s.id)) AS since
FROM public.stations s WHERE id = %(station_id)s AND status <> 'inactive'
"""
#: Every figure of each hour that is not nothing, from the rows as they are: doing it again changes nothing.
KEEP_HOURS = f"""
WITH away AS (
    SELECT o.station_id, h.hour, extract(epoch FROM sum(
        least(coalesce(o.ended_at, %(now)s), h.hour + interval '1 hour', %(now)s) - greatest(o.began_at, h.hour))) AS s
    FROM generate_series(%(since)s::timestamptz, %(now)s::timestamptz, interval '1 hour') h (hour)
    JOIN evpower.station_outages o ON o.began_at < least(h.hour + interval '1 hour', %(now)s)
         AND (o.ended_at IS NULL OR o.ended_at > h.hour)
    GROUP BY o.station_id, h.hour
), starts AS (
    SELECT a.station_id, date_trunc('hour', a.attempted_at, 'UTC') AS hour,
           count(*) FILTER (WHERE r.reached OR {FAILED}) AS asked, count(*) FILTER (WHERE r.reached) AS reached
    FROM evpower.start_attempts a
    CROSS JOIN LATERAL (SELECT lower(a.answer) = 'accepted' AND (a.door = 'card' OR EXISTS (
        SELECT FROM evpower.ocpp_transactions t WHERE t.charging_session_id = a.session_id)) AS reached) r
    WHERE a.attempted_at >= %(since)s GROUP BY 1, 2
), sold AS (
    SELECT station_id, date_trunc('hour', start_time, 'UTC') AS hour, count(*) AS charges,
           (sum(coalesce(energy, 0)) * 1000)::bigint AS wh, (sum(coalesce(amount, 0)) * 100)::bigint AS tyiyn
    FROM public.charging_sessions
    WHERE start_time >= %(since)s AND settled_at IS NOT NULL AND status <> 'error' GROUP BY 1, 2
), hours AS (
    SELECT station_id, hour FROM away UNION SELECT station_id, hour FROM starts UNION SELECT station_id, hour FROM sold
    UNION SELECT station_id, hour FROM evpower.station_hours WHERE hour >= %(since)s
)
INSERT INTO evpower.station_hours AS k (station_id, hour, offline_s, asked, reached, charges, energy_wh, revenue_tyiyn)
SELECT h.station_id, h.hour, least(3600, greatest(0, coalesce(away.s, 0)))::int, coalesce(starts.asked, 0),
       coalesce(starts.reached, 0), coalesce(sold.charges, 0), coalesce(sold.wh, 0), coalesce(sold.tyiyn, 0)
FROM hours h JOIN public.stations s ON s.id = h.station_id
LEFT JOIN away USING (station_id, hour) LEFT JOIN starts USING (station_id, hour)
LEFT JOIN sold USING (station_id, hour)
ORDER BY h.station_id, h.hour
ON CONFLICT (station_id, hour) DO UPDATE SET offline_s = excluded.offline_s, asked = excluded.asked,
    reached = excluded.reached, charges = excluded.charges, energy_wh = excluded.energy_wh,
    revenue_tyiyn = excluded.revenue_tyiyn
WHERE (k.offline_s, k.asked, k.reached, k.charges, k.energy_wh, k.revenue_tyiyn)
      IS DISTINCT FROM (excluded.offline_s, excluded.asked, excluded.reached, excluded.charges, excluded.energy_wh,
                        excluded.revenue_tyiyn)
"""
NETWORK_HOURS = """
WITH asked AS (
    SELECT g.hour, greatest(0, extract(epoch FROM least(g.hour + interval '1 hour', %(now)s) - g.hour)) AS lasts_s
    FROM generate_series(%(since)s::timestamptz, %(now)s::timestamptz, interval '1 hour') g (hour)
), active AS (
    SELECT id FROM public.stations WHERE status = 'active' AND last_heartbeat_at IS NOT NULL
), sums AS (
    SELECT k.hour, sum(k.offline_s) FILTER (WHERE active.id IS NOT NULL) AS offline_s, sum(k.asked) AS asked,
           sum(k.reached) AS reached, sum(k.charges) AS charges, sum(k.energy_wh) AS energy_wh,
           sum(k.revenue_tyiyn) AS revenue_tyiyn
    FROM evpower.station_hours k LEFT JOIN active ON active.id = k.station_id
    WHERE k.hour >= %(since)s GROUP BY k.hour
), paid AS (
    SELECT date_trunc('hour', e.created_at, 'UTC') AS hour, sum(p.amount_tyiyn) AS tyiyn
    FROM evpower.ledger_entries e JOIN evpower.ledger_postings p ON p.entry_id = e.id
    WHERE e.kind = 'balance_topup' AND e.balance_topup_id IS NOT NULL AND p.account = 'client'
          AND e.created_at >= %(since)s
    GROUP BY 1
)
SELECT a.hour, greatest(0, 1 - coalesce(s.offline_s, 0) / nullif(a.lasts_s * (SELECT count(*) FROM active), 0))::float8
                AS uptime,
       coalesce(s.asked, 0)::int AS asked, coalesce(s.reached, 0)::int AS reached,
       coalesce(s.charges, 0)::int AS charges,
       coalesce(s.energy_wh, 0)::bigint AS energy_wh, coalesce(s.revenue_tyiyn, 0)::bigint AS revenue_tyiyn,
       coalesce(p.tyiyn, 0)::bigint AS topped_up_tyiyn
FROM asked a LEFT JOIN sums s USING (hour) LEFT JOIN paid p USING (hour) ORDER BY a.hour
"""
#: Of each active station that was ever heard of, from when it was known.
NETWORK_UPTIME = """
WITH known AS (
    SELECT s.id, extract(epoch FROM %(now)s - greatest(%(since)s, least(s.created_at, s.last_heartbeat_at))) AS lasts_s
    FROM public.stations s WHERE s.status = 'active' AND s.last_heartbeat_at IS NOT NULL
), away AS (
    SELECT k.station_id, sum(k.offline_s) AS offline_s FROM evpower.station_hours k
    WHERE k.hour >= %(since)s GROUP BY k.station_id
)
SELECT (1 - sum(least(coalesce(away.offline_s, 0), known.lasts_s)) / nullif(sum(known.lasts_s), 0))::float8
       AS uptime
FROM known LEFT JOIN away ON away.station_id = known.id WHERE known.lasts_s > 0
"""
DELETE_OLD = (
    "DELETE FROM evpower.station_hours WHERE hour < %(before)s",
    "DELETE FROM evpower.station_outages WHERE ended_at < %(before)s",
)
HOUR = timedelta(hours=1)


def hour_of(at: datetime) -> datetime:
    """The beginning of its hour."""
    return at.replace(minute=0, second=0, microsecond=0)


async def read_outages(conn: Conn, station_id: StationId, since: datetime) -> tuple[Outage, ...]:
    """The newest first."""
    cursor = await conn.execute(OUTAGES, {"station_id": station_id, "since": since})
    return tuple(Outage(**row) for row in await cursor.fetchall())


async def read_known_since(conn: Conn, station_id: StationId) -> datetime | None:
    """Since when the station is known; None: it was never heard of. Raises StationNotFound."""
    row = await (await conn.execute(KNOWN_SINCE, {"station_id": station_id})).fetchone()
    if row is None:
        raise StationNotFound
    return None if row["last_heartbeat_at"] is None else row["since"]


async def keep_hours(conn: Conn, since: datetime, now: datetime) -> None:
    """Compute the hours from that of `since` on."""
    await conn.execute(KEEP_HOURS, {**FAILED_BY, "since": hour_of(since), "now": now})


async def read_network_hours(conn: Conn, since: datetime, now: datetime) -> tuple[NetworkHour, ...]:
    """The network's hours from that of `since` on, the oldest first; the last one is not over."""
    cursor = await conn.execute(NETWORK_HOURS, {"since": hour_of(since), "now": now})
    return tuple(NetworkHour(**row) for row in await cursor.fetchall())


async def read_network_uptime(conn: Conn, since: datetime, now: datetime) -> float | None:
    """The share of the time since then in which the network's stations were heard of; None: there are none."""
    row = await (await conn.execute(NETWORK_UPTIME, {"since": hour_of(since), "now": now})).fetchone()
    return None if row is None else row["uptime"]


async def delete_old(conn: Conn, before: datetime) -> None:
    """Forget hours and outages that were over by then."""
    for statement in DELETE_OLD:
        await conn.execute(statement, {"before": before})

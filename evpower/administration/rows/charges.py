"""Charges as administrators list them, and what they come to."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Literal, TypeAlias

from evpower.administration.records import ChargeRecord, Page
from evpower.billing.rates import Rates
from evpower.db.connection import Conn
from evpower.identifiers import ClientId, SessionId, StationId
from evpower.metering.session_rates import RATES_COLUMNS, take_rates
from evpower.money import exact_tyiyn

WANTED = """
FROM public.charging_sessions s
JOIN public.clients c ON c.id = s.user_id
JOIN public.stations t ON t.id = s.station_id
JOIN public.locations l ON l.id = t.location_id
JOIN evpower.session_phases p ON p.session_id = s.id
WHERE (%(session_id)s::text IS NULL OR s.id = %(session_id)s)
  AND (%(client_id)s::text IS NULL OR s.user_id = %(client_id)s)
  AND (%(station)s::text IS NULL OR t.id = %(station)s OR t.serial_number = %(station)s)
  AND (%(of_stations)s::text[] IS NULL OR s.station_id = ANY(%(of_stations)s))
  AND (%(status)s::text IS NULL OR s.status = %(status)s)
  AND (%(since)s::timestamptz IS NULL OR s.start_time >= %(since)s)
  AND (%(before)s::timestamptz IS NULL OR s.start_time < %(before)s)
  AND (%(phase)s::text IS NULL OR p.phase = %(phase)s)
  AND (%(only)s::text IS NULL
       OR (%(only)s = 'failed' AND p.phase = 'released')
       OR (%(only)s = 'estimated' AND p.estimated AND p.corrected_at IS NULL)
       OR (%(only)s = 'corrected' AND p.corrected_at IS NOT NULL)
       OR (%(only)s = 'unbilled' AND p.unbilled_wh > 0)
       OR (%(only)s = 'overshoot' AND p.overshoot_wh > %(over_wh)s)
       OR (%(only)s = 'debt' AND s.debt_amount > 0)
       OR (%(only)s = 'unread' AND s.status = 'started' AND s.start_time < %(unread_since)s
           AND NOT EXISTS (SELECT FROM evpower.ocpp_transactions u WHERE u.charging_session_id = s.id
                           AND coalesce(u.last_sample_at, u.received_at) >= %(unread_since)s)))
"""
# After the last row of the page before.
AFTER = """
  AND (%(after_at)s::timestamptz IS NULL OR s.created_at < %(after_at)s
       OR (s.created_at = %(after_at)s AND s.id > %(after_id)s))
"""
LIST = f"""
SELECT s.id, s.user_id AS client_id, c.email AS client_email, c.phone AS client_phone, s.station_id,
       t.serial_number AS station_name, l.name AS location_name, l.address AS location_address, s.connector_id,
       s.status, p.phase, p.estimated, coalesce(s.energy, 0) AS energy_kwh, s.amount,
       {RATES_COLUMNS}, s.limit_type, s.limit_value, s.start_time, s.stop_time, s.created_at
{WANTED} {AFTER} ORDER BY s.created_at DESC, s.id LIMIT %(limit)s OFFSET %(offset)s
"""
COUNT = f"SELECT count(*) AS total {WANTED}"

SUMS = """
SELECT count(*) FILTER (WHERE status = 'started') AS active,
       count(*) FILTER (WHERE start_time >= %(since)s) AS begun,
       coalesce(sum(energy) FILTER (WHERE start_time >= %(since)s), 0) AS energy_kwh,
       coalesce(sum(amount) FILTER (WHERE start_time >= %(since)s), 0) AS revenue_som
FROM public.charging_sessions
WHERE (status = 'started' OR start_time >= %(since)s)
  AND (%(of_stations)s::text[] IS NULL OR station_id = ANY(%(of_stations)s))
"""

STATIONS = """
SELECT s.id, s.last_heartbeat_at, o.status IS NOT DISTINCT FROM 'Faulted' OR EXISTS (
    SELECT FROM public.connectors c WHERE c.station_id = s.id AND c.ocpp_status = 'Faulted') AS is_faulted
FROM public.stations s LEFT JOIN evpower.ocpp_station_status o ON o.station_id = s.id
WHERE s.status <> 'inactive' AND (%(of_stations)s::text[] IS NULL OR s.id = ANY(%(of_stations)s))
"""


#: What a list of charges can be narrowed to: `failed` are those that never began, `unread` those that run without a
#: reading for `UNREAD_FOR`.
ChargeTrouble: TypeAlias = Literal["failed", "estimated", "corrected", "unbilled", "overshoot", "debt", "unread"]
UNREAD_FOR = timedelta(hours=1)


@dataclass(frozen=True)
class ChargeFilter:
    """None asks nothing. `station` is an id or a serial number; `of_stations` are those that may be seen."""

    session_id: SessionId | None = None
    client_id: ClientId | None = None
    station: str | None = None
    status: str | None = None
    since: datetime | None = None
    before: datetime | None = None
    of_stations: Collection[StationId] | None = None
    phase: str | None = None
    #: A kind of trouble alone.
    only: ChargeTrouble | None = None
    #: For `overshoot`: more than so much beyond the limit.
    over_wh: int = 0
    #: When the last charge of the page before was made, and its id.
    after: tuple[datetime, str] | None = None


@dataclass(frozen=True)
class ChargeSums:
    """Charges that run, and those begun since a moment with their energy and what was billed of them."""

    active: int
    begun: int
    energy_kwh: Decimal
    revenue_som: Decimal


async def list_charges(
    conn: Conn, wanted: ChargeFilter, page: Page, now: datetime
) -> tuple[tuple[ChargeRecord, ...], int]:
    """A page of charges, newest first, and how many match."""
    after_at, after_id = wanted.after or (None, None)
    place: dict[str, object] = {"after_at": after_at, "after_id": after_id}
    place["unread_since"] = now - UNREAD_FOR
    parameters = {**vars(wanted), **vars(page), **place, "of_stations": _array(wanted.of_stations)}
    rows = await (await conn.execute(LIST, parameters)).fetchall()
    counts = await (await conn.execute(COUNT, parameters)).fetchall()
    return tuple(_charge(now, take_rates(row), **row) for row in rows), counts[0]["total"]


def _charge(
    now: datetime,
    rates: Rates,
    *,
    amount: Decimal | None,
    **row: Any,
) -> ChargeRecord:
    minutes = max(0, int(((row["stop_time"] or now) - row["start_time"]).total_seconds() // 60))
    so_far_tyiyn = rates.cost_tyiyn(int(row["energy_kwh"] * 1000), minutes)
    cost_tyiyn = so_far_tyiyn if amount is None else exact_tyiyn(amount)
    return ChargeRecord(**row, cost_tyiyn=cost_tyiyn, duration_minutes=minutes)


async def sum_charges(conn: Conn, since: datetime, of_stations: Collection[StationId] | None) -> ChargeSums:
    """What charges come to, at these stations alone, when given."""
    cursor = await conn.execute(SUMS, {"since": since, "of_stations": _array(of_stations)})
    (row,) = await cursor.fetchall()
    return ChargeSums(**row)


async def stations_with_faults(
    conn: Conn, of_stations: Collection[StationId] | None
) -> list[tuple[StationId, datetime | None, bool]]:
    """Stations that are not switched off, with the heartbeat that is stored and whether anything of them is Faulted."""
    cursor = await conn.execute(STATIONS, {"of_stations": _array(of_stations)})
    return [(StationId(row["id"]), row["last_heartbeat_at"], row["is_faulted"]) for row in await cursor.fetchall()]


def _array(stations: Collection[StationId] | None) -> list[StationId] | None:
    return None if stations is None else list(stations)

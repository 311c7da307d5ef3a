"""A client's charges by page, and what they come to. The page is cut before anything is joined to it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from evpower.db.connection import Conn
from evpower.history.records import (
    FavoriteStation,
    HistoryFilter,
    HistoryPage,
    ListPlace,
    MonthSum,
    PageWish,
    PastCharge,
    PastSums,
)
from evpower.identifiers import ClientId, SessionId

MATCHING = """
FROM public.charging_sessions s
WHERE s.user_id = %(client_id)s
  AND (%(status)s::text IS NULL OR s.status = %(status)s)
  AND (%(station_id)s::text IS NULL OR s.station_id = %(station_id)s
       OR s.station_id = (SELECT id FROM public.stations WHERE serial_number = %(station_id)s))
  AND (%(location_id)s::text IS NULL
       OR s.station_id IN (SELECT id FROM public.stations WHERE location_id = %(location_id)s))
  AND (%(since)s::timestamptz IS NULL OR s.created_at >= %(since)s)
  AND (%(before)s::timestamptz IS NULL OR s.created_at < %(before)s)
"""
SHOWN = """
SELECT s.id AS session_id, s.station_id, s.connector_id, s.status, (coalesce(s.energy, 0) * 1000)::bigint AS energy_wh,
       CASE WHEN s.settled_at IS NOT NULL THEN (s.amount * 100)::bigint END AS amount_tyiyn,
       (s.reserved_amount * 100)::bigint AS reserved_tyiyn, (s.refunded_amount * 100)::bigint AS refunded_tyiyn,
       (s.additional_charge * 100)::bigint AS additional_tyiyn, (s.debt_amount * 100)::bigint AS debt_tyiyn,
       s.rate_per_kwh, s.rate_per_minute, s.session_fee, s.limit_type, s.limit_value, s.created_at,
       s.start_time AS started_at, s.stop_time AS ended_at, p.end_cause, p.estimated, p.corrected_at,
       st.model AS station_model, l.name AS location_name, l.address AS location_address,
       c.rising_s, c.max_power_w, c.soc_start, c.soc_end
FROM {source}
JOIN evpower.session_phases p ON p.session_id = s.id
JOIN public.stations st ON st.id = s.station_id
JOIN public.locations l ON l.id = st.location_id
LEFT JOIN evpower.session_curves c ON c.session_id = s.id
"""
# Ids alone are cut, so that an offset passes over entries of the index and not over rows.
_PAGE = SHOWN.format(
    source="(SELECT s.id {matching} {after} ORDER BY s.created_at DESC, s.id DESC "
    "LIMIT %(limit)s OFFSET %(offset)s) page JOIN public.charging_sessions s ON s.id = page.id"
)
_PAGE += "ORDER BY s.created_at DESC, s.id DESC"
LIST = _PAGE.format(matching=MATCHING, after="")
LIST_AFTER = _PAGE.format(
    matching=MATCHING, after="AND (s.created_at, s.id) < (%(after_at)s::timestamptz, %(after_id)s::text)"
)
COUNT = f"SELECT count(*) AS total {MATCHING}"
#: Lists are planned for their own filters and limit: a plan for any of them sorts all of a client's rows for a page.
PREPARE = False
READ = SHOWN.format(source="public.charging_sessions s") + "WHERE s.id = %(id)s AND s.user_id = %(client_id)s"

# What never began is no charge; a month is one of the network's time zone.
SUMS = """
SELECT to_char(date_trunc('month', s.start_time AT TIME ZONE %(timezone)s), 'YYYY-MM') AS month,
       count(*) AS sessions, coalesce(sum(s.energy), 0) AS energy_kwh, coalesce(sum(s.amount), 0) AS amount,
       coalesce(sum(floor(extract(epoch FROM s.stop_time - s.start_time) / 60)), 0) AS minutes
FROM public.charging_sessions s JOIN evpower.session_phases p ON p.session_id = s.id
WHERE s.user_id = %(client_id)s AND p.phase = 'settled'
  AND (%(since)s::timestamptz IS NULL OR s.start_time >= %(since)s)
GROUP BY 1 ORDER BY 1 DESC
"""
FAVORITE = """
SELECT s.station_id AS id, l.name, s.visits FROM (
    SELECT s.station_id, count(*) AS visits, max(s.start_time) AS latest
    FROM public.charging_sessions s JOIN evpower.session_phases p ON p.session_id = s.id
    WHERE s.user_id = %(client_id)s AND p.phase = 'settled'
      AND (%(since)s::timestamptz IS NULL OR s.start_time >= %(since)s)
    GROUP BY s.station_id ORDER BY visits DESC, latest DESC LIMIT 1) s
JOIN public.stations st ON st.id = s.station_id JOIN public.locations l ON l.id = st.location_id
"""


async def list_charges(
    conn: Conn, client_id: ClientId, wanted: HistoryFilter, page: PageWish
) -> HistoryPage[PastCharge]:
    """A page of a client's charges."""
    parameters = page_parameters(client_id, wanted, page)
    statement = LIST if page.after is None else LIST_AFTER
    found = await conn.execute(statement, parameters, prepare=PREPARE)
    rows = [PastCharge(**row) for row in await found.fetchall()]
    total = await (await conn.execute(COUNT, parameters, prepare=PREPARE)).fetchone()
    last = rows[page.limit - 1] if len(rows) > page.limit else None
    place = None if last is None else ListPlace(last.created_at, last.session_id)
    return HistoryPage(rows[: page.limit], total["total"] if total else 0, place)


def page_parameters(client_id: ClientId, wanted: HistoryFilter, page: PageWish) -> Mapping[str, object]:
    """One row more than is shown says whether there is another page."""
    after = {} if page.after is None else {"after_at": page.after.created_at, "after_id": page.after.row_id}
    return {**vars(wanted), **after, "client_id": client_id, "limit": page.limit + 1, "offset": page.offset}


async def read_charge(conn: Conn, client_id: ClientId, session_id: SessionId) -> PastCharge | None:
    """One charge, if it is this client's."""
    row = await (await conn.execute(READ, {"id": session_id, "client_id": client_id})).fetchone()
    return None if row is None else PastCharge(**row)


async def sum_charges(conn: Conn, client_id: ClientId, since: datetime | None, timezone: str) -> PastSums:
    """What a client's settled charges come to, by month, the newest first."""
    parameters = {"client_id": client_id, "since": since, "timezone": timezone}
    months = await (await conn.execute(SUMS, parameters)).fetchall()
    favorite = await (await conn.execute(FAVORITE, parameters)).fetchone()
    return PastSums([MonthSum(**row) for row in months], None if favorite is None else FavoriteStation(**favorite))

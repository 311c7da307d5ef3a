"""Starts and what became of them, and cables that came and went, as health is computed from them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from evpower.db.connection import Conn
from evpower.health.signs import PLUGGED_FOR, Sign, SignKind, TriedStart, sign_of
from evpower.identifiers import StationId

#: A connector of a station.
ConnectorPlace = tuple[StationId, int]

#: More than the last twenty: some say nothing.
STARTS_READ = 40
#: So soon after a failed start its client is seen at other connectors.
SOON = timedelta(minutes=30)
#: A cable that is in belongs to an attempt at most so long before.
ASKED_BEFORE = timedelta(minutes=10)
STARTS = f"""
SELECT c.station_id, c.connector_number, a.attempted_at, a.client_id, a.door, a.answer, p.phase, p.stop_requested_at,
       (a.door = 'card' OR t.id IS NOT NULL) AS has_transaction,
       CASE WHEN t.status = 'Stopped' THEN t.meter_stop_wh - t.meter_start_wh END AS delivered_wh,
       p.phase = 'released' AND EXISTS (
           SELECT FROM evpower.plug_ins i
           WHERE i.station_id = a.station_id AND i.connector_id = a.connector_id AND i.plugged_at < p.phase_at
                 AND (i.left_at IS NULL OR i.left_at > a.attempted_at)) AS cable_seen,
       CASE WHEN p.phase = 'released' OR t.status = 'Stopped' AND t.meter_stop_wh = t.meter_start_wh THEN (
           SELECT bool_or(EXISTS (SELECT FROM evpower.ocpp_transactions o WHERE o.charging_session_id = e.session_id))
           FROM evpower.start_attempts e
           WHERE e.client_id = a.client_id AND e.attempted_at > a.attempted_at
                 AND e.attempted_at <= a.attempted_at + %(soon)s
                 AND (e.station_id, e.connector_id) <> (a.station_id, a.connector_id)
                 AND lower(e.answer) = 'accepted') END AS elsewhere
FROM public.connectors c
CROSS JOIN LATERAL (SELECT * FROM evpower.start_attempts
                    WHERE station_id = c.station_id AND connector_id = c.connector_number
                    ORDER BY id DESC LIMIT {STARTS_READ}) a
LEFT JOIN evpower.session_phases p ON p.session_id = a.session_id
LEFT JOIN LATERAL (SELECT id, status, meter_stop_wh, meter_start_wh FROM evpower.ocpp_transactions
                   WHERE charging_session_id = a.session_id ORDER BY id DESC LIMIT 1) t ON true
WHERE c.station_id = ANY(%(ids)s)
"""
IN_VAIN = """
SELECT i.station_id, i.connector_id AS connector_number, i.left_at FROM evpower.plug_ins i
WHERE i.station_id = ANY(%(ids)s) AND i.left_to = 'Available' AND i.left_at - i.plugged_at >= %(plugged_for)s
      AND NOT EXISTS (SELECT FROM evpower.start_attempts a
                      WHERE a.station_id = i.station_id AND a.connector_id = i.connector_id
                            AND a.attempted_at BETWEEN i.plugged_at - %(asked_before)s AND i.left_at)
"""
#: Whose outcome may be another than at the last look; those in doubt change by mere time.
STATIONS_WITH_NEWS = """
SELECT station_id FROM evpower.start_attempts WHERE attempted_at >= %(since)s
UNION SELECT station_id FROM evpower.plug_ins WHERE left_at >= %(since)s
UNION SELECT station_id FROM evpower.connector_health WHERE doubt IS NOT NULL
"""
STATIONS = "SELECT id AS station_id FROM public.stations"


async def stations_with_news(conn: Conn, since: datetime | None) -> list[StationId]:
    """Stations whose health may have changed; None: all."""
    cursor = await (conn.execute(STATIONS) if since is None else conn.execute(STATIONS_WITH_NEWS, {"since": since}))
    return sorted(StationId(row["station_id"]) for row in await cursor.fetchall())


async def read_starts(conn: Conn, ids: Collection[StationId]) -> dict[ConnectorPlace, list[TriedStart]]:
    """The last starts at each connector of these stations."""
    found = defaultdict[ConnectorPlace, list[TriedStart]](list)
    for row in await (await conn.execute(STARTS, {"ids": list(ids), "soon": SOON})).fetchall():
        place = StationId(row.pop("station_id")), row.pop("connector_number")
        found[place].append(TriedStart(**{**row, "cable_seen": bool(row["cable_seen"])}))
    return found


async def read_signs(conn: Conn, ids: Sequence[StationId]) -> dict[ConnectorPlace, list[Sign]]:
    """Everything that says something of each connector of these stations."""
    starts = await read_starts(conn, ids)
    found = defaultdict[ConnectorPlace, list[Sign]](list)
    for place, tried in starts.items():
        found[place].extend(sign for sign in map(sign_of, tried) if sign is not None)
    parameters = {"ids": list(ids), "plugged_for": PLUGGED_FOR, "asked_before": ASKED_BEFORE}
    for row in await (await conn.execute(IN_VAIN, parameters)).fetchall():
        place = StationId(row["station_id"]), row["connector_number"]
        found[place].append(Sign(row["left_at"], SignKind.PLUGGED_IN_VAIN))
    return found

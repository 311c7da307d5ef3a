"""Rows of `power_station_limits`, and what a car asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from evpower.db.connection import Conn
from evpower.identifiers import ConnectorId, StationId

# The numbers of all requests for reports, whoever asks.
NEW_NUMBER = "SELECT nextval('evpower.device_report_ids') AS number"
STORE = """
INSERT INTO evpower.power_station_limits (station_id, connector_id, source, schedule, set_at)
VALUES (%(station_id)s, %(connector_id)s, %(source)s, %(schedule)s, %(at)s)
ON CONFLICT (station_id, connector_id, source) DO UPDATE SET schedule = excluded.schedule, set_at = excluded.set_at
"""
DROP = """
DELETE FROM evpower.power_station_limits
WHERE station_id = %(station_id)s AND source = %(source)s
  AND (%(connector_id)s::int IS NULL OR connector_id = %(connector_id)s)
"""
DROP_ALL = """
DELETE FROM evpower.power_station_limits WHERE station_id = %(station_id)s AND connector_id = %(connector_id)s
  AND NOT source = ANY (%(but)s)
"""
# Of a connector that we grant for, while a charge runs there.
NOTE_WANTED = """
UPDATE evpower.power_group_members m SET schedule_wanted_at = %(at)s
WHERE m.station_id = %(station_id)s AND m.connector_id = %(connector_id)s
  AND EXISTS (SELECT FROM evpower.ocpp_transactions t WHERE t.station_id = m.station_id
              AND t.connector_id = m.connector_id AND t.status = 'Started')
"""
# A driver's own wishes stay. What the car wants is from now on; what is kept counts from the charge's begin.
STORE_NEEDS = """
INSERT INTO evpower.power_preferences (session_id, profile_type, departure_at, energy_need_wh, updated_at, is_of_car)
SELECT t.charging_session_id, 'regular', %(departure_at)s, %(energy_wh)s + greatest(
           0, coalesce(t.meter_last_wh - coalesce(t.meter_base_wh, t.meter_start_wh) + t.meter_carried_wh, 0)),
       %(at)s, true
FROM evpower.ocpp_transactions t
WHERE t.station_id = %(station_id)s AND t.connector_id = %(connector_id)s AND t.status = 'Started'
  AND t.charging_session_id IS NOT NULL
ORDER BY t.id DESC LIMIT 1
ON CONFLICT (session_id) DO UPDATE SET departure_at = excluded.departure_at, energy_need_wh = excluded.energy_need_wh,
    updated_at = excluded.updated_at WHERE power_preferences.is_of_car
"""


async def new_number(conn: Conn) -> int:
    """Of a request for what limits there are."""
    row = await (await conn.execute(NEW_NUMBER)).fetchone()
    assert row is not None
    return int(row["number"])


async def store_limit(
    conn: Conn,
    station_id: StationId,
    connector_id: ConnectorId,
    source: str,
    schedule: Mapping[str, Any] | None,
    at: datetime,
) -> None:
    """In place of the one there was of this source."""
    parameters = {
        "station_id": station_id,
        "connector_id": connector_id,
        "source": source,
        "schedule": None if schedule is None else Jsonb(schedule),
        "at": at,
    }
    await conn.execute(STORE, parameters)


async def drop_limit(conn: Conn, station_id: StationId, connector_id: ConnectorId | None, source: str) -> None:
    await conn.execute(DROP, {"station_id": station_id, "connector_id": connector_id, "source": source})


async def replace_limits(
    conn: Conn,
    station_id: StationId,
    connector_id: ConnectorId,
    limits: Sequence[tuple[str, Mapping[str, Any]]],
    at: datetime,
) -> None:
    """These are all of the connector."""
    but = [source for source, _ in limits]
    await conn.execute(DROP_ALL, {"station_id": station_id, "connector_id": connector_id, "but": but})
    for source, schedule in limits:
        await store_limit(conn, station_id, connector_id, source, schedule, at)


async def note_wanted(conn: Conn, station_id: StationId, connector_id: ConnectorId, at: datetime) -> bool:
    """Whether a charge runs there that is granted for."""
    parameters = {"station_id": station_id, "connector_id": connector_id, "at": at}
    return (await conn.execute(NOTE_WANTED, parameters)).rowcount > 0


async def store_needs(
    conn: Conn, station_id: StationId, connector_id: ConnectorId, energy_wh: int, departure_at: datetime, at: datetime
) -> None:
    """What the car of the running charge needs from now on."""
    parameters = {
        "station_id": station_id,
        "connector_id": connector_id,
        "energy_wh": energy_wh,
        "departure_at": departure_at,
        "at": at,
    }
    await conn.execute(STORE_NEEDS, parameters)

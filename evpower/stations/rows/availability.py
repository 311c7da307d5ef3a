"""Rows of `ocpp_availability`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from psycopg import AsyncConnection

from evpower.identifiers import ConnectorId, StationId

# The status may have come before the answer was read, when the charge ended in between.
STORE_WANTED = """
INSERT INTO evpower.ocpp_availability AS a (station_id, connector_id, wanted, state, requested_at, done_at)
VALUES (%(station_id)s, %(connector_id)s, %(wanted)s, %(state)s, %(at)s, CASE %(state)s WHEN 'Done' THEN %(at)s END)
ON CONFLICT (station_id, connector_id) DO UPDATE
SET wanted = excluded.wanted, state = excluded.state, requested_at = excluded.requested_at, done_at = excluded.done_at
"""

# A whole station is out of service when its own status says so, or when each of its connectors is.
MARK_DONE = """
UPDATE evpower.ocpp_availability a SET state = 'Done', done_at = %(at)s
WHERE a.station_id = %(station_id)s AND a.state = 'Scheduled' AND (
    (a.connector_id = %(connector_id)s AND (%(status)s = 'Unavailable') = (a.wanted = 'Inoperative'))
    OR (a.connector_id = 0 AND %(connector_id)s > 0 AND NOT EXISTS (
        SELECT 1 FROM public.connectors c
        WHERE c.station_id = a.station_id
          AND (coalesce(c.ocpp_status, '') = 'Unavailable') <> (a.wanted = 'Inoperative'))))
"""


async def store_wanted(
    conn: AsyncConnection[Any],
    station_id: StationId,
    connector_id: ConnectorId,
    wanted: str,
    state: str,
    at: datetime,
) -> None:
    """Store the availability last asked for."""
    parameters = {"station_id": station_id, "connector_id": connector_id, "wanted": wanted, "state": state, "at": at}
    await conn.execute(STORE_WANTED, parameters)


async def mark_done(
    conn: AsyncConnection[Any], station_id: StationId, connector_id: ConnectorId, status: str, at: datetime
) -> None:
    """End what waited for this status of this connector."""
    parameters = {"station_id": station_id, "connector_id": connector_id, "status": status, "at": at}
    await conn.execute(MARK_DONE, parameters)

"""How important the connectors of a station are in their groups of power, as OCPP 2.0.1 counts it."""

from __future__ import annotations

from evpower.db.connection import Conn
from evpower.identifiers import ConnectorId, StationId

# Ours go from 0 to 100, OCPP's from -9 to 9, where 0 is as any other. What is not known to be of one connector has what
# all of them have.
READ = """
SELECT round(coalesce(min(coalesce(m.priority, 0)), 0) * 9 / 100.0)::int AS priority
FROM public.connectors c
LEFT JOIN evpower.power_group_members m ON m.station_id = c.station_id AND m.connector_id = c.connector_number
WHERE c.station_id = %(station_id)s
  AND (%(connector_id)s::int IS NULL OR c.connector_number = %(connector_id)s)
"""


async def charging_priority(conn: Conn, station_id: StationId, connector_id: ConnectorId | None) -> int:
    """Of a charge at this connector, 0 to 9; of one somewhere at the station when None."""
    row = await (await conn.execute(READ, {"station_id": station_id, "connector_id": connector_id})).fetchone()
    assert row is not None
    return int(row["priority"])

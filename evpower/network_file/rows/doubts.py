"""Stations whose rows cannot all be true: listed, not refused (seed §4). The rule: `network.configuration_warnings`."""

from __future__ import annotations

from collections.abc import Sequence

from evpower.db.connection import Conn
from evpower.network.listing import configuration_warnings
from evpower.network.spots.evses_sql import CONFIGURED

READ_SOCKETS = f"""
SELECT s.id, s.connectors_count, array_agg(c.connector_number ORDER BY c.connector_number) AS numbers,
       o.reported_evses, {CONFIGURED} AS configured_evses
FROM public.stations s JOIN public.connectors c ON c.station_id = s.id
LEFT JOIN evpower.ocpp_station_status o ON o.station_id = s.id
WHERE %(stations)s::text[] IS NULL OR s.id = ANY(%(stations)s)
GROUP BY s.id, o.station_id ORDER BY s.id
"""


async def configuration_doubts(conn: Conn, stations: Sequence[str] | None = None) -> list[str]:
    """A sentence for each thing that is wrong with these stations, or with any."""
    cursor = await conn.execute(READ_SOCKETS, {"stations": None if stations is None else list(stations)})
    return [
        f"station {row['id']}: {warning}"
        for row in await cursor.fetchall()
        for warning in configuration_warnings(
            row["connectors_count"], row["numbers"], row["reported_evses"], row["configured_evses"]
        )
    ]

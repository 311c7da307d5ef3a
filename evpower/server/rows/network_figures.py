"""What the metrics ask of the network: how many stations there should be and are, and what connectors are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from evpower.db.connection import Conn
from evpower.network.status import connector_status
from evpower.network.status_sql import SAID

# An active station is expected to be connected; one in maintenance may be dug out.
STATIONS = """
SELECT count(*) AS expected, count(c.station_id) AS connected
FROM public.stations s LEFT JOIN evpower.charger_connections c ON c.station_id = s.id
WHERE s.status = 'active'
"""
# Connectors that are alike in all that the rule looks at are one row, so that the rule itself is applied, not repeated.
CONNECTORS = f"""
SELECT s.status = 'maintenance' AS in_maintenance, coalesce(s.last_heartbeat_at >= %(since)s, false) AS online,
       o.status AS whole_status, {SAID} AS ocpp_status, r.id IS NOT NULL AS busy, count(*) AS connectors
FROM public.connectors c
JOIN public.stations s ON s.id = c.station_id
LEFT JOIN evpower.ocpp_station_status o ON o.station_id = s.id
LEFT JOIN public.charging_sessions r ON r.station_id = c.station_id AND r.connector_id = c.connector_number
     AND r.status = 'started'
WHERE s.status <> 'inactive' GROUP BY 1, 2, 3, 4, 5
"""
#: What a connector is to the public; its station's own state comes first.
CONNECTOR_STATES = ("available", "occupied", "faulted", "unavailable", "offline", "maintenance")


@dataclass(frozen=True)
class NetworkCounts:
    """Active stations, how many of them are connected to any process, and connectors by `CONNECTOR_STATES`."""

    stations_expected: int
    stations_connected: int
    connectors: Mapping[str, int]


async def read_network_figures(conn: Conn, now: datetime, heartbeat_timeout_s: float) -> NetworkCounts:
    """The network of this moment; a station is online as the public list has it."""
    stations = (await (await conn.execute(STATIONS)).fetchall())[0]
    since = now - timedelta(seconds=heartbeat_timeout_s)
    connectors: Counter[str] = Counter()
    for row in await (await conn.execute(CONNECTORS, {"since": since})).fetchall():
        number = row.pop("connectors")
        connectors[_state(**row)] += number
    return NetworkCounts(stations["expected"], stations["connected"], connectors)


def _state(*, in_maintenance: bool, online: bool, whole_status: str | None, ocpp_status: str | None, busy: bool) -> str:
    if in_maintenance:
        return "maintenance"
    return connector_status(ocpp_status, whole_status, busy=busy) if online else "offline"

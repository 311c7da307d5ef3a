"""A station as the public sees it at this moment (contract/rest-api §3.1): what the list says of it, and more."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from evpower.billing.pricing import Pricing
from evpower.db.connection import Conn
from evpower.errors import StationNotFound
from evpower.identifiers import ConnectorId, SessionId, StationId
from evpower.link.ports import ChargePointLink
from evpower.network.locations import Painter
from evpower.network.rows.listing import read_network
from evpower.network.rows.stations import read_connectors, read_station
from evpower.network.station_view import RunningSession, StationView


async def read_station_view(
    conn: Conn,
    station_id: StationId,
    link: ChargePointLink,
    pricing: Pricing,
    now: datetime,
    heartbeat_timeout_s: float,
    on_silence: Callable[[], None],
) -> StationView:
    """Rows and live presence together: right at read time, whatever job ran. Raises StationNotFound.

    A station of a location that the list hides has its page. `on_silence` is called when a station of the location is
    silent and the watchdog has not yet marked it.
    """
    row = await read_station(conn, station_id)
    if row is None:
        raise StationNotFound
    rows = await read_network(conn, row["location_id"], hidden=True)
    prices = await pricing.shown(conn, [station.id for station in rows.stations])
    painter = Painter(rows, prices, link, now, timedelta(seconds=heartbeat_timeout_s))
    places = [(station, location) for location in painter.locations() for station in location.stations]
    if painter.unnoticed_silence:
        on_silence()
    details = await read_connectors(conn, station_id)
    for station, location in places:
        if station.id == station_id:
            return StationView(
                station=station,
                location=location,
                connected=link.is_connected(station_id),
                firmware_version=row["firmware_version"],
                error_codes={each["connector_number"]: each["error_code"] for each in details},
                running=tuple(_running(each) for each in details if each["session_id"] is not None),
            )
    raise StationNotFound


def _running(row: dict[str, Any]) -> RunningSession:
    return RunningSession(
        SessionId(row["session_id"]),
        ConnectorId(row["connector_number"]),
        row["start_time"],
        row["energy_wh"],
        row["limit_type"],
    )

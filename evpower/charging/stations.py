"""A station as the public sees it at this moment (contract/rest-api §3.1, ocpp-behaviour §6)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from psycopg import AsyncConnection

from evpower.billing.pricing import Pricing
from evpower.charging.charge_point import (
    LocationStatus,
    StoredStatus,
    connector_status,
    effective_status,
    is_online,
    location_status,
    public_status,
    stored_status,
)
from evpower.charging.ports import ChargePointLink
from evpower.charging.session import ConnectorView, RunningSession, StationView
from evpower.db.stations import Neighbour, read_connectors, read_neighbours, read_station
from evpower.errors import StationNotFound
from evpower.identifiers import ConnectorId, SessionId, StationId


async def read_station_view(
    conn: AsyncConnection[Any],
    station_id: StationId,
    link: ChargePointLink,
    pricing: Pricing,
    now: datetime,
    heartbeat_timeout_s: float,
    on_silence: Callable[[], None],
) -> StationView:
    """Rows and live presence together: right at read time, whatever job ran. Raises StationNotFound.

    `on_silence` is called when the station is silent and the watchdog has not yet marked it.
    """
    row = await read_station(conn, station_id)
    if row is None:
        raise StationNotFound
    seen_at = link.last_seen_at(station_id) or row["last_heartbeat_at"]
    fresh = is_online(seen_at, now, heartbeat_timeout_s)
    if row["is_available"] and not fresh:
        on_silence()
    active = row["admin_status"] == "active"
    rows = await read_connectors(conn, station_id)
    connectors = tuple(_connector(each, row["whole_status"], startable=fresh and active) for each in rows)
    price = (await pricing.shown(conn, [station_id]))[station_id]
    neighbours = await read_neighbours(conn, row["location_id"])
    return StationView(
        station_id=station_id,
        serial_number=row["serial_number"],
        model=row["model"],
        manufacturer=row["manufacturer"],
        firmware_version=row["firmware_version"],
        admin_status=row["admin_status"],
        public_status=public_status(row["admin_status"], fresh, [each.stored_status for each in connectors]),
        location_status=_location_status(neighbours, link, now, heartbeat_timeout_s),
        location_id=row["location_id"],
        location_name=row["location_name"],
        location_address=row["location_address"],
        is_online=fresh and link.is_connected(station_id),
        last_seen_at=seen_at,
        connectors=connectors,
        running=tuple(_running(each) for each in rows if each["session_id"] is not None),
        connectors_count=row["connectors_count"],
        rate_per_kwh=price.rate_per_kwh,
        session_fee=price.session_fee,
    )


def _connector(row: dict[str, Any], whole_status: str | None, *, startable: bool) -> ConnectorView:
    word = effective_status(row["ocpp_status"], whole_status)
    busy = row["session_id"] is not None
    return ConnectorView(
        connector_id=ConnectorId(row["connector_number"]),
        connector_type=row["connector_type"],
        power_kw=row["power_kw"],
        ocpp_status=word,
        stored_status=connector_status(row["ocpp_status"], whole_status, busy=busy),
        error_code=None if row["error_code"] == "NoError" else row["error_code"],
        available=startable and word == "Available" and not busy,
    )


def _running(row: dict[str, Any]) -> RunningSession:
    return RunningSession(
        SessionId(row["session_id"]),
        ConnectorId(row["connector_number"]),
        row["start_time"],
        row["energy_wh"],
        row["limit_type"],
    )


def _location_status(
    neighbours: Iterable[Neighbour], link: ChargePointLink, now: datetime, heartbeat_timeout_s: float
) -> LocationStatus:
    return location_status(
        public_status(
            each.admin_status,
            is_online(link.last_seen_at(each.id) or each.last_heartbeat_at, now, heartbeat_timeout_s),
            _under_whole(each),
        )
        for each in neighbours
    )


def _under_whole(station: Neighbour) -> tuple[StoredStatus, ...]:
    if station.whole_status in ("Faulted", "Unavailable"):
        return tuple(stored_status(station.whole_status) for _ in station.connectors)
    return station.connectors

"""May a charge begin here? The checks of a start, in the contract's order (contract/rest-api §4.1)."""

from __future__ import annotations

from datetime import datetime

from evpower.errors import ConnectorNotFound
from evpower.identifiers import ClientId
from evpower.network.spots.errors import (
    ConnectorFaulted,
    ConnectorOccupied,
    ConnectorUnavailable,
    StationInactive,
    StationOffline,
    StationUnderMaintenance,
    UnknownStation,
)
from evpower.network.station_records import StartSpot
from evpower.network.status import STARTABLE, effective_status, is_online, stored_status


def check_spot(
    spot: StartSpot | None,
    client_id: ClientId,
    last_seen_at: datetime | None,
    now: datetime,
    heartbeat_timeout_s: float,
) -> StartSpot:
    """Admin status → online → connector exists → faulted/unavailable → busy; the first that fails is raised."""
    if spot is None:
        raise UnknownStation
    if spot.admin_status == "inactive":
        raise StationInactive
    if spot.admin_status == "maintenance":
        raise StationUnderMaintenance
    if not is_online(last_seen_at, now, heartbeat_timeout_s):
        raise StationOffline(last_seen_at, now)
    if not spot.exists:
        raise ConnectorNotFound
    status = effective_status(spot.ocpp_status, spot.whole_status)
    if stored_status(status) == "faulted":
        raise ConnectorFaulted(connector_status=status)
    if stored_status(status) == "unavailable":
        raise ConnectorUnavailable(connector_status=status)
    if spot.running_session is not None:
        own = {"session_id": spot.running_session} if spot.running_client == client_id else {}
        raise ConnectorOccupied(connector_status=status, **own)
    if status not in STARTABLE:
        raise ConnectorOccupied(connector_status=status)
    return spot

"""May a charge begin here? The checks of a start, in the contract's order (contract/rest-api §4.1)."""

from __future__ import annotations

from datetime import datetime

from evpower.clock import Clock
from evpower.db.connection import Conn
from evpower.errors import ConnectorNotFound
from evpower.identifiers import ClientId, ConnectorId, StationId
from evpower.link.ports import LiveStations
from evpower.network.locations import last_seen
from evpower.network.spots.errors import (
    ConnectorFaulted,
    ConnectorOccupied,
    ConnectorUnavailable,
    StationInactive,
    StationOffline,
    StationUnderMaintenance,
    UnknownStation,
)
from evpower.network.station_records import StartSpot, read_start_spot
from evpower.network.status import RESERVED, STARTABLE, effective_status, is_online, stored_status


class SpotChecks:
    """The checks on a connector as it is now: its rows, and when its station was heard."""

    def __init__(self, link: LiveStations, clock: Clock, heartbeat_timeout_s: float) -> None:
        self._link = link
        self._clock = clock
        self._heartbeat_timeout_s = heartbeat_timeout_s

    async def check(
        self,
        conn: Conn,
        station_id: StationId,
        connector_id: ConnectorId,
        client_id: ClientId | None,
        *,
        for_later: bool = False,
    ) -> StartSpot:
        """Raises what `check_spot` raises."""
        spot = await read_start_spot(conn, station_id, connector_id)
        seen_at = last_seen(self._link, station_id, spot.last_heartbeat_at if spot else None)
        return check_spot(spot, client_id, seen_at, self._clock.now(), self._heartbeat_timeout_s, for_later=for_later)


def check_spot(
    spot: StartSpot | None,
    client_id: ClientId | None,
    last_seen_at: datetime | None,
    now: datetime,
    heartbeat_timeout_s: float,
    *,
    for_later: bool = False,
) -> StartSpot:
    """Admin status → online → connector exists → faulted/unavailable → busy; the first that fails is raised.

    `for_later`: busy now is no reason. A connector that is kept for another client is busy; one's own is not.
    """
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
    if not for_later:
        _check_free(spot, status, client_id, now)
    return spot


def _check_free(spot: StartSpot, status: str, client_id: ClientId | None, now: datetime) -> None:
    if spot.running_session is not None:
        own = {"session_id": spot.running_session} if spot.running_client == client_id else {}
        raise ConnectorOccupied(connector_status=status, **own)
    if spot.is_kept_from(client_id):
        # Whose it is, and until when, is not said.
        begins = spot.kept_from if spot.kept_from is not None and spot.kept_from > now else None
        raise ConnectorOccupied(connector_status=RESERVED, reserved_from=begins)
    if status not in STARTABLE and not (status == RESERVED and spot.is_kept_for(client_id)):
        raise ConnectorOccupied(connector_status=status)

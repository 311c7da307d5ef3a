"""One station as its own page shows it (contract/rest-api §3.1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from evpower.billing.reservation import LimitType
from evpower.identifiers import ClientId, ConnectorId, SessionId
from evpower.network.listing import ListedLocation, ListedStation


@dataclass(frozen=True)
class RunningSession:
    """A running session; its id and its client are shown to that client alone."""

    session_id: SessionId
    client_id: ClientId
    connector_id: ConnectorId
    start_time: datetime
    energy_wh: int
    limit_type: LimitType


@dataclass(frozen=True)
class StationView:
    """`GET /station/status`: the station of the list, and what only its own page shows (contract/rest-api §3.1)."""

    station: ListedStation
    location: ListedLocation
    #: Whether its socket is open.
    connected: bool
    firmware_version: str | None
    #: OCPP error codes by connector number.
    error_codes: Mapping[ConnectorId, str]
    running: tuple[RunningSession, ...]

    @property
    def is_online(self) -> bool:
        return self.connected and self.station.online

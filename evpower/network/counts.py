"""How the stations and connectors of a location are counted (contract/rest-api §2, websocket-api §4.1).

Pure. A location is counted whole, or its count is kept as stations come, change and go: a change then costs the same
among five stations and among five thousand.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from evpower.network.status import LocationStatus, PublicStatus, location_status


@dataclass(frozen=True)
class StationsSummary:
    """Stations by their public status; the four add up to `total`."""

    total: int
    available: int
    occupied: int
    offline: int
    maintenance: int


@dataclass(frozen=True)
class ConnectorsSummary:
    """Configured connectors: an idle one of a station that is offline or in maintenance is in `total` alone."""

    total: int
    available: int
    occupied: int
    faulted: int


@dataclass(frozen=True)
class LocationCounts:
    """What the phones' socket says of a location: a push is due when this changes."""

    status: LocationStatus
    stations: StationsSummary
    connectors: ConnectorsSummary


class LocationTally:
    """The count of a location."""

    def __init__(self) -> None:
        self._stations: Counter[PublicStatus] = Counter()
        self._total = self._available = self._occupied = self._faulted = 0

    def add(self, status: PublicStatus, connectors: ConnectorsSummary, stations: int = 1) -> None:
        """Count a station; with -1 `stations`, no longer count one that was so."""
        self._stations[status] += stations
        self._total += stations * connectors.total
        self._available += stations * connectors.available
        self._occupied += stations * connectors.occupied
        self._faulted += stations * connectors.faulted

    @property
    def counts(self) -> LocationCounts:
        stations = self._stations
        return LocationCounts(
            location_status(status for status, count in stations.items() if count),
            StationsSummary(
                total=stations.total(),
                available=stations["available"],
                occupied=stations["occupied"],
                offline=stations["offline"],
                maintenance=stations["maintenance"],
            ),
            ConnectorsSummary(self._total, self._available, self._occupied, self._faulted),
        )

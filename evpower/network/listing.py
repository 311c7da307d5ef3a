"""Locations and their stations as the public sees them.

Contract: rest-api §2, ocpp-behaviour §6.

Pure: rows and presence go in, statuses and counts come out. `locations.py` reads and caches it, `feed.py` publishes
its changes to phones.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import Literal

from evpower.identifiers import ConnectorId, StationId
from evpower.network.counts import ConnectorsSummary, LocationCounts, LocationTally
from evpower.network.status import AdminStatus, LocationStatus, PublicStatus, StoredStatus, public_status

#: Whether a charge begins where the station reports that it may (health/).
Reliability = Literal["good", "doubtful"]
SocketStatus = Literal["Available", "Charging", "Occupied", "Faulted"]
SOCKET_STATUSES: dict[str, SocketStatus] = {
    "Available": "Available",
    "Charging": "Charging",
    "SuspendedEV": "Charging",
    "SuspendedEVSE": "Charging",
    "Preparing": "Occupied",
    "Finishing": "Occupied",
    "Reserved": "Occupied",
}
#: No name of a place or a station has it: PostgreSQL stores none.
TEXT_END = "\0"


@dataclass(frozen=True)
class ListedConnector:
    """A configured connector; `status` counts, `ocpp_status` is the station's own status."""

    connector_id: ConnectorId
    connector_type: str
    power_kw: float | None
    status: StoredStatus
    ocpp_status: str
    busy: bool
    doubtful: bool = False

    @property
    def reliability(self) -> Reliability:
        return "doubtful" if self.doubtful else "good"

    @property
    def socket_status(self) -> SocketStatus:
        """The phones' socket has four statuses (contract/websocket-api §4.2)."""
        status = SOCKET_STATUSES.get(self.ocpp_status, "Faulted")
        return "Occupied" if self.busy and status == "Available" else status

    def is_of(self, connector_type: str | None) -> bool:
        """Whether its type is this one, as filters compare it; None: any."""
        return connector_type is None or _folded(connector_type) == _folded(self.connector_type)


@dataclass(frozen=True)
class ListedStation:
    """A station of the list."""

    id: StationId
    location_id: str
    serial_number: str
    model: str
    manufacturer: str
    admin_status: AdminStatus
    power_capacity_kw: float
    #: Physical sockets, whatever is configured (seed §4).
    connectors_count: int
    #: Whether its last message is young enough.
    online: bool
    last_seen_at: datetime | None
    connectors: tuple[ListedConnector, ...]
    rate_per_kwh: Decimal
    session_fee: Decimal

    @cached_property
    def status(self) -> PublicStatus:
        return public_status(self.admin_status, self.online, [each.status for each in self.connectors])

    @cached_property
    def kinds(self) -> frozenset[tuple[str, float]]:
        """What its connectors are, each by its type as filters compare it and its power in kW."""
        return frozenset(self.kind_of(each) for each in self.connectors)

    def kind_of(self, connector: ListedConnector) -> tuple[str, float]:
        """What one of them is, in the same words."""
        return _folded(connector.connector_type), self.power_of(connector)

    def power_of(self, connector: ListedConnector) -> float:
        """A connector's own power in kW, or its station's."""
        return self.power_capacity_kw if connector.power_kw is None else connector.power_kw

    @property
    def reliability(self) -> Reliability:
        """Doubtful when all of its connectors are."""
        return "doubtful" if self.connectors and all(each.doubtful for each in self.connectors) else "good"

    @property
    def in_service(self) -> bool:
        """Whether a driver could charge here if a connector is free."""
        return self.online and self.admin_status == "active"

    def offers(self, connector: ListedConnector) -> bool:
        """Whether a driver finds this connector free."""
        return self.in_service and connector.socket_status == "Available"

    @property
    def appearance(self) -> tuple[object, ...]:
        """What the phones' socket says of it: a push is due when this changes."""
        connectors = [
            (each.connector_id, each.connector_type, each.socket_status, each.status, each.power_kw)
            for each in self.connectors
        ]
        return self.status, self.location_id, self.serial_number, self.in_service, tuple(connectors)

    @cached_property
    def connectors_summary(self) -> ConnectorsSummary:
        statuses = [each.status for each in self.connectors]
        in_service = self.in_service
        occupied, available = statuses.count("occupied"), statuses.count("available")
        return ConnectorsSummary(
            total=len(statuses),
            available=available if in_service else 0,
            occupied=occupied,
            faulted=len(statuses) - available - occupied,
        )


@dataclass(frozen=True)
class ListedLocation:
    """A location of the list with its visible stations."""

    id: str
    name: str
    address: str
    city: str | None
    country: str | None
    latitude: float | None
    longitude: float | None
    stations: tuple[ListedStation, ...]

    @cached_property
    def kinds(self) -> frozenset[tuple[str, float]]:
        """Those of its stations' connectors."""
        return frozenset().union(*(station.kinds for station in self.stations))

    @cached_property
    def folded_city(self) -> str:
        """As filters compare it."""
        return _folded(self.city or "")

    @cached_property
    def searched(self) -> str:
        """The texts a search looks into, each ended by what none of them has."""
        texts = [self.name, self.address, self.city or ""]
        for station in self.stations:
            texts += [station.id, station.serial_number]
        return TEXT_END.join(map(_folded, texts))

    @cached_property
    def counts(self) -> LocationCounts:
        tally = LocationTally()
        for station in self.stations:
            tally.add(station.status, station.connectors_summary)
        return tally.counts

    @property
    def status(self) -> LocationStatus:
        return self.counts.status


@dataclass(frozen=True)
class LocationFilter:
    """What a phone asked for; None asks nothing (contract/rest-api §2.1).

    `connector_type`, `power_kw_min` and `power_kw_max` keep the stations that have one connector of that kind, and the
    locations that have such a station.
    """

    location_id: str | None = None
    city: str | None = None
    search: str | None = None
    connector_type: str | None = None
    power_kw_min: float | None = None
    power_kw_max: float | None = None

    @property
    def is_empty(self) -> bool:
        return self == LocationFilter()

    def apply(self, locations: Iterable[ListedLocation]) -> list[ListedLocation]:
        """The matching locations, whole: their status and counts are those of all their stations."""
        return [location for location in locations if self._matches(location)]

    def stations(self, locations: Iterable[ListedLocation]) -> list[ListedStation]:
        """The matching stations of matching locations."""
        found = self.apply(locations)
        return [station for location in found for station in location.stations if self._fits(station.kinds)]

    def connectors(self, location: ListedLocation) -> list[tuple[ListedStation, ListedConnector]]:
        """The connectors of a location that are of the kind that was asked for."""
        found = [(station, each) for station in location.stations for each in station.connectors]
        return [(station, each) for station, each in found if self._fits_kind(*station.kind_of(each))]

    def _matches(self, location: ListedLocation) -> bool:
        if self.location_id is not None and location.id != self.location_id:
            return False
        if self.city is not None and location.folded_city != self._folded_city:
            return False
        if self.search is not None and not self._is_found_in(location.searched):
            return False
        return self._fits(location.kinds)

    def _is_found_in(self, searched: str) -> bool:
        return TEXT_END not in self._folded_search and self._folded_search in searched

    def _fits(self, kinds: Iterable[tuple[str, float]]) -> bool:
        return not self._asks_for_connectors or any(self._fits_kind(*kind) for kind in kinds)

    def _fits_kind(self, folded_type: str, power_kw: float) -> bool:
        if self.connector_type is not None and folded_type != self._folded_type:
            return False
        return (self.power_kw_min is None or power_kw >= self.power_kw_min) and (
            self.power_kw_max is None or power_kw <= self.power_kw_max
        )

    @cached_property
    def _asks_for_connectors(self) -> bool:
        return (self.connector_type, self.power_kw_min, self.power_kw_max) != (None, None, None)

    @cached_property
    def _folded_city(self) -> str:
        return _folded(self.city or "")

    @cached_property
    def _folded_search(self) -> str:
        return _folded(self.search or "")

    @cached_property
    def _folded_type(self) -> str:
        return _folded(self.connector_type or "")


def configuration_warnings(
    connectors_count: int,
    connector_ids: Collection[int],
    reported_evses: Collection[int] | None = None,
    configured_evses: Collection[int] = (),
) -> list[str]:
    """What cannot be true of a station's rows (seed §4), as sentences for an operator.

    `reported_evses`: those that the station has, by its own inventory (OCPP 2.0.1).
    """
    problems = []
    if connectors_count < len(connector_ids):
        problems.append(f"connectors_count is {connectors_count}, but {len(connector_ids)} connectors are configured")
    beyond = sorted(number for number in connector_ids if number > connectors_count)
    if beyond:
        numbers = ", ".join(map(str, beyond))
        problems.append(f"connectors_count is {connectors_count}, but there are connectors with the numbers {numbers}")
    if reported_evses is not None and set(reported_evses) != set(configured_evses):
        said, known = (", ".join(map(str, sorted(each))) or "none" for each in (reported_evses, configured_evses))
        problems.append(f"the station reports the EVSEs {said}, but the connectors make the EVSEs {known}")
    return problems


def _folded(text: str) -> str:
    return text.strip().casefold()

"""The network as a grid: one cell for each connector, and what kind it is (contract/operator-pages §1, §3.2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from evpower.identifiers import StationId
from evpower.network.status import AdminStatus, effective_status

#: A car is connected and takes energy, or could.
TAKING = frozenset({"Charging", "SuspendedEV", "SuspendedEVSE"})
#: A cable is plugged in, or somebody holds the place.
PLUGGED = frozenset({"Preparing", "Finishing", "Reserved"})


class CellKind(StrEnum):
    """The letter that stands for the kind in a page's classes; a string, whose hash costs nothing."""

    CHARGING = "c"
    FREE = "f"
    PLUGGED = "p"
    FAULTED = "x"
    OFFLINE = "o"
    CLOSED = "m"
    NEVER_HEARD = "n"


#: What the station says of a connector that we neither closed nor lost.
HEARD = frozenset({CellKind.CHARGING, CellKind.FREE, CellKind.PLUGGED})

#: Colour never alone (§1).
GLYPHS = {
    CellKind.CHARGING: "●",
    CellKind.FREE: "○",
    CellKind.PLUGGED: "◐",
    CellKind.FAULTED: "▲",
    CellKind.OFFLINE: "✕",
    CellKind.CLOSED: "▬",
    CellKind.NEVER_HEARD: "?",
}


@dataclass(frozen=True)
class ConnectorFacts:
    """A connector as it is stored; `busy` while a session runs on it."""

    number: int
    ocpp_status: str | None
    error_code: str
    is_enabled: bool
    busy: bool
    changed_at: datetime | None
    #: Why it is in doubt although it reports Available, and since when (health/); None: it is not.
    doubt: str | None = None
    doubted_since: datetime | None = None
    #: Of its last starts that say something.
    tried: int = 0
    worked: int = 0
    #: What its maker calls its fault: vendor, code, text; empty when nothing was said.
    maker: str = ""


@dataclass(frozen=True)
class StationFactsNow:
    """A station of the grid as it is stored: active, or in maintenance."""

    id: StationId
    location_id: str
    location_name: str
    city: str
    latitude: float | None
    longitude: float | None
    admin_status: AdminStatus
    whole_status: str | None
    last_seen_at: datetime | None
    connectors_count: int
    connectors: tuple[ConnectorFacts, ...]
    #: Of its inventory (OCPP 2.0.1).
    reported_evses: Sequence[int] | None = None
    configured_evses: Sequence[int] = ()


@dataclass(frozen=True)
class Cell:
    """A connector in the grid."""

    number: int
    kind: CellKind
    #: OCPP's own word, which people who know chargers read.
    ocpp_status: str
    error_code: str
    since: datetime | None
    is_doubtful: bool = False

    @property
    def has_fault(self) -> bool:
        """Whether it is to be called faulted: by its status, or by an error beside another status, which it still has.

        To do, the bar and the legend count by this alone. What we closed or do not hear has none.
        """
        return self.kind is CellKind.FAULTED or (self.error_code != "NoError" and self.kind in HEARD)


@dataclass(frozen=True)
class StationCells:
    """A station in the grid."""

    facts: StationFactsNow
    is_online: bool
    cells: tuple[Cell, ...]

    def looks_as(self, other: StationCells) -> bool:
        """Whether both look the same in the grid: that a station was heard again changes nothing there."""
        return (
            self.is_online == other.is_online
            and self.cells == other.cells
            and self.facts.admin_status == other.facts.admin_status
            and self.facts.location_name == other.facts.location_name
        )


def station_cells(facts: StationFactsNow, *, is_online: bool) -> StationCells:
    """The station's cells, in the order of its connectors."""
    cells = (
        Cell(
            each.number,
            _kind(facts, each, is_online=is_online),
            effective_status(each.ocpp_status, facts.whole_status),
            each.error_code,
            each.changed_at if is_online else facts.last_seen_at,
            each.doubt is not None,
        )
        for each in facts.connectors
    )
    return StationCells(facts, is_online, tuple(cells))


def faults(station: StationCells) -> int:
    """How many of its connectors are faulted."""
    return sum(cell.has_fault for cell in station.cells)


def is_missing(station: StationCells) -> bool:
    """Whether it should be online and is not."""
    return not station.is_online and station.facts.admin_status == "active"


def _kind(station: StationFactsNow, connector: ConnectorFacts, *, is_online: bool) -> CellKind:
    """In this order: what we closed, what we do not hear, what the station reports."""
    if station.admin_status == "maintenance" or not connector.is_enabled:
        return CellKind.CLOSED
    if station.last_seen_at is None:
        return CellKind.NEVER_HEARD
    if not is_online:
        return CellKind.OFFLINE
    status = effective_status(connector.ocpp_status, station.whole_status)
    if status == "Faulted":
        return CellKind.FAULTED
    if status in TAKING:
        return CellKind.CHARGING
    if connector.busy or status in PLUGGED:
        return CellKind.PLUGGED
    return CellKind.FREE if status == "Available" else CellKind.CLOSED

"""Everything that is known of one station, and which state it is in. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from evpower.link.ports import SocketNow
from evpower.network.status import AdminStatus

#: A socket of another process counts as booting for so long after it came; how far it is, that process alone knows.
BOOTS_WITHIN = timedelta(seconds=30)


class StationState(StrEnum):
    """What its page says first (contract/operator-pages §4)."""

    NEVER = "never"
    CONNECTING = "connecting"
    BOOTING = "booting"
    ONLINE = "online"
    #: Its socket is open, and nothing comes.
    SILENT = "silent"
    OFFLINE = "offline"
    MAINTENANCE = "maintenance"
    INACTIVE = "inactive"


@dataclass(frozen=True)
class CaseStation:
    """A station's rows, its socket wherever it is, and what it said of itself at its last boot."""

    id: str
    serial_number: str
    model: str
    manufacturer: str
    location_id: str
    location_name: str
    location_address: str
    city: str | None
    admin_status: AdminStatus
    firmware_version: str | None
    tariff_plan_id: str | None
    created_at: datetime
    updated_at: datetime
    last_seen_at: datetime | None
    process_id: str | None
    connected_at: datetime | None
    address: str | None
    whole_status: str | None
    vendor_error_code: str | None
    info: str | None
    reported_vendor: str | None
    reported_model: str | None
    booted_at: datetime | None
    has_password: bool
    has_pending_password: bool
    has_certificate: bool
    free_vend: bool
    #: What it spoke last; None before its first boot.
    ocpp_version: str | None


@dataclass(frozen=True)
class RefusedLogin:
    """The last login of a station that was refused; `times` are all of them."""

    station_id: str
    address: str
    reason: str
    refused_at: datetime
    times: int


@dataclass(frozen=True)
class StationCase:
    """The head of a station's page."""

    station: CaseStation
    state: StationState
    since: datetime | None
    #: Of this station, and of others from the address it comes from.
    refused: Sequence[RefusedLogin]


@dataclass(frozen=True)
class KnownSetting:
    """A setting as the station told it last; `usual` is what most of its siblings have, None without siblings."""

    key: str
    value: str | None
    readonly: bool
    reboot_required: bool
    known_at: datetime
    usual: str | None
    usual_of: int
    siblings: int

    @property
    def differs(self) -> bool:
        """Whether most stations of its model or location have another value."""
        return self.siblings > 0 and 2 * self.usual_of > self.siblings and self.usual != self.value


@dataclass(frozen=True)
class StationReading:
    """What a connector measured; `wire_transaction_id` None is outside of a charge."""

    received_at: datetime
    measured_at: datetime
    connector_id: int
    wire_transaction_id: str | None
    energy_wh: int | None
    power_w: float | None
    current_a: float | None
    voltage_v: float | None
    soc_percent: float | None
    temperature_c: float | None


@dataclass(frozen=True)
class StationEvent:
    """One line of a station's history, or of the network's; `who` None is the station itself, `door` where somebody
    asked for it, `target` the station, or whom or what else it was about."""

    at: datetime
    target: str
    who: str | None
    kind: str
    what: str
    outcome: str | None
    door: str | None = None


@dataclass(frozen=True)
class CaseStranger:
    """An unknown station that asked to be let in under this name."""

    identity: str
    status: str
    vendor: str
    model: str
    firmware_version: str | None
    serial_number: str | None
    address: str
    boots: int
    first_seen_at: datetime
    last_seen_at: datetime


def station_state(
    station: CaseStation, socket: SocketNow | None, now: datetime, heartbeat_timeout: timedelta
) -> tuple[StationState, datetime | None]:
    """The state, and since when. `socket` None: it has none in this process."""
    if station.admin_status != "active":
        return StationState(station.admin_status), station.updated_at
    seen_at = station.last_seen_at if socket is None else socket.last_seen_at
    if station.connected_at is None:
        if seen_at is None:
            return StationState.NEVER, station.created_at
        return StationState.OFFLINE, seen_at
    if _said_nothing(station, socket, seen_at):
        return StationState.CONNECTING, station.connected_at
    if seen_at is None or now - seen_at > heartbeat_timeout:
        return StationState.SILENT, seen_at
    if _boots(station, socket, now):
        return StationState.BOOTING, station.connected_at
    return StationState.ONLINE, station.connected_at


def _said_nothing(station: CaseStation, socket: SocketNow | None, seen_at: datetime | None) -> bool:
    if socket is not None:
        return not socket.has_spoken
    return station.connected_at is not None and (seen_at is None or seen_at < station.connected_at)


def _boots(station: CaseStation, socket: SocketNow | None, now: datetime) -> bool:
    if socket is not None:
        return not socket.is_ready or socket.registration != "Accepted"
    booted_at, connected_at = station.booted_at, station.connected_at
    return booted_at is not None and connected_at is not None and booted_at >= connected_at > now - BOOTS_WITHIN

"""What an operator looks at on the control socket, as this door asks for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal, Protocol, TypeAlias

from evpower.billing.ledger_check import LedgerCheck, LedgerCheckRecord
from evpower.charging.review.free_vend import GivenAway
from evpower.identifiers import ClientId, SessionId, StationId
from evpower.narrowing import Narrowing
from evpower.network.listing import configuration_warnings
from evpower.network.status import AdminStatus, PublicStatus, StoredStatus
from evpower.network_file.service import FleetReport
from evpower.payments.provider_calls import ProviderState
from evpower.stations.facts import StationFacts

#: What has an id that a person may begin to write.
IdKind: TypeAlias = Literal["sessions", "stations", "clients", "payments", "id-tags", "locations"]
#: More candidates help nobody.
IDS_MAX = 20


@dataclass(frozen=True)
class Counts:
    """How much of everything is stored, and the version of the PostgreSQL that stores it."""

    stations: int
    running_sessions: int
    unsettled_sessions: int
    parked_reports: int
    parked_payments: int
    postgresql: str


@dataclass(frozen=True)
class ServerStatus:
    """The server at a glance; stations, logins and tasks are those of this process."""

    version: str
    uptime_s: int
    connected_stations: int
    counts: Counts
    #: By the provider's name.
    payment_providers: Mapping[str, ProviderState]
    failed_logins: int
    slowed_addresses: Sequence[str]
    tasks: int


@dataclass(frozen=True)
class ConnectorLine:
    """A connector as it is stored: `ocpp_status` and `error_code` are OCPP's, `busy` while a session runs."""

    connector_id: int
    status: StoredStatus
    ocpp_status: str | None
    is_enabled: bool
    error_code: str
    busy: bool


@dataclass(frozen=True)
class StationLine:
    """A station as it is stored; `whole_status` is OCPP's status of connector 0."""

    id: StationId
    serial_number: str
    model: str
    admin_status: AdminStatus
    location_id: str
    location_name: str
    last_heartbeat_at: datetime | None
    firmware_version: str | None
    connectors_count: int
    whole_status: str | None
    #: Which version of OCPP it spoke last.
    ocpp_version: str | None
    #: Of its inventory (OCPP 2.0.1).
    reported_evses: Sequence[int] | None
    configured_evses: Sequence[int]
    connectors: tuple[ConnectorLine, ...]

    @property
    def configuration_warnings(self) -> list[str]:
        """What cannot be true of these rows, as sentences for a person."""
        return configuration_warnings(
            self.connectors_count,
            [each.connector_id for each in self.connectors],
            self.reported_evses,
            self.configured_evses,
        )


@dataclass(frozen=True)
class StationSheet:
    """Everything of a station: its row, how it is now, what it was asked, what it gave away if it ever did."""

    line: StationLine
    last_seen_at: datetime | None
    status: PublicStatus
    #: Whether a socket of it is open in any process.
    connected: bool
    #: It hangs up when it is asked something, at this process, and is asked nothing until it has spoken again.
    left_alone: bool
    facts: StationFacts
    free_vend: GivenAway | None


@dataclass(frozen=True)
class SessionLine:
    """A session with its money in som, its energy in kWh, and what is doubtful of it."""

    session_id: SessionId
    client_id: ClientId
    station_id: StationId
    connector_id: int
    status: str
    phase: str
    start_time: datetime
    stop_time: datetime | None
    energy_kwh: Decimal | None
    amount: Decimal | None
    reserved_amount: Decimal
    refunded_amount: Decimal
    additional_charge: Decimal
    debt_amount: Decimal
    limit_type: str
    limit_value: Decimal | None
    transaction_id: str | None
    end_cause: str | None
    stop_reason: str | None
    stop_requested_at: datetime | None
    stop_requested_by: str | None
    estimated: bool
    doubtful: bool
    corrected_at: datetime | None
    overshoot_wh: int | None
    unbilled_wh: int
    unbilled_som: Decimal


class OperatorViews(Protocol):
    """What an operator looks at."""

    async def status(self) -> ServerStatus:
        """The server at a glance: version, uptime, stations, running sessions, engines."""
        ...

    async def stations(self) -> Sequence[StationSheet]:
        """Every station with its connectors, inactive ones too."""
        ...

    async def sessions(self, wanted: Narrowing, *, running_only: bool) -> Sequence[SessionLine]:
        """Sessions, newest first."""
        ...

    async def ids(self, kind: IdKind, begins: str) -> Sequence[str]:
        """Whole ids that begin so, at most `IDS_MAX`; one that is exactly so stands alone."""
        ...

    async def import_fleet(self, text: str, *, actor: str, move_app_tags: bool = False) -> FleetReport:
        """Import a fleet file (TOML) for `actor`; what was created, changed, left.

        Raises InvalidRequest, also for a tag of the app with another client unless `move_app_tags`."""
        ...

    async def try_fleet(self, text: str, *, move_app_tags: bool = False) -> FleetReport:
        """What importing a file would do, with every difference; nothing is changed. Raises as `import_fleet`."""
        ...

    async def check_ledger(self) -> LedgerCheck:
        """The invariants of design §5, over all rows."""
        ...

    async def last_night(self) -> LedgerCheckRecord | None:
        """What the nightly check found that was finished last; None when there was none yet."""
        ...

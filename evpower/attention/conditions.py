"""What needs a person: the kinds of conditions, and the rows they are raised from (contract/operator-pages §3.1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from evpower.identifiers import StationId


class ConditionKind(Enum):
    """The value stands in addresses, JSON and texts."""

    DISK_SHORT = "disk_short"
    JOURNAL_LAGS = "journal_lags"
    PROVIDER_FAILING = "provider_failing"
    LEDGER_FINDING = "ledger_finding"
    SETTLEMENT_LATE = "settlement_late"
    CHARGING_WITHOUT_SESSION = "charging_without_session"
    STOP_AWAITED = "stop_awaited"
    UNBILLED_ENERGY = "unbilled_energy"
    GIVEN_AWAY = "given_away"
    STATION_OFFLINE = "station_offline"
    CONNECTOR_FAULTED = "connector_faulted"
    STARTS_FAIL = "starts_fail"
    CONNECTOR_DOUBTFUL = "connector_doubtful"
    PASSED_OVER = "passed_over"
    START_HANGS = "start_hangs"
    STOP_HANGS = "stop_hangs"
    PAYMENT_PARKED = "payment_parked"
    REFUND_OPEN = "refund_open"
    PAYMENTS_UNDECIDED = "payments_undecided"
    REPORT_PARKED = "report_parked"
    DOUBT = "doubt"
    STRANGER_WAITS = "stranger_waits"
    CERTIFICATE_ENDS = "certificate_ends"
    FIRMWARE_FAILED = "firmware_failed"
    BOOT_LOOP = "boot_loop"
    WRONG_CLOCK = "wrong_clock"
    CONFIGURATION = "configuration"


@dataclass(frozen=True)
class Condition:
    """One thing that is not as it should be; `facts` fill the places of its sentence."""

    kind: ConditionKind
    #: With the kind it names the condition for as long as it lasts.
    subject: str
    since: datetime
    is_urgent: bool = False
    money_tyiyn: int = 0
    station_id: StationId | None = None
    location_id: str | None = None
    location_name: str | None = None
    session_id: str | None = None
    facts: Mapping[str, str | int] = field(default_factory=dict)

    @property
    def key(self) -> str:
        return f"{self.kind.value}:{self.subject}"


@dataclass(frozen=True)
class OpenCharge:
    """A session that is not final, or whose bill may still change, or left energy unbilled."""

    session_id: str
    station_id: StationId
    connector_id: int
    phase: str
    phase_at: datetime
    stop_requested_at: datetime | None
    settled_at: datetime | None
    awaits_stop: bool
    unbilled_wh: int
    unbilled_tyiyn: int
    held_tyiyn: int
    amount_tyiyn: int


@dataclass(frozen=True)
class UnpaidCharge:
    """A transaction that goes on although no session pays for it."""

    station_id: StationId
    connector_id: int
    transaction_id: str
    since: datetime
    energy_wh: int


@dataclass(frozen=True)
class LastStarts:
    """The last starts at a connector: how many of them failed, of how many clients, and since when."""

    station_id: StationId
    connector_id: int
    tried: int
    failed: int
    clients: int
    first_failed_at: datetime
    word: str


@dataclass(frozen=True)
class WaitingMoney:
    """A parked payment, or a refund that is open."""

    id: int
    kind: str
    provider: str
    order_id: str
    amount_tyiyn: int
    since: datetime
    reason: str


@dataclass(frozen=True)
class Undecided:
    """Top-ups that no provider has decided for long; `oldest_order` is the one that waits longest."""

    provider: str
    count: int
    amount_tyiyn: int
    oldest_at: datetime
    oldest_order: str


@dataclass(frozen=True)
class Waiting:
    """Something of a station, or of a stranger, that a person decides."""

    kind: str
    subject: str
    station_id: StationId | None
    since: datetime
    word: str
    until: datetime | None = None


@dataclass(frozen=True)
class Ailing:
    """What this process saw of a station that is in no row: that it boots whenever it is configured, a wrong clock."""

    kind: str
    station_id: StationId
    since: datetime
    word: str


@dataclass(frozen=True)
class Gift:
    """Energy that a station gave away in a day, its worth at the price that drivers see, and above what it is too much.

    `since`: when the first of its charges began.
    """

    station_id: StationId
    since: datetime
    charges: int
    energy_wh: int
    worth_tyiyn: int
    limit_tyiyn: int


@dataclass(frozen=True)
class LedgerFinding:
    """What the last check of the ledger found: broken rows, and the invariants they break."""

    rows: int
    invariants: tuple[str, ...]
    since: datetime


@dataclass(frozen=True)
class Gathered:
    """Every row that conditions are raised from, as of one moment."""

    charges: tuple[OpenCharge, ...] = ()
    unpaid: tuple[UnpaidCharge, ...] = ()
    starts: tuple[LastStarts, ...] = ()
    money: tuple[WaitingMoney, ...] = ()
    undecided: tuple[Undecided, ...] = ()
    waiting: tuple[Waiting, ...] = ()
    finding: LedgerFinding | None = None
    #: Connectors on which a transaction is given away: nobody has to pay there.
    given_away: frozenset[tuple[StationId, int]] = frozenset()
    ailing: tuple[Ailing, ...] = ()
    gifts: tuple[Gift, ...] = ()

"""One outlet of a simulated station: its cable, its meter, and the transaction on it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

import trio

from evpower.simulator.station.power import Register, Vehicle, charge, power_w

STARTABLE = ("Available", "Preparing", "Finishing", "Reserved")
BROKEN = ("Unavailable", "Faulted")


@dataclass(eq=False, slots=True)
class Transaction:
    """The station's record of a charge; the central system's id becomes known with its answer."""

    connector_id: int
    id_tag: str
    meter_start_wh: int
    started_at: datetime
    #: Its own with OCPP 2.0.1.
    transaction_id: int | str | None = None
    parent_id_tag: str | None = None
    #: With OCPP 2.0.1: under which it was asked for, and how many events it has had.
    remote_start_id: int | None = None
    events: int = 0
    over: trio.Event = field(default_factory=trio.Event)


@dataclass(frozen=True, slots=True)
class ConnectorReservation:
    """Who may start on a connector until when (OCPP 1.6 §5.13)."""

    reservation_id: int
    id_tag: str
    parent_id_tag: str | None


@dataclass(frozen=True, slots=True, eq=False)
class Permission:
    """A go-ahead that waits for the cable."""

    id_tag: str
    parent_id_tag: str | None = None


@dataclass(eq=False, slots=True)
class SimulatedConnector:
    """State of one outlet. Energy is worked out when somebody looks, from trio time and `speed`."""

    connector_id: int
    power_w_max: int
    speed: float
    register: Register
    status: str = "Available"
    error_code: str = "NoError"
    operative: bool = True
    vehicle: Vehicle | None = None
    permission: Permission | None = None
    reservation: ConnectorReservation | None = None
    transaction: Transaction | None = None
    last_transaction: Transaction | None = None
    limit_w: float | None = None  # from charging profiles
    energised: bool = False  # False: suspended by the station
    _looked_at: float = 0.0

    @property
    def plugged(self) -> bool:
        return self.vehicle is not None

    @property
    def energy_wh(self) -> int:
        """The meter's register as of now."""
        self.advance()
        return self.register.energy_wh

    @property
    def power_w(self) -> float:
        """What flows right now; by the connector's own time, which runs with `speed`, as much as its register rises."""
        self.advance()
        if self.transaction is None or self.vehicle is None or not self.energised:
            return 0.0
        return power_w(self.vehicle, self.offered_w)

    def time(self, transaction: Transaction | None, now: datetime) -> datetime:
        """When it is in a transaction: its time runs with `speed` from the start on, so that its energy fits it."""
        if transaction is None:
            return now
        return transaction.started_at + (now - transaction.started_at) * self.speed

    @property
    def offered_w(self) -> float:
        """What the vehicle may take at most."""
        return self.power_w_max if self.limit_w is None else min(self.limit_w, self.power_w_max)

    def admits(self, id_tag: str, parent_id_tag: str | None) -> bool:
        """The connector works, and is not kept for another card."""
        kept = self.reservation
        if self.status not in STARTABLE or kept is None:
            return self.status in STARTABLE
        same_group = parent_id_tag is not None and parent_id_tag == kept.parent_id_tag
        return same_group or id_tag.casefold() == kept.id_tag.casefold()

    def advance(self) -> None:
        """Let the energy of the time since the last look flow."""
        now = trio.current_time()
        elapsed_s, self._looked_at = now - self._looked_at, now
        if self.transaction is None or self.vehicle is None or not self.energised:
            return
        self.vehicle, gained_wh = charge(self.vehicle, self.offered_w, elapsed_s * self.speed)
        self.register = self.register.plus(gained_wh)

    def begin(self, transaction: Transaction) -> None:
        """Close the contactor."""
        self.advance()
        self.transaction = transaction
        self.last_transaction = transaction
        self.energised = True

    def finish(self) -> Transaction | None:
        """Open the contactor; the transaction that ran, if any."""
        self.advance()
        ended, self.transaction = self.transaction, None
        if ended is not None:
            ended.over.set()
        return ended

    def restrict(self, limit_w: float | None) -> None:
        """From now on give at most `limit_w` (None: what the hardware can)."""
        self.advance()
        self.limit_w = limit_w

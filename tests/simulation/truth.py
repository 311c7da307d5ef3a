"""What physically happened, and what it must cost by the contract's sentences.

Imports nothing of billing, charging or metering: a mistake there must not be made here a second time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

import trio

from evpower.simulator.station.connector import SimulatedConnector, Transaction
from tests.simulation.plan import ClientPlan, StationPlan
from tests.simulation.tariffs import FEE, KWH, MINUTE, Tariff

#: billing-rules §1: the network's price where nothing else is set.
DEFAULT_RATE = Decimal("13.5")
#: The users live there; windows of tariffs are of its clock (billing-rules §7).
BISHKEK = timedelta(hours=6)
CENT = Decimal("0.01")
#: What a connector can have delivered (field ruling 1.1) is far below.
UNBELIEVABLE_WH = 5_000_000


@dataclass(eq=False)
class PhysicalCharge:
    """Energy that flowed while a station had a transaction open; times are virtual seconds."""

    station: StationPlan
    id_tag: str
    start_wh: int
    began_at: float
    #: The station's own record, which knows the id that it was told.
    record: Transaction
    ended_at: float | None = None
    stop_wh: int | None = None
    #: The register at which the present meter began to count, and what those before it counted.
    segment_wh: int = 0
    parts_wh: int = 0
    meter_was_replaced: bool = False
    #: Its StopTransaction will never be sent.
    stop_is_lost: bool = False
    #: The station's clock was right all along.
    clock_is_right: bool = True
    #: By how much it reported more than its register had.
    lies_wh: list[int] = field(default_factory=list)

    @property
    def believed_lie_wh(self) -> int:
        """How much more than flowed it can have been believed."""
        return max((each for each in self.lies_wh if each < UNBELIEVABLE_WH), default=0)

    @property
    def flowed_wh(self) -> int:
        """What flowed until its end, by every meter that it had."""
        assert self.stop_wh is not None
        return self.parts_wh


@dataclass
class Truth:
    """Every physical charge of a run, in the order of their beginnings."""

    charges: list[PhysicalCharge] = field(default_factory=list)
    #: Stations whose meter was replaced.
    swapped: set[str] = field(default_factory=set)

    def running(self, plan: StationPlan) -> PhysicalCharge | None:
        """The charge that goes on at a station."""
        return next((one for one in self.charges if one.station is plan and one.ended_at is None), None)

    def behind(
        self, station_id: str, id_tag: str, start_wh: int, wire_transaction_id: str, about_s: float
    ) -> PhysicalCharge | None:
        """The charge that a row is about.

        Where a card came twice at one register, the one whose station was told that id; one that was told none is the
        nearest in time.
        """
        wanted = (station_id, id_tag, start_wh)
        found = [one for one in self.charges if (one.station.station_id, one.id_tag, one.start_wh) == wanted]
        return min(
            found,
            key=lambda one: (wire_id_of(one.station, one.record) != wire_transaction_id, abs(one.began_at - about_s)),
            default=None,
        )


def wire_id_of(station: StationPlan, transaction: Transaction) -> str:
    """Under which name the product keeps it: a number is one of 1.6, whichever station chose it (ocpp201 §3)."""
    name = str(transaction.transaction_id)
    return f"2.0.1:{name}" if station.ocpp == "2.0.1" and name.isdecimal() else name


class WitnessedConnector(SimulatedConnector):
    """An outlet whose charges are noted as they begin and end, however short they are."""

    def __init__(self, plain: SimulatedConnector, plan: StationPlan, truth: Truth, clock_is_right: Callable[[], bool]):
        super().__init__(plain.connector_id, plain.power_w_max, plain.speed, plain.register)
        self._plan = plan
        self._truth = truth
        self._clock_is_right = clock_is_right

    def begin(self, transaction: Transaction) -> None:
        super().begin(transaction)
        charge = PhysicalCharge(
            self._plan, transaction.id_tag, transaction.meter_start_wh, trio.current_time(), transaction
        )
        charge.clock_is_right, charge.segment_wh = self._clock_is_right(), transaction.meter_start_wh
        self._truth.charges.append(charge)

    def finish(self) -> Transaction | None:
        charge = self._truth.running(self._plan)
        ended = super().finish()
        if ended is not None and charge is not None:
            charge.ended_at, charge.stop_wh = trio.current_time(), self.energy_wh
            charge.parts_wh += charge.stop_wh - charge.segment_wh
        return ended


@dataclass(frozen=True)
class Prices:
    """What a charge costs, by the moment it is priced at."""

    per_kwh: Decimal
    per_minute: Decimal
    fee: Decimal

    def cost(self, energy_wh: int, minutes: int) -> Decimal:
        """billing-rules §1, §4: rounded half-up to two places once, at the end; nothing delivered costs nothing."""
        if energy_wh <= 0:
            return Decimal(0)
        exact = Decimal(energy_wh) / 1000 * self.per_kwh + minutes * self.per_minute + self.fee
        return exact.quantize(CENT, ROUND_HALF_UP)


def prices(tariff: Tariff, client: ClientPlan | None, at: datetime) -> Prices:
    """The plan's best rule of each kind at that moment, less the client's discount on energy and minutes (§7)."""
    clock = (at + BISHKEK).strftime("%H:%M")
    found: dict[str, Decimal] = {}
    for rule in tariff.rules:
        if rule.window is None or _within(clock, *rule.window):
            found[rule.kind] = rule.price
    # A plan that names no price of energy leaves the network's in force.
    found.setdefault(KWH, DEFAULT_RATE)
    discount = 1 - (client.discount_percent if client else Decimal(0)) / 100
    return Prices(
        found.get(KWH, Decimal(0)) * discount, found.get(MINUTE, Decimal(0)) * discount, found.get(FEE, Decimal(0))
    )


def _within(clock: str, start: str, end: str) -> bool:
    """Half-open; a window whose end is not after its start runs over midnight."""
    if start < end:
        return start <= clock < end
    return clock >= start or clock < end

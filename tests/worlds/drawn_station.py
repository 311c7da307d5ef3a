"""A station drawn at random: what flows through it in truth, and what it reports of that, in OCPP 1.6's own JSON.

It never delivers more than its connectors can. Beyond that it may do anything: repeat, lose, reorder and queue what it
reports, set its clock, begin its registers again, and report registers that are none.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import trio
from trio.testing import memory_stream_pair

from evpower.identifiers import ConnectorId, IdTag
from evpower.network.station import Admission
from evpower.ocpp.connected_station import ConnectedStation
from evpower.ocpp.connection import StationConnection
from evpower.ocpp.dialect import known_actions
from evpower.ocpp.dialects import DIALECTS
from evpower.ocpp.habits.station_habits import StationHabits
from evpower.ocpp.settings import OcppSettings
from evpower.ocpp.v16.dialect import OCPP_16
from evpower.ocpp.watch.traffic import Traffic
from evpower.ocpp.wire import frames
from evpower.ocpp.wire.transport import SocketLimits, StationSocket
from tests.worlds.charging import ONE, STATION, TWO, World
from tests.worlds.fakes import CountingIds

#: What each connector is rated for, and delivers at most.
POWER_W = 22_000
#: What its registers show at first.
FIRST_REGISTER_WH = 5_000
#: How a register is written that is not read: its comma may be a decimal point, or group thousands.
UNREAD = "comma"
#: A register that no connector here can reach.
ABSURD_WH = 900_000_000


@dataclass(frozen=True)
class Heard:
    """A register that reached us, of the charge for which it counts."""

    register_wh: int
    measured_at: datetime
    received_at: datetime
    #: The one that the meter showed at that moment.
    is_true: bool
    #: Its charge was the newest of its connector, and no stop of it had come.
    is_open: bool


@dataclass(eq=False)
class Charge:
    """One car at one connector."""

    connector: ConnectorId
    tag: IdTag
    #: What had flowed through the connector in all its life when the charge began, and by its end.
    began_wh: int
    ended_wh: int | None = None
    start_register_wh: int = 0
    started_at: datetime | None = None
    received_at: datetime | None = None
    transaction_id: str | None = None
    heard: list[Heard] = field(default_factory=list)
    has_stop: bool = False
    #: An earlier charge began with the very same words.
    said_before: Charge | None = None
    #: The charge's start was true, and the register and the clock went on without a break.
    is_plain: bool = True


@dataclass(eq=False)
class Outlet:
    """One connector with its meter."""

    delivered_wh: int = 0
    zeroed_at_wh: int = -FIRST_REGISTER_WH
    charge: Charge | None = None
    #: Every charge whose start reached us, in that order.
    reported: list[Charge] = field(default_factory=list)
    #: It lied, or its register began again, at any time.
    is_plain: bool = True

    @property
    def shown_wh(self) -> int:
        return self.delivered_wh - self.zeroed_at_wh


@dataclass(eq=False)
class Message:
    """What it reports, or has in its queue; the transaction's id is filled in when it is sent."""

    action: str
    payload: dict[str, Any]
    charge: Charge
    #: Of it: the registers with their times, and whether they are true.
    registers: tuple[tuple[int, datetime, bool], ...] = ()
    names_transaction: bool = True
    times: int = 1
    number: int = 0


class DrawnStation:
    """Does what is drawn; impossible orders do nothing."""

    def __init__(self, world: World, wire: ConnectedStation) -> None:
        self.world = world
        self._wire = wire
        self.outlets = {ONE: Outlet(), TWO: Outlet()}
        self.charges: list[Charge] = []
        self._ahead = timedelta(0)
        self._queue: list[Message] = []
        self._sent: list[Message] = []
        self._made = 0
        self.is_online = True
        #: Whatever was reported reached us in the order in which it happened.
        self.in_order = True
        self._newest = 0

    # -------------------------------------------------------------------------------------------------- what happens

    def flow(self, seconds: float, share: float) -> None:
        """Time goes by, and each car takes this share of the power."""
        self.world.clock.advance(seconds)
        for outlet in self.outlets.values():
            if outlet.charge is not None:
                outlet.delivered_wh += int(POWER_W * share * seconds / 3600)

    def set_clock(self, ahead: timedelta | None) -> None:
        """Set its clock; None: as after a power cut, when it begins in 1970."""
        never_set = datetime(1970, 1, 1, 0, 1, tzinfo=UTC) - self.world.clock.now()
        self._ahead = never_set if ahead is None else ahead
        for outlet in self.outlets.values():
            if outlet.charge is not None:
                outlet.charge.is_plain = False

    def zero(self) -> None:
        """Its registers begin again, as some do at a boot."""
        for outlet in self.outlets.values():
            outlet.zeroed_at_wh = outlet.delivered_wh
            outlet.is_plain = False
            if outlet.charge is not None:
                outlet.charge.is_plain = False

    async def boot(self) -> None:
        if self.is_online:
            await self._call("BootNotification", {"chargePointVendor": "V", "chargePointModel": "M"})

    async def begin(self, connector: ConnectorId, tag: IdTag, *, lost: bool, from_0: bool, times: int = 1) -> None:
        """A car is plugged in; its start may be lost for ever, and may give the register as 0."""
        outlet = self.outlets[connector]
        if outlet.charge is not None:
            return
        charge = outlet.charge = Charge(connector, tag, outlet.delivered_wh)
        self.charges.append(charge)
        register_wh = 0 if from_0 else outlet.shown_wh
        if register_wh != outlet.shown_wh:
            charge.is_plain = outlet.is_plain = False
        charge.start_register_wh, charge.started_at = register_wh, self._now()
        payload = {"connectorId": connector, "idTag": tag, "meterStart": register_wh, "timestamp": self._time()}
        if not lost:
            await self._report(Message("StartTransaction", payload, charge, times=times))

    async def read(
        self, connector: ConnectorId, *, style: str, lie_wh: int | None, names_transaction: bool, lost: bool, times: int
    ) -> None:
        """MeterValues of the charge there; `lie_wh` is what they give in place of the register."""
        outlet = self.outlets[connector]
        charge = outlet.charge
        if charge is None:
            return
        register_wh = self._register(outlet, lie_wh)
        value = {"timestamp": self._time(), "sampledValue": written(register_wh, style)}
        registers = ((register_wh, self._now(), register_wh == outlet.shown_wh),) if style != UNREAD else ()
        if not lost:
            payload = {"connectorId": connector, "meterValue": [value]}
            await self._report(Message("MeterValues", payload, charge, registers, names_transaction, times))

    async def end(
        self, connector: ConnectorId, *, lost: bool, lie_wh: int | None, style: str | None, times: int
    ) -> None:
        """The car leaves; with a style the stop carries the register as transactionData too."""
        outlet = self.outlets[connector]
        charge, outlet.charge = outlet.charge, None
        if charge is None:
            return
        charge.ended_wh = outlet.delivered_wh
        register_wh = self._register(outlet, lie_wh)
        is_true = register_wh == outlet.shown_wh
        payload: dict[str, Any] = {"meterStop": register_wh, "timestamp": self._time()}
        registers = ((register_wh, self._now(), is_true),)
        if style is not None:
            value = {"timestamp": self._time(), "sampledValue": written(outlet.shown_wh, style)}
            payload["transactionData"] = [value]
            registers = (*(((outlet.shown_wh, self._now(), True),) if style != UNREAD else ()), *registers)
        if not lost:
            await self._report(Message("StopTransaction", payload, charge, registers, times=times))

    def line_falls(self) -> None:
        self.is_online = False
        self.world.link.connected.discard(STATION)

    async def line_returns(self, order: str) -> None:
        """It delivers what it queued: starts and stops in their order, readings among them in any (OCPP 1.6 §3.4)."""
        self.is_online = True
        self.world.link.connected.add(STATION)
        queue, self._queue = self._queue, []
        if order == "readings last":
            queue.sort(key=lambda message: message.action == "MeterValues")
        elif order == "readings first":
            queue.sort(key=lambda message: message.action != "MeterValues")
        elif order == "readings backwards":
            readings = [message for message in queue if message.action == "MeterValues"]
            queue = [readings.pop() if message.action == "MeterValues" else message for message in queue]
        for message in queue:
            await self._deliver(message)

    async def repeat(self, back: int) -> None:
        """It sends again what it sent before, however long ago."""
        if self.is_online and len(self._sent) > back:
            await self._deliver(self._sent[-1 - back])

    async def obey(self) -> None:
        """It ends what it was asked to stop."""
        asked = {transaction_id for _, transaction_id in self.world.link.stopped}
        for connector, outlet in self.outlets.items():
            if self.is_online and outlet.charge is not None and outlet.charge.transaction_id in asked:
                await self.end(connector, lost=False, lie_wh=None, style=None, times=1)

    # ------------------------------------------------------------------------------------------------- how it reports

    def _register(self, outlet: Outlet, lie_wh: int | None) -> int:
        """What is reported as the register."""
        if lie_wh is None or lie_wh == outlet.shown_wh:
            return outlet.shown_wh
        assert outlet.charge is None or outlet.charge in self.charges
        outlet.is_plain = False
        return lie_wh

    def _now(self) -> datetime:
        return (self.world.clock.now() + self._ahead).replace(microsecond=0)

    def _time(self) -> str:
        return self._now().isoformat().replace("+00:00", "Z")

    async def _report(self, message: Message) -> None:
        self._made += 1
        message.number = self._made
        if self.is_online:
            await self._deliver(message)
        else:
            self._queue.append(message)

    async def _deliver(self, message: Message) -> None:
        for _ in range(message.times):
            await self._send(message)
        self._sent.append(message)

    async def _send(self, message: Message) -> None:
        charge, payload = message.charge, dict(message.payload)
        outlet = self.outlets[charge.connector]
        self.in_order = self.in_order and message.number >= self._newest
        self._newest = max(self._newest, message.number)
        counts_for: Charge | None = charge.said_before or charge
        if message.action == "StopTransaction":
            payload["transactionId"] = int(charge.transaction_id or 0)
        elif message.action == "MeterValues":
            if message.names_transaction and charge.transaction_id is not None:
                payload["transactionId"] = int(charge.transaction_id)
            else:
                counts_for = outlet.reported[-1] if outlet.reported else None
        answer = await self._call(message.action, payload)
        if message.action == "StartTransaction":
            if charge.transaction_id is None:
                charge.transaction_id = str(answer["transactionId"])
                self._note_start(outlet, charge)
            assert charge.transaction_id == str(answer["transactionId"])
        if counts_for is not None:
            if counts_for is not charge:
                counts_for.is_plain = charge.is_plain = False
            counts_for.is_plain = counts_for.is_plain and all(is_true for _, _, is_true in message.registers)
            is_open = not counts_for.has_stop and counts_for in outlet.reported[-1:]
            counts_for.heard += [
                Heard(wh, at, self.world.clock.now(), is_true, is_open) for wh, at, is_true in message.registers
            ]
            counts_for.has_stop = counts_for.has_stop or message.action == "StopTransaction"

    def _note_start(self, outlet: Outlet, charge: Charge) -> None:
        """Two charges whose starts have the same words, to the second and the watt-hour, are one to everybody."""
        charge.received_at = self.world.clock.now()
        for earlier in outlet.reported:
            if earlier.transaction_id == charge.transaction_id:
                charge.said_before = earlier
                earlier.is_plain = charge.is_plain = False
                return
        outlet.reported.append(charge)

    async def _call(self, action: str, payload: dict[str, Any]) -> dict[str, Any]:
        """Our answer, which is never a CALLERROR (field ruling 3.1)."""
        self._wire.connection.last_seen_at = self.world.clock.now()
        call = frames.Call("1", action, msgspec.Raw(json.dumps(payload).encode()))
        kind, _, *answer = json.loads(await OCPP_16.answer(self._wire, call))
        assert kind == 3, (action, payload, answer)
        confirmation: dict[str, Any] = answer[0]
        return confirmation


def written(register_wh: int, style: str) -> list[dict[str, str]]:
    """A register as stations write it: units, decimals, phases; beside it what is none."""
    kwh = f"{register_wh / 1000:.3f}"
    third = register_wh // 3
    phases = {"L1": third, "L2": third, "L3": register_wh - 2 * third}
    styles: dict[str, list[dict[str, str]]] = {
        "plain": [{"value": str(register_wh)}],
        "kWh": [{"value": kwh, "unit": "kWh", "measurand": "Energy.Active.Import.Register"}],
        UNREAD: [{"value": kwh.replace(".", ","), "unit": "kWh"}],
        "one phase": [{"value": str(register_wh), "phase": "L1", "unit": "Wh"}],
        "three phases": [{"value": str(wh), "phase": phase} for phase, wh in phases.items()],
        "phases and total": [
            *({"value": str(wh), "phase": phase} for phase, wh in phases.items()),
            {"value": str(register_wh)},
        ],
        "cabinet": [{"value": str(register_wh), "location": "Body"}],
        "with power": [
            {"value": "22", "unit": "kW", "measurand": "Power.Active.Import"},
            {"value": str(register_wh), "location": "Outlet"},
        ],
        "with a wild power": [
            {"value": "9000000", "measurand": "Power.Active.Import"},
            {"value": str(register_wh), "unit": "Wh"},
        ],
    }
    return styles[style]


STYLES = (
    *("plain", "kWh", UNREAD, "one phase", "three phases", "phases and total", "cabinet"),
    *("with power", "with a wild power"),
)


@asynccontextmanager
async def open_station(world: World) -> AsyncIterator[DrawnStation]:
    """It is connected; its messages go the way of every station's from the frame on."""
    ours, _ = memory_stream_pair()
    settings = OcppSettings()
    async with trio.open_nursery() as flushers:
        socket = StationSocket(ours, limits=SocketLimits(), flushers=flushers)
        connection = StationConnection(
            STATION,
            socket,
            OCPP_16,
            clock=world.clock,
            ids=CountingIds(),
            command_timeout_s=1,
            silent_after_s=10**9,
            on_return=lambda: None,
            traffic=Traffic(known_actions(DIALECTS)),
        )
        admission = Admission(STATION, "active", None, (ONE, TWO))
        wire = ConnectedStation(
            admission,
            connection,
            reports=world.app.reports,
            clock=world.clock,
            settings=settings,
            habits=StationHabits(),
        )
        yield DrawnStation(world, wire)

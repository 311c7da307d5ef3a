"""A station on the street: its line, its habits, and how it lies."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

import trio

from evpower.simulator.station.misbehaviour import WrongClock
from evpower.simulator.station.outbox import OutboxMessage
from evpower.simulator.station.power import Register
from evpower.simulator.station.settings import StationSettings
from evpower.simulator.station.station import SimulatedStation
from evpower.simulator.wire.ocpp import Payload
from tests.simulation.engine import InvariantBroken
from tests.simulation.network import Away, Line
from tests.simulation.plan import StationPlan
from tests.simulation.truth import Truth, WitnessedConnector, wire_id_of
from tests.simulation.world import World

URL = "ws://evpower.test/ws"
_OF = "SELECT FROM evpower.ocpp_transactions t WHERE t.station_id = %(station)s AND t.wire_transaction_id = %(wire)s"
#: A row for what was acknowledged; a reading that is not believed leaves a question.
ACKNOWLEDGED = {
    "StartTransaction": _OF,
    "MeterValues": f"""{_OF} AND (%(register)s::bigint IS NULL OR t.meter_last_wh >= %(register)s OR t.meter_base_wh > 0
        AND t.meter_carried_wh > 0 OR EXISTS (SELECT FROM evpower.doubts d WHERE d.transaction_key = t.id))""",
    "StopTransaction": f"{_OF} AND t.meter_stop_wh IS NOT NULL",
}
#: OCPP 2.0.1 numbers its events: each is kept by its number, and applied in their order. A reading that came in its
#: order is a row of readings.
KEPT = """
SELECT FROM evpower.transaction_events
WHERE (station_id, wire_transaction_id, seq_no) = (%(station)s, %(wire)s, %(seq_no)s)
UNION ALL SELECT FROM evpower.ocpp_meter_values
WHERE (station_id, wire_transaction_id, seq_no) = (%(station)s, %(wire)s, %(seq_no)s)
"""
REGISTER = "Energy.Active.Import.Register"


def register_of(message: OutboxMessage) -> int | None:
    """The register in its readings, in Wh."""
    for value in message.payload.get("meterValue", ()):
        for sample in value["sampledValue"]:
            if sample.get("measurand", REGISTER) == REGISTER and sample.get("unit", "Wh") == "Wh":
                return int(float(sample["value"]))
    return None


class SimStation:
    """A station on the street, its line, and who has it now."""

    def __init__(self, plan: StationPlan, world: World, truth: Truth) -> None:
        self.plan = plan
        self._world = world
        self._dice = world.engine.random(f"line {plan.station_id}")
        self._line: Line | None = None
        settings = StationSettings(
            ocpp=plan.ocpp,
            connector_power_w=plan.power_w,
            register_wh=plan.register_wh,
            boots_on_reconnect=plan.boots_on_reconnect,
            misbehaviour=plan.misbehaviour,
        )
        dice = world.engine.random(f"station {plan.station_id}")
        self.station = SimulatedStation(plan.station_id, 1, settings, world.clock, dice, dial=self._dial)
        self.cuts = plan.cuts
        self.truth = truth
        hardware = self.station.hardware
        witnessed = WitnessedConnector(
            hardware.connectors[1], plan, truth, lambda: hardware.clock.now() == world.clock.now()
        )
        hardware.connectors = {1: witnessed}
        outbox = hardware.outbox
        self._settle = outbox.settle
        outbox.settle = self._answered  # type: ignore[method-assign]  # there is no other place to hear of answers

    async def run(self) -> None:
        """Until cancelled."""
        await self.station.run(URL)

    async def _dial(self, _url: str) -> trio.abc.Stream:
        try:
            serving = self._world.a_place().reach()
        except Away:
            raise OSError("connection refused") from None
        end = await serving.chargers.connect()
        self._line = Line(end, self._dice, cuts=self.cuts, delay_s=self.plan.delay_s)
        return self._line

    def _answered(self, message: OutboxMessage, reply: Payload | None) -> None:
        """What is acknowledged is in the rows by then (ocpp-behaviour: acknowledge after commit)."""
        self._settle(message, reply)
        charge = message.transaction
        if reply is None or charge is None or charge.transaction_id is None:
            return
        values = {
            "station": self.plan.station_id,
            "wire": wire_id_of(self.plan, charge),
            "register": register_of(message),
            "seq_no": (message.event or {}).get("seqNo"),
        }
        engine = self._world.engine
        row = engine.monitor.execute(ACKNOWLEDGED[message.action] if message.event is None else KEPT, values).fetchone()
        if row is None and engine.broken is None:
            engine.broken = InvariantBroken(f"acknowledged, and not in the rows: {message.action} {values}")

    @property
    def is_heard(self) -> bool:
        """Its line is up and loses nothing, and it has nothing left to say."""
        line_is_good = self.cuts == 0 and not self.station._offline
        return line_is_good and self.station.conversation.accepted and len(self.station.hardware.outbox) == 0

    @property
    def connector(self) -> Any:
        return self.station.hardware.connectors[1]

    @property
    def is_charging(self) -> bool:
        return self.connector.transaction is not None

    def behave(self, **habits: Any) -> None:
        """From now on."""
        hardware = self.station.hardware
        hardware.misbehaviour = replace(hardware.misbehaviour, **habits)
        if hardware.misbehaviour.lose_stop:
            self.forget_charge()

    def heal(self) -> None:
        """No more misfortune: the line is up, the clock is set, stops are sent and obeyed."""
        self.cuts = 0.0
        self.behave(lose_stop=False, ignore_remote_stop=False, refuse_remote_stop=False, no_meter_values=False)
        self.station.hardware.clock = WrongClock(self._world.clock, "right")
        self.station.come_online()

    def set_clock(self, kind: Literal["right", "1970", "tomorrow", "yesterday"]) -> None:
        """As a technician or a time server does, in the middle of whatever goes on."""
        self.station.hardware.clock = WrongClock(self._world.clock, kind)
        if (charge := self.truth.running(self.plan)) is not None:
            charge.clock_is_right = False

    def leave_line_open(self) -> None:
        """When it leaves its present line, nobody hears of it: the mast has gone, not the station."""
        if self._line is not None:
            self._line.is_left_open = True

    def swap_meter(self) -> None:
        """A new one, which begins at nothing, in the middle of whatever goes on."""
        connector, charge = self.connector, self.truth.running(self.plan)
        if charge is not None:
            charge.parts_wh += connector.energy_wh - charge.segment_wh
            charge.segment_wh = 0
            charge.meter_was_replaced = True
        connector.register = Register()
        self.truth.swapped.add(self.plan.station_id)

    def forget_charge(self) -> None:
        """What is running will never be reported as ended."""
        if (charge := self.truth.running(self.plan)) is not None:
            charge.stop_is_lost = True

    def lie(self, more_wh: int) -> None:
        """Report a register that is too high, once."""
        hardware, connector = self.station.hardware, self.connector
        if connector.transaction is None:
            return
        connector.advance()
        register = connector.register
        connector.register = replace(register, energy_wh=register.energy_wh + more_wh)
        hardware.sample(connector, "Sample.Periodic")
        connector.register = register
        if (charge := self.truth.running(self.plan)) is not None:
            charge.lies_wh.append(more_wh)

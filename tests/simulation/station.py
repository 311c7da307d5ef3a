"""A station on the street: its line, its habits, and how it lies."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

import trio

from evpower.simulator.station.misbehaviour import WrongClock
from evpower.simulator.station.settings import StationSettings
from evpower.simulator.station.station import SimulatedStation
from tests.simulation.network import Away, Line
from tests.simulation.plan import StationPlan
from tests.simulation.truth import Truth
from tests.simulation.world import World

URL = "ws://evpower.test/ws"


class SimStation:
    """A station on the street, its line, and who has it now."""

    def __init__(self, plan: StationPlan, world: World, truth: Truth) -> None:
        self.plan = plan
        self._world = world
        self._dice = world.engine.random(f"line {plan.station_id}")
        self._lines: list[Line] = []
        settings = StationSettings(
            connector_power_w=plan.power_w,
            register_wh=plan.register_wh,
            boots_on_reconnect=plan.boots_on_reconnect,
            misbehaviour=plan.misbehaviour,
        )
        dice = world.engine.random(f"station {plan.station_id}")
        self.station = SimulatedStation(plan.station_id, 1, settings, world.clock, dice, dial=self._dial)
        self.cuts = plan.cuts
        self.truth = truth

    async def run(self) -> None:
        """Until cancelled."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.station.run, URL)
            nursery.start_soon(self.truth.watch, self.plan, self.station)

    async def _dial(self, _url: str) -> trio.abc.Stream:
        try:
            serving = self._world.a_place().reach()
        except Away:
            raise OSError("connection refused") from None
        end = await serving.chargers.connect()
        return Line(end, self._dice, cuts=self.cuts, delay_s=self.plan.delay_s)

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

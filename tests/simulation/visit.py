"""A driver at a station, and what he does with his hands."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import trio

from evpower.simulator.station.power import Vehicle
from tests.simulation.phones import Phone
from tests.simulation.plan import ClientPlan
from tests.simulation.station import SimStation
from tests.simulation.world import World

MINUTE, HOUR = 60.0, 3600.0
FULL = Vehicle(capacity_wh=60_000, charge_wh=60_000)
Script = Callable[["Visit"], Awaitable[None]]


class Visit:
    """One driver at one station, from plugging in to leaving."""

    def __init__(
        self,
        at: SimStation,
        client: ClientPlan,
        phone: Phone,
        dice: random.Random,
        world: World,
        stations: list[SimStation],
        rival: Phone,
    ) -> None:
        self.world = world
        self.stations = stations
        self.at = at
        self.client = client
        self.phone = phone
        #: Of somebody else, who wants the same.
        self.rival = rival
        self.dice = dice
        self.session_id: str | None = None

    async def run(self, script: Script) -> None:
        """Play it; whoever comes next finds the cable free."""
        try:
            await script(self)
        finally:
            if not self.at.is_charging or self.dice.random() < 0.9:
                with trio.move_on_after(1, shield=True):
                    await self.at.station.unplug()

    async def wait(self, least_s: float, most_s: float) -> None:
        await trio.sleep(self.dice.uniform(least_s, most_s))

    async def begin(self, wish: Mapping[str, Any] | None = None) -> bool:
        """Plug in and ask by phone, in either order; whether it was accepted."""
        plugs_first = self.dice.random() < 0.7
        if plugs_first:
            await self.plug()
        self.session_id = await self.phone.start(self.at.plan.station_id, self.wish() if wish is None else wish)
        if not plugs_first:
            await self.wait(1, 50)
            await self.plug()
        return self.session_id is not None

    async def plug(self) -> None:
        if self.at.connector.vehicle is None:
            vehicle = Vehicle(capacity_wh=60_000, charge_wh=self.dice.uniform(2_000, 45_000))
            await self.at.station.plug(1, vehicle)

    def wish(self) -> dict[str, Any]:
        dice = self.dice
        return dice.choice(
            ({"energy_kwh": dice.choice((2, 5.5, 20))}, {"amount_som": dice.choice((15, 60, 133.37))}, {})
        )

    async def end(self) -> None:
        """One of the ways in which a charge ends."""
        match self.dice.randrange(4):
            case 0:
                await self.at.station.unplug()
            case 1 | 2 if self.session_id is not None:
                await self.phone.stop(self.session_id)
            case _:
                await self.at.station.stop(1)

    async def offline(self, least_s: float, most_s: float) -> None:
        """Cut the line for as long, beside whatever goes on."""
        self.at.station.go_offline()
        seconds = self.dice.uniform(least_s, most_s)
        self.at.station.hardware.tasks.start_soon(self._come_back, seconds)

    async def _come_back(self, seconds: float) -> None:
        await trio.sleep(seconds)
        self.at.station.come_online()

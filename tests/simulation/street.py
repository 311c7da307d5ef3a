"""Stations on the street, their lines, and who comes to them."""

from __future__ import annotations

import random

import trio

from tests.simulation.phones import Acknowledged, Phone
from tests.simulation.plan import Plan
from tests.simulation.reservers import SCRIPTS as RESERVING
from tests.simulation.station import SimStation
from tests.simulation.truth import Truth
from tests.simulation.visit import MINUTE, Visit
from tests.simulation.visits import SCRIPTS
from tests.simulation.world import World

URL = "ws://evpower.test/ws"


class Street:
    """Every station, and a stream of visitors to each."""

    def __init__(self, plan: Plan, world: World, truth: Truth, acknowledged: Acknowledged) -> None:
        self.plan = plan
        self._world = world
        self.acknowledged = acknowledged
        self.stations = [SimStation(each, world, truth) for each in plan.stations]

    async def visitors(self, at: SimStation, until_s: float) -> None:
        """One after another until the time is over."""
        dice = self._world.engine.random(f"visitors {at.plan.station_id}")
        keeping = self._world.engine.random(f"reservers {at.plan.station_id}")
        while self.plan.pairs or self.plan.reservers:
            await trio.sleep(dice.uniform(5, 4 * MINUTE))
            if trio.current_time() >= until_s:
                return
            client = dice.choice(self.plan.clients)
            if self.plan.reservers and (not self.plan.pairs or keeping.random() < 1 / 3):
                pair = keeping.choice(self.plan.reservers)
            else:
                pair = dice.choice(self.plan.pairs)
            phone_dice = random.Random(dice.getrandbits(64))
            phone = Phone(self._world, client.client_id, phone_dice, self.acknowledged)
            self._world.engine.trace.note("visit", at.plan.station_id, client.client_id, pair)
            self._world.engine.trace.counts[f"pair {pair}"] += 1
            others = [one for one in self.plan.clients if one is not client]
            rival = Phone(self._world, keeping.choice(others).client_id, keeping, self.acknowledged)
            visit = Visit(at, client, phone, phone_dice, self._world, self.stations, rival)
            await visit.run((SCRIPTS | RESERVING)[pair])

"""Stations, drivers and their hands: what a visit does, and which two misfortunes meet in it."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

import trio

from evpower.simulator.station.misbehaviour import WrongClock
from evpower.simulator.station.power import Vehicle
from evpower.simulator.station.settings import StationSettings
from evpower.simulator.station.station import SimulatedStation
from tests.simulation.network import Away, Line
from tests.simulation.phones import Acknowledged, Phone
from tests.simulation.plan import ClientPlan, Plan, StationPlan
from tests.simulation.truth import Truth
from tests.simulation.world import World

URL = "ws://evpower.test/ws"
MINUTE, HOUR = 60.0, 3600.0


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
            serving = self._dice.choice(self._world.places).reach()
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
        self.behave(lose_stop=False, ignore_remote_stop=False, refuse_remote_stop=False)
        self.station.hardware.clock = WrongClock(self._world.clock, "right")
        self.station.come_online()


Script = Callable[["Visit"], Awaitable[None]]


class Visit:
    """One driver at one station, from plugging in to leaving."""

    def __init__(self, at: SimStation, client: ClientPlan, phone: Phone, dice: random.Random) -> None:
        self.at = at
        self.client = client
        self.phone = phone
        self.dice = dice
        self.session_id: str | None = None

    async def run(self, pair: str) -> None:
        """Play it; whoever comes next finds the cable free."""
        try:
            await SCRIPTS[pair](self)
        finally:
            if not self.at.is_charging or self.dice.random() < 0.9:
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


async def plain(visit: Visit) -> None:
    if await visit.begin():
        await visit.wait(MINUTE, 40 * MINUTE)
        await visit.end()


async def offline_stop_by_phone(visit: Visit) -> None:
    if await visit.begin():
        await visit.wait(MINUTE, 20 * MINUTE)
        await visit.offline(MINUTE, 3 * HOUR)
        await visit.wait(1, 10 * MINUTE)
        assert visit.session_id is not None
        await visit.phone.stop(visit.session_id)
        await visit.wait(1, 20 * MINUTE)


async def unplugged_offline(visit: Visit) -> None:
    if await visit.begin():
        await visit.wait(MINUTE, 20 * MINUTE)
        await visit.offline(5 * MINUTE, 3 * HOUR)
        await visit.wait(1, 10 * MINUTE)
        await visit.at.station.unplug()
        await visit.wait(MINUTE, HOUR)
        assert visit.session_id is not None
        await visit.phone.stop(visit.session_id)


async def reboot_goes_on(visit: Visit) -> None:
    """The station forgets the charge, and its stop with it."""
    if await visit.begin():
        await visit.wait(MINUTE, 20 * MINUTE)
        await visit.at.station.reboot(None)
        await visit.wait(1, 10 * MINUTE)


async def reboot_stop_queued(visit: Visit) -> None:
    if await visit.begin():
        await visit.wait(MINUTE, 20 * MINUTE)
        await visit.at.station.reboot(visit.dice.choice(("PowerLoss", "Reboot", "SoftReset")))
        await visit.wait(1, 10 * MINUTE)


async def stop_lost(visit: Visit) -> None:
    if await visit.begin():
        await visit.wait(MINUTE, 20 * MINUTE)
        visit.at.behave(lose_stop=True)
        await visit.at.station.unplug()
        visit.at.behave(lose_stop=False)


async def line_lost_at_once(visit: Visit) -> None:
    """The charger was asked, and its StartTransaction waits in its queue."""
    await visit.plug()
    if await visit.begin():
        await visit.offline(MINUTE, 40 * MINUTE)
        await visit.wait(MINUTE, 50 * MINUTE)
        await visit.end()


async def no_cable(visit: Visit) -> None:
    visit.session_id = await visit.phone.start(visit.at.plan.station_id, visit.wish())
    await visit.wait(MINUTE, 15 * MINUTE)
    if visit.dice.random() < 0.5:
        await visit.plug()
        await visit.wait(MINUTE, 10 * MINUTE)
    if visit.session_id is not None and visit.dice.random() < 0.5:
        await visit.phone.stop(visit.session_id)


async def double_tap(visit: Visit) -> None:
    await visit.plug()
    sessions: list[str | None] = []
    key = visit.phone.new_key()

    async def tap(key: str) -> None:
        sessions.append(await visit.phone.start(visit.at.plan.station_id, {"energy_kwh": 3}, key))

    async with trio.open_nursery() as taps:
        for each in (key, key, visit.phone.new_key()):
            taps.start_soon(tap, each)
    visit.session_id = next((one for one in sessions if one is not None), None)
    await visit.wait(MINUTE, 10 * MINUTE)
    await visit.end()


async def card_offline(visit: Visit) -> None:
    """A station that lets known cards charge without its central system."""
    configuration = visit.at.station.hardware.configuration
    configuration.put("LocalAuthorizeOffline", "true")
    configuration.put("AllowOfflineTxForUnknownId", "true")
    await visit.offline(MINUTE, HOUR)
    await visit.wait(1, MINUTE)
    await visit.plug()
    await visit.at.station.present_card(1, visit.client.card)
    await visit.wait(MINUTE, 30 * MINUTE)
    await visit.at.station.stop(1)


async def card_online(visit: Visit) -> None:
    await visit.plug()
    with trio.move_on_after(MINUTE):
        await visit.at.station.present_card(1, visit.client.card)
    await visit.wait(MINUTE, 30 * MINUTE)
    await visit.at.station.stop(1)


async def poor_estimate(visit: Visit) -> None:
    """Until the money is gone, and further: the line is down when the stop would come."""
    if await visit.begin({}):
        await visit.wait(MINUTE, 5 * MINUTE)
        await visit.offline(30 * MINUTE, 3 * HOUR)
        await visit.wait(20 * MINUTE, HOUR)
        assert visit.session_id is not None
        await visit.phone.stop(visit.session_id)


async def stop_ignored(visit: Visit) -> None:
    if await visit.begin():
        visit.at.behave(ignore_remote_stop=True)
        await visit.wait(MINUTE, 10 * MINUTE)
        assert visit.session_id is not None
        await visit.phone.stop(visit.session_id)
        await visit.wait(MINUTE, 20 * MINUTE)
        visit.at.behave(ignore_remote_stop=False)


async def line_cut(visit: Visit) -> None:
    before, visit.at.cuts = visit.at.cuts, 0.1
    visit.at.station.go_offline()
    visit.at.station.come_online()
    await visit.wait(1, 20)
    await plain(visit)
    visit.at.cuts = before


SCRIPTS: Mapping[str, Script] = {
    "plain": plain,
    "offline x stop by phone": offline_stop_by_phone,
    "unplugged offline x stop later": unplugged_offline,
    "reboot x charge goes on": reboot_goes_on,
    "reboot x stop queued": reboot_stop_queued,
    "stop lost x next driver": stop_lost,
    "begun x line lost at once": line_lost_at_once,
    "no cable x deadline": no_cable,
    "double tap x one reserve": double_tap,
    "card x offline": card_offline,
    "card x online": card_online,
    "poor client x estimate": poor_estimate,
    "stop ignored x settled": stop_ignored,
    "line cut x every answer": line_cut,
}


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
        while True:
            await trio.sleep(dice.uniform(10, 8 * MINUTE))
            if trio.current_time() >= until_s:
                return
            client, pair = dice.choice(self.plan.clients), dice.choice(self.plan.pairs)
            phone_dice = random.Random(dice.getrandbits(64))
            phone = Phone(self._world, client.client_id, phone_dice, self.acknowledged)
            self._world.engine.trace.note("visit", at.plan.station_id, client.client_id, pair)
            self._world.engine.trace.counts[f"pair {pair}"] += 1
            await Visit(at, client, phone, phone_dice).run(pair)

    async def weather(self, until_s: float) -> None:
        """Lines that fail for no reason of the visits'."""
        dice = self._world.engine.random("weather")
        while trio.current_time() < until_s:
            await trio.sleep(dice.uniform(MINUTE, 30 * MINUTE))
            at = dice.choice(self.stations)
            at.station.go_offline()
            await trio.sleep(dice.choice((0.0, dice.uniform(1, 10 * MINUTE))))
            at.station.come_online()

"""Which two misfortunes meet in a visit."""

from __future__ import annotations

import trio

from evpower.simulator.station.power import Vehicle
from tests.simulation.station import SimStation
from tests.simulation.visit import FULL, HOUR, MINUTE, Script, Visit


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
        visit.at.forget_charge()
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
        await visit.wait(MINUTE, visit.dice.choice((3, 20)) * MINUTE)
        visit.at.behave(ignore_remote_stop=False)
        if visit.dice.random() < 0.3:
            visit.at.forget_charge()
            await visit.at.station.reboot(None)
        else:
            await visit.wait(5 * MINUTE, 10 * MINUTE)


async def clock_set(visit: Visit) -> None:
    """In mid-charge, by a day or from 1970; and right again, or not."""
    if await visit.begin():
        await visit.wait(MINUTE, 10 * MINUTE)
        visit.at.set_clock(visit.dice.choice(("1970", "tomorrow", "yesterday")))
        await visit.wait(MINUTE, 10 * MINUTE)
        if visit.dice.random() < 0.5:
            visit.at.set_clock("right")
            await visit.wait(1, MINUTE)
        await visit.end()
        await visit.wait(1, MINUTE)
        visit.at.set_clock("right")


async def lie_believed(visit: Visit) -> None:
    """More than flowed, and what the connector could have: billed by estimate, until the stop shows less."""
    if await visit.begin({}):
        await visit.wait(10, visit.dice.choice((60, 90, 90, 10 * MINUTE)))
        visit.at.behave(ignore_remote_stop=True)
        visit.at.lie(round(visit.at.plan.power_w * 100 / 3600))
        visit.at.behave(no_meter_values=True)
        await visit.wait(1, 2)
        await visit.offline(MINUTE, visit.dice.choice((3 * MINUTE, 2 * HOUR)))
        if visit.dice.random() < 0.7:
            await visit.at.station.unplug()
        assert visit.session_id is not None
        await visit.phone.stop(visit.session_id)
        await visit.wait(MINUTE, 10 * MINUTE)
        await visit.at.station.unplug()
        visit.at.behave(no_meter_values=False, ignore_remote_stop=False)


async def lie_disbelieved(visit: Visit) -> None:
    """A register that no connector can reach; then the stop is lost, or not."""
    if await visit.begin():
        await visit.wait(MINUTE, 10 * MINUTE)
        visit.at.lie(9_000_000)
        await visit.wait(1, MINUTE)
        visit.at.behave(lose_stop=visit.dice.random() < 0.5)
        await visit.at.station.unplug()
        visit.at.behave(lose_stop=False)


async def two_starts(visit: Visit) -> None:
    """At two stations in the same moment, with money for one of them, perhaps."""
    await visit.plug()
    others = [one for one in visit.stations if one is not visit.at]
    places = [visit.at, visit.dice.choice(others) if others else visit.at]
    sessions: list[str | None] = []

    async def tap(at: SimStation) -> None:
        sessions.append(await visit.phone.start(at.plan.station_id, {}))

    async with trio.open_nursery() as taps:
        for at in places:
            taps.start_soon(tap, at)
    await visit.wait(MINUTE, 5 * MINUTE)
    for session_id in sessions:
        if session_id is not None:
            await visit.phone.stop(session_id)


async def full_car(visit: Visit) -> None:
    """Nothing flows, and nothing is owed."""
    await visit.at.station.plug(1, FULL)
    if await visit.begin():
        await visit.wait(MINUTE, 5 * MINUTE)
        await visit.at.station.stop(1)


async def card_twice(visit: Visit) -> None:
    """Two charges that begin alike: in the first nothing flows."""
    for vehicle in (FULL, Vehicle(capacity_wh=60_000, charge_wh=5_000)):
        await visit.at.station.plug(1, vehicle)
        with trio.move_on_after(MINUTE):
            await visit.at.station.present_card(1, visit.client.card)
        await visit.wait(MINUTE, 3 * MINUTE)
        await visit.at.station.stop(1)
        await visit.at.station.unplug()
        await visit.wait(10, 20)


async def server_away(visit: Visit) -> None:
    """The station was asked, and every process is away for longer than a start may take."""
    await visit.plug()
    if await visit.begin():
        for place in visit.world.places:
            place.fall(visit.dice.uniform(5 * MINUTE, 15 * MINUTE))
        await visit.wait(5 * MINUTE, 20 * MINUTE)
        await visit.end()


async def meter_replaced(visit: Visit) -> None:
    if await visit.begin():
        await visit.wait(MINUTE, 10 * MINUTE)
        visit.at.swap_meter()
        await visit.wait(MINUTE, 10 * MINUTE)
        await visit.end()


async def line_cut(visit: Visit) -> None:
    before, visit.at.cuts = visit.at.cuts, 0.1
    visit.at.station.go_offline()
    visit.at.station.come_online()
    await visit.wait(1, 20)
    await plain(visit)
    visit.at.cuts = before


SCRIPTS: dict[str, Script] = {
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
    "clock set x charge": clock_set,
    "meter lies x debt": lie_believed,
    "wild reading x stop": lie_disbelieved,
    "line cut x every answer": line_cut,
    "two starts x one balance": two_starts,
    "full car x fee": full_car,
    "card twice x same register": card_twice,
    "begun x server away": server_away,
    "meter replaced x charge goes on": meter_replaced,
}

"""People at a simulated station: they answer an app's start by plugging in, or walk up with a card."""

from __future__ import annotations

import random
from dataclasses import dataclass

import trio

from evpower.simulator.station.connector import SimulatedConnector
from evpower.simulator.station.station import SimulatedStation


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """How drivers behave. Without `id_tags` no driver walks up: only charges started from the app are plugged in."""

    plug_after_s: float = 2.0  # from the go-ahead, or from walking up
    unplug_after_s: float = 5.0  # from the end of the charge
    idle_s: float = 60.0  # mean time between two walk-ups at one connector
    charge_s: float = 120.0  # mean length of a walk-up's charge
    id_tags: tuple[str, ...] = ()


async def drive(station: SimulatedStation, connector_id: int, habits: Habits, random: random.Random) -> None:
    """Use one connector again and again until cancelled."""
    connector = station.hardware.connectors[connector_id]
    trace = station.trace
    while True:
        idle_s = random.expovariate(1 / habits.idle_s) if habits.id_tags else float("inf")
        with trio.move_on_after(idle_s):
            await trace.wait_until(lambda: connector.permission is not None or connector.transaction is not None)
        await trio.sleep(habits.plug_after_s)
        if not connector.plugged:
            await station.plug(connector_id)
        if connector.transaction is None:
            await _start(station, connector, habits, random)
        await trace.wait_until(lambda: connector.transaction is None)
        await trio.sleep(habits.unplug_after_s)
        await station.unplug(connector_id)


async def _start(
    station: SimulatedStation, connector: SimulatedConnector, habits: Habits, random: random.Random
) -> None:
    """Wait for an app's start that is on its way, else use a card and leave again after a while."""
    if not habits.id_tags:
        with trio.move_on_after(station.settings.connection_timeout_s):
            await station.trace.wait_until(lambda: connector.transaction is not None)
        return
    await station.present_card(connector.connector_id, random.choice(habits.id_tags))
    await trio.sleep(random.expovariate(1 / habits.charge_s))
    await station.stop(connector.connector_id)

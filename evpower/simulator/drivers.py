"""People at a simulated charger: they answer an app's start by plugging in, or walk up with a card."""

from __future__ import annotations

import random
from dataclasses import dataclass

import trio

from evpower.simulator.charge_point import SimulatedChargePoint
from evpower.simulator.connector import Connector


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """How drivers behave. Without `id_tags` nobody walks up: only charges started from the app are plugged in."""

    plug_after_s: float = 2.0  # from the go-ahead, or from walking up
    unplug_after_s: float = 5.0  # from the end of the charge
    idle_s: float = 60.0  # mean time between two walk-ups at one connector
    charge_s: float = 120.0  # mean length of a walk-up's charge
    id_tags: tuple[str, ...] = ()


async def drive(charge_point: SimulatedChargePoint, connector_id: int, habits: Habits, random: random.Random) -> None:
    """Use one connector again and again until cancelled."""
    connector = charge_point.station.connectors[connector_id]
    trace = charge_point.trace
    while True:
        idle_s = random.expovariate(1 / habits.idle_s) if habits.id_tags else float("inf")
        with trio.move_on_after(idle_s):
            await trace.wait_until(lambda: connector.permission is not None or connector.transaction is not None)
        await trio.sleep(habits.plug_after_s)
        if not connector.plugged:
            await charge_point.plug(connector_id)
        if connector.transaction is None:
            await _start(charge_point, connector, habits, random)
        await trace.wait_until(lambda: connector.transaction is None)
        await trio.sleep(habits.unplug_after_s)
        await charge_point.unplug(connector_id)


async def _start(
    charge_point: SimulatedChargePoint, connector: Connector, habits: Habits, random: random.Random
) -> None:
    """Wait for an app's start that is on its way, else use a card and leave again after a while."""
    if not habits.id_tags:
        with trio.move_on_after(charge_point.settings.connection_timeout_s):
            await charge_point.trace.wait_until(lambda: connector.transaction is not None)
        return
    await charge_point.present_card(connector.connector_id, random.choice(habits.id_tags))
    await trio.sleep(random.expovariate(1 / habits.charge_s))
    await charge_point.stop(connector.connector_id)

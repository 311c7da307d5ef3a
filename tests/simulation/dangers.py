"""Misfortunes that belong to nobody's visit: lines, database connections, and processes that stand still."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable

import trio

from tests.simulation.station import SimStation
from tests.simulation.world import Place, World

#: Longer than a lease (15 s) and than what another process waits for an answer.
FROZEN_S = (5.0, 60.0)


async def line_lost(world: World, stations: list[SimStation], dice: random.Random) -> None:
    del world
    at = dice.choice(stations)
    at.station.go_offline()
    await trio.sleep(dice.choice((0.0, dice.uniform(1, 600))))
    at.station.come_online()


async def connection_lost(world: World, stations: list[SimStation], dice: random.Random) -> None:
    """PostgreSQL, or what is between, ends some connections of a process."""
    del stations
    place = dice.choice(world.places)
    if place.serving is not None:
        await trio.lowlevel.checkpoint()
        world.engine.lose_connections(place.serving.life, dice)


async def process_stands_still(world: World, stations: list[SimStation], dice: random.Random) -> None:
    """As under SIGSTOP: it does nothing for longer than its lease, and goes on as if nothing had been."""
    del stations
    place: Place = dice.choice(world.places)
    if place.serving is not None and place.serving.life.thawed is None:
        life = place.serving.life
        life.thawed = trio.Event()
        world.engine.trace.note("frozen", life.name)
        seconds = dice.uniform(*FROZEN_S)
        world.engine.struck(seconds)
        await trio.sleep(seconds)
        life.thaw()


async def notifications_late(world: World, stations: list[SimStation], dice: random.Random) -> None:
    """What one process notifies the others hear later; what they ask each other waits in its rows."""
    del stations
    await world.hold_news(dice.uniform(1, 60))


async def handed_over(world: World, stations: list[SimStation], dice: random.Random) -> None:
    """A station dials anew, perhaps at another process, while its old line says nothing and seems to live."""
    del world
    at = dice.choice(stations)
    at.leave_line_open()
    at.station.go_offline()
    await trio.sleep(dice.choice((0.0, dice.uniform(1, 200))))
    at.station.come_online()


Danger = Callable[[World, list[SimStation], random.Random], Awaitable[None]]
DANGERS: tuple[tuple[str, Danger], ...] = (
    ("line lost", line_lost),
    ("line lost", line_lost),
    ("database connections lost", connection_lost),
    ("process stands still", process_stands_still),
    ("notifications late", notifications_late),
    ("handed over x old line", handed_over),
)


async def dangers(world: World, stations: list[SimStation], until_s: float) -> None:
    """One after another, until the time is over."""
    dice = world.engine.random("dangers")
    while trio.current_time() < until_s:
        await trio.sleep(dice.uniform(30, 900))
        name, strike = dice.choice(DANGERS)
        world.engine.trace.counts[f"danger {name}"] += 1
        await strike(world, stations, dice)

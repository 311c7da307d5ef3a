"""People who look at the list: what they are shown is what is, whatever keeps it for a moment."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import trio

from tests.simulation.engine import InvariantBroken
from tests.simulation.furniture import LOCATION
from tests.simulation.network import Away
from tests.simulation.plan import LOOKED_AT
from tests.simulation.world import Place, World

BETWEEN_S = (1.0, 30.0)
#: What changes is dropped at once (rest-api §2.1); another process hears of it a moment later.
STALE_FOR_S = 5.0


async def onlookers(world: World, until_s: float) -> None:
    """Until then. Raises InvariantBroken."""
    dice = world.engine.random("onlookers")
    while trio.current_time() < until_s:
        await trio.sleep(dice.uniform(*BETWEEN_S))
        world.engine.trace.counts[f"pair {LOOKED_AT}"] += 1
        with suppress(Away):
            await _look(world, world.a_place())


async def _look(world: World, place: Place) -> None:
    """Twice, when the list and what is never kept differ: the list is old when it still shows what it showed."""
    shown, is_so = await _list(place), await _location(place)
    if shown == is_so:
        return
    await trio.sleep(STALE_FOR_S)
    if world.engine.is_troubled or world.is_news_held:
        return
    now, is_so_now = await _list(place), await _location(place)
    if now == shown and is_so_now == is_so:
        raise InvariantBroken(f"the list is old at {place.name}: {shown} instead of {is_so}")


async def _list(place: Place) -> Any:
    [location] = (await _get(place, "/api/v1/locations?include_stations=true"))["locations"]
    return _statuses(location)


async def _location(place: Place) -> Any:
    return _statuses(await _get(place, f"/api/v1/locations/{LOCATION}"))


def _statuses(location: dict[str, Any]) -> Any:
    stations = [
        (each["id"], each["status"], [(one["connector_number"], one["status"]) for one in each["connectors"]])
        for each in location["stations"]
    ]
    return location["status"], stations


async def _get(place: Place, target: str) -> Any:
    """Raises Away."""
    reply = await place.reach().people.ask("GET", target, b"", {})
    if reply.status != 200:
        raise Away
    return json.loads(reply.body)

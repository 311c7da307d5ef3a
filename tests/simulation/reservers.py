"""Drivers who have a connector kept: they come, or not, or give it up (what that must cost: `reservation_truth.py`)."""

from __future__ import annotations

import trio

from tests.simulation.phones import Kept
from tests.simulation.visit import MINUTE, Script, Visit


async def _keep(visit: Visit) -> Kept | None:
    return await visit.phone.reserve(visit.at.plan.station_id, visit.dice.choice((5, 10, 15)))


async def _charge_there(visit: Visit, kept: Kept) -> None:
    kept.came_at = trio.current_time()
    if await visit.begin():
        kept.session_id, kept.began_at = visit.session_id, trio.current_time()
        await visit.wait(MINUTE, 10 * MINUTE)
        await visit.end()


async def comes(visit: Visit) -> None:
    if (kept := await _keep(visit)) is not None:
        await visit.wait(10, kept.minutes * MINUTE)
        await _charge_there(visit, kept)


async def at_its_last_second(visit: Visit) -> None:
    if (kept := await _keep(visit)) is not None:
        await visit.plug()
        await trio.sleep_until(kept.asked_at + kept.minutes * MINUTE + visit.dice.uniform(-3, 3))
        await _charge_there(visit, kept)


async def never_comes(visit: Visit) -> None:
    if (kept := await _keep(visit)) is not None:
        await visit.wait(kept.minutes * MINUTE, (kept.minutes + 3) * MINUTE)


async def gives_up(visit: Visit) -> None:
    """In time, or later; perhaps by two taps."""
    if (kept := await _keep(visit)) is not None:
        await visit.wait(1, 1.2 * kept.minutes * MINUTE)
        async with trio.open_nursery() as taps:
            for _ in range(visit.dice.choice((1, 2))):
                taps.start_soon(visit.phone.give_up, kept)


async def begins_and_gives_up(visit: Visit) -> None:
    """In one moment."""
    if (kept := await _keep(visit)) is not None:
        await visit.plug()
        await visit.wait(1, 4 * MINUTE)
        async with trio.open_nursery() as taps:
            taps.start_soon(visit.phone.give_up, kept)
            await _charge_there(visit, kept)


async def line_lost(visit: Visit) -> None:
    if (kept := await _keep(visit)) is not None:
        await visit.wait(1, 2 * MINUTE)
        await visit.offline(MINUTE, 15 * MINUTE)
        await visit.wait(MINUTE, kept.minutes * MINUTE)
        if visit.dice.random() < 0.5:
            await visit.phone.give_up(kept)
        else:
            await _charge_there(visit, kept)


async def comes_with_the_card(visit: Visit) -> None:
    """While somebody else would like to charge there."""
    if (kept := await _keep(visit)) is None:
        return
    await visit.wait(10, kept.minutes * MINUTE / 2)
    await visit.rival.start(visit.at.plan.station_id, visit.wish())
    await visit.wait(1, kept.minutes * MINUTE / 2)
    await visit.plug()
    kept.came_at = trio.current_time()
    with trio.move_on_after(MINUTE):
        await visit.at.station.present_card(1, visit.client.card)
    await visit.wait(MINUTE, 10 * MINUTE)
    await visit.at.station.stop(1)


SCRIPTS: dict[str, Script] = {
    "kept x comes": comes,
    "kept x last second": at_its_last_second,
    "kept x nobody comes": never_comes,
    "kept x given up": gives_up,
    "kept x begins and gives up": begins_and_gives_up,
    "kept x line lost": line_lost,
    "kept x rival and card": comes_with_the_card,
}

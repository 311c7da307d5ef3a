"""What was planned for a session is forgotten when it became final, whatever news of it was lost."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest
from trio.testing import MockClock

from evpower.charging.limits import BACKLOG
from evpower.db.pool import Pool
from evpower.events import EventBus, GapInEvents, SessionSettled
from evpower.identifiers import ConnectorId, SessionId
from tests.worlds.charging import STATION, World, impatient, open_world

#: 1 kWh before the limit at 22 kW.
MOMENT_S = 1_000 * 3600 / 22_000


@pytest.fixture
async def world(pool: Pool, mock_clock: MockClock) -> AsyncIterator[World]:
    async with open_world(pool, impatient()) as world:
        yield world


async def planned(world: World) -> SessionId:
    """A charge whose stop is planned `MOMENT_S` ahead."""
    await world.give(500_00)
    session_id = (await world.order(energy_wh=5_000)).session.session_id
    begun = await world.begin(await world.tag_of(session_id))
    world.clock.advance(600)
    await world.meter(begun.wire_transaction_id, 5_000, power_w=22_000)
    return session_id


def overflow(bus: EventBus) -> None:
    for number in range(2 * BACKLOG):
        bus.publish(SessionSettled(SessionId(f"other-{number}"), STATION, ConnectorId(9)))


def gap(bus: EventBus) -> None:
    bus.publish(GapInEvents())


async def test_a_planned_stop_is_sent_at_its_moment(world: World, mock_clock: MockClock) -> None:
    await planned(world)
    await world.at_rest()
    mock_clock.jump(MOMENT_S - 1)
    await world.at_rest()
    assert world.link.stopped == []
    mock_clock.jump(1)
    await world.at_rest()
    assert len(world.link.stopped) == 1


@pytest.mark.parametrize("lose", [overflow, gap])
async def test_a_session_that_became_final_unheard_is_not_stopped(
    world: World, mock_clock: MockClock, lose: Callable[[EventBus], None]
) -> None:
    await planned(world)
    await world.sql("UPDATE charging_sessions SET settled_at = now()")
    lose(world.app.bus)
    await world.at_rest()
    mock_clock.jump(MOMENT_S)
    await world.at_rest()
    assert world.link.stopped == []
    await world.sql("UPDATE charging_sessions SET settled_at = NULL")


@pytest.mark.parametrize("lose", [overflow, gap])
async def test_after_lost_news_the_next_are_heard(
    world: World, mock_clock: MockClock, lose: Callable[[EventBus], None]
) -> None:
    session_id = await planned(world)
    lose(world.app.bus)
    await world.at_rest()
    world.app.bus.publish(SessionSettled(session_id, STATION, ConnectorId(1)))
    await world.at_rest()
    mock_clock.jump(MOMENT_S)
    await world.at_rest()
    assert world.link.stopped == []


@pytest.mark.parametrize("lose", [overflow, gap])
async def test_lost_news_do_not_cost_a_running_charge_its_stop(
    world: World, mock_clock: MockClock, lose: Callable[[EventBus], None]
) -> None:
    await planned(world)
    lose(world.app.bus)
    await world.at_rest()
    mock_clock.jump(MOMENT_S)
    await world.at_rest()
    assert len(world.link.stopped) == 1

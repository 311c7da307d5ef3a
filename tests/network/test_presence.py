"""Who is there: the heartbeat watchdog's pace and limit, and who comes back (seed §2; ocpp-behaviour §2, §6)."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
import trio
from psycopg.errors import CheckViolation
from trio.testing import MockClock, wait_all_tasks_blocked

from evpower.clock import ClockWatch
from evpower.events import Event, StationChanged
from evpower.network.presence import Presence
from tests.worlds.charging import STATION, World
from tests.worlds.fakes import SetClock


class AskedClock(SetClock):
    """Remembers by trio's clock when it was asked: once for each check."""

    def __init__(self, start: datetime) -> None:
        super().__init__(start)
        self.asked_at: list[float] = []

    def now(self) -> datetime:
        self.asked_at.append(trio.current_time())
        return super().now()


def announced(world: World) -> list[Event]:
    """What is published from now on."""
    heard: list[Event] = []
    world.app.bus.listen(heard.append)
    return heard


async def available(world: World) -> bool:
    found: bool = (await world.sql("SELECT is_available FROM stations"))[0]["is_available"]
    return found


async def test_silence_is_looked_for_at_the_start_and_every_two_minutes(world: World, mock_clock: MockClock) -> None:
    world.link.connected.clear()
    clock, began = AskedClock(world.clock.now() + timedelta(seconds=301)), trio.current_time()
    with world.app.bus.subscribe(lambda event: event == StationChanged(STATION)) as found_silent:
        async with trio.open_nursery() as workers:
            await workers.start(
                Presence(world.pool, ClockWatch(clock), world.link, world.app.bus, world.app.push.outbox, 300).run
            )
            for _ in range(2):
                await found_silent.receive()
                await world.sql("UPDATE stations SET is_available = true")
                mock_clock.jump(119.5)
                await wait_all_tasks_blocked()
                mock_clock.jump(0.5)
            await found_silent.receive()
            workers.cancel_scope.cancel()
    assert list(dict.fromkeys(at - began for at in clock.asked_at)) == [0, 120, 240]


async def test_silence_that_somebody_saw_is_looked_for_at_once(world: World, mock_clock: MockClock) -> None:
    """The next regular look is hours away: trio's clock goes a hundred times slower than ours."""
    mock_clock.rate = 0.01
    world.link.connected.clear()
    changes = world.app.bus.subscribe(lambda event: event == StationChanged(STATION))
    with trio.fail_after(0.1), changes as found_silent:
        async with trio.open_nursery() as workers:
            await workers.start(world.app.presence.run)
            await wait_all_tasks_blocked(0.1)  # its first look is over
            world.clock.advance(301)
            world.app.presence.silence_seen()
            await found_silent.receive()
            workers.cancel_scope.cancel()
    assert await available(world) is False


@pytest.mark.parametrize(("silent_s", "there"), [(0, True), (299.999, True), (300, True), (300.001, False)])
async def test_only_what_is_older_than_five_minutes_is_silence(world: World, silent_s: float, there: bool) -> None:
    heard = announced(world)
    world.clock.advance(silent_s)
    await world.app.presence.watch()
    assert (await available(world), heard) == (there, [] if there else [StationChanged(STATION)])


async def test_a_silent_station_is_announced_once(world: World) -> None:
    heard = announced(world)
    world.clock.advance(301)
    await world.app.presence.watch()
    await world.app.presence.watch()
    assert heard == [StationChanged(STATION)]


async def test_a_station_never_heard_of_is_silent(world: World) -> None:
    await world.sql("UPDATE stations SET last_heartbeat_at = NULL")
    await world.app.presence.watch()
    assert await available(world) is False


async def test_a_station_that_speaks_after_it_was_silent_is_there_again_and_announced(world: World) -> None:
    world.clock.advance(301)
    await world.app.presence.watch()
    heard = announced(world)
    await world.app.presence.flush()
    assert (await available(world), heard) == (True, [StationChanged(STATION)])


async def test_a_charger_whose_open_socket_says_nothing_is_not_brought_back_by_what_it_said_before(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    said_at = world.clock.now()
    monkeypatch.setattr(world.link, "seen", lambda: {STATION: said_at})
    world.clock.advance(301)
    await world.app.presence.watch()
    heard = announced(world)
    await world.app.presence.flush()
    assert (await available(world), heard) == (False, [])


async def test_heartbeats_that_keep_a_station_there_are_no_news(world: World) -> None:
    heard = announced(world)
    for _ in range(3):
        world.clock.advance(60)
        await world.app.presence.flush()
        await world.app.presence.watch()
    rows = await world.sql("SELECT last_heartbeat_at, is_available FROM stations")
    assert rows == [{"last_heartbeat_at": world.clock.now(), "is_available": True}]
    assert heard == []


async def test_a_last_message_that_could_not_be_stored_is_stored_by_the_next_flush(world: World) -> None:
    await world.sql("UPDATE stations SET last_heartbeat_at = NULL")
    await world.sql("ALTER TABLE stations ADD CONSTRAINT frozen CHECK (last_heartbeat_at IS NULL)")
    with pytest.raises(CheckViolation):
        await world.app.presence.flush()
    await world.sql("ALTER TABLE stations DROP CONSTRAINT frozen")
    await world.app.presence.flush()
    assert await world.sql("SELECT last_heartbeat_at FROM stations") == [{"last_heartbeat_at": world.clock.now()}]

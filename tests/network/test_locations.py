"""The list over real rows: right at read time, cached for a moment, never older than a change."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace

import pytest
import trio

from evpower.db.pool import Pool
from evpower.errors import LocationNotFound
from evpower.events import (
    ChargingBegan,
    Event,
    GapInEvents,
    NetworkChanged,
    SessionEnded,
    SessionReserved,
    SessionSettled,
    StationChanged,
)
from evpower.identifiers import ConnectorId, SessionId
from evpower.network.listing import ListedStation
from evpower.settings.process import RedisSettings
from tests.worlds.charging import ONE, STATION, World, impatient, open_world
from tests.worlds.redis_server import RedisServer


@pytest.fixture(params=["alone", "with Redis"])
async def world(request: pytest.FixtureRequest, pool: Pool, redis_server: RedisServer) -> AsyncIterator[World]:
    """The application, its list cached in this process and in Redis: nobody can tell the difference."""
    url = redis_server.url if request.param == "with Redis" else ""
    async with open_world(pool, replace(impatient(), redis=RedisSettings(url))) as world:
        yield world


async def station(world: World) -> ListedStation:
    picture, _ = await world.app.locations.picture()
    return picture.locations[0].stations[0]


async def was_cached(world: World) -> bool:
    return (await world.app.locations.picture())[1]


async def test_rows_presence_and_price_are_put_together(world: World) -> None:
    listed = await station(world)
    assert (listed.status, listed.online, [each.connector_id for each in listed.connectors]) == (
        "available",
        True,
        [1, 2],
    )
    assert (float(listed.rate_per_kwh), listed.connectors_count) == (13.5, 3)


async def test_the_public_has_the_list_read_anew_once_a_second_whoever_asks(world: World) -> None:
    world.app.locations.refresh()
    await was_cached(world)
    world.clock.advance(0.999)
    world.app.locations.refresh()
    assert await was_cached(world) is True
    world.clock.advance(0.001)
    world.app.locations.refresh()
    assert await was_cached(world) is False
    world.clock.advance(-3600)
    world.app.locations.refresh()
    assert await was_cached(world) is False, "a clock set back stops nothing"


async def test_the_second_answer_within_30_s_is_cached(world: World) -> None:
    assert [await was_cached(world), await was_cached(world)] == [False, True]
    world.clock.advance(30)
    assert await was_cached(world) is False


async def test_many_who_ask_at_once_cost_one_reading(world: World) -> None:
    seen: list[bool] = []

    async def ask() -> None:
        seen.append(await was_cached(world))

    async with trio.open_nursery() as phones:
        for _ in range(20):
            phones.start_soon(ask)
    assert seen.count(False) == 1


async def test_a_connectors_new_word_is_shown_at_once(world: World) -> None:
    await station(world)
    await world.say("Faulted")
    assert (await station(world)).connectors_summary.faulted == 1


async def test_a_start_and_its_end_are_shown_at_once(world: World) -> None:
    await world.give(50_000)
    await station(world)
    started = await world.order(energy_wh=20_000)
    assert (await station(world)).connectors_summary.occupied == 1
    await world.charge(started.session.session_id, 1000)
    await world.say("Available")
    assert (await station(world)).connectors_summary.occupied == 0


async def test_a_heartbeat_that_will_run_out_bounds_the_cache(world: World) -> None:
    world.link.connected.clear()
    await world.sql("UPDATE stations SET last_heartbeat_at = %s", world.clock.now())
    world.clock.advance(290)
    assert (await station(world)).status == "available"
    world.clock.advance(10)
    assert (await station(world)).status == "available"  # exactly 300 s is still online
    world.clock.advance(0.001)
    assert (await station(world)).status == "offline"


async def test_a_reading_that_a_change_overtook_is_answered_and_not_kept(world: World) -> None:
    locations = world.app.locations
    read = locations.read

    async def overtaken(location_id: str | None = None) -> object:
        picture = await read(location_id)
        world.app.bus.publish(StationChanged(STATION))
        return picture

    locations.read = overtaken  # type: ignore[assignment,method-assign]
    assert await was_cached(world) is False
    locations.read = read  # type: ignore[method-assign]
    assert await was_cached(world) is False


async def listed_word(world: World) -> str:
    return (await station(world)).status


async def own_word(world: World) -> str:
    return (await world.app.station_pages.station(STATION)).station.status


@pytest.mark.parametrize("read", [listed_word, own_word])
async def test_a_reader_who_finds_a_station_silent_has_it_announced(
    world: World, read: Callable[[World], Awaitable[str]]
) -> None:
    world.link.connected.clear()
    world.clock.advance(301)
    with world.app.bus.subscribe(lambda event: isinstance(event, StationChanged)) as events:
        async with trio.open_nursery() as workers:
            await workers.start(world.app.presence.run)
            await trio.testing.wait_all_tasks_blocked()
            await world.sql("UPDATE stations SET is_available = true")
            assert await read(world) == "offline"
            with trio.fail_after(5):
                assert await events.receive() == StationChanged(STATION)
            workers.cancel_scope.cancel()


async def test_inactive_stations_and_locations_are_not_there(world: World) -> None:
    await world.sql("UPDATE stations SET status = 'inactive'")
    location = (await world.app.locations.picture())[0].locations[0]
    assert (location.stations, location.status) == ((), "offline")
    await world.sql("UPDATE locations SET status = 'maintenance'")
    world.app.locations.forget()
    assert (await world.app.locations.picture())[0].locations == ()


@pytest.mark.parametrize(
    "location_id", ["EVP-LOC-999", "", "'; DROP TABLE stations; --", "a\x00b", "\udcff", "Ж" * 999]
)
async def test_a_location_nobody_has_is_not_found(world: World, location_id: str) -> None:
    with pytest.raises(LocationNotFound):
        await world.app.locations.location(location_id)


async def test_a_location_that_is_not_active_is_not_found(world: World) -> None:
    await world.sql("UPDATE locations SET status = 'inactive'")
    with pytest.raises(LocationNotFound):
        await world.app.locations.location("EVP-LOC-001")


async def test_locations_come_by_name_stations_by_id_and_connectors_by_number(world: World) -> None:
    await world.sql(
        "INSERT INTO locations (id, name, address) VALUES ('1', 'Ю', ''), ('2', 'А', ''), ('4', 'Б', ''),"
        " ('3', 'Б', '')"
    )
    await world.sql(
        "INSERT INTO stations (id, serial_number, location_id) VALUES ('B', 'b', '2'), ('A', 'z', '2'), ('C', 'a', '2')"
    )
    await world.sql(
        "INSERT INTO connectors (id, station_id, connector_number) VALUES ('a', 'A', 10), ('b', 'A', 5), ('c', 'A', 2)"
    )
    locations = (await world.app.locations.picture())[0].locations
    assert [each.id for each in locations] == ["2", "3", "4", "EVP-LOC-001", "1"]
    assert [each.id for each in locations[0].stations] == ["A", "B", "C"]
    assert [each.connector_id for each in locations[0].stations[0].connectors] == [2, 5, 10]


@pytest.mark.parametrize(
    "event",
    [
        StationChanged(STATION),
        NetworkChanged("EVP-LOC-001"),
        GapInEvents(),
        SessionReserved(SessionId("s"), STATION, ONE),
        ChargingBegan(SessionId("s"), STATION, ONE),
        SessionEnded(SessionId("s"), STATION),
        SessionSettled(SessionId("s"), STATION, ONE),
    ],
    ids=lambda value: type(value).__name__,
)
async def test_whatever_happens_drops_the_list(world: World, event: Event) -> None:
    await world.app.locations.picture()
    world.app.bus.publish(event)
    assert not await was_cached(world)


async def test_a_station_that_comes_back_is_in_the_list_at_once(world: World) -> None:
    world.link.connected.clear()
    world.clock.advance(301)
    await world.app.presence.watch()
    assert (await station(world)).status == "offline"
    world.link.connected.add(STATION)
    await world.app.reports.connected(STATION)
    assert (await station(world)).status == "available"


async def test_connector_0_faulted_makes_every_connector_faulted(world: World) -> None:
    await world.say("Faulted", connector=ConnectorId(0))
    assert (await station(world)).connectors_summary.faulted == 2
    await world.say("Available", connector=ConnectorId(0))
    assert (await station(world)).connectors_summary.available == 2


async def test_the_price_shown_is_the_price_of_a_start(world: World) -> None:
    await world.sql("UPDATE stations SET price_per_kwh = 9.75, session_fee = 20")
    listed = await station(world)
    await world.give(50_000)
    started = await world.order(energy_wh=1000, connector=ONE)
    assert (listed.rate_per_kwh, listed.session_fee) == (started.price.rate_per_kwh, started.price.session_fee)

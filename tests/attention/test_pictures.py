"""The picture: read while somebody looks and not otherwise, by changes, and never newer than it is (§9)."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
import trio

from evpower.attention.cells import CellKind, faults, is_missing
from evpower.attention.conditions import Condition, ConditionKind
from evpower.attention.folding import Item
from evpower.attention.picture import Picture
from evpower.attention.rows.over import PARTS_KEPT, Over, read_over, store_over
from evpower.attention.todo import OPEN_SHOWN, Todo, TodoEntry
from evpower.clock import ClockWatch
from evpower.db.unit_of_work import reading, unit_of_work
from evpower.events import GapInEvents, StationChanged
from evpower.server.app import build_app
from evpower.settings.config import Config
from tests.worlds.charging import STATION, World
from tests.worlds.fakes import NOON, CountingIds


async def look(world: World) -> Picture:
    await world.app.pictures.look()
    assert world.app.pictures.latest is not None
    return world.app.pictures.latest


def kinds(picture: Picture) -> list[CellKind]:
    return [cell.kind for cell in picture.stations[STATION].cells]


async def test_a_connector_that_changed_is_drawn_anew_and_nothing_else(world: World) -> None:
    await world.sql("UPDATE stations SET last_heartbeat_at = %s", world.clock.now())
    async with trio.open_nursery() as nursery:
        await nursery.start(world.app.pictures.run)
        first = await look(world)
        assert kinds(first) == [CellKind.FREE, CellKind.FREE]
        assert (await look(world)).drawn == ()
        await world.sql("UPDATE connectors SET ocpp_status = 'Charging' WHERE connector_number = 2")
        world.app.bus.publish(StationChanged(STATION))
        await world.at_rest()
        second = await look(world)
        assert kinds(second) == [CellKind.FREE, CellKind.CHARGING]
        assert list(second.drawn_since(first.number)) == [STATION]
        assert list(second.drawn_since(second.number)) == []
        assert second.layout == first.layout
        nursery.cancel_scope.cancel()


async def test_a_new_station_is_another_layout(world: World) -> None:
    first = await look(world)
    await world.sql("INSERT INTO stations (id, serial_number, location_id) VALUES ('EVP-NEW', 'N-1', 'EVP-LOC-001')")
    async with trio.open_nursery() as nursery:
        await nursery.start(world.app.pictures.run)
        world.app.bus.publish(GapInEvents())
        await world.at_rest()
        second = await look(world)
        nursery.cancel_scope.cancel()
    assert second.layout != first.layout
    assert list(second.order.values()) == [0, 1]
    assert [cell.kind for cell in second.stations[STATION].cells] == kinds(first)


async def test_nobody_watching_costs_no_query(world: World) -> None:
    async with trio.open_nursery() as nursery:
        await nursery.start(world.app.pictures.run)
        for _ in range(3):
            world.app.bus.publish(StationChanged(STATION))
            await world.at_rest()
        assert world.app.pictures.latest is None
        with world.app.pictures.watched(), trio.fail_after(20):
            seen = await world.app.pictures.after(0)
        for _ in range(3):
            world.app.bus.publish(StationChanged(STATION))
            await world.at_rest()
        # One that was begun while somebody still looked may come yet, and no other.
        assert (await look(world)).number <= seen.number + 2
        nursery.cancel_scope.cancel()


async def test_a_picture_that_cannot_be_read_stays_the_old_one_with_its_time(world: World) -> None:
    first = await look(world)
    world.clock.advance(30)
    async with unit_of_work(world.pool) as uow:
        await uow.conn.execute("LOCK TABLE public.stations IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(trio.TooSlowError):
            await world.app.pictures.look()
    assert world.app.pictures.latest is first
    assert (await look(world)).taken_at == world.clock.now()


async def test_the_sums_of_a_picture_are_those_of_its_cells_however_it_came_about(world: World) -> None:
    """They are kept from picture to picture: after changes, a silence, and a station that came or went."""
    changes = (
        "UPDATE connectors SET ocpp_status = 'Faulted' WHERE connector_number = 1",
        "UPDATE connectors SET error_code = 'WeakSignal' WHERE connector_number = 2",
        "UPDATE stations SET last_heartbeat_at = '2020-01-01'",
        "INSERT INTO stations (id, serial_number, location_id) VALUES ('EVP-NEW', 'N-1', 'EVP-LOC-001')",
        "UPDATE stations SET status = 'maintenance' WHERE id = 'EVP-001-01'",
        "UPDATE stations SET status = 'inactive' WHERE id = 'EVP-001-01'",
    )
    await world.sql("UPDATE stations SET last_heartbeat_at = %s", world.clock.now())
    await look(world)
    for change in changes:
        await world.sql(change)
        picture = await look(world)
        cells = [cell.kind for station in picture.stations.values() for cell in station.cells]
        assert {kind: count for kind, count in picture.kinds.items() if count} == Counter(cells), change
        assert picture.offline == sum(map(is_missing, picture.stations.values())), change
        assert picture.faulted == sum(map(faults, picture.stations.values())), change


async def test_the_first_screen_has_room_for_the_most_urgent_and_the_rest_is_a_link_away() -> None:
    items = [Item(f"k{number}", "one", ()) for number in range(50)]
    todo = Todo(tuple(TodoEntry(item, over_at=None) for item in items))
    assert [each.item.key for each in todo.shown] == [f"k{number}" for number in range(OPEN_SHOWN)]


async def test_what_is_over_is_seen_by_the_next_process_too_as_it_ended(world: World) -> None:
    """After a restart, and in another process: neither saw it end."""
    await world.sql("UPDATE stations SET last_heartbeat_at = %s", world.clock.now() - timedelta(seconds=301))
    raised = (await look(world)).todo.entries
    await world.sql("UPDATE stations SET last_heartbeat_at = %s", world.clock.now())
    world.clock.advance(2)
    (ended,) = (await look(world)).todo.entries
    async with trio.open_nursery() as workers:
        watch = ClockWatch(world.clock, world.clock.steady_s)
        parts = (Config(), world.pool, world.link, world.clock, CountingIds(), workers)
        other = build_app(*parts, watch=watch, room=lambda _path: (50, 100)).pictures
        await other.look()
        assert other.latest is not None
        assert list(other.latest.todo.entries) == [ended]
        assert (ended.item, ended.over_at) == (raised[0].item, world.clock.now())
        world.clock.advance(3600)
        await world.sql("UPDATE stations SET last_heartbeat_at = %s", world.clock.now())
        await other.look()
        assert list(other.latest.todo.entries) == []
        workers.cancel_scope.cancel()


async def test_of_a_large_row_that_is_over_some_parts_are_kept_and_their_number(world: World) -> None:
    parts = tuple(Condition(ConditionKind.STATION_OFFLINE, str(number), NOON) for number in range(100))
    over = Over(Item("network:offline", "network", parts, 120), None, NOON, NOON)
    async with unit_of_work(world.pool) as uow:
        await store_over(uow.conn, [over])
    async with reading(world.pool) as conn:
        (kept,) = await read_over(conn, NOON - timedelta(seconds=1))
    assert (len(kept.item.parts), kept.item.count, kept.item.of_stations) == (PARTS_KEPT, 100, 120)

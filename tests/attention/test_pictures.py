"""The picture: read while somebody looks and not otherwise, by changes, and never newer than it is (§9)."""

from __future__ import annotations

import pytest
import trio

from evpower.attention.cells import CellKind
from evpower.attention.picture import Picture
from evpower.db.unit_of_work import unit_of_work
from evpower.events import GapInEvents, StationChanged
from tests.worlds.charging import STATION, World


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

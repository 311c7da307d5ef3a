"""What comes after a page was read: changes alone, with the age of the picture, once for all viewers (§9)."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio

from evpower.attention.picture import Picture
from evpower.events import StationChanged
from evpower.pages import live
from evpower.pages.frame.assets import read_assets
from evpower.pages.frame.rendering import Renderer
from evpower.pages.frame.visitor import Visitor
from evpower.pages.live import ChangeStream, Rows, Viewer
from evpower.settings.config import Config
from evpower.sign_in.browsers import Browser as SignedInBrowser
from evpower.staff.records import Acting
from tests.worlds.charging import STATION, World
from tests.worlds.fakes import CountingIds
from tests.worlds.pages import Browser, LongIds


class Stream:
    """One viewer's stream, read batch by batch."""

    def __init__(
        self, world: World, rows: Rows, picture: Picture, *, since: int | None = None, layout: str = ""
    ) -> None:
        visitor = Visitor(SignedInBrowser("s", Acting("operator:a")), "c")
        viewer = Viewer(visitor, "en", layout or picture.layout, picture.number if since is None else since)
        self.body = ChangeStream(world.app.pictures, world.clock, LongIds(), rows, viewer, {})

    async def next(self) -> str:
        """The next batch."""
        return (await self.body.__anext__()).decode()


def rows_of(world: World) -> Rows:
    return Rows(Renderer(world.clock, CountingIds(), Config().billing.timezone, read_assets()))


@asynccontextmanager
async def seen(world: World) -> AsyncIterator[Picture]:
    """A picture that a page was made of, and the reader of the next ones."""
    await world.sql("UPDATE stations SET last_heartbeat_at = %s", world.clock.now())
    async with trio.open_nursery() as nursery:
        await nursery.start(world.app.pictures.run)
        await world.app.pictures.look()
        assert world.app.pictures.latest is not None
        yield world.app.pictures.latest
        nursery.cancel_scope.cancel()


def tick_of(batch: str) -> dict[str, Any]:
    line = batch.rpartition("event: tick\ndata: ")[2].splitlines()[0]
    tick: dict[str, Any] = json.loads(line)
    return tick


async def test_what_changed_comes_and_nothing_else(world: World) -> None:
    async with seen(world) as picture:
        stream = Stream(world, rows_of(world), picture)
        assert (await stream.next()).startswith(": connected")
        with world.app.pictures.watched():
            first = await stream.next()
            assert 'hx-partial hx-target="#s0"' not in first
            await world.sql("UPDATE connectors SET ocpp_status = 'Faulted' WHERE connector_number = 1")
            world.app.bus.publish(StationChanged(STATION))
            with trio.fail_after(20):
                while 'hx-target="#s0"' not in (batch := await stream.next()):
                    pass
        assert 'class="x"' in batch
        assert '"id": "todo"' in batch
        assert batch.startswith("id: ")


async def test_a_tick_has_the_age_of_the_picture_not_of_itself(world: World) -> None:
    """PostgreSQL is away: ticks go on, and each says how old what is seen has become."""
    async with seen(world) as picture:
        stream = Stream(world, rows_of(world), picture)
        await stream.next()
        assert tick_of(await stream.next())["age"] == 0
        world.clock.advance(13)
        tick = tick_of(await stream.next())
        assert tick == {"age": 13.0, "at": "12:00:00", "away": None}


@pytest.mark.parametrize("layout", ["other-1", "0"])
async def test_a_page_of_another_process_or_grid_reads_itself_anew(world: World, layout: str) -> None:
    async with seen(world) as picture:
        stream = Stream(world, rows_of(world), picture, layout=layout)
        await stream.next()
        assert await stream.next() == "event: anew\ndata: {}\n\n"


async def test_who_connects_anew_gets_everything_since_what_they_saw(world: World) -> None:
    async with seen(world) as picture:
        await world.sql("UPDATE connectors SET ocpp_status = 'Charging' WHERE connector_number = 1")
        world.app.bus.publish(StationChanged(STATION))
        await world.at_rest()
        await world.app.pictures.look()
        await world.app.pictures.look()
        stream = Stream(world, rows_of(world), picture, since=picture.number)
        await stream.next()
        assert 'hx-target="#s0"' in await stream.next()


async def test_thousands_that_changed_come_in_parts_and_the_last_one_has_the_number(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who is cut off between two parts has not got the number, and asks for everything again."""
    monkeypatch.setattr(live, "AT_ONCE", 2)
    await world.sql(
        "INSERT INTO stations (id, serial_number, location_id, last_heartbeat_at)"
        " SELECT 'N-' || n, 'N-' || n, 'EVP-LOC-001', %s FROM generate_series(1, 4) n",
        world.clock.now(),
    )
    async with seen(world) as picture:
        stream = Stream(world, rows_of(world), picture, since=0)
        parts = [await stream.next() for _ in range(4)]
        assert parts[0].startswith(": connected")
        assert [part.count('hx-target="#s') for part in parts[1:]] == [2, 2, 1]
        assert ["id: " in part for part in parts[1:]] == [False, False, True]
        assert tick_of(parts[3])["age"] == 0


async def test_a_row_is_rendered_once_for_all_viewers_and_each_has_form_keys_of_their_own(world: World) -> None:
    await world.give(50_000)
    session_id = (await world.order(amount_tyiyn=10_000)).session.session_id
    await world.begin(await world.tag_of(session_id))
    async with seen(world) as picture:
        rows, rendered = rows_of(world), list[str]()
        text = rows.render.text_in_parts

        async def counted(template: str, language: Any, /, **names: Any) -> str:
            rendered.append(template)
            return await text(template, language, **names)

        rows.render.text_in_parts = counted  # type: ignore[method-assign]
        batches = []
        for _ in range(3):
            stream = Stream(world, rows, picture, since=0)
            await stream.next()
            batches.append(await stream.next())
        assert sorted(rendered) == sorted(set(rendered))
        assert live.KEY_HERE not in "".join(batches)
        assert f"/charges/{session_id}/stop" in batches[0]


async def test_a_stream_ends_when_the_doors_close_and_by_itself(world: World) -> None:
    async with seen(world) as picture:
        stream = Stream(world, rows_of(world), picture)
        await stream.next()
        async with trio.open_nursery() as doors:
            await doors.start(world.app.pictures.end_watchers)
            doors.cancel_scope.cancel()
        with pytest.raises(StopAsyncIteration):
            for _ in range(3):
                await stream.next()


async def test_more_viewers_than_there_is_room_for_are_refused(browser: Browser, world: World) -> None:
    world.app.pictures.watchers = live.VIEWERS_MOST
    page = await browser.get("/live", 429)
    assert "Too much at once" in page.text

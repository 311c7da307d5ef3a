"""Nothing old looks new: PostgreSQL is cut off and comes back while somebody looks (§9, errors)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio

from evpower.attention.picture import Picture
from evpower.db.pool import open_pool
from tests.db.proxy import Proxy, open_proxy
from tests.pages.test_live import Stream, rows_of, tick_of
from tests.worlds.charging import World, impatient, open_world
from tests.worlds.pages import Browser

UNKNOWN = "unknown since 12:00:00"


@asynccontextmanager
async def behind_a_wire(database_url: str) -> AsyncIterator[tuple[World, Proxy]]:
    """A world whose database can be cut off; a charge runs, with money held."""
    async with (
        open_proxy(database_url) as proxy,
        open_pool(proxy.url, size=4) as pool,
        open_world(pool, impatient()) as world,
    ):
        await world.sql("UPDATE stations SET last_heartbeat_at = %s", world.clock.now())
        await world.give(50_000)
        session_id = (await world.order(amount_tyiyn=10_000)).session.session_id
        await world.begin(await world.tag_of(session_id))
        yield world, proxy
        proxy.mend()


async def test_without_the_database_what_is_remembered_stays_and_money_is_unknown(database_url: str) -> None:
    async with behind_a_wire(database_url) as (world, proxy):
        browser = await Browser(world).sign_in()
        page = await browser.get("/")
        assert "100.00" in page.text
        assert UNKNOWN not in page.text
        proxy.cut()
        world.clock.advance(20)
        page = await browser.get("/")
        assert "100.00" not in page.text
        assert UNKNOWN in page.text
        assert "The database is away. Money is unknown since 12:00:00." in page.text
        assert "as of 12:00:00" in page.text
        assert "EVP-001-01" in page.text
        (acts,) = [given for tag, given in page.tags if tag == "fieldset"]
        assert "disabled" in acts
        assert "Actions are switched off" in acts["title"]
        proxy.mend()
        page = await browser.get("/")
        assert UNKNOWN not in page.text
        assert "as of 12:00:20" in page.text
        (acts,) = [given for tag, given in page.tags if tag == "fieldset"]
        assert "disabled" not in acts


async def test_what_needs_the_database_says_that_it_is_away_and_does_nothing(database_url: str) -> None:
    async with behind_a_wire(database_url) as (world, proxy):
        browser = await Browser(world).sign_in()
        form = {"key": "0123456789abcdef", "act": "block"}
        proxy.cut()
        assert (await browser.send("/drivers/client-1", form)).status_code == 503
        assert "The database is away" in browser.text
        proxy.mend()
        (client,) = await world.sql("SELECT status FROM clients WHERE id = 'client-1'")
        assert client["status"] == "active"


@asynccontextmanager
async def looked_at(world: World) -> AsyncIterator[Picture]:
    async with trio.open_nursery() as nursery:
        await nursery.start(world.app.pictures.run)
        await world.app.pictures.look()
        assert world.app.pictures.latest is not None
        yield world.app.pictures.latest
        nursery.cancel_scope.cancel()


async def test_who_looks_on_learns_that_money_is_unknown_and_when_it_is_known_again(database_url: str) -> None:
    async with behind_a_wire(database_url) as (world, proxy), looked_at(world) as picture:
        stream = Stream(world, rows_of(world), picture)
        with world.app.pictures.watched(), trio.fail_after(30):
            await stream.next()
            assert tick_of(await stream.next())["away"] is None
            proxy.cut()
            world.clock.advance(13)
            while tick_of(batch := await stream.next())["away"] is None:
                pass
            assert tick_of(batch) == {"age": 13.0, "at": "12:00:00", "away": "12:00:00"}
            assert batch.count(UNKNOWN) >= 3  # the bar, the figures, the running charge
            proxy.mend()
            while tick_of(batch := await stream.next())["away"] is not None:
                pass
            assert UNKNOWN not in batch
            assert "100.00" in batch

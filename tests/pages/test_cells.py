"""What a connector's cell shows of its charge: in the grid, as it changes, and of a dot that is pointed at (§3.2)."""

from __future__ import annotations

import pytest
import trio

from evpower.attention import glance
from evpower.events import StationChanged
from evpower.identifiers import WireTransactionId
from tests.pages.test_live import Stream, rows_of, seen
from tests.worlds.charging import STATION, World
from tests.worlds.pages import Browser


async def charging(world: World) -> WireTransactionId:
    """11 kW for ten minutes, of 5 kWh."""
    await world.give(500_00)
    session_id = (await world.order(energy_wh=5_000)).session.session_id
    transaction_id = (await world.begin(await world.tag_of(session_id), meter_wh=1_000)).wire_transaction_id
    world.clock.advance(600)
    await world.sql("UPDATE stations SET last_heartbeat_at = %s", world.clock.now())
    await world.say("Charging")
    await world.meter(transaction_id, 2_833, power_w=11_000)
    return transaction_id


@pytest.mark.parametrize("tiles_most", [60, 0])
async def test_a_cell_has_power_and_minutes_and_its_title_the_limit(
    browser: Browser, world: World, monkeypatch: pytest.MonkeyPatch, tiles_most: int
) -> None:
    """Of a tile and of a small cell."""
    monkeypatch.setattr(glance, "TILES_MOST", tiles_most)
    await charging(world)
    page = await browser.get("/")
    assert "11.0 kW 10 min" in page.text
    titles = [given["title"] for tag, given in page.tags if tag == "i" and given.get("class") == "c"]
    assert len(titles) == 1
    assert titles[0].startswith(f"{STATION}/1 · charging · Charging")
    assert titles[0].endswith("· 11.0\u202fkW · 10\u202fmin · 1.8\u202fkWh of 5.0\u202fkWh")


async def test_news_of_a_charge_is_sent_once_and_a_station_without_any_is_not(world: World) -> None:
    transaction_id = await charging(world)
    async with seen(world) as picture:
        stream = Stream(world, rows_of(world), picture)
        await stream.next()
        with world.app.pictures.watched(), trio.fail_after(20):
            first = await stream.next()
            while 'hx-target="#s0"' not in first:
                first = await stream.next()
            world.app.bus.publish(StationChanged(STATION))
            assert 'hx-target="#s0"' not in await stream.next()
            await world.meter(transaction_id, 2_900, power_w=7_400)
            while 'hx-target="#s0"' not in (batch := await stream.next()):
                pass
    assert "7.4\u202fkW" in batch


async def test_a_dot_has_none_of_it_until_it_is_pointed_at(
    browser: Browser, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(glance, "CELLS_MOST", 0)
    monkeypatch.setattr(glance, "TILES_MOST", 0)
    await charging(world)
    assert "11.0 kW 10 min" not in (await browser.get("/")).text
    lines = (await browser.get(f"/hover/{STATION}")).html.splitlines()
    assert lines[0].startswith(STATION)
    assert lines[1].startswith("1 ● charging")
    assert lines[1].endswith("1.8\u202fkWh of 5.0\u202fkWh")
    assert lines[2].startswith("2 ")


async def test_what_is_not_theirs_or_not_there_cannot_be_pointed_at(world: World) -> None:
    browser = await Browser(world).sign_in("operator", "bek")
    await browser.get(f"/hover/{STATION}", 404)

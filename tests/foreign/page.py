"""The owner's snippets in a JavaScript engine, against a started server: what they are told is what happens."""

from __future__ import annotations

import json
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Protocol
from urllib.parse import urlsplit

import httpx2
import trio

from tests.e2e.process import Process, Server, poll
from tests.e2e.street import STATION, WITHIN_S, Charger, charger_at
from tests.foreign.snippets import listed_paths, program

LOCATION = "EVP-LOC-E2E"
NODE = ("node", "--no-warnings", "--experimental-websocket")


class Page(Protocol):
    """A program that runs; each of its lines is a list in JSON."""

    @property
    def lines(self) -> list[str]: ...


#: Runs a program for as long as the block lasts.
Engine = Callable[[Server, str], AbstractAsyncContextManager[Page]]


@asynccontextmanager
async def in_node(server: Server, text: str) -> AsyncIterator[Page]:
    """Node 20.10 or newer: its own fetch and, since 22 without being asked, its own WebSocket."""
    path = server.state_dir / "page.mjs"
    path.write_text(text, encoding="utf-8")
    process = await trio.lowlevel.open_process(
        [*NODE, str(path)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    page = Process(process)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(page.read)
        try:
            yield page
        finally:
            process.kill()
    await process.wait()


async def said(page: Page, what: str, so: Callable[..., bool] = lambda *_: True) -> list[Any]:
    """What the program said first beside a word, of which `so` holds."""

    async def look() -> list[list[Any]]:
        strange = [line for line in page.lines if not line.startswith("[")]
        assert not strange, "\n".join(strange)
        lines = [json.loads(line) for line in page.lines]
        return [line[1:] for line in lines if line[0] == what and so(*line[1:])]

    try:
        with trio.fail_after(WITHIN_S):
            found: list[list[Any]] = await poll(look)
    except trio.TooSlowError:
        raise AssertionError(f"no {what!r} in:\n" + "\n".join(page.lines)) from None
    return found[0]


def words(station: dict[str, Any]) -> list[str]:
    return [each["status"] for each in station["connectors"]]


def address(server: Server) -> str:
    """Where phones connect, `host:port`."""
    return urlsplit(server.http_url).netloc


async def follow_the_snippets(server: Server, engine: Engine) -> None:
    """All of them, while a driver plugs a cable in and out; the server is stopped at the end."""
    async with charger_at(server) as charger, engine(server, program("websocket", address(server))) as page:
        await charger.has_delivered_messages()
        await said(page, "WebSocket подключен")
        assert await said(page, "Подключено:") == ["Подключено к обновлениям локаций"]
        assert await said(page, "Подписка:") == ["subscribed", "location:LOCATION_ID"]
        await hears_of_a_cable(page, charger)
        await sees_the_station(server, engine, charger)
        await sees_the_list(server, engine)
        await ask_for_what_is_listed(server)
        await server.stop()
        await said(page, "WebSocket отключен")
        await said(page, "reconnect")
        assert not [line for line in page.lines if "шибка" in line]


async def hears_of_a_cable(page: Page, charger: Charger) -> None:
    """Section 1: the handler is given what the seed's message has."""
    await charger.plug()
    (update,) = await said(page, "updateLocationStatus", lambda data: data["available_connectors"] == 1)
    assert update.pop("timestamp").endswith("Z")
    assert update == {
        "location_id": LOCATION,
        "status": "available",
        "available_connectors": 1,
        "total_connectors": 2,
        "stations_count": 1,
        "available_stations": 1,
        "occupied_stations": 0,
        "offline_stations": 0,
        "maintenance_stations": 0,
    }


async def sees_the_station(server: Server, engine: Engine, charger: Charger) -> None:
    """Section 2: what is asked for at first, and by the poll after the cable was taken out."""
    before, after = f'const stationId = "{STATION}";', 'console.log("is", stationStatus);'
    async with engine(server, program("detail", address(server), before=before, after=after)) as page:
        (station,) = await said(page, "is")
        assert (station["success"], station["station_id"], station["is_online"]) == (True, STATION, True)
        assert words(station) == ["Preparing", "Available"]
        await charger.point.unplug()
        await said(page, "updateStationDetails", lambda body: words(body) == ["Available"] * 2)


async def sees_the_list(server: Server, engine: Engine) -> None:
    """Section 3."""
    async with engine(server, program("list", address(server), after='console.log("is", data);')) as page:
        (data,) = await said(page, "is")
    assert (data["success"], data["total_locations"], data["locations"][0]["id"]) == (True, 1, LOCATION)
    assert data["locations"][0]["connectors_summary"]["available"] == 2


async def ask_for_what_is_listed(server: Server) -> None:
    """The requests of §3: of the city there is one, of the location in the example none."""
    async with httpx2.AsyncClient(base_url=server.http_url, timeout=WITHIN_S) as phone:
        answers = [(path, (await phone.get(path)).json()) for path in listed_paths()]
    assert [len(body["locations"]) for _, body in answers] == [1, 1, 0, 1]
    assert all(body["success"] for _, body in answers)
    for path, body in answers:
        assert all(("stations" in location) == ("include_stations=true" in path) for location in body["locations"])

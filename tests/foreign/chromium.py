"""A headless browser as an engine for the owner's snippets, driven by the DevTools protocol."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from tempfile import TemporaryDirectory

import httpx2
import trio
from trio_websocket import ConnectionClosed, WebSocketConnection, open_websocket_url

from tests.e2e.process import Process, Server, poll
from tests.e2e.street import WITHIN_S
from tests.foreign.page import address, said
from tests.foreign.snippets import program

#: Without a sandbox, which is root's lot in a container; the only pages it opens are ours.
OPTIONS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0", "about:blank")
LISTENING = re.compile(r"DevTools listening on ws://([^/]+)/")


class Tab:
    """A page of a browser, and what its program logs."""

    def __init__(self, socket: WebSocketConnection) -> None:
        self._socket = socket
        self._answered: list[trio.Event] = []
        self._loaded = trio.Event()
        self.lines: list[str] = []

    async def ask(self, method: str, **params: object) -> None:
        """Return when it is done."""
        answered = trio.Event()
        self._answered.append(answered)
        with trio.fail_after(WITHIN_S):
            await self._socket.send_message(json.dumps({"id": len(self._answered), "method": method, "params": params}))
            await answered.wait()

    async def open(self, url: str) -> None:
        """Return when the page is there: its origin is what its requests will name."""
        await self.ask("Page.enable")
        await self.ask("Runtime.enable")
        await self.ask("Page.navigate", url=url)
        with trio.fail_after(WITHIN_S):
            await self._loaded.wait()

    async def listen(self) -> None:
        """Until the browser ends."""
        while True:
            try:
                event = json.loads(await self._socket.get_message())
            except ConnectionClosed:
                return
            match event:
                case {"id": int(number)}:
                    self._answered[number - 1].set()
                case {"method": "Page.loadEventFired"}:
                    self._loaded.set()
                case {"method": "Runtime.consoleAPICalled", "params": {"args": [{"value": str(line)}]}}:
                    self.lines.append(line)
                case {"method": "Runtime.exceptionThrown", "params": {"exceptionDetails": details}}:
                    self.lines.append(str(details))


def elsewhere(server: Server) -> str:
    """The same server by another name: to a browser and by its Origin, a page of it is one of another site."""
    return server.http_url.replace("127.0.0.1", "localhost")


@asynccontextmanager
async def on_a_page_elsewhere(server: Server, text: str) -> AsyncIterator[Tab]:
    """The program in a page of another origin than the server's."""
    async with in_chromium(server, text, page_url=elsewhere(server)) as tab:
        yield tab


async def a_foreign_page_is_told_nothing(server: Server) -> None:
    """The socket is closed after its upgrade (1008), and the browser keeps the list from the page."""
    async with on_a_page_elsewhere(server, program("websocket", address(server))) as page:
        await said(page, "WebSocket отключен")
        assert not [line for line in page.lines if "Подключено" in line]
    async with on_a_page_elsewhere(server, program("list", address(server), after='say("is", data);')) as page:

        async def failed() -> bool:
            return any("Failed to fetch" in line for line in page.lines)

        with trio.fail_after(WITHIN_S):
            await poll(failed)
        assert not [line for line in page.lines if '"is"' in line]


@asynccontextmanager
async def in_chromium(server: Server, text: str, *, page_url: str | None = None) -> AsyncIterator[Tab]:
    """The program in a page of the server itself, or of another origin."""
    with TemporaryDirectory(prefix="evpower-chromium-", ignore_cleanup_errors=True) as profile:
        process = await trio.lowlevel.open_process(
            ["chromium", f"--user-data-dir={profile}", *OPTIONS],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        browser = Process(process)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(browser.read)
            try:
                async with open_websocket_url(await _tab_of(browser)) as socket:
                    tab = Tab(socket)
                    nursery.start_soon(tab.listen)
                    await tab.open(page_url or server.http_url)
                    await tab.ask("Runtime.evaluate", expression=f"(async () => {{\n{text}\n}})()")
                    yield tab
            finally:
                process.kill()
        await process.wait()


async def _tab_of(browser: Process) -> str:
    with trio.fail_after(WITHIN_S):
        found = LISTENING.search(await browser.wait_for_line("DevTools listening"))
        assert found is not None
        async with httpx2.AsyncClient(base_url=f"http://{found[1]}") as devtools:
            targets = (await devtools.get("/json/list")).json()
    return str(next(each["webSocketDebuggerUrl"] for each in targets if each["type"] == "page"))

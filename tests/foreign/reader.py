"""An engine for the owner's snippets where there is no JavaScript: it reads what they ask for and does that.

It takes addresses and messages from their text; what they do with an answer it only knows by heart.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import httpx2
import trio
from trio_websocket import ConnectionClosed

from tests.e2e.process import Server
from tests.e2e.street import STATION, WITHIN_S
from tests.http.phones.test_live import phone

SOCKET = re.compile(r"new WebSocket\('([^']+)'\)")
SUBSCRIPTION = re.compile(r"JSON\.stringify\(\{\s*action: '(\w+)',\s*channel: '([^']+)'\s*\}\)")
FETCHED = re.compile(r"fetch\(\s*['`]([^'`]+)['`]\s*\)")
POLL_EVERY_S = 0.1
#: Of one page.
LONGEST_S = 120


class Reader:
    """One snippet, read."""

    def __init__(self, text: str) -> None:
        self._text = text
        self.lines: list[str] = []

    async def run(self) -> None:
        if "new WebSocket" in self._text:
            await self._listen()
        else:
            await self._fetch()

    def _say(self, *said: object) -> None:
        self.lines.append(json.dumps(said, ensure_ascii=False))

    async def _listen(self) -> None:
        url, subscription = SOCKET.search(self._text), SUBSCRIPTION.search(self._text)
        assert url is not None
        assert subscription is not None
        host, _, path = url[1].removeprefix("ws://").partition("/")
        async with phone(host, f"/{path}", within_s=LONGEST_S) as page:
            self._say("WebSocket подключен")
            await page.socket.send_message(json.dumps({"action": subscription[1], "channel": subscription[2]}))
            with suppress(ConnectionClosed):
                while True:
                    self._hear(await page.hear())
        self._say("WebSocket отключен")
        self._say("reconnect")

    def _hear(self, data: dict[str, str]) -> None:
        match data["type"]:
            case "connection":
                self._say("Подключено:", data["message"])
            case "location_status_update":
                self._say("updateLocationStatus", data["data"])
            case "subscription":
                self._say("Подписка:", data["status"], data["channel"])
            case "error":
                self._say("Ошибка WebSocket:", data["message"])

    async def _fetch(self) -> None:
        first, *again = [url.replace("${stationId}", STATION) for url in FETCHED.findall(self._text)]
        async with httpx2.AsyncClient(timeout=WITHIN_S) as phone:
            self._say("is", (await phone.get(first)).json())
            while again:
                await trio.sleep(POLL_EVERY_S)
                self._say("updateStationDetails", (await phone.get(again[0])).json())


@asynccontextmanager
async def by_reading(server: Server, text: str) -> AsyncIterator[Reader]:
    """What the program asks for, for as long as the block lasts."""
    del server  # its address stands in the text
    reader = Reader(text)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(reader.run)
        yield reader
        nursery.cancel_scope.cancel()

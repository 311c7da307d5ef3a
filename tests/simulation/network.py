"""The chargers' net in memory: listeners, lines that are cut, and the people's door without a socket."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

import trio
from quart_trio import QuartTrio
from trio.testing import memory_stream_pair

from tests.simulation.engine import Life

#: A phone's patience, longer than any answer may take (rest-api §4).
ANSWER_WITHIN_S = 15.0
PHONE = ("198.51.100.7", 40000)


class Away(Exception):
    """No answer came: the process is not there, died meanwhile, or the phone gave up."""


class Line(trio.abc.Stream):
    """One end of a line; after `chunks` more that it carries both ends are cut, before or after the last of them.

    What is sent is on the way for `delay_s`, in its order.
    """

    def __init__(self, end: trio.abc.Stream, dice: random.Random, *, cuts: float, delay_s: float) -> None:
        self._end = end
        self._dice = dice
        #: How probable it is that a chunk is the last one.
        self.cuts = cuts
        self._delay_s = delay_s
        #: Whoever leaves says nothing: the other end hears of no close.
        self.is_left_open = False

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        if self._dice.random() >= self.cuts:
            if self._delay_s:
                await trio.sleep(self._dice.uniform(0, self._delay_s))
            await self._end.send_all(data)
            return
        if self._dice.random() < 0.5:
            await self._end.send_all(data)  # it arrives, and nothing that answers it
        await trio.aclose_forcefully(self._end)
        raise trio.BrokenResourceError("the line was cut")

    async def wait_send_all_might_not_block(self) -> None:
        await self._end.wait_send_all_might_not_block()

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        return await self._end.receive_some(max_bytes)

    async def aclose(self) -> None:
        if self.is_left_open:
            await trio.lowlevel.checkpoint()
            return
        await self._end.aclose()


class MemoryListener(trio.abc.Listener[trio.abc.Stream]):
    """Accepts what `connect` made."""

    def __init__(self) -> None:
        self._send, self._receive = trio.open_memory_channel[trio.abc.Stream](1000)

    async def connect(self) -> trio.abc.Stream:
        ours, theirs = memory_stream_pair()
        await self._send.send(theirs)
        return ours

    async def accept(self) -> trio.abc.Stream:
        return await self._receive.receive()

    async def aclose(self) -> None:
        self._receive.close()
        await trio.lowlevel.checkpoint()


@dataclass(frozen=True)
class Reply:
    """What a request was answered."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(eq=False)
class Exchange:
    """One request on its way through the application."""

    body: bytes
    over: trio.Event = field(default_factory=trio.Event)
    hung_up: trio.Event = field(default_factory=trio.Event)
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    answer: bytearray = field(default_factory=bytearray)
    _sent: bool = False

    async def receive(self) -> dict[str, Any]:
        """ASGI's: the body, then the phone's end."""
        if not self._sent:
            self._sent = True
            return {"type": "http.request", "body": self.body, "more_body": False}
        await self.hung_up.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        """ASGI's."""
        await trio.lowlevel.checkpoint()
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {name.decode().lower(): value.decode() for name, value in message["headers"]}
        elif message["type"] == "http.response.body":
            self.answer += message.get("body", b"")
            if not message.get("more_body", False):
                self.over.set()


class PeopleDoor:
    """Requests to one life of a process; they end with it, and go on when the phone hangs up."""

    def __init__(self, app: QuartTrio, life: Life, requests: trio.Nursery) -> None:
        self._app = app
        self._life = life
        self._requests = requests

    async def ask(
        self, method: str, target: str, body: bytes, headers: dict[str, str], *, patience_s: float = ANSWER_WITHIN_S
    ) -> Reply:
        """The answer. Raises Away."""
        exchange = Exchange(body)
        self._requests.start_soon(self._serve, exchange, scope_of(method, target, body, headers))
        async with trio.open_nursery() as waiting:
            waiting.start_soon(_first, self._life.died, waiting.cancel_scope)
            with trio.move_on_after(patience_s):
                await exchange.over.wait()
            waiting.cancel_scope.cancel()
        exchange.hung_up.set()
        if not exchange.over.is_set():
            raise Away
        return Reply(exchange.status, exchange.headers, bytes(exchange.answer))

    async def _serve(self, exchange: Exchange, scope: Any) -> None:
        receive: Any = exchange.receive  # the three kinds of message are plain dicts here
        await self._app(scope, receive, exchange.send)


async def _first(event: trio.Event, scope: trio.CancelScope) -> None:
    await event.wait()
    scope.cancel()


def scope_of(method: str, target: str, body: bytes, headers: dict[str, str]) -> Any:
    """ASGI's description of a request."""
    path, _, query = target.partition("?")
    named = {"host": "evpower.test", "content-length": str(len(body)), **headers}
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.1"},
        "http_version": "1.1",
        "method": method,
        "headers": [(name.lower().encode(), value.encode()) for name, value in named.items()],
        "scheme": "https",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "server": ("evpower.test", 443),
        "client": PHONE,
        "root_path": "",
        "extensions": {},
    }

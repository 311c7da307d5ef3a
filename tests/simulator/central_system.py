"""A central system for tests: trio-websocket on memory streams, with answers a test can replace."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import trio
import trio.testing
from trio_websocket import ConnectionClosed, WebSocketConnection, wrap_server_stream

Payload = dict[str, Any]
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


class TrioClock:
    """The time of day, moved by trio's (mock) clock."""

    def __init__(self) -> None:
        self._start = trio.current_time()

    def now(self) -> datetime:
        return EPOCH + timedelta(seconds=trio.current_time() - self._start)


class Refuse(Exception):
    """A reply function raises it to answer CALLERROR."""


class CentralSystem:
    """Listens in memory: pass `dial` to the charger. `replies` maps an action to what is answered."""

    def __init__(self, connections: trio.Nursery) -> None:
        self._connections = connections
        self._socket: WebSocketConnection | None = None
        self._answers: dict[str, Any] = {}
        self._changed = trio.Event()
        self.next_transaction_id = 1
        self.calls: list[tuple[float, str, Payload]] = []
        self.answers: list[list[Any]] = []
        self.order: list[str] = []
        self.requests: list[Any] = []
        self.refuse_with: int | None = None
        self.replies: dict[str, Callable[[Payload], Payload | None]] = {
            "BootNotification": lambda _: {
                "status": "Accepted",
                "interval": 60,
                "currentTime": "2026-01-01T00:00:00Z",
            },
            "Heartbeat": lambda _: {"currentTime": "2026-01-01T00:00:00Z"},
            "Authorize": lambda _: {"idTagInfo": {"status": "Accepted"}},
            "StartTransaction": lambda _: self.start_reply(),
        }

    def start_reply(self, status: str = "Accepted") -> Payload:
        """A fresh transaction id and a verdict."""
        self.next_transaction_id += 1
        return {"transactionId": self.next_transaction_id - 1, "idTagInfo": {"status": status}}

    async def dial(self, url: str) -> trio.abc.Stream:
        """Accept a charger."""
        ours, theirs = trio.testing.memory_stream_pair()
        self._connections.start_soon(self._serve, ours)
        return theirs

    async def _serve(self, stream: trio.abc.Stream) -> None:
        async with trio.open_nursery() as connection:
            request = await wrap_server_stream(connection, stream)
            self.requests.append(request)
            if self.refuse_with is not None:
                await request.reject(self.refuse_with)
            else:
                await self._listen(await request.accept(subprotocol="ocpp1.6"))
            connection.cancel_scope.cancel()

    async def _listen(self, socket: WebSocketConnection) -> None:
        self._socket = socket
        with suppress(ConnectionClosed):
            while True:
                await self._take(socket, json.loads(await socket.get_message()))

    async def _take(self, socket: WebSocketConnection, frame: list[Any]) -> None:
        if frame[0] == 2:
            _, message_id, action, payload = frame
            self.calls.append((trio.current_time(), action, payload))
            self.order.append(action)
            self._wake()
            try:
                reply = self.replies.get(action, _nothing)(payload)
            except Refuse:
                await socket.send_message(json.dumps([4, message_id, "InternalError", "", {}]))
                return
            if reply is not None:
                await socket.send_message(json.dumps([3, message_id, reply]))
        else:
            self.order.append("answer")
            self._answers[frame[1]] = frame
            self._wake()

    async def ask(self, action: str, payload: Payload | None = None) -> Any:
        """Send a CALL; the payload of its result, or the code of its error."""
        message_id = f"s{len(self._answers)}"
        await self.send([2, message_id, action, payload or {}])
        while message_id not in self._answers:
            await self._changed.wait()
        answer = self._answers[message_id]
        return answer[2]

    async def send(self, frame: Any) -> None:
        """Send anything."""
        assert self._socket is not None
        await self._socket.send_message(frame if isinstance(frame, str) else json.dumps(frame))

    async def hang_up(self) -> None:
        """Close the present socket properly."""
        assert self._socket is not None
        with trio.move_on_after(1):
            await self._socket.aclose()

    def of(self, action: str) -> list[Payload]:
        """Payloads of the CALLs that came, of one action."""
        return [payload for _, name, payload in self.calls if name == action]

    def statuses(self, connector_id: int = 1) -> list[str]:
        """The status words that came for a connector."""
        return [
            cast("str", payload["status"])
            for payload in self.of("StatusNotification")
            if payload["connectorId"] == connector_id
        ]

    async def wait_for(self, action: str, count: int = 1) -> Payload:
        """The `count`th CALL of an action."""
        while len(self.of(action)) < count:
            await self._changed.wait()
        return self.of(action)[count - 1]

    def _wake(self) -> None:
        self._changed.set()
        self._changed = trio.Event()


def _nothing(_: Payload) -> Payload:
    return {}

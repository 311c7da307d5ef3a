"""A charger's side of the wire that shares nothing with ours: `websockets`' sans-I/O client on one end of a stream."""

from __future__ import annotations

import json
import struct
from collections import deque
from typing import Any

import trio
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.http11 import Response
from websockets.typing import Subprotocol
from websockets.uri import parse_uri

MASK = b"\0\0\0\0"


def frame(first: int, data: bytes, *, masked: bool = True) -> bytes:
    """A frame made by hand; the mask is zero."""
    bit = 0x80 if masked else 0
    size = len(data)
    head = (
        struct.pack("!BB", first, bit | size)
        if size < 126
        else struct.pack("!BBH", first, bit | 126, size)
        if size < 65536
        else struct.pack("!BBQ", first, bit | 127, size)
    )
    return head + (MASK if masked else b"") + data


class Peer:
    """Speaks WebSocket like a charger; `wire` is there for those that do not."""

    def __init__(self, wire: trio.abc.Stream) -> None:
        self.wire = wire
        self.client: ClientProtocol | None = None
        self.response: Response | None = None
        self.closed = False
        self._frames: deque[Frame] = deque()
        self._calls: deque[list[Any]] = deque()

    async def open(
        self,
        target: str = "/ws/CP-1",
        *,
        subprotocols: tuple[str, ...] = ("ocpp1.6",),
        headers: tuple[tuple[str, str], ...] = (),
        behind: bytes = b"",
    ) -> Response:
        """Ask for the upgrade, with `behind` pipelined after the request; the answer, whatever it is."""
        self.client = ClientProtocol(
            parse_uri("ws://charger.test"), subprotocols=[Subprotocol(word) for word in subprotocols] or None
        )
        request = self.client.connect()
        request.path = target
        for name, value in headers:
            request.headers[name] = value
        self.client.send_request(request)
        await self.wire.send_all(b"".join(self.client.data_to_send()) + behind)
        while self.response is None:
            await self._pump()
        return self.response

    async def _pump(self) -> None:
        assert self.client is not None
        data = await self.wire.receive_some()
        if data:
            self.client.receive_data(data)
        else:
            self.closed = True
            self.client.receive_eof()
        for event in self.client.events_received():
            if isinstance(event, Response):
                self.response = event
            elif isinstance(event, Frame):
                self._frames.append(event)
        await self._flush()

    async def _flush(self) -> None:
        assert self.client is not None
        for data in self.client.data_to_send():
            if data:
                await self.wire.send_all(data)
            elif isinstance(self.wire, trio.abc.HalfCloseableStream):
                await self.wire.send_eof()

    async def frame(self) -> Frame:
        """The next frame of any kind."""
        while not self._frames:
            if self.closed:
                raise EOFError("the server ended the stream")
            await self._pump()
        return self._frames.popleft()

    async def receive(self) -> list[Any]:
        """The next OCPP-J message."""
        while True:
            frame = await self.frame()
            if frame.opcode is Opcode.TEXT:
                message = json.loads(bytes(frame.data))
                assert isinstance(message, list)
                return message
            if frame.opcode is Opcode.CLOSE:
                raise EOFError(f"the server closed: {self.close_code}")

    async def send(self, *message: Any) -> None:
        await self.send_text(json.dumps(message).encode())

    async def send_text(self, text: bytes) -> None:
        assert self.client is not None
        self.client.send_text(text)
        await self._flush()

    async def call(self, action: str, payload: Any = None, message_id: str = "m") -> list[Any]:
        """Send a CALL and return what answers it; CALLs from the server wait for `next_call`."""
        await self.send(2, message_id, action, {} if payload is None else payload)
        return await self.answer(message_id)

    async def answer(self, message_id: str = "m") -> list[Any]:
        while True:
            message = await self.receive()
            if message[0] != 2:
                assert message[1] == message_id
                return message
            self._calls.append(message)

    async def next_call(self) -> list[Any]:
        """The next CALL of the server."""
        if self._calls:
            return self._calls.popleft()
        while True:
            message = await self.receive()
            if message[0] == 2:
                return message

    async def ended(self) -> int | None:
        """Read to the end of the stream; the close code the server gave, None when it gave none."""
        try:
            while not self.closed:
                await self._pump()
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass
        return self.close_code

    @property
    def close_code(self) -> int | None:
        assert self.client is not None
        received = self.client.close_rcvd
        return None if received is None else received.code

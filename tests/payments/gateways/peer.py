"""A provider over a real socket that does with each request what the test wrote down; shares no code with ours."""

from __future__ import annotations

import re
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import trio

#: A test that takes longer waits for what will not come.
WITHIN_S = 20
Step = Callable[[trio.abc.Stream], Awaitable[None]]


@dataclass(frozen=True)
class Received:
    """One request as it came."""

    head: str
    body: bytes


class Peer:
    """Answers each connection's one request by the next step; a request without a step fails the test."""

    def __init__(self, *steps: Step) -> None:
        self.steps = list(steps)
        self.received: list[Received] = []
        self.port = 0
        self.scheme = "http"
        #: Set when a hanging or dripping step has begun.
        self.held = trio.Event()

    @property
    def url(self) -> str:
        return f"{self.scheme}://localhost:{self.port}/api/json/json.php"

    async def serve(self, stream: trio.abc.Stream) -> None:
        with suppress(trio.BrokenResourceError, trio.ClosedResourceError, ConnectionError, ssl.SSLError):
            async with stream:
                data = b""
                while b"\r\n\r\n" not in data:
                    part = await stream.receive_some()
                    if not part:
                        return
                    data += part
                head, _, body = data.partition(b"\r\n\r\n")
                length = re.search(rb"(?i)content-length: (\d+)", head)
                assert length is not None
                while len(body) < int(length[1]):
                    body += await stream.receive_some()
                self.received.append(Received(head.decode(), bytes(body)))
                await self.steps.pop(0)(stream)

    async def hang(self, _stream: trio.abc.Stream) -> None:
        """Never answer."""
        self.held.set()
        await trio.sleep_forever()

    async def drip(self, stream: trio.abc.Stream) -> None:
        """Answer byte by byte, without end."""
        await stream.send_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
        for _ in range(3):
            await stream.send_all(b" ")
            await trio.lowlevel.checkpoint()
        self.held.set()
        await trio.sleep_forever()


def answer(body: bytes | str, *, status: str = "200 OK", headers: str = "") -> Step:
    """A whole answer."""
    content = body.encode() if isinstance(body, str) else body

    async def step(stream: trio.abc.Stream) -> None:
        await stream.send_all(
            f"HTTP/1.1 {status}\r\n{headers}Content-Length: {len(content)}\r\n\r\n".encode() + content
        )

    return step


def held_open(body: str) -> Step:
    """A whole answer, and the connection kept for whatever comes next; what comes next ends it without an answer."""

    async def step(stream: trio.abc.Stream) -> None:
        await answer(body)(stream)
        await stream.receive_some()

    return step


def truncated(body: str) -> Step:
    """An answer that ends before it should."""

    async def step(stream: trio.abc.Stream) -> None:
        await stream.send_all(f"HTTP/1.1 200 OK\r\nContent-Length: {len(body) + 9}\r\n\r\n{body}".encode())

    return step


async def half_head(stream: trio.abc.Stream) -> None:
    """A connection that ends inside the head of the answer."""
    await stream.send_all(b"HTTP/1.1 200 OK\r\nContent-Le")


async def gone(_stream: trio.abc.Stream) -> None:
    """A connection that ends without an answer."""


async def reset(stream: trio.abc.Stream) -> None:
    """A connection that is torn down after the request was taken."""
    assert isinstance(stream, trio.SocketStream)
    stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    stream.socket.close()


async def endless(stream: trio.abc.Stream) -> None:
    """An answer without a length that goes on and on."""
    await stream.send_all(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        await stream.send_all(b" " * 65536)


@asynccontextmanager
async def serving(peer: Peer, tls: ssl.SSLContext | None = None) -> AsyncIterator[Peer]:
    """The peer at a free port of this machine, for as long as a test may take."""

    async def handler(stream: trio.abc.Stream) -> None:
        if tls is not None:
            stream = trio.SSLStream(stream, tls, server_side=True, https_compatible=True)
        await peer.serve(stream)

    finished = False
    async with trio.open_nursery() as nursery:
        nursery.cancel_scope.deadline = trio.current_time() + WITHIN_S
        [listener] = await trio.open_tcp_listeners(0, host="127.0.0.1")
        peer.port = listener.socket.getsockname()[1]
        peer.scheme = "http" if tls is None else "https"
        await nursery.start(trio.serve_listeners, handler, [listener])
        yield peer
        finished = True
        nursery.cancel_scope.cancel()
    if not finished:
        raise trio.TooSlowError


async def closed_port() -> int:
    """A port of this machine at which nobody listens."""
    [listener] = await trio.open_tcp_listeners(0, host="127.0.0.1")
    async with listener:
        port: int = listener.socket.getsockname()[1]
    return port

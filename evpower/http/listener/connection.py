"""One connection: read, answer, and the ends it can come to. Every wait for the peer has a limit.

    idle       nothing of a request has arrived for `keep_alive_timeout_s`, or the drain begins
    answered   an answer that closes: the peer asked for it, the protocol refused, or we drain
    left       the peer is gone, or does not read
    cut        the end of the drain

In place of Hypercorn's `TCPServer`, whose reader waits for ever when its peer sends a request behind the last answer.
"""

from __future__ import annotations

import math

import trio
from hypercorn.app_wrappers import ASGIWrapper
from hypercorn.config import Config
from hypercorn.events import Closed, Event, RawData, Updated
from hypercorn.trio.worker_context import WorkerContext
from hypercorn.typing import ConnectionState
from hypercorn.utils import parse_socket_addr

from evpower.http.listener.http11 import Http11
from evpower.http.listener.stream import BoundedStream
from evpower.http.listener.tasks import ConnectionTasks

READ_BYTES = 65_536
#: After our last byte the peer may go on sending this long: a close with bytes unread resets the connection, and the
#: reset takes the answer with it.
LINGER_S = 1.0
#: Once the drain began: for the rest of a body, and for a peer to read its answer.
DRAIN_PATIENCE_S = 1.0


class HttpConnection:
    """From the accept to the close. `app` is served with Hypercorn's `config`, in the server's `context`."""

    def __init__(self, app: ASGIWrapper, config: Config, context: WorkerContext, stream: BoundedStream) -> None:
        self._app = app
        self._config = config
        self._context = context
        self._stream = stream
        self._reading = trio.CancelScope()
        self._protocol: Http11 | None = None
        self._sending = trio.Lock()
        self._is_idle = True

    async def run(self) -> None:
        """Serve it to its end; returns when nothing of it is left."""
        try:
            await self._serve()
        except OSError:
            # It was gone before we asked who it is.
            pass
        finally:
            await self._stream.aclose()

    def end_soon(self) -> None:
        """The drain has begun: what is in flight is answered, and the peer is not waited for longer than a moment."""
        self._stream.hurry(DRAIN_PATIENCE_S)
        if self._is_idle:
            self._reading.cancel()
        elif self._protocol is not None and self._protocol.awaits_body:
            self._reading.deadline = trio.current_time() + DRAIN_PATIENCE_S

    def abort(self) -> None:
        """Close the socket at once; sends, which are shielded, end by it."""
        self._stream.abort()

    async def _serve(self) -> None:
        sock = self._stream.socket
        client = parse_socket_addr(sock.family, sock.getpeername())
        server = parse_socket_addr(sock.family, sock.getsockname())
        async with ConnectionTasks() as tasks:
            state = ConnectionState({})
            protocol = Http11(self._app, self._config, self._context, tasks, state, False, client, server, self._send)
            await protocol.initiate()
            self._protocol = protocol
            self._rest()
            with self._reading:
                await self._read(protocol)
            # The application hears that nobody waits for it any more.
            await protocol.handle(Closed())
            await self._part()

    async def _read(self, protocol: Http11) -> None:
        while True:
            try:
                data = await self._stream.receive_some(READ_BYTES)
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                return
            await protocol.handle(RawData(data))
            if not data:
                return

    async def _part(self) -> None:
        """The last byte of ours, and what the peer was still sending."""
        with trio.move_on_after(LINGER_S):
            try:
                # An answer may be on its way still, to a peer that ended without it.
                async with self._sending:
                    await self._stream.send_eof()
                while await self._stream.receive_some(READ_BYTES):
                    pass
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                pass

    async def _send(self, event: Event) -> None:
        """What the protocol wants done."""
        assert self._protocol is not None
        match event:
            case RawData(data=data):
                try:
                    # Shielded: a request that ends leaves no half of an answer on the wire; the stream bounds it.
                    with trio.CancelScope(shield=True):
                        async with self._sending:
                            await self._stream.send_all(data)
                except (trio.BrokenResourceError, trio.ClosedResourceError):
                    await self._protocol.handle(Closed())
            case Closed():
                self._reading.cancel()
                await self._protocol.handle(Closed())
            case Updated(idle=True):
                self._rest()
            case Updated():
                self._is_idle = False
                self._reading.deadline = math.inf

    def _rest(self) -> None:
        self._is_idle = True
        self._reading.deadline = trio.current_time() + self._config.keep_alive_timeout

"""WebSocket over one accepted trio stream, from the upgrade request to the last Close frame.

No time-out is set per message: the sweeper looks after all sockets, and cancels `alive`, inside which the socket's
owner runs. Whatever a peer does costs its own socket alone.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import NoReturn

import trio
from websockets.datastructures import Headers
from websockets.frames import CloseCode
from websockets.http11 import Request, Response
from websockets.server import ServerProtocol

from evpower.ocpp.wire.reader import LIBRARY_LOG, FrameReader, SocketClosed, text_frame

__all__ = ["SocketClosed", "SocketLimits", "StationSocket"]

READ_BYTES = 16384
PING = b"\x89\x00"
_STREAM_ERRORS = (trio.BrokenResourceError, trio.ClosedResourceError, trio.BusyResourceError)


@dataclass(frozen=True)
class SocketLimits:
    """What one peer may use up, in bytes and seconds."""

    max_frame_bytes: int = 1024 * 1024
    max_request_bytes: int = 16 * 1024
    max_backlog_bytes: int = 1024 * 1024
    open_timeout_s: float = 10
    ping_interval_s: float = 60
    ping_timeout_s: float = 20
    send_timeout_s: float = 20
    close_timeout_s: float = 2


class StationSocket:
    """One peer. Exactly one task receives; any task may `post`.

    `flushers` runs what `post` could not send at once; it must outlive the socket's owner.
    """

    __slots__ = (
        "_backlog",
        "_broken",
        "_flushers",
        "_limits",
        "_opened",
        "_pinged_at",
        "_reader",
        "_sending_since",
        "_stream",
        "alive",
        "answered_close",
        "explained",
        "received_at",
    )

    def __init__(self, stream: trio.abc.Stream, *, limits: SocketLimits, flushers: trio.Nursery) -> None:
        self._stream = stream
        self._limits = limits
        self._flushers = flushers
        self._reader = FrameReader(limits.max_frame_bytes)
        self._backlog = b""
        self._sending_since: float | None = None
        self._pinged_at = -1.0
        #: Whether the peer answered our Close with its own.
        self.answered_close = False
        self._opened = False
        self._broken = False
        #: The owner runs inside; cancelled when the peer is given up.
        self.alive = trio.CancelScope()
        #: The code that ended the handshake has logged the reason.
        self.explained = False
        #: trio's time of the last bytes from the peer.
        self.received_at = trio.current_time()

    @property
    def closed(self) -> SocketClosed | None:
        """How the socket ended, None while it is open."""
        return self._reader.closed

    # ------------------------------------------------------------------------------------------------- the handshake

    async def read_request(self) -> tuple[ServerProtocol, Request]:
        """The upgrade request, to be answered with `accept` or `reject`; the caller sets the time-out.

        Raises SocketClosed when none came. Bytes pipelined behind the request stay for the first `receive`.
        """
        handshake = ServerProtocol(select_subprotocol=lambda _protocol, _offered: None, logger=LIBRARY_LOG)
        buffer = self._reader.buffer
        while (end := buffer.find(b"\r\n\r\n")) < 0:
            if len(buffer) > self._limits.max_request_bytes:
                await self.reject(handshake, 431, "the request is too large\n")
            await self._read_more()
        handshake.receive_data(bytes(buffer[: end + 4]))
        del buffer[: end + 4]
        for event in handshake.events_received():
            if isinstance(event, Request):
                return handshake, event
        await self._send_bytes(b"".join(handshake.data_to_send()))
        raise self._close_as(CloseCode.PROTOCOL_ERROR, "not an HTTP request")

    async def accept(self, handshake: ServerProtocol, request: Request, subprotocol: str | None) -> None:
        """Finish the handshake. Raises SocketClosed when the request is no WebSocket upgrade."""
        response = handshake.accept(request)
        if response.status_code == 101 and subprotocol is not None:
            response.headers["Sec-WebSocket-Protocol"] = subprotocol
        await self._respond(handshake, response)
        if response.status_code != 101:
            raise self._close_as(CloseCode.PROTOCOL_ERROR, f"HTTP {response.status_code}")
        self._opened = True

    async def reject(
        self, handshake: ServerProtocol, status: int, text: str, headers: tuple[tuple[str, str], ...] = ()
    ) -> NoReturn:
        """Answer with an HTTP error; always raises SocketClosed."""
        response = handshake.reject(status, text)
        response.headers.update(Headers(headers))
        await self._respond(handshake, response)
        raise self._close_as(CloseCode.PROTOCOL_ERROR, f"HTTP {status}")

    async def _respond(self, handshake: ServerProtocol, response: Response) -> None:
        handshake.send_response(response)
        await self._send_bytes(b"".join(handshake.data_to_send()))

    # ---------------------------------------------------------------------------------------------- receiving, sending

    async def receive(self) -> bytes:
        """The next whole text message, valid UTF-8. Raises SocketClosed when there will be no more."""
        reader = self._reader
        while True:
            if reader.turn_is_over:
                await trio.lowlevel.checkpoint()  # a peer that always has more lets the others have their turn
                reader.begin_turn()
            message = reader.next_message()
            if reader.replies:
                replies, reader.replies = reader.replies, b""
                self._queue(replies)
                if self._sending_since is None:
                    await self._flush()
            if message is not None:
                return message
            if reader.closed is not None:
                raise reader.closed
            if not reader.turn_is_over:
                await self._read_more()

    async def _read_more(self) -> None:
        try:
            data = await self._stream.receive_some(READ_BYTES)
        except (trio.BrokenResourceError, trio.ClosedResourceError) as exc:
            self._broken = True
            raise self._close_as(CloseCode.ABNORMAL_CLOSURE, str(exc)) from None
        if not data:
            raise self._close_as(CloseCode.ABNORMAL_CLOSURE, "the peer ended the stream")
        self.received_at = trio.current_time()
        self._reader.buffer += data
        self._reader.begin_turn()

    async def send(self, text: bytes) -> None:
        """Send one text message; the peer's slowness is the caller's (back-pressure). Raises SocketClosed."""
        self._queue(text_frame(text))
        if self._sending_since is None:
            await self._flush()

    def post(self, text: bytes) -> None:
        """Send one text message without waiting; when the peer is gone it is dropped."""
        self._queue(text_frame(text))
        self._flush_later()

    def _queue(self, data: bytes) -> None:
        if self._broken:
            return
        if len(self._backlog) + len(data) > self._limits.max_backlog_bytes:
            self.abort("the peer does not read: backlog full")
        else:
            self._backlog += data

    def _flush_later(self) -> None:
        if self._backlog and self._sending_since is None:
            self._sending_since = trio.current_time()
            self._flushers.start_soon(self._flush_quietly, name="ocpp flush")

    async def _flush_quietly(self) -> None:
        try:
            await self._flush()
        except SocketClosed:
            self.alive.cancel()  # the reader would notice at its next read; this is sooner

    async def _flush(self) -> None:
        """Write the backlog; there is one flush at a time, which takes along what is queued meanwhile."""
        try:
            while self._backlog:
                data, self._backlog = self._backlog, b""
                self._sending_since = trio.current_time()
                await self._stream.send_all(data)
        except (trio.BrokenResourceError, trio.ClosedResourceError) as exc:
            self._broken = True
            raise self._close_as(CloseCode.ABNORMAL_CLOSURE, str(exc)) from None
        except BaseException:
            self._broken = True  # cancelled half-way: a part of a frame is on the wire, nothing can follow it
            raise
        finally:
            self._sending_since = None

    async def _send_bytes(self, data: bytes) -> None:
        self._queue(data)
        if self._sending_since is None:
            await self._flush()

    # --------------------------------------------------------------------------------------------------- being closed

    def look_after(self, now: float) -> None:
        """Ping a silent peer, give up one that is gone or does not read. The sweeper calls this about once a second."""
        limits, silent_s = self._limits, now - self.received_at
        if self._sending_since is not None and now - self._sending_since > limits.send_timeout_s:
            self.abort("the peer does not read")
        elif silent_s > limits.ping_interval_s + limits.ping_timeout_s:
            self.abort("no answer to a ping")
        elif silent_s > limits.ping_interval_s and self._pinged_at <= self.received_at and self._opened:
            self._pinged_at = now
            self._queue(PING)
            self._flush_later()

    def abort(self, reason: str) -> None:
        """Give the peer up: nothing more is sent, and the owner's task is cancelled."""
        self._broken = True
        self._backlog = b""
        self._close_as(CloseCode.ABNORMAL_CLOSURE, reason)
        self.alive.cancel()

    def _close_as(self, code: CloseCode, reason: str) -> SocketClosed:
        if self._reader.closed is None:
            self._reader.closed = SocketClosed(code, reason)
        return self._reader.closed

    async def aclose(self, code: int = CloseCode.NORMAL_CLOSURE, reason: str = "") -> None:
        """Say Close if that can still be heard, wait for the peer's own, and let go of the stream.

        Called by the owner when nothing else receives; the caller bounds the wait (`close_timeout_s`).
        """
        try:
            with contextlib.suppress(SocketClosed, *_STREAM_ERRORS):
                await self._part(code, reason)
        finally:
            self._broken = True
            await trio.aclose_forcefully(self._stream)

    async def _part(self, code: int, reason: str) -> None:
        if self._broken:
            return
        if self._opened and self._reader.closed is None:
            await self._send_bytes(self._reader.close(code, reason))
            heard = self._reader.heard_close(bytes(self._reader.buffer))
            while not heard:
                data = await self._stream.receive_some(READ_BYTES)
                if not data:
                    return
                heard = self._reader.heard_close(bytes(data))
            self.answered_close = True
        # Closing with unread bytes would reset the connection and take our last frame with it.
        if isinstance(self._stream, trio.abc.HalfCloseableStream):
            await self._stream.send_eof()
            while await self._stream.receive_some(READ_BYTES):
                pass

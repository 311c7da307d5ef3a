"""WebSocket over one accepted trio stream, from the upgrade request to the last Close frame.

Whole masked text frames, which is what chargers send all day, are parsed here. Every other frame, and the handshake,
goes through `websockets`' sans-I/O `ServerProtocol`, one complete frame at a time, so a rule broken by a peer ends in
the library's close code and costs that socket alone. No time-out is set per message: the sweeper looks after all
sockets, and cancels `alive`, inside which the socket's owner runs.
"""

from __future__ import annotations

import contextlib
import logging
from dataclasses import dataclass
from typing import NoReturn

import trio
from websockets.datastructures import Headers
from websockets.frames import CloseCode, Frame, Opcode
from websockets.http11 import Request, Response
from websockets.protocol import OPEN
from websockets.server import ServerProtocol

try:
    from websockets.speedups import apply_mask
except ImportError:  # pragma: no cover - a platform without the C extension
    from websockets.utils import apply_mask

READ_BYTES = 65536
PING = b"\x89\x00"
_STREAM_ERRORS = (trio.BrokenResourceError, trio.ClosedResourceError, trio.BusyResourceError)
#: The library writes a line per connection to its logger; ours says more.
LIBRARY_LOG = logging.getLogger("evpower.ocpp.websockets")
LIBRARY_LOG.setLevel(logging.WARNING)


@dataclass(frozen=True)
class SocketLimits:
    """What one peer may use up, in bytes and seconds."""

    max_frame_bytes: int = 256 * 1024
    max_request_bytes: int = 16 * 1024
    max_backlog_bytes: int = 1024 * 1024
    open_timeout_s: float = 10
    ping_interval_s: float = 60
    ping_timeout_s: float = 20
    send_timeout_s: float = 20
    close_timeout_s: float = 2


class SocketClosed(Exception):
    """The socket is over; `code` is the WebSocket close code (1006: it just ended)."""

    def __init__(self, code: int, reason: str = "") -> None:
        super().__init__(f"{code} {reason}".rstrip())
        self.code = code
        self.reason = reason


class ChargerSocket:
    """One peer. Exactly one task receives; any task may `post`.

    `flushers` runs what `post` could not send at once; it must outlive the socket's owner.
    """

    __slots__ = (
        "_backlog",
        "_broken",
        "_buffer",
        "_closed",
        "_flushers",
        "_fragments",
        "_library",
        "_limits",
        "_opened",
        "_pinged_at",
        "_sending_since",
        "_stream",
        "alive",
        "received_at",
    )

    def __init__(self, stream: trio.abc.Stream, *, limits: SocketLimits, flushers: trio.Nursery) -> None:
        self._stream = stream
        self._limits = limits
        self._flushers = flushers
        self._library: ServerProtocol | None = None
        self._fragments: list[bytes] | None = None
        self._buffer = bytearray()
        self._backlog = b""
        self._sending_since: float | None = None
        self._pinged_at = -1.0
        self._opened = False
        self._broken = False
        self._closed: SocketClosed | None = None
        #: The owner runs inside; cancelled when the peer is given up.
        self.alive = trio.CancelScope()
        #: trio's time of the last bytes from the peer.
        self.received_at = trio.current_time()

    # ------------------------------------------------------------------------------------------------- the handshake

    async def read_request(self) -> Request:
        """The upgrade request; the caller sets the time-out and then answers with `accept` or `reject`.

        Raises SocketClosed when none came. Bytes pipelined behind the request stay for the first `receive`.
        """
        self._library = ServerProtocol(
            select_subprotocol=lambda _protocol, _offered: None,
            max_size=self._limits.max_frame_bytes,
            logger=LIBRARY_LOG,
        )
        while (end := self._buffer.find(b"\r\n\r\n")) < 0:
            if len(self._buffer) > self._limits.max_request_bytes:
                await self.reject(431, "the request is too large\n")
            await self._read_more()
        self._library.receive_data(bytes(self._buffer[: end + 4]))
        del self._buffer[: end + 4]
        for event in self._library.events_received():
            if isinstance(event, Request):
                return event
        await self._send_bytes(b"".join(self._library.data_to_send()))
        raise self._close_as(CloseCode.PROTOCOL_ERROR, "not an HTTP request")

    async def accept(self, request: Request, subprotocol: str | None) -> None:
        """Finish the handshake. Raises SocketClosed when the request is no WebSocket upgrade."""
        assert self._library is not None
        response = self._library.accept(request)
        if response.status_code == 101 and subprotocol is not None:
            response.headers["Sec-WebSocket-Protocol"] = subprotocol
        await self._respond(response)
        if response.status_code != 101:
            raise self._close_as(CloseCode.PROTOCOL_ERROR, f"HTTP {response.status_code}")
        self._opened = True

    async def reject(self, status: int, text: str, headers: tuple[tuple[str, str], ...] = ()) -> NoReturn:
        """Answer with an HTTP error; always raises SocketClosed."""
        assert self._library is not None
        response = self._library.reject(status, text)
        response.headers.update(Headers(headers))
        await self._respond(response)
        raise self._close_as(CloseCode.PROTOCOL_ERROR, f"HTTP {status}")

    async def _respond(self, response: Response) -> None:
        assert self._library is not None
        self._library.send_response(response)
        await self._send_bytes(b"".join(self._library.data_to_send()))
        self._library = None  # an idle charger keeps no protocol object

    # ------------------------------------------------------------------------------------------------------ receiving

    async def receive(self) -> bytes:
        """The next whole text message, valid UTF-8. Raises SocketClosed when there will be no more."""
        while True:
            message = self._next_message()
            if self._backlog and self._sending_since is None:
                await self._flush()
            if message is not None:
                return message
            if self._closed is not None:
                raise self._closed
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
        self._buffer += data

    def _next_message(self) -> bytes | None:
        """Take frames off the buffer until one completes a message; None when that needs more bytes, or will not be."""
        buffer = self._buffer
        while len(buffer) >= 2 and self._closed is None:
            size, body = buffer[1] & 0x7F, 6
            if size >= 126:
                body = 8 if size == 126 else 14
                if len(buffer) < body - 4:
                    return None
                size = int.from_bytes(buffer[2 : body - 4])
            if not buffer[1] & 0x80 or size > self._limits.max_frame_bytes:
                self._uncommon(bytes(buffer))  # the library says what is wrong from the header alone
                return None
            end = body + size
            if len(buffer) < end:
                return None
            if buffer[0] == 0x81 and self._fragments is None:
                message: bytes | None = self._text(apply_mask(buffer[body:end], buffer[body - 4 : body]))
            else:
                message = self._uncommon(bytes(buffer[:end]))
            del buffer[:end]
            if message is not None:
                return message
        return None

    def _text(self, message: bytes) -> bytes | None:
        if not message.isascii():
            try:
                message.decode()
            except UnicodeDecodeError as exc:
                self._fail(CloseCode.INVALID_DATA, f"{exc.reason} at position {exc.start}")
                return None
        return message

    def _uncommon(self, frame: bytes) -> bytes | None:
        """Control frames, fragments and broken rules; the message when a last fragment completed one."""
        library = self._open_library()
        library.receive_data(frame)
        message = None
        for event in library.events_received():
            if isinstance(event, Frame):
                message = self._fragment(event)
        self._queue(b"".join(library.data_to_send()))
        if library.state is not OPEN and self._closed is None:
            close = library.close_rcvd or library.close_sent
            self._closed = SocketClosed(close.code, close.reason) if close else SocketClosed(CloseCode.ABNORMAL_CLOSURE)
        if self._fragments is None:
            self._library = None
        return message

    def _fragment(self, frame: Frame) -> bytes | None:
        if frame.opcode is Opcode.BINARY:
            self._fail(CloseCode.UNSUPPORTED_DATA, "OCPP-J is text")
        elif frame.opcode is Opcode.TEXT or frame.opcode is Opcode.CONT:
            self._fragments = [*(self._fragments or ()), bytes(frame.data)]
            if frame.fin:
                message, self._fragments = b"".join(self._fragments), None
                return self._text(message)
        return None

    def _open_library(self) -> ServerProtocol:
        if self._library is None:
            self._library = ServerProtocol(state=OPEN, max_size=self._limits.max_frame_bytes, logger=LIBRARY_LOG)
        return self._library

    def _fail(self, code: CloseCode, reason: str) -> None:
        library = self._open_library()
        library.fail(code, reason)
        self._queue(b"".join(library.data_to_send()))
        self._closed = SocketClosed(code, reason)

    def _close_as(self, code: CloseCode, reason: str) -> SocketClosed:
        if self._closed is None:
            self._closed = SocketClosed(code, reason)
        return self._closed

    # -------------------------------------------------------------------------------------------------------- sending

    async def send(self, text: bytes) -> None:
        """Send one text message; the peer's slowness is the caller's (back-pressure). Raises SocketClosed."""
        self._queue(_text_frame(text))
        if self._sending_since is None:
            await self._flush()

    def post(self, text: bytes) -> None:
        """Send one text message without waiting; when the peer is gone it is dropped."""
        self._queue(_text_frame(text))
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
        await self._flush()

    # --------------------------------------------------------------------------------------------------- being closed

    def look_after(self, now: float) -> None:
        """Ping a silent peer, give up one that is gone or does not read. The sweeper calls this about once a second."""
        limits, silent_s = self._limits, now - self.received_at
        if self._sending_since is not None and now - self._sending_since > limits.send_timeout_s:
            self.abort("the peer does not read")
        elif silent_s > limits.ping_interval_s + limits.ping_timeout_s:
            self.abort("no answer to a ping")
        elif silent_s > limits.ping_interval_s and self._pinged_at <= self.received_at:
            self._pinged_at = now
            self._queue(PING)
            self._flush_later()

    def abort(self, reason: str) -> None:
        """Give the peer up: nothing more is sent, and the owner's task is cancelled."""
        self._broken = True
        self._backlog = b""
        self._close_as(CloseCode.ABNORMAL_CLOSURE, reason)
        self.alive.cancel()

    @property
    def closed(self) -> SocketClosed | None:
        """How the socket ended, None while it is open."""
        return self._closed

    async def aclose(self, code: int = CloseCode.NORMAL_CLOSURE, reason: str = "") -> None:
        """Say Close if that can still be heard, wait briefly for the peer's own, and let go of the stream.

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
        if self._opened and self._closed is None:
            await self._say_close(code, reason)
        elif self._backlog and self._sending_since is None:
            await self._flush()
        # Closing with unread bytes would reset the connection and take our last frame with it.
        if isinstance(self._stream, trio.abc.HalfCloseableStream):
            await self._stream.send_eof()
            while await self._stream.receive_some(READ_BYTES):
                pass

    async def _say_close(self, code: int, reason: str) -> None:
        self._closed = SocketClosed(code, reason)
        library = self._open_library()
        library.send_close(code, reason)
        self._queue(b"".join(library.data_to_send()))
        if self._sending_since is None:
            await self._flush()
        library.receive_data(bytes(self._buffer))
        while not library.eof_sent:
            data = await self._stream.receive_some(READ_BYTES)
            if not data:
                return
            library.receive_data(data)


def _text_frame(text: bytes) -> bytes:
    size = len(text)
    if size < 126:
        return b"\x81%c%b" % (size, text)
    if size < 65536:
        return b"\x81\x7e%b%b" % (size.to_bytes(2), text)
    return b"\x81\x7f%b%b" % (size.to_bytes(8), text)

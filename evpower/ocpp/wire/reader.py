"""WebSocket frames in, text messages out, without I/O (RFC 6455 §5).

Whole masked text frames, which is what stations send all day, are parsed here. Every other frame goes through
`websockets`' sans-I/O `ServerProtocol`, one complete frame at a time, so a rule broken by a peer ends in the library's
close code. An idle reader keeps no protocol object.
"""

from __future__ import annotations

import logging

from websockets.frames import CloseCode, Frame, Opcode
from websockets.protocol import OPEN
from websockets.server import ServerProtocol

try:
    from websockets.speedups import apply_mask
except ImportError:  # pragma: no cover - a platform without the C extension
    from websockets.utils import apply_mask

#: The library writes a line per connection to its logger; ours says more.
LIBRARY_LOG = logging.getLogger("evpower.ocpp.websockets")
LIBRARY_LOG.setLevel(logging.WARNING)


#: Frames of one peer that are read before the others have their turn: a few milliseconds of handling.
FRAMES_PER_TURN = 32


class SocketClosed(Exception):
    """The socket is over; `code` is the WebSocket close code (1006: it just ended)."""

    def __init__(self, code: int, reason: str = "", *, by_peer: bool = False) -> None:
        super().__init__(f"{code} {reason}".rstrip())
        self.code = code
        self.reason = reason
        self._by_peer = by_peer

    @property
    def was_too_large(self) -> bool:
        """The peer sent a message beyond our limit."""
        return self.code == CloseCode.MESSAGE_TOO_BIG and not self._by_peer


class FrameReader:
    """Put bytes into `buffer`, take messages with `next_message`, send what `replies` collected."""

    __slots__ = ("_fragments", "_frames_left", "_library", "_max_frame_bytes", "buffer", "closed", "replies")

    def __init__(self, max_frame_bytes: int) -> None:
        self._max_frame_bytes = max_frame_bytes
        self._library: ServerProtocol | None = None
        self._fragments: bytearray | None = None
        self._frames_left = FRAMES_PER_TURN
        self.buffer = bytearray()
        #: Pongs and Close frames the peer is owed.
        self.replies = b""
        #: Set when the peer closed, or broke a rule and was sent a Close frame that names it.
        self.closed: SocketClosed | None = None

    @property
    def turn_is_over(self) -> bool:
        """So many frames were taken that other peers should have their turn; `begin_turn` goes on."""
        return self._frames_left == 0

    def begin_turn(self) -> None:
        self._frames_left = FRAMES_PER_TURN

    def next_message(self) -> bytes | None:
        """The next whole text message, valid UTF-8; None when that needs more bytes or a new turn, or will not be."""
        buffer = self.buffer
        while len(buffer) >= 2 and self.closed is None and self._frames_left:
            size, body = buffer[1] & 0x7F, 6
            if size >= 126:
                body = 8 if size == 126 else 14
                if len(buffer) < body - 4:
                    return None
                size = int.from_bytes(buffer[2 : body - 4])
            if not buffer[1] & 0x80 or size > self._max_frame_bytes:
                self._uncommon(bytes(buffer))  # the library says what is wrong from the header alone
                return None
            end = body + size
            if len(buffer) < end:
                return None
            self._frames_left -= 1
            if buffer[0] == 0x81 and self._fragments is None:
                message = self._text(apply_mask(buffer[body:end], buffer[body - 4 : body]))
            else:
                message = self._uncommon(bytes(buffer[:end]))
            del buffer[:end]
            if message is not None:
                return message
        return None

    def close(self, code: int, reason: str) -> bytes:
        """The Close frame of an orderly end; afterwards `heard_close` waits for the peer's."""
        self.closed = SocketClosed(code, reason)
        library = self._open_library()
        library.send_close(code, reason)
        return b"".join(library.data_to_send())

    def heard_close(self, data: bytes) -> bool:
        """Whether the peer's Close has come, or nothing sensible will; anything else in `data` is dropped."""
        library = self._open_library()
        library.receive_data(data)
        return library.eof_sent

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
        self.replies += b"".join(library.data_to_send())
        if library.state is not OPEN and self.closed is None:
            received = library.close_rcvd
            close = received or library.close_sent
            self.closed = (
                SocketClosed(close.code, close.reason, by_peer=received is not None)
                if close
                else SocketClosed(CloseCode.ABNORMAL_CLOSURE)
            )
        if self._fragments is None:
            self._library = None
        return message

    def _fragment(self, frame: Frame) -> bytes | None:
        if frame.opcode is Opcode.BINARY:
            self._fail(CloseCode.UNSUPPORTED_DATA, "OCPP-J is text")
        elif frame.opcode is Opcode.TEXT or frame.opcode is Opcode.CONT:
            self._fragments = self._fragments or bytearray()
            self._fragments += frame.data
            if frame.fin:
                message, self._fragments = bytes(self._fragments), None
                return self._text(message)
        return None

    def _fail(self, code: CloseCode, reason: str) -> None:
        library = self._open_library()
        library.fail(code, reason)
        self.replies += b"".join(library.data_to_send())
        self.closed = SocketClosed(code, reason)

    def _open_library(self) -> ServerProtocol:
        if self._library is None:
            self._library = ServerProtocol(state=OPEN, max_size=self._max_frame_bytes, logger=LIBRARY_LOG)
        return self._library


def text_frame(text: bytes) -> bytes:
    """One unmasked text frame, as servers send them."""
    size = len(text)
    if size < 126:
        return b"\x81%c%b" % (size, text)
    if size < 65536:
        return b"\x81\x7e%b%b" % (size.to_bytes(2), text)
    return b"\x81\x7f%b%b" % (size.to_bytes(8), text)

"""How many sockets the stations' door holds at once; one too many is answered 503 and closed."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import trio

from evpower.client_address import PerAddress
from evpower.ocpp.door.failed_logins import address_of

log = logging.getLogger("OCPP")

#: Stations come back by themselves; this is for those that read it.
BUSY = (
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 30\r\nConnection: close\r\n"
    b"Content-Type: text/plain\r\nContent-Length: 16\r\n\r\ntry again later\n"
)
#: For the answer to arrive; then the socket is dropped, whatever its peer still sends.
ANSWER_WITHIN_S = 2.0
#: Answers being sent at once; beyond this a socket is closed without an answer, so that refusing stays cheap.
MOST_ANSWERED = 100
#: A full door logs this often that it is full, and how many it refused.
LOG_EVERY_S = 60.0
READ_BYTES = 16384


class Capacity:
    """Counts what is open. Counting is synchronous, so two sockets cannot take the same last place."""

    def __init__(self, *, max_connections: int, max_handshakes: int, per_address: PerAddress | None = None) -> None:
        self._max_connections = max_connections
        self._max_handshakes = max_handshakes
        self._per_address = per_address or PerAddress(max_handshakes, max_handshakes)
        self.connections = 0
        self.handshakes = 0
        self._being_answered = 0
        self._logged_at: dict[str, float] = {}
        self._unlogged: Counter[str] = Counter()

    def full(self, peer: str) -> str | None:
        """Why there is no place for another socket of this peer; None when there is."""
        if self.connections >= self._max_connections:
            return f"{self._max_connections} sockets are open (ocpp.max_connections)"
        if self.handshakes >= self._max_handshakes:
            return f"{self._max_handshakes} handshakes are in progress (ocpp.max_handshakes)"
        if self._per_address.is_full(peer):
            return "one address has too many handshakes in progress (ocpp.max_handshakes_per_address)"
        return None

    @contextmanager
    def connection(self) -> Iterator[None]:
        """A socket's place, from its accept to its close."""
        self.connections += 1
        try:
            yield
        finally:
            self.connections -= 1

    @contextmanager
    def handshake(self, peer: str) -> Iterator[None]:
        """The place of one that is not a station yet."""
        self.handshakes += 1
        try:
            with self._per_address.one(peer):
                yield
        finally:
            self.handshakes -= 1

    async def turn_away(self, stream: trio.abc.Stream, reason: str) -> None:
        """Answer 503 without reading the request, and close."""
        self._log(reason, address_of(stream) or "-")
        self._being_answered += 1
        try:
            if self._being_answered <= MOST_ANSWERED:
                with trio.move_on_after(ANSWER_WITHIN_S), suppress(trio.BrokenResourceError, trio.ClosedResourceError):
                    await _answer_busy(stream)
        finally:
            self._being_answered -= 1
            await trio.aclose_forcefully(stream)

    def _log(self, reason: str, address: str) -> None:
        self._unlogged[reason] += 1
        now = trio.current_time()
        if now - self._logged_at.get(reason, -LOG_EVERY_S) < LOG_EVERY_S:
            return
        self._logged_at[reason] = now
        refused = self._unlogged.pop(reason)
        log.warning("refused with 503: %s: address=%s, refused since the last such line: %d", reason, address, refused)


async def _answer_busy(stream: trio.abc.Stream) -> None:
    await stream.send_all(BUSY)
    # Closing with the request unread would reset the connection and take the answer with it.
    if isinstance(stream, trio.abc.HalfCloseableStream):
        await stream.send_eof()
        while await stream.receive_some(READ_BYTES):
            pass

"""Chargers on raw sockets, driven by one epoll loop: a load that costs both sides' servers the same and itself little.

Frames are masked with the key zero, so their bytes are the text itself; servers unmask them like any other.
A charger answers every CALL of the server's with Accepted and sends its own next CALL when the last was answered.
"""

from __future__ import annotations

import select
import socket
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

#: A server that leaves the load waiting this long has failed the run.
SILENCE_S = 30.0
#: How often a paced fleet looks at its clock.
PACE_S = 0.005
UPGRADE = (
    "GET %s HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Protocol: %s\r\n\r\n"
)


class ConnectedStation:
    """One connection; `number` is its place in the fleet and `sent` how many of its CALLs were sent."""

    def __init__(self, number: int, path: str, port: int, subprotocol: str) -> None:
        self.number = number
        self.sent = 0
        self.sent_at = 0.0
        #: The answer to its last CALL.
        self.answer = b""
        self.sock = socket.create_connection(("127.0.0.1", port))
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = b""
        self._upgraded = False
        self.sock.sendall((UPGRADE % (path, subprotocol)).encode())

    def send(self, text: bytes) -> None:
        """Send one text message."""
        self.sock.sendall(_masked_frame(text))

    def call(self, text: bytes) -> None:
        """Send a CALL whose answer will be timed."""
        self.sent += 1
        self.sent_at = time.perf_counter()
        self.send(text)

    def accept(self, call: bytes) -> None:
        """Answer a CALL of the server's."""
        self.send(_accept(call))

    def receive(self) -> list[bytes]:
        """The texts that arrived; the answer to the upgrade request counts as one, of its first line."""
        data = self.sock.recv(65536)
        if not data:
            raise ConnectionError(f"the server closed charger {self.number}")
        self._buffer += data
        texts = []
        if not self._upgraded and (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            if not self._buffer.startswith(b"HTTP/1.1 101"):
                raise ConnectionError(f"refused: {self._buffer[:80]!r}")
            texts.append(self._buffer[: self._buffer.find(b"\r\n")])
            self._buffer = self._buffer[end + 4 :]
            self._upgraded = True
        while self._upgraded and (text := self._next_text()) is not None:
            texts.append(text)
        return texts

    def _next_text(self) -> bytes | None:
        buffer = self._buffer
        if len(buffer) < 2:
            return None
        size, body = buffer[1], 2
        if size == 126:
            size, body = int.from_bytes(buffer[2:4]), 4
        if len(buffer) < body + size:
            return None
        self._buffer = buffer[body + size :]
        if buffer[0] == 0x89:  # a ping, where the machine is so busy that the answer takes long
            self.sock.sendall(b"\x8a%c\0\0\0\0%b" % (size | 0x80, buffer[body : body + size]))
            return self._next_text()
        if buffer[0] != 0x81:
            raise ConnectionError(f"not a text frame: {buffer[:40]!r}")
        return buffer[body : body + size]


@dataclass(frozen=True)
class Arrival:
    """A text and when it was read."""

    charger: ConnectedStation
    text: bytes
    at: float


#: From a charger whose last CALL was answered to the next one, or None when it has said all.
NextCall = Callable[[ConnectedStation], bytes | None]


class Kind(NamedTuple):
    """Chargers that say the same, and how often in a second all of them together."""

    chargers: Sequence[ConnectedStation]
    next_call: NextCall
    per_second: float


class Fleet:
    """Chargers that are driven together."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._by_fd: dict[int, ConnectedStation] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for charger in self._by_fd.values():
            charger.sock.close()
        self._epoll.close()

    @property
    def chargers(self) -> list[ConnectedStation]:
        return list(self._by_fd.values())

    def connect(self, names: Iterable[str], port: int, *, path: str = "/ws/%s", subprotocol: str = "ocpp1.6") -> None:
        """Connect and send the upgrade requests; `drive` or `arrivals` sees to their answers."""
        for name in names:
            charger = ConnectedStation(len(self._by_fd), path % name, port, subprotocol)
            self._by_fd[charger.sock.fileno()] = charger
            self._epoll.register(charger.sock, select.EPOLLIN)

    def drive(self, next_call: NextCall, *, upgrading: bool = False) -> list[float]:
        """Drive every charger until it has said all; each answer's latency in seconds.

        With `upgrading` a charger begins when its upgrade request is answered, else at once.
        """
        waiting = 0
        for charger in self._by_fd.values():
            waiting += upgrading or _go_on(charger, next_call)
        latencies: list[float] = []
        while waiting:
            events = self._epoll.poll(SILENCE_S)
            if not events:
                raise TimeoutError(f"{waiting} chargers wait for an answer")
            for fd, _ in events:
                charger = self._by_fd[fd]
                for text in charger.receive():
                    if text.startswith(b"[2"):
                        charger.send(_accept(text))
                        continue
                    if charger.sent:
                        latencies.append(time.perf_counter() - charger.sent_at)
                    charger.answer = text
                    waiting -= not _go_on(charger, next_call)
        return latencies

    def pace(self, kinds: Sequence[Kind], seconds: float) -> None:
        """Each kind so many times a second, by its chargers in turns, each when its last CALL was answered."""
        free = [deque(kind.chargers) for kind in kinds]
        kind_of = {charger: number for number, kind in enumerate(kinds) for charger in kind.chargers}
        sent, began = [0] * len(kinds), time.perf_counter()
        while (passed_s := time.perf_counter() - began) < seconds:
            for number, kind in enumerate(kinds):
                while free[number] and sent[number] < passed_s * kind.per_second:
                    sent[number] += _go_on(free[number].popleft(), kind.next_call)
            for fd, _ in self._epoll.poll(PACE_S):
                charger = self._by_fd[fd]
                for text in charger.receive():
                    if text.startswith(b"[2"):
                        charger.send(_accept(text))
                    else:
                        charger.answer = text
                        free[kind_of[charger]].append(charger)

    def arrivals(self, expected: int) -> list[Arrival]:
        """Wait for so many texts, whoever they come to, and answer none."""
        arrived: list[Arrival] = []
        while len(arrived) < expected:
            events = self._epoll.poll(SILENCE_S)
            if not events:
                raise TimeoutError(f"{expected - len(arrived)} of {expected} texts did not come")
            for fd, _ in events:
                charger = self._by_fd[fd]
                arrived += [Arrival(charger, text, time.perf_counter()) for text in charger.receive()]
        return arrived

    def listen(self, quiet_s: float) -> None:
        """Answer the server's CALLs until none has come for this long."""
        while events := self._epoll.poll(quiet_s):
            for fd, _ in events:
                for text in self._by_fd[fd].receive():
                    self._by_fd[fd].send(_accept(text))


def _go_on(charger: ConnectedStation, next_call: NextCall) -> bool:
    text = next_call(charger)
    if text is None:
        return False
    charger.call(text)
    return True


def _accept(call: bytes) -> bytes:
    message_id = call.split(b'"', 2)[1]
    return b'[3,"%b",{"status":"Accepted"}]' % message_id


def _masked_frame(text: bytes) -> bytes:
    size = len(text)
    if size < 126:
        return b"\x81%c\0\0\0\0%b" % (size | 0x80, text)
    return b"\x81\xfe%b\0\0\0\0%b" % (size.to_bytes(2), text)

"""A phone that asks again and again on one connection; it spends little itself."""

from __future__ import annotations

import socket
from typing import Self

GET = "GET %s HTTP/1.1\r\nHost: bench\r\n\r\n"
POST = "POST %s HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
CHUNK = 1 << 18


class KeptAlive:
    """One connection to a server; answers must bear their Content-Length."""

    def __init__(self, port: int) -> None:
        self._sock = socket.create_connection(("127.0.0.1", port))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._sock.close()

    def get(self, path: str) -> bytes:
        """The body of a 200."""
        self._sock.sendall((GET % path).encode())
        return self.answer()

    def ask(self, path: str, body: str) -> None:
        """Send a POST of this JSON; `answer` receives what comes."""
        self._sock.sendall((POST % (path, len(body), body)).encode())

    def answer(self) -> bytes:
        """The body of a 200 to what was sent."""
        answer = self._receive()
        while b"\r\n\r\n" not in answer:
            answer += self._receive()
        head, _, rest = bytes(answer).partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise ConnectionError(f"refused: {head[:80]!r}")
        size = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
        parts, left = [rest], size - len(rest)
        while left:
            parts.append(self._receive())
            left -= len(parts[-1])
        return b"".join(parts)

    def _receive(self) -> bytes:
        data = self._sock.recv(CHUNK)
        if not data:
            raise ConnectionError("the server closed a phone's connection")
        return data

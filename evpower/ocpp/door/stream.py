"""Accepted TCP sockets as trio streams that do not reschedule when they need not wait.

`trio.SocketStream` runs a checkpoint after every successful call; with one reply per message that is a full turn of the
scheduler per message. Here a send into a free buffer returns at once, and a receive waits for readability, which is
the one switch a message needs (ADR "own station transport", figures there). `trio.SSLStream` works on top.
"""

from __future__ import annotations

import ipaddress
import socket

import trio
from trio.lowlevel import notify_closing, wait_readable, wait_writable


class DirectStream(trio.abc.HalfCloseableStream):
    """One connected, non-blocking stdlib socket."""

    __slots__ = ("_sock", "peer_host")

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._sock = sock
        #: The address of the other end.
        self.peer_host: str = sock.getpeername()[0]

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Send everything; yields to other tasks only while the kernel's buffer is full."""
        while True:
            if self._sock.fileno() < 0:
                raise trio.ClosedResourceError("this socket was closed")
            try:
                sent = self._sock.send(data)
            except BlockingIOError:
                sent = 0
            except OSError as exc:
                raise trio.BrokenResourceError(str(exc)) from exc
            if sent == len(data):
                return
            data = memoryview(data)[sent:]
            await wait_writable(self._sock)

    async def wait_send_all_might_not_block(self) -> None:
        if self._sock.fileno() < 0:
            raise trio.ClosedResourceError("this socket was closed")
        await wait_writable(self._sock)

    async def send_eof(self) -> None:
        await trio.lowlevel.checkpoint()
        if self._sock.fileno() < 0:
            raise trio.ClosedResourceError("this socket was closed")
        try:
            self._sock.shutdown(socket.SHUT_WR)
        except OSError as exc:
            raise trio.BrokenResourceError(str(exc)) from exc

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        while True:
            if self._sock.fileno() < 0:
                raise trio.ClosedResourceError("this socket was closed")
            await wait_readable(self._sock)
            try:
                return self._sock.recv(max_bytes or 65536)
            except BlockingIOError:
                continue
            except OSError as exc:
                raise trio.BrokenResourceError(str(exc)) from exc

    async def aclose(self) -> None:
        if self._sock.fileno() >= 0:
            notify_closing(self._sock)
            self._sock.close()
        await trio.lowlevel.checkpoint()


class DirectListener(trio.abc.Listener[DirectStream]):
    """A listening TCP socket whose streams are `DirectStream`s."""

    def __init__(self, listener: trio.SocketListener) -> None:
        # trio.serve_listeners looks here when the process runs out of file descriptors.
        self.socket = listener.socket

    @property
    def address(self) -> tuple[str, int]:
        """The real host and port, also when port 0 was asked for."""
        host, port = self.socket.getsockname()[:2]
        return host, port

    @property
    def is_loopback(self) -> bool:
        return ipaddress.ip_address(self.address[0].partition("%")[0]).is_loopback

    async def accept(self) -> DirectStream:
        while True:
            accepted, _ = await self.socket.accept()
            sock = socket.socket(fileno=accepted.detach())
            try:
                return DirectStream(sock)
            except OSError:
                sock.close()  # the peer was gone before we looked at it

    def close(self) -> None:
        self.socket.close()

    async def aclose(self) -> None:
        self.close()
        await trio.lowlevel.checkpoint()


async def open_listeners(host: str, port: int, *, backlog: int = 4096) -> list[DirectListener]:
    """Listen on every address of `host`. Raises OSError, which names it, when one cannot be bound."""
    try:
        listeners = await trio.open_tcp_listeners(port, host=host, backlog=backlog)
    except OSError as error:
        raise OSError(f"chargers: cannot listen on {host}:{port}: {error}") from error
    return [DirectListener(listener) for listener in listeners]

"""A peer's stream with a limit on how long it may leave our answer unread."""

from __future__ import annotations

import trio


class BoundedStream:
    """An accepted stream as a connection uses it."""

    def __init__(self, stream: trio.SocketStream, send_timeout_s: float) -> None:
        self._stream = stream
        self._send_timeout_s = send_timeout_s
        self._sending: set[trio.CancelScope] = set()
        #: A WebSocket has two writers: the application, and the protocol's pongs.
        self._turn = trio.Lock()
        self.socket = stream.socket

    async def send_all(self, data: bytes) -> None:
        """Raises BrokenResourceError for a peer that is gone or does not read in time."""
        with trio.move_on_after(self._send_timeout_s) as patience:
            self._sending.add(patience)
            try:
                async with self._turn:
                    await self._stream.send_all(data)
            finally:
                self._sending.discard(patience)
        if patience.cancelled_caught:
            # A part may have been sent, so nothing more can be.
            self.abort()
            raise trio.BrokenResourceError("the peer does not read")

    def hurry(self, send_timeout_s: float) -> None:
        """From now on, and for what is being sent, the peer has no longer than this to read."""
        self._send_timeout_s = min(self._send_timeout_s, send_timeout_s)
        latest = trio.current_time() + self._send_timeout_s
        for patience in self._sending:
            patience.deadline = min(patience.deadline, latest)

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """As trio's."""
        return bytes(await self._stream.receive_some(max_bytes))

    async def send_eof(self) -> None:
        """As trio's."""
        await self._stream.send_eof()

    async def aclose(self) -> None:
        """As trio's."""
        await self._stream.aclose()

    def abort(self) -> None:
        """Close at once; tasks that wait on the stream get ClosedResourceError."""
        self._stream.socket.close()

"""A peer's stream with a limit on how long it may leave our answer unread."""

from __future__ import annotations

import trio


class BoundedStream:
    """An accepted stream as Hypercorn's connection uses it."""

    def __init__(self, stream: trio.SocketStream, send_timeout_s: float) -> None:
        self._stream = stream
        self._send_timeout_s = send_timeout_s
        #: Hypercorn reads both addresses from it.
        self.socket = stream.socket

    async def send_all(self, data: bytes) -> None:
        """Raises BrokenResourceError for a peer that is gone or does not read in time."""
        try:
            with trio.fail_after(self._send_timeout_s):
                await self._stream.send_all(data)
        except trio.TooSlowError:
            # A part may have been sent, so nothing more can be.
            self.abort()
            raise trio.BrokenResourceError("the peer does not read") from None

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

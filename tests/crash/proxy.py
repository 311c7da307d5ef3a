"""What is between the stations and the server: it can cut every line, and swallow what is sent."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress

import trio
import trio.testing

CHUNK = 65536
LOST = (trio.BrokenResourceError, trio.ClosedResourceError, OSError)


class Proxy:
    """Stations dial it; it dials the server, wherever that is now."""

    def __init__(self, dial: Callable[[str], Awaitable[trio.abc.Stream]], lines: trio.Nursery) -> None:
        self._dial = dial
        self._lines = lines
        self._scopes: set[trio.CancelScope] = set()
        self._goes_on = trio.Event()
        self.mend()

    async def dial(self, url: str) -> trio.abc.Stream:
        """A line through us. Raises OSError while the server or the way to it is not there."""
        if not self._goes_on.is_set():
            raise OSError("no way")
        theirs = await self._dial(url)
        ours, end = trio.testing.memory_stream_pair()
        self._lines.start_soon(self._carry, end, theirs)
        return ours

    def swallow(self) -> None:
        """From now on nothing arrives, and no end is heard of: a mast without power."""
        self._goes_on = trio.Event()

    def mend(self) -> None:
        """New lines work; what the old ones held arrives."""
        self._goes_on.set()

    def cut(self) -> None:
        """Every line ends at once."""
        for scope in list(self._scopes):
            scope.cancel()

    async def _carry(self, one: trio.abc.Stream, other: trio.abc.Stream) -> None:
        async with one, other:
            with trio.CancelScope() as scope:
                self._scopes.add(scope)
                try:
                    async with trio.open_nursery() as both:
                        both.start_soon(self._pump, one, other, scope)
                        both.start_soon(self._pump, other, one, scope)
                finally:
                    self._scopes.discard(scope)

    async def _pump(self, source: trio.abc.Stream, sink: trio.abc.Stream, line: trio.CancelScope) -> None:
        with suppress(*LOST):
            while data := await source.receive_some(CHUNK):
                await self._goes_on.wait()
                await sink.send_all(bytes(data))
        line.cancel()

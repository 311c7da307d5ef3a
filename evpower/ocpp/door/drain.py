"""The end of the stations' door: the cancellation of the server becomes a goodbye with a deadline."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import trio

GOING_AWAY = (1001, "the server is shutting down")


class Drain:
    """Stops the listeners and the handshakes at once; live stations finish the CALL they are in, until the deadline.

    The stations run inside `chargers_may_run`, which is shielded from the cancellation for exactly that long.
    """

    def __init__(self, dismiss_all: Callable[[int, str], None], *, timeout_s: float) -> None:
        self._dismiss_all = dismiss_all
        self._timeout_s = timeout_s
        self._handshakes: set[trio.CancelScope] = set()
        self.accepting = trio.CancelScope()
        self.chargers_may_run = trio.CancelScope(shield=True)
        self.has_begun = False

    async def begin_when_cancelled(self) -> None:
        """Runs beside the shielded stations, to notice for them."""
        try:
            await trio.sleep_forever()
        finally:
            self._begin()

    @contextmanager
    def handshake(self) -> Iterator[trio.CancelScope]:
        """A scope for a socket that is not a station yet: cancelled when the drain begins."""
        with trio.CancelScope() as scope:
            self._handshakes.add(scope)
            try:
                yield scope
            finally:
                self._handshakes.discard(scope)

    def _begin(self) -> None:
        self.has_begun = True
        self.chargers_may_run.deadline = trio.current_time() + self._timeout_s
        self.accepting.cancel()
        for scope in tuple(self._handshakes):
            scope.cancel()
        self._dismiss_all(*GOING_AWAY)

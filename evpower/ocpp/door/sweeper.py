"""One task that looks after every station's socket: cheaper than a timer for each message (11 µs, spikes)."""

from __future__ import annotations

import trio

from evpower.ocpp.wire.transport import StationSocket


class Sweeper:
    """Watches sockets, and owns the tasks that write what could not be written at once."""

    def __init__(self, *, interval_s: float = 1.0) -> None:
        self._interval_s = interval_s
        self._sockets: set[StationSocket] = set()

    def watch(self, socket: StationSocket) -> None:
        self._sockets.add(socket)

    def forget(self, socket: StationSocket) -> None:
        self._sockets.discard(socket)

    async def run(self, *, task_status: trio.TaskStatus[trio.Nursery] = trio.TASK_STATUS_IGNORED) -> None:
        """Sweep until cancelled; reports the nursery for `StationSocket(flushers=...)` when ready."""
        async with trio.open_nursery() as flushers:
            task_status.started(flushers)
            while True:
                await trio.sleep(self._interval_s)
                now = trio.current_time()
                for socket in tuple(self._sockets):
                    socket.look_after(now)

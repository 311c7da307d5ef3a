"""Whether messages fail: an alarm in the log while more than a fifth of the last quarter of an hour's did."""

from __future__ import annotations

import logging
from collections import deque

import trio

log = logging.getLogger("evpower.push")

WINDOW_S = 15 * 60.0
FAILED_MOST = 0.2
#: Of fewer, a fifth says nothing.
LEAST = 10


class FailureWatch:
    """Counts the last 15 minutes of this process, in minutes; one line for each 15 minutes of an alarm."""

    def __init__(self) -> None:
        #: For each minute: which one, how many, how many of them failed.
        self._minutes: deque[tuple[int, int, int]] = deque()
        self._quiet_until_s = 0.0
        self._since_s: float | None = None

    def note(self, *, failed: bool) -> None:
        """One message to one device was sent, or was not; a device that has ended is no failure."""
        now_s = trio.current_time()
        minute = int(now_s // 60)
        if not self._minutes or self._minutes[-1][0] != minute:
            self._minutes.append((minute, 0, 0))
        _, number, failures = self._minutes.pop()
        self._minutes.append((minute, number + 1, failures + failed))
        while self._minutes[0][0] <= minute - WINDOW_S // 60:
            self._minutes.popleft()
        self._look(now_s)

    def _look(self, now_s: float) -> None:
        number = sum(minute[1] for minute in self._minutes)
        failures = sum(minute[2] for minute in self._minutes)
        if number < LEAST or failures <= FAILED_MOST * number:
            self._since_s = None
            return
        if self._since_s is None:
            self._since_s = now_s
        if now_s - self._since_s >= WINDOW_S and now_s >= self._quiet_until_s:
            self._quiet_until_s = now_s + WINDOW_S
            log.error("messages to phones fail: %d of %d in the last 15 minutes", failures, number)

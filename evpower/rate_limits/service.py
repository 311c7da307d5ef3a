"""Holds identities to their limits."""

from __future__ import annotations

import logging
from collections import Counter

from evpower.clock import Clock
from evpower.rate_limits.limits import Counted
from evpower.rate_limits.own_counts import OwnCounts
from evpower.rate_limits.sliding_window import Taken

log = logging.getLogger("security")


class RateLimits:
    """One for all doors of a process."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._own = OwnCounts()
        #: Refused since the start, by kind.
        self.refused: Counter[str] = Counter()

    async def take(self, counted: Counted) -> Taken:
        """Count one more of this identity, if its limit has room."""
        taken = self._own.take(counted, self._now_ms())
        if not taken.allowed:
            self.refused[counted.limit.kind] += 1
        return taken

    def _now_ms(self) -> int:
        return int(self._clock.now().timestamp() * 1000)

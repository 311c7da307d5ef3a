"""Holds identities to their limits."""

from __future__ import annotations

from collections.abc import Mapping

from evpower.clock import Clock
from evpower.db.redis_link import RedisLink
from evpower.rate_limits.limits import Counted
from evpower.rate_limits.own_counts import OwnCounts
from evpower.rate_limits.refusals import Refusals
from evpower.rate_limits.shared_counts import SharedCounts
from evpower.rate_limits.sliding_window import Taken

#: What a request may wait for Redis, each time it is counted.
REDIS_WAIT_S = 0.05


class RateLimits:
    """One for all doors of a process.

    With Redis all processes count together, and each counts for itself too: what is beyond the limit by its own count
    asks nothing of Redis, and when Redis is away that count goes on.
    """

    def __init__(self, clock: Clock, redis: RedisLink | None = None, *, redis_wait_s: float = REDIS_WAIT_S) -> None:
        self._clock = clock
        self._own = OwnCounts()
        self._shared = None if redis is None else SharedCounts(redis, redis_wait_s)
        #: Decided by the process's own count because Redis had no answer.
        self.alone = 0
        self._refusals = Refusals()

    async def take(self, counted: Counted) -> Taken:
        """Count one more of this identity, if its limit has room."""
        now_ms = self._now_ms()
        taken = await self._take_shared(counted, now_ms)
        if taken is None or taken.allowed:
            own = self._own.take(counted, now_ms)
            taken = taken or own
        if not taken.allowed:
            self.note_refusal(counted.limit.kind, counted.name, taken.reset_s)
        return taken

    def note_refusal(self, kind: str, name: str, retry_after_s: int) -> None:
        """A request of this identity is refused, here or for a reason of its door's own."""
        self._refusals.note(kind, name, retry_after_s, self._now_ms())

    @property
    def refused(self) -> Mapping[str, int]:
        """Requests refused since the start, by kind."""
        return self._refusals.counts

    async def _take_shared(self, counted: Counted, now_ms: int) -> Taken | None:
        """What all processes together find; None when this one decides alone."""
        if self._shared is None or not self._own.has_room(counted, now_ms):
            return None
        taken = await self._shared.take(counted, now_ms)
        self.alone += taken is None
        return taken

    def _now_ms(self) -> int:
        return int(self._clock.now().timestamp() * 1000)

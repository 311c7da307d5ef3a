"""The counts that several processes share in Redis, by one script: what is read is what is counted.

Redis is asked for a moment only. Away, hanging or slow, it has no answer, and each process goes by its own counts.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Final

import trio

from evpower.db.redis_link import RedisLink
from evpower.errors import RedisAway
from evpower.rate_limits.limits import Counted
from evpower.rate_limits.sliding_window import AHEAD_MINUTES, SPAN_MS, Taken, judged

#: `Count.take` in Redis, with the same constants. Two minutes after its last change a count means nothing.
TAKE: Final = """
local most, now, span, ahead = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local kept = redis.call('HMGET', KEYS[1], 'minute', 'current', 'previous')
local present = math.floor(now / span)
local minute, current, previous = tonumber(kept[1]) or present, tonumber(kept[2]) or 0, tonumber(kept[3]) or 0
if minute < present or minute > present + ahead then
  previous = minute + 1 == present and current or 0
  minute, current = present, 0
end
local elapsed = math.max(0, now - minute * span)
local allowed = current * span + previous * (span - 1 - elapsed) < most * span
if allowed then
  current = current + 1
  redis.call('HSET', KEYS[1], 'minute', minute, 'current', current, 'previous', previous)
  redis.call('PEXPIRE', KEYS[1], 2 * span)
end
return {allowed and 1 or 0, current, previous, elapsed}
"""


class SharedCounts:
    """A count for each identity, in Redis."""

    def __init__(self, redis: RedisLink, wait_s: float) -> None:
        self._redis = redis
        self._wait_s = wait_s

    async def take(self, counted: Counted, now_ms: int) -> Taken | None:
        """Count one more, if there is room; None when Redis has no answer in time."""
        most, key = counted.limit.most, f"rate_limits:{counted.limit.kind}:{counted.name}"
        command = ("EVAL", TAKE, 1, key, most, now_ms, SPAN_MS, AHEAD_MINUTES)
        with trio.move_on_after(self._wait_s), suppress(RedisAway):
            [(allowed, current, previous, elapsed_ms)] = await self._redis.ask(command)
            return judged(current, previous, elapsed_ms, most, allowed=bool(allowed))
        return None

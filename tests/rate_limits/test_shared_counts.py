"""Counts that processes share in Redis, and a Redis that fails them (contract/identity §5)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import accumulate

import pytest
import trio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evpower.db.redis_link import Patience, RedisLink
from evpower.rate_limits.limits import Counted, RateLimit
from evpower.rate_limits.service import REDIS_WAIT_S, RateLimits
from evpower.rate_limits.shared_counts import TAKE
from evpower.rate_limits.sliding_window import AHEAD_MINUTES, SPAN_MS, Count, Taken, judged
from tests.worlds.fakes import SetClock
from tests.worlds.redis_server import HASTY, QUICK, RedisServer, is_away, is_there

ANN = Counted(RateLimit("client", 10), "ann")
BEN = Counted(RateLimit("client", 10), "ben")
NOW_MS = 29_000_000 * SPAN_MS
#: It hangs, and that is not noticed within the test.
TRUSTING = Patience(turn_s=60, retry_after_s=60, ping_every_s=60)


@asynccontextmanager
async def processes(
    server: RedisServer, number: int, patience: Patience = QUICK, *, wait_s: float = 10
) -> AsyncIterator[list[Process]]:
    """Which wait long enough for a busy machine, where the wait itself is not the matter."""
    clock = SetClock()
    async with trio.open_nursery() as nursery:
        links = [RedisLink(server.url, patience) for _ in range(number)]
        for link in links:
            await nursery.start(link.run)
            await is_there(link)
        yield [Process(link, clock, wait_s) for link in links]
        nursery.cancel_scope.cancel()


class Process:
    """One of several."""

    def __init__(self, link: RedisLink, clock: SetClock, wait_s: float) -> None:
        self.link = link
        self.clock = clock
        self.limits = RateLimits(clock, link, redis_wait_s=wait_s)

    async def allowed(self, times: int, counted: Counted = ANN) -> int:
        """How many of so many tries are let through."""
        return sum([(await self.limits.take(counted)).allowed for _ in range(times)])


async def test_processes_share_one_limit(redis_server: RedisServer) -> None:
    async with processes(redis_server, 2) as (one, other):
        assert await one.allowed(6) == 6
        assert await other.allowed(6) == 4
        refused = [await each.limits.take(ANN) for each in (one, other)]
        assert refused == [Taken(allowed=False, most=10, left=0, reset_s=60)] * 2
        assert await other.allowed(1, BEN) == 1
        one.clock.advance(60)
        assert await one.allowed(1) == 1


async def test_of_many_at_once_exactly_the_limit_is_let_through(redis_server: RedisServer) -> None:
    async with processes(redis_server, 2) as both:
        through = list[int]()

        async def take(process: Process) -> None:
            through.append(await process.allowed(1))

        with trio.fail_after(10):
            async with trio.open_nursery() as tries:
                for number in range(60):
                    tries.start_soon(take, both[number % 2])
        assert sum(through) == 10


async def test_a_flood_that_is_known_to_be_one_asks_nothing_of_redis(redis_server: RedisServer) -> None:
    async with processes(redis_server, 1) as (process,):
        await process.allowed(10)
        before = redis_server.run("INFO", "commandstats")["cmdstat_eval"]["calls"]
        assert await process.allowed(100) == 0
        assert redis_server.run("INFO", "commandstats")["cmdstat_eval"]["calls"] == before


async def test_without_redis_each_process_goes_by_its_own_count_and_opens_no_door(redis_server: RedisServer) -> None:
    async with processes(redis_server, 1, HASTY) as (process,):
        assert await process.allowed(6) == 6
        redis_server.kill()
        await is_away(process.link)
        assert await process.allowed(6) == 4, "what was counted before is not forgotten"
        assert await process.allowed(1, BEN) == 1, "and nobody is refused because of Redis"
        assert process.limits.alone > 0


async def test_a_redis_that_comes_back_empty_opens_no_door(redis_server: RedisServer) -> None:
    async with processes(redis_server, 1, HASTY) as (process,):
        await process.allowed(10)
        redis_server.kill()
        await is_away(process.link)
        redis_server.start()
        await is_there(process.link)
        assert await process.allowed(5) == 0


async def test_a_redis_that_hangs_costs_a_moment_and_refuses_nobody(redis_server: RedisServer) -> None:
    async with processes(redis_server, 1, TRUSTING, wait_s=REDIS_WAIT_S) as (process,):
        redis_server.freeze()
        try:
            began = trio.current_time()
            assert await process.allowed(3) == 3
            assert trio.current_time() - began < 3 * REDIS_WAIT_S + 1
            assert process.limits.alone == 3
        finally:
            redis_server.thaw()


async def test_nothing_stays_in_redis(redis_server: RedisServer) -> None:
    async with processes(redis_server, 1) as (process,):
        await process.allowed(1)
        (key,) = redis_server.run("KEYS", "rate_limits:*")
        assert 0 < redis_server.run("PTTL", key) <= 2 * SPAN_MS


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(-70_000, 70_000), max_size=80), st.integers(1, 10))
def test_the_script_finds_what_the_rule_finds(redis_server: RedisServer, gaps_ms: list[int], most: int) -> None:
    """Also with clocks that differ, or are set back."""
    redis_server.run("FLUSHALL")
    count: Count | None = None
    for now_ms in accumulate(gaps_ms, initial=NOW_MS):
        allowed, current, previous, elapsed_ms = redis_server.run(
            "EVAL", TAKE, 1, "key", most, now_ms, SPAN_MS, AHEAD_MINUTES
        )
        count = count or Count(now_ms // SPAN_MS)
        assert judged(current, previous, elapsed_ms, most, allowed=bool(allowed)) == count.take(most, now_ms)


@pytest.mark.parametrize("name", ["a\r\nFLUSHALL", "{x}", "*", "имя", "a" * 1000])
async def test_a_name_is_only_a_name(redis_server: RedisServer, name: str) -> None:
    async with processes(redis_server, 1) as (process,):
        assert await process.allowed(11, Counted(ANN.limit, name)) == 10
        assert process.limits.alone == 0
        assert await process.allowed(1) == 1

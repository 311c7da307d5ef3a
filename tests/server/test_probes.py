"""What /health is told of the engines, by the engines themselves."""

from __future__ import annotations

import trio

from evpower.clock import ClockWatch
from evpower.db.pool import Pool
from evpower.db.redis_link import RedisLink
from evpower.server.probes import ServerProbes
from tests.worlds.fakes import FakeLink, SetClock
from tests.worlds.redis_server import HASTY, QUICK, RedisServer, is_away, is_there

WATCH = ClockWatch(SetClock())


async def words(probes: ServerProbes) -> tuple[str, str]:
    return probes.redis(), await probes.redis_stores()


async def test_without_redis_it_is_disabled(pool: Pool) -> None:
    assert await words(ServerProbes(pool, FakeLink(SetClock()), dict, None, WATCH)) == (
        "disabled",
        "disabled",
    )


async def test_redis_is_connected_while_it_answers(pool: Pool, redis_server: RedisServer) -> None:
    link = RedisLink(redis_server.url, QUICK)
    probes = ServerProbes(pool, FakeLink(SetClock()), dict, link, WATCH)
    async with trio.open_nursery() as workers:
        await workers.start(link.run)
        assert await words(probes) == ("connected", "connected")
        redis_server.kill()
        await is_away(link)
        assert await words(probes) == ("disconnected", "disconnected")
        redis_server.start()
        await is_there(link)
        assert await words(probes) == ("connected", "connected")
        workers.cancel_scope.cancel()


async def test_a_redis_that_hangs_is_disconnected_within_a_turn(pool: Pool, redis_server: RedisServer) -> None:
    link = RedisLink(redis_server.url, HASTY)
    probes = ServerProbes(pool, FakeLink(SetClock()), dict, link, WATCH)
    async with trio.open_nursery() as workers:
        await workers.start(link.run)
        redis_server.freeze()
        with trio.fail_after(10):
            assert (await probes.redis_stores(), probes.redis()) == ("disconnected", "disconnected")
        workers.cancel_scope.cancel()


async def test_a_redis_that_answers_and_stores_nothing_is_disconnected(pool: Pool, redis_server: RedisServer) -> None:
    link = RedisLink(redis_server.url, QUICK)
    async with trio.open_nursery() as workers:
        await workers.start(link.run)
        redis_server.run("CONFIG", "SET", "maxmemory", "1")
        assert await ServerProbes(pool, FakeLink(SetClock()), dict, link, WATCH).redis_stores() == "disconnected"
        workers.cancel_scope.cancel()

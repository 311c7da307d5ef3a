"""Where the list is kept for a moment: one suite for this process's memory and for Redis."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
import trio

from evpower.network.list_cache import ListCache, OwnListCache
from tests.worlds.fakes import NOON, SetClock
from tests.worlds.list_caches import NEW, OLD, Network, shown, store
from tests.worlds.redis_server import RedisServer


@dataclass(frozen=True)
class Kept:
    cache: ListCache
    clock: SetClock


@pytest.fixture(params=["in this process", "in Redis"])
async def kept(request: pytest.FixtureRequest, redis_server: RedisServer) -> AsyncIterator[Kept]:
    async with trio.open_nursery() as nursery:
        network = Network(nursery, redis_server)
        own = OwnListCache(network.clock)
        yield Kept(own if request.param == "in this process" else (await network.process()).cache, network.clock)
        nursery.cancel_scope.cancel()


async def test_it_is_empty_at_first(kept: Kept) -> None:
    assert ((await kept.cache.look()).picture, (await kept.cache.fetch()).picture) == (None, None)


async def test_what_is_kept_is_found(kept: Kept) -> None:
    await store(kept.cache)
    assert ((await kept.cache.look()).picture, (await kept.cache.fetch()).picture) == (OLD, OLD)


async def test_it_is_found_until_it_expires(kept: Kept) -> None:
    await store(kept.cache)
    kept.clock.advance(29.999)
    assert await shown(kept.cache) == OLD
    kept.clock.advance(0.001)
    assert await shown(kept.cache) is None


async def test_what_expires_sooner_is_kept_for_less(kept: Kept) -> None:
    """The next heartbeat that may be missed, or the next change of a price."""
    await store(kept.cache, replace(OLD, expires_at=NOON + timedelta(seconds=2)))
    kept.clock.advance(2)
    assert await shown(kept.cache) is None


async def test_what_has_expired_already_is_not_kept(kept: Kept) -> None:
    await store(kept.cache, replace(OLD, expires_at=NOON))
    assert await shown(kept.cache) is None


async def test_a_change_drops_it_at_once(kept: Kept) -> None:
    await store(kept.cache)
    kept.cache.forget()
    assert await shown(kept.cache) is None


async def test_many_changes_at_once_drop_it_and_it_is_kept_anew(kept: Kept) -> None:
    await store(kept.cache)
    for _ in range(1000):
        kept.cache.forget()
    assert await shown(kept.cache) is None
    await store(kept.cache, NEW)
    assert await shown(kept.cache) == NEW


async def test_what_was_read_before_a_change_is_not_kept_after_it(kept: Kept) -> None:
    look = await kept.cache.fetch()
    kept.cache.forget()
    await kept.cache.keep(look, OLD)
    assert await shown(kept.cache) is None


async def test_the_later_of_two_readings_is_found(kept: Kept) -> None:
    first, second = await kept.cache.fetch(), await kept.cache.fetch()
    await kept.cache.keep(first, OLD)
    await kept.cache.keep(second, NEW)
    assert await shown(kept.cache) == NEW

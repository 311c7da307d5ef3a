"""Processes that share the list by Redis, and what they do with it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import count

import trio
import trio.testing

from evpower.db.redis_link import Patience, RedisLink
from evpower.network.list_cache import ListCache, NetworkPicture
from evpower.network.shared_list_cache import SharedListCache
from tests.http.fakes import LOCATION
from tests.worlds.fakes import NOON, SetClock
from tests.worlds.redis_server import QUICK, RedisServer

OLD = NetworkPicture((LOCATION,), NOON + timedelta(seconds=30))
NEW = replace(OLD, locations=(replace(LOCATION, name="ЦУМ", latitude=None),))
#: Nothing is noticed unless it is asked for.
INATTENTIVE = Patience(turn_s=5, ping_every_s=60, retry_after_s=0.01)


class Tokens:
    """Bytes that differ each time, whoever draws them."""

    def __init__(self) -> None:
        self._drawn = count(1)

    def __call__(self, size: int) -> bytes:
        return next(self._drawn).to_bytes(size, "big")


@dataclass(frozen=True)
class Process:
    """One process's cache and its way to Redis."""

    cache: SharedListCache
    link: RedisLink


class Network:
    """Processes that share a Redis, a clock, and nothing else."""

    def __init__(self, nursery: trio.Nursery, server: RedisServer) -> None:
        self._nursery = nursery
        self._server = server
        self.tokens = Tokens()
        self.clock = SetClock()

    async def process(self, patience: Patience = QUICK) -> Process:
        link = RedisLink(self._server.url, patience)
        cache = SharedListCache(link, self.clock, self.tokens)
        await self._nursery.start(link.run)
        return Process(cache, link)


async def store(cache: ListCache, picture: NetworkPicture = OLD) -> None:
    """Read and keep, as whoever finds nothing does."""
    await cache.keep(await cache.fetch(), picture)


async def shown(cache: ListCache) -> NetworkPicture | None:
    """What a phone would be shown without a reading."""
    look = await cache.look()
    return look.picture or (await cache.fetch()).picture


@asynccontextmanager
async def answering_after(server: RedisServer) -> AsyncIterator[None]:
    """What is begun inside is answered by Redis when the block has ended."""
    server.freeze()
    yield
    await trio.testing.wait_all_tasks_blocked()
    server.thaw()

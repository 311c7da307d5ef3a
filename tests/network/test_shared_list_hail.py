"""Everything at once befalls processes that share the list: readings, changes, late words, a Redis that fails."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
import trio

from evpower.network.list_cache import NetworkPicture
from tests.http.fakes import LOCATION
from tests.worlds.list_caches import OLD, Network, Process
from tests.worlds.redis_server import HASTY, RedisServer, is_away, is_there


class Reader:
    """A process that reads the list, changes it, and hears of the others' changes, each in its time."""

    def __init__(self, process: Process, database: Database) -> None:
        self.process = process
        self._cache = process.cache
        self._database = database
        #: The latest change this process has made or heard of.
        self.known = 0
        self.hits = 0

    def hear(self, version: int) -> None:
        self.known = max(self.known, version)
        self._cache.forget()

    async def read(self) -> None:
        """What is shown is never older than what was known when it was asked for."""
        known = self.known
        look = await self._cache.look()
        if look.picture is None:
            look = await self._cache.fetch()
        if look.picture is None:
            picture = await self._database.read()
            await self._cache.keep(look, picture)
        else:
            picture = look.picture
            self.hits += 1
        assert int(picture.locations[0].name) >= known


class Database:
    """What is true: a number that rises."""

    def __init__(self) -> None:
        self.version = 0

    async def read(self) -> NetworkPicture:
        """As of the beginning of a reading that takes a while."""
        version = self.version
        await trio.sleep(0.001)
        return replace(OLD, locations=(replace(LOCATION, name=str(version)),))


@pytest.mark.parametrize("seed", range(3))
async def test_no_process_ever_shows_less_than_it_knows(network: Network, redis_server: RedisServer, seed: int) -> None:
    """Readings, changes, late words, broken connections, and a Redis that is emptied and hangs."""
    chance = random.Random(seed)
    database = Database()
    readers = [Reader(await network.process(HASTY), database) for _ in range(3)]

    async def reads(reader: Reader) -> None:
        for _ in range(200):
            await reader.read()
            await trio.sleep(chance.random() * 0.002)

    async def changes() -> None:
        for _ in range(60):
            await trio.sleep(chance.random() * 0.02)
            database.version += 1
            writer, *others = chance.sample(readers, 3)
            writer.hear(database.version)
            for other in others:
                phones.start_soon(hears_later, other, database.version)

    async def hears_later(reader: Reader, version: int) -> None:
        await trio.sleep(chance.random() * 0.01)
        reader.hear(version)

    async def disturbances() -> None:
        for disturb in chance.sample((cut, cut, cut, empty, hang), 5):
            await trio.sleep(chance.random() * 0.2)
            await disturb()

    async def cut() -> None:
        redis_server.run("CLIENT", "KILL", "TYPE", "normal")

    async def empty() -> None:
        redis_server.run("FLUSHALL")

    async def hang() -> None:
        redis_server.freeze()
        await is_away(readers[0].process.link)
        redis_server.thaw()

    with trio.fail_after(60):
        async with trio.open_nursery() as phones:
            for reader in readers:
                phones.start_soon(reads, reader)
            phones.start_soon(changes)
            phones.start_soon(disturbances)
        for reader in readers:
            await is_there(reader.process.link)
            await reader.read()
    assert all(reader.hits for reader in readers)

"""Where the list is kept: one suite for this process's memory and for Redis; then what only a shared one gets wrong."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import count

import pytest
import trio
import trio.testing

from evpower.charging.list_cache import ListCache, NetworkPicture, OwnListCache
from evpower.charging.shared_list_cache import CONTENT, GENERATION, SharedListCache
from evpower.redis_link import Patience, RedisLink
from tests.fakes import NOON, SetClock
from tests.http.fakes import LOCATION
from tests.redis_server import HASTY, QUICK, RedisServer, is_away, is_there

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


@pytest.fixture
async def network(redis_server: RedisServer) -> AsyncIterator[Network]:
    async with trio.open_nursery() as nursery:
        yield Network(nursery, redis_server)
        nursery.cancel_scope.cancel()


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


# One suite for both


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


# Several processes


async def test_what_one_process_keeps_another_finds_whole(network: Network) -> None:
    a, b = await network.process(), await network.process()
    await store(a.cache)
    assert (await b.cache.fetch()).picture == OLD


async def test_what_was_found_elsewhere_is_read_once(network: Network) -> None:
    """The same object: whoever has written an answer of it need not do so again."""
    a, b = await network.process(), await network.process()
    await store(a.cache)
    found = (await b.cache.fetch()).picture
    assert (await b.cache.look()).picture is found is (await b.cache.fetch()).picture


async def test_a_change_in_one_process_is_seen_by_the_other_at_once(network: Network) -> None:
    a, b = await network.process(), await network.process()
    await store(a.cache)
    assert await shown(b.cache) == OLD
    a.cache.forget()
    await a.cache.look()  # the word has reached Redis
    assert await shown(b.cache) is None
    await store(b.cache, NEW)
    assert await shown(a.cache) == NEW


async def test_what_one_process_read_before_anothers_change_is_never_shown(network: Network) -> None:
    a, b = await network.process(), await network.process()
    slow = await a.cache.fetch()
    b.cache.forget()
    await b.cache.look()
    await a.cache.keep(slow, OLD)
    assert (await shown(a.cache), await shown(b.cache)) == (None, None)
    await store(b.cache, NEW)
    await a.cache.keep(slow, OLD)
    assert (await shown(a.cache), await shown(b.cache)) == (None, NEW)


async def test_a_change_of_ones_own_that_overtakes_the_question_is_seen(
    network: Network, redis_server: RedisServer
) -> None:
    a = await network.process(INATTENTIVE)
    await store(a.cache)
    seen: list[NetworkPicture | None] = []

    async def look() -> None:
        seen.append((await a.cache.look()).picture)

    async with trio.open_nursery() as phones, answering_after(redis_server):
        phones.start_soon(look)
        await trio.testing.wait_all_tasks_blocked()
        a.cache.forget()
    assert seen == [None]


async def test_a_change_while_the_word_of_another_is_on_its_way_has_a_word_of_its_own(
    network: Network, redis_server: RedisServer
) -> None:
    a = await network.process(INATTENTIVE)
    before = redis_server.run("GET", GENERATION)
    async with answering_after(redis_server):
        a.cache.forget()
        await trio.testing.wait_all_tasks_blocked()
        a.cache.forget()
        a.cache.forget()
    await a.cache.look()
    assert int(redis_server.run("GET", GENERATION), 16) == int(before, 16) + 2


async def test_a_change_while_the_connection_is_being_made_is_not_lost(
    network: Network, redis_server: RedisServer
) -> None:
    b = await network.process(INATTENTIVE)
    link = RedisLink(redis_server.url, INATTENTIVE)
    a = SharedListCache(link, network.clock, Tokens())
    async with trio.open_nursery() as nursery:
        async with answering_after(redis_server):
            nursery.start_soon(link.run)
            await trio.testing.wait_all_tasks_blocked()
            a.forget()
        await is_there(link)
        await a.look()
        opening, change = (number.to_bytes(16, "big").hex().encode() for number in (1, 2))
        assert redis_server.run("GET", GENERATION) == change != opening
        assert await shown(b.cache) is None
        nursery.cancel_scope.cancel()


# Redis itself


async def test_the_content_is_json_under_its_key_and_ends_with_its_time(
    network: Network, redis_server: RedisServer
) -> None:
    a = await network.process()
    await store(a.cache, replace(OLD, expires_at=NOON + timedelta(seconds=7)))
    text, lasts_ms = redis_server.run("GET", "locations_status:all"), redis_server.run("PTTL", "locations_status:all")
    assert '"name":"ТЦ Дордой Плаза"' in text.decode()
    assert 0 < lasts_ms <= 7000


async def test_what_an_operator_deletes_is_not_shown(network: Network, redis_server: RedisServer) -> None:
    a = await network.process()
    await store(a.cache)
    redis_server.run("DEL", CONTENT)
    assert await shown(a.cache) is None


async def test_an_emptied_redis_shows_nothing_old_and_is_used_again(
    network: Network, redis_server: RedisServer
) -> None:
    a, b = await network.process(), await network.process()
    await store(a.cache)
    redis_server.run("FLUSHALL")
    assert await shown(a.cache) is None
    await store(a.cache, NEW)
    assert await shown(b.cache) == NEW


@pytest.mark.parametrize("text", ["", "{", '{"success": true, "locations": []}', "\xff\xfe", "[]"])
async def test_what_somebody_else_wrote_there_is_not_shown_and_is_replaced(
    network: Network, redis_server: RedisServer, text: str
) -> None:
    a = await network.process()
    redis_server.run("SET", CONTENT, text.encode("latin-1"))
    assert await shown(a.cache) is None
    await store(a.cache)
    assert await shown(a.cache) == OLD


async def test_a_key_of_another_kind_is_taken_over(network: Network, redis_server: RedisServer) -> None:
    a = await network.process()
    redis_server.run("LPUSH", CONTENT, "a list")
    await a.cache.fetch()
    await is_there(a.link)
    await store(a.cache)
    assert (await shown(a.cache), redis_server.run("TYPE", CONTENT)) == (OLD, b"string")


# Redis away


async def test_without_redis_each_process_keeps_its_own(network: Network, redis_server: RedisServer) -> None:
    redis_server.kill()
    a, b = await network.process(), await network.process()
    await store(a.cache)
    assert (await shown(a.cache), await shown(b.cache)) == (OLD, None)
    a.cache.forget()
    assert await shown(a.cache) is None


async def test_what_was_shown_last_is_still_there_when_redis_dies(network: Network, redis_server: RedisServer) -> None:
    a, b = await network.process(), await network.process()
    await store(a.cache)
    await shown(b.cache)
    redis_server.kill()
    await is_away(b.link)
    assert await shown(b.cache) == OLD
    b.cache.forget()
    assert await shown(b.cache) is None


async def test_a_hanging_redis_does_not_keep_anybody(network: Network, redis_server: RedisServer) -> None:
    a = await network.process(HASTY)
    redis_server.freeze()
    with trio.fail_after(10):
        await store(a.cache)
        assert await shown(a.cache) == OLD
    redis_server.thaw()


async def test_a_change_that_redis_was_not_told_of_is_not_shown_when_it_is_back(
    network: Network, redis_server: RedisServer
) -> None:
    """It was frozen, so it still has what was kept before."""
    a, b = await network.process(HASTY), await network.process(HASTY)
    await store(a.cache)
    redis_server.freeze()
    await is_away(a.link)
    await is_away(b.link)
    a.cache.forget()
    redis_server.thaw()
    await is_there(a.link)
    await is_there(b.link)
    assert (await shown(a.cache), await shown(b.cache)) == (None, None)


async def test_a_process_that_was_cut_off_makes_the_others_read_anew_when_it_is_back(
    network: Network, redis_server: RedisServer
) -> None:
    b = await network.process()
    link = RedisLink(redis_server.url, QUICK)
    a = SharedListCache(link, network.clock, network.tokens)
    await store(b.cache)
    a.forget()
    assert await shown(b.cache) == OLD  # nobody could tell it
    async with trio.open_nursery() as nursery:
        await nursery.start(link.run)
        assert (await shown(a), await shown(b.cache)) == (None, None)
        nursery.cancel_scope.cancel()


async def test_a_redis_that_comes_back_with_an_old_snapshot_is_not_believed(
    network: Network, redis_server: RedisServer
) -> None:
    a, b = await network.process(INATTENTIVE), await network.process(INATTENTIVE)
    await store(a.cache)
    await shown(b.cache)
    redis_server.run("SAVE")
    a.cache.forget()
    await store(a.cache, NEW)
    redis_server.kill()
    redis_server.start()
    assert redis_server.run("EXISTS", CONTENT) == 1
    for process in (a, b):
        await process.cache.look()  # notices
        await is_there(process.link)
    assert await shown(a.cache) is None
    assert await shown(b.cache) is None


async def test_a_redis_that_takes_nothing_more_counts_as_away(network: Network, redis_server: RedisServer) -> None:
    a = await network.process()
    redis_server.run("CONFIG", "SET", "maxmemory", "1")
    a.cache.forget()
    await is_away(a.link)
    await store(a.cache)
    assert await shown(a.cache) == OLD
    redis_server.run("CONFIG", "SET", "maxmemory", "0")
    await is_there(a.link)
    await store(a.cache, NEW)
    assert await shown(a.cache) == NEW


# All at once


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

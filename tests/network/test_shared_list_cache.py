"""The list in Redis: what only a cache that several processes share can get wrong, and a Redis that fails them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
import trio
import trio.testing

from evpower.db.redis_link import RedisLink
from evpower.network.list_cache import NetworkPicture
from evpower.network.shared_list_cache import CONTENT, GENERATION, SharedListCache
from tests.worlds.fakes import NOON
from tests.worlds.list_caches import INATTENTIVE, NEW, OLD, Network, Tokens, answering_after, shown, store
from tests.worlds.redis_server import HASTY, QUICK, RedisServer, is_away, is_there


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

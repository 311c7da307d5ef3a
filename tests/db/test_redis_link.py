"""The way to Redis: it may die, restart and hang, and whoever asks meanwhile is told so and not kept."""

from __future__ import annotations

import logging
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from urllib.parse import quote

import pytest
import trio
import trio.testing

from evpower.db.redis_link import THREADS_MAX, WAITING_MAX, Command, Patience, RedisLink
from evpower.errors import RedisAway
from tests.ocpp.authority import Authority, Pair
from tests.worlds.redis_server import HASTY, QUICK, RedisServer, is_away, is_there, until

SOON_S = 10.0


@asynccontextmanager
async def running(link: RedisLink) -> AsyncIterator[RedisLink]:
    async with trio.open_nursery() as nursery:
        await nursery.start(link.run)
        yield link
        nursery.cancel_scope.cancel()


async def answers_without_waiting(link: RedisLink) -> bool:
    """Whether a question is refused at once: in a cancelled scope nothing else could come of it."""
    with trio.CancelScope() as scope:
        scope.cancel()
        with pytest.raises(RedisAway):
            await link.ask(("PING",))
    return not scope.cancelled_caught


def said(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    """Each line's level and first words."""
    records = [record for record in caplog.records if record.name == "evpower.redis"]
    return [(record.levelname, record.getMessage().partition(",")[0]) for record in records]


async def test_commands_are_answered_in_their_order(redis_server: RedisServer) -> None:
    async with running(RedisLink(redis_server.url, QUICK)) as link:
        assert await link.ask(("SET", "k", "1"), ("INCR", "k"), ("GET", "k")) == [b"OK", 2, b"2"]


async def test_what_was_told_is_executed_before_what_is_asked_later(redis_server: RedisServer) -> None:
    async with running(RedisLink(redis_server.url, QUICK)) as link:
        link.enqueue(("SET", "k", "told"))
        assert await link.ask(("GET", "k")) == [b"told"]


async def test_each_of_many_at_once_gets_its_own_reply(redis_server: RedisServer) -> None:
    replies: dict[int, list[object]] = {}

    async def ask(number: int) -> None:
        replies[number] = await link.ask(("ECHO", str(number)))

    async with running(RedisLink(redis_server.url, Patience(turn_s=5))) as link, trio.open_nursery() as phones:
        for number in range(200):
            phones.start_soon(ask, number)
    assert replies == {number: [str(number).encode()] for number in range(200)}


async def test_who_asks_a_link_that_is_not_running_is_told_at_once() -> None:
    assert await answers_without_waiting(RedisLink("redis://127.0.0.1:1"))


async def test_a_server_that_is_not_there_delays_no_start(redis_server: RedisServer) -> None:
    redis_server.kill()
    with trio.fail_after(SOON_S):
        async with running(RedisLink(redis_server.url, QUICK)) as link:
            assert not link.is_there
            redis_server.start()
            await is_there(link)


async def test_a_killed_server_is_noticed_by_itself_and_found_again(redis_server: RedisServer) -> None:
    async with running(RedisLink(redis_server.url, QUICK)) as link:
        assert link.is_there
        redis_server.kill()
        await is_away(link)
        with pytest.raises(RedisAway):
            await link.ask(("PING",))
        redis_server.start()
        await is_there(link)
        assert (await link.ask(("PING",)), link.losses) == ([b"PONG"], 1)


async def test_a_server_that_restarts_between_two_questions_is_a_loss(redis_server: RedisServer) -> None:
    """A silent reconnection would trust a server that came back with what it had long ago."""
    async with running(RedisLink(redis_server.url, Patience(turn_s=5, ping_every_s=60, retry_after_s=0.01))) as link:
        redis_server.kill()
        redis_server.start()
        with pytest.raises(RedisAway):
            await link.ask(("PING",))


async def test_a_hanging_server_costs_one_turn_and_then_nothing(redis_server: RedisServer) -> None:
    async with running(RedisLink(redis_server.url, Patience(HASTY.turn_s, retry_after_s=60, ping_every_s=60))) as link:
        redis_server.freeze()
        with trio.fail_after(SOON_S), pytest.raises(RedisAway):
            await link.ask(("PING",))
        assert await answers_without_waiting(link)


async def test_a_hanging_server_is_found_again_when_it_goes_on(redis_server: RedisServer) -> None:
    async with running(RedisLink(redis_server.url, HASTY)) as link:
        redis_server.freeze()
        await is_away(link)
        redis_server.thaw()
        await is_there(link)


async def test_a_question_that_is_no_longer_waited_for_spoils_nothing(redis_server: RedisServer) -> None:
    async with running(RedisLink(redis_server.url, Patience(turn_s=5, ping_every_s=60))) as link:
        redis_server.freeze()
        async with trio.open_nursery() as phones:
            phones.start_soon(link.ask, ("ECHO", "hung up"))
            await trio.testing.wait_all_tasks_blocked()
            phones.cancel_scope.cancel()
        redis_server.thaw()
        assert (await link.ask(("ECHO", "next")), link.losses) == ([b"next"], 0)


async def test_every_connection_begins_with_the_opening(redis_server: RedisServer) -> None:
    opened = 0

    def opening() -> list[Command]:
        nonlocal opened
        opened += 1
        return [("SET", "opened", opened)]

    link = RedisLink(redis_server.url, QUICK)
    link.begin_with(opening)
    async with running(link):
        assert await link.ask(("GET", "opened")) == [b"1"]
        redis_server.kill()
        await is_away(link)
        redis_server.start()
        await is_there(link)
        assert await link.ask(("GET", "opened")) == [str(opened).encode()]


async def test_what_is_told_while_the_opening_is_on_its_way_follows_it(redis_server: RedisServer) -> None:
    link = RedisLink(redis_server.url, Patience(turn_s=5))
    link.begin_with(lambda: [("SET", "k", "opening")])
    redis_server.freeze()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(link.run)
        await trio.testing.wait_all_tasks_blocked()
        link.enqueue(("APPEND", "k", ", told"))
        redis_server.thaw()
        await is_there(link)
        assert await link.ask(("GET", "k")) == [b"opening, told"]
        nursery.cancel_scope.cancel()


async def test_an_error_of_the_server_is_a_loss_and_the_next_connection_is_clean(redis_server: RedisServer) -> None:
    async with running(RedisLink(redis_server.url, QUICK)) as link:
        with pytest.raises(RedisAway):
            await link.ask(("SET", "k", "text"), ("INCR", "k"), ("GET", "k"))
        await is_there(link)
        assert await link.ask(("GET", "k")) == [b"text"]


async def test_who_finds_too_many_before_him_does_not_wait(redis_server: RedisServer) -> None:
    async with running(RedisLink(redis_server.url, Patience(turn_s=5, ping_every_s=60))) as link:
        redis_server.freeze()
        for _ in range(WAITING_MAX):
            link.enqueue(("PING",))
        assert await answers_without_waiting(link)
        redis_server.thaw()


async def test_a_reply_that_never_ends_holds_few_threads() -> None:
    async def trickle(stream: trio.SocketStream) -> None:
        with suppress(trio.BrokenResourceError):
            while True:
                await stream.send_all(b"+")
                await trio.sleep(0.002)

    async with trio.open_nursery() as nursery:
        [listener] = await nursery.start(partial(trio.serve_tcp, trickle, 0, host="127.0.0.1"))
        port = listener.socket.getsockname()[1]
        link = RedisLink(f"redis://127.0.0.1:{port}", Patience(turn_s=0.05, retry_after_s=0))
        nursery.start_soon(link.run)
        await until(lambda: link.threads.statistics().tasks_waiting == 1)
        assert (link.threads.borrowed_tokens, link.is_there) == (THREADS_MAX, False)
        nursery.cancel_scope.cancel()


async def test_loss_and_return_are_said_once_each(redis_server: RedisServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    attempts = 0

    def opening() -> list[Command]:
        nonlocal attempts
        attempts += 1
        return [("PING",)]

    link = RedisLink(redis_server.url, QUICK)
    link.begin_with(opening)
    async with running(link):
        for _ in range(2):
            redis_server.kill()
            await is_away(link)
            failed = attempts
            await until(lambda failed=failed: attempts >= failed + 3)  # type: ignore[misc]
            redis_server.start()
            await is_there(link)
    away = ("WARNING", "Redis is away")
    there = ("INFO", "Redis is there")
    assert said(caplog) == [there, away, there, away, there]


@asynccontextmanager
async def tls_in_front(server: RedisServer, pair: Pair) -> AsyncIterator[int]:
    """A port where the server is reached by TLS."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pair.certificate, pair.key)

    async def pump(source: trio.abc.ReceiveStream, sink: trio.abc.SendStream) -> None:
        with suppress(trio.BrokenResourceError):
            async for data in source:
                await sink.send_all(data)

    async def carry(near: trio.SSLStream[trio.SocketStream]) -> None:
        far = await trio.open_tcp_stream("127.0.0.1", server.port)
        async with far, trio.open_nursery() as both:
            both.start_soon(pump, far, near)
            await pump(near, far)
            both.cancel_scope.cancel()

    async with trio.open_nursery() as nursery:
        serve = partial(trio.serve_ssl_over_tcp, carry, 0, context, host="127.0.0.1")
        [listener] = await nursery.start(serve)
        yield listener.transport_listener.socket.getsockname()[1]
        nursery.cancel_scope.cancel()


async def test_tls_is_spoken_with_a_server_whose_authority_is_named(redis_server: RedisServer, tmp_path: Path) -> None:
    ours, others = Authority(tmp_path), Authority(tmp_path, "Another CA")
    async with tls_in_front(redis_server, ours.issue("localhost", "localhost")) as port:
        url = f"rediss://localhost:{port}/0?ssl_ca_certs="
        async with running(RedisLink(f"{url}{quote(str(ours.file))}", Patience(turn_s=5))) as link:
            assert await link.ask(("PING",)) == [b"PONG"]
        async with running(RedisLink(f"{url}{quote(str(others.file))}", Patience(turn_s=5))) as link:
            assert not link.is_there


async def test_a_password_is_used_and_never_said(redis_server: RedisServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    redis_server.run("CONFIG", "SET", "requirepass", "right-secret")
    right, wrong = (redis_server.url.replace("//", f"//:{word}-secret@") for word in ("right", "wrong"))
    async with running(RedisLink(right, QUICK)) as link:
        assert await link.ask(("PING",)) == [b"PONG"]
    async with running(RedisLink(wrong, QUICK)) as link:
        assert not link.is_there
    assert said(caplog)[-1] == ("WARNING", "Redis is away")
    assert "secret" not in caplog.text

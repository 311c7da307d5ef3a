"""The doctor reaches for others: what answers, what does not, and why."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
import trio

from evpower.doctor.dialling import dial, redis_version
from tests.doctor.english import english
from tests.ocpp.authority import NOT_AFTER, Authority
from tests.worlds.redis_server import RedisServer


@pytest.fixture
async def https(tmp_path: Path, nursery: trio.Nursery) -> tuple[str, Authority]:
    """A TLS server for the name localhost, and who signed its certificate."""
    authority = Authority(tmp_path)
    pair = authority.issue("localhost", "localhost")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate, pair.key)

    async def serve(stream: trio.SSLStream[trio.SocketStream]) -> None:
        with trio.move_on_after(5):
            try:
                await stream.do_handshake()
                await stream.receive_some()
            except trio.BrokenResourceError:
                pass

    listeners = await trio.open_ssl_over_tcp_listeners(0, context, host="127.0.0.1")
    nursery.start_soon(trio.serve_listeners, serve, listeners)
    listener = listeners[0].transport_listener
    assert isinstance(listener, trio.SocketListener)
    return f"https://localhost:{listener.socket.getsockname()[1]}", authority


async def test_what_answers_shows_when_its_certificate_ends(https: tuple[str, Authority]) -> None:
    url, authority = https
    assert await dial(url, ssl.create_default_context(cafile=authority.file)) == ("", NOT_AFTER)


async def test_a_certificate_that_is_not_trusted_is_the_reason(https: tuple[str, Authority]) -> None:
    why, ends_at = await dial(https[0], ssl.create_default_context())
    assert (english(why).startswith("TLS: certificate verify failed"), ends_at) == (True, None)


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "https://127.0.0.1:1"])
async def test_a_door_that_is_shut_is_the_reason(url: str) -> None:
    why, ends_at = await dial(url, ssl.create_default_context())
    assert (english(why).endswith("Connection refused"), ends_at) == (True, None)


async def test_a_name_that_nobody_has_is_the_reason() -> None:
    why, _ = await dial("https://no-such-host.invalid", ssl.create_default_context())
    assert why


async def test_redis_says_its_version_or_why_not(redis_server: RedisServer) -> None:
    version, error = await redis_version(redis_server.url)
    assert (version[0].isdigit(), error) == (True, "")
    redis_server.kill()
    version, error = await redis_version(redis_server.url)
    assert (version, "refused" in error) == ("", True)

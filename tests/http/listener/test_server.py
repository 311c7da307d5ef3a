"""The listener over real sockets, and so without the fake clock: autojump and sockets do not mix."""

from __future__ import annotations

import json
import stat
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import trio
import trio.testing
from hypercorn.typing import ASGIFramework
from quart import websocket
from quart_trio import QuartTrio

from evpower.client_address import LOOPBACK, Network
from evpower.http.listener.server import ListenerSettings, serve_http
from evpower.http.wire.application import HttpApplication, RequestLimits
from tests.http.fakes import STATION, CountingIds, World

UPGRADE = (
    b"GET /live HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
#: A masked text frame "hi".
FRAME = b"\x81\x82\x00\x00\x00\x00hi"
ORDER = b'{"client_id":"6f1c","station_id":"EVP-001-01","connector_id":1}'


@dataclass
class Running:
    """A server in the background."""

    binds: list[str]
    draining: trio.Event
    scope: trio.CancelScope
    ended: trio.Event = field(default_factory=trio.Event)

    async def connect(self) -> trio.SocketStream:
        bind = self.binds[0]
        if bind.startswith("unix:"):
            return await trio.open_unix_socket(bind.removeprefix("unix:"))
        return await trio.open_tcp_stream("127.0.0.1", int(bind.rpartition(":")[2]))

    async def exchange(self, request: bytes) -> bytes:
        """Everything the server says to one request on a connection of its own."""
        async with await self.connect() as stream:
            await stream.send_all(request)
            return b"".join([chunk async for chunk in stream])


@asynccontextmanager
async def serving(
    app: ASGIFramework, bind: str = "127.0.0.1:0", settings: ListenerSettings | None = None
) -> AsyncIterator[Running]:
    draining, ended, scope = trio.Event(), trio.Event(), trio.CancelScope()

    async def serve(task_status: trio.TaskStatus[list[str]]) -> None:
        with scope:
            run = partial(serve_http, app, [bind], settings=settings or ListenerSettings(), draining=draining)
            await run(task_status=task_status)
        ended.set()

    with trio.fail_after(20):
        async with trio.open_nursery() as nursery:
            yield Running(await nursery.start(serve), draining, scope, ended)
            draining.set()
            scope.cancel()


def request(target: str, body: bytes = b"", *, method: str = "GET", connection: str = "close") -> bytes:
    head = f"{method} {target} HTTP/1.1\r\nHost: x\r\nConnection: {connection}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def start_request() -> bytes:
    return request("/api/v1/charging/start", ORDER, method="POST")


@pytest.fixture
def world() -> World:
    return World()


async def test_port_0_is_answered_at_the_reported_bind(world: World) -> None:
    async with serving(world.app) as server:
        assert not server.binds[0].endswith(":0")
        answer = await server.exchange(request(f"/api/v1/station/status/{STATION}"))
        assert answer.startswith(b"HTTP/1.1 200 \r\n")
        assert b"content-type: application/json" in answer.lower()
        assert b"hypercorn" not in answer.lower()


CITY = "/api/v1/locations?city=Бишкек"


async def test_a_raw_utf_8_byte_in_a_target_is_read_as_if_it_were_percent_encoded(world: World) -> None:
    """Field ruling 6.10: `curl "…?city=Бишкек"` sends it raw, and was refused as no request of HTTP."""
    assert "Бишкек".encode() in request(CITY)
    async with serving(world.app) as server:
        raw, encoded = [await server.exchange(request(target)) for target in (CITY, quote(CITY, safe="/?="))]
        assert raw.startswith(b"HTTP/1.1 200 ")
        assert b'"total":1' in raw
        assert raw.rpartition(b"\r\n")[2] == encoded.rpartition(b"\r\n")[2]
        assert b'"total":0' in await server.exchange(request("/api/v1/locations?city=Ош"))


async def test_raw_bytes_in_a_path_are_what_the_encoded_ones_are(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """Field ruling 6.10; the log has them encoded, and no byte can write a line of its own into it."""
    caplog.set_level("INFO")
    async with serving(world.app) as server:
        answer = await server.exchange(request("/api/v1/station/status/Станция"))
        assert b'"error":"station_not_found"' in answer
        assert b" 400 " in (await server.exchange(b"GET /\xff\x01 HTTP/1.1\r\nHost: x\r\n\r\n")).splitlines()[0]
        assert b" 400 " in (await server.exchange("ПОШЛИ / HTTP/1.1\r\nHost: x\r\n\r\n".encode())).splitlines()[0]
    assert "GET /api/v1/station/status/%D0%A1%D1%82%D0%B0%D0%BD%D1%86%D0%B8%D1%8F - 404" in caplog.text


async def test_a_preflight_has_no_body_and_no_length(world: World) -> None:
    """Field ruling 6.2; RFC 9110 §8.6: a 204 has no Content-Length."""
    async with serving(world.app) as server:
        head, _, body = (await server.exchange(request("/nowhere", method="OPTIONS"))).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 204 ")
    assert b"content-length" not in head.lower()
    assert body == b""


async def test_a_raw_target_may_come_in_pieces_after_another_request_and_before_a_raw_body(world: World) -> None:
    """Field ruling 6.10: only a request line is touched, wherever in the stream it stands."""
    first = request(CITY, "тело".encode(), method="POST", connection="keep-alive")
    second = request(CITY)
    middle = second.index("шкек".encode()) + 1
    async with serving(world.app) as server, await server.connect() as stream:
        await stream.send_all(first + second[:middle])
        await trio.testing.wait_all_tasks_blocked(0.05)
        await stream.send_all(second[middle:])
        answers = b"".join([chunk async for chunk in stream])
    assert answers.startswith(b"HTTP/1.1 405 ")
    assert b"HTTP/1.1 200 " in answers
    assert b'"total":1' in answers


async def test_a_double_slash_is_a_404_and_no_redirect(world: World) -> None:
    async with serving(world.app) as server:
        answer = await server.exchange(request("/api//v1/balance/6f1c"))
        assert b" 404 " in answer.splitlines()[0]
        assert b"application/json" in answer


async def test_a_connection_is_closed_after_its_answer_when_the_client_asked_for_that(world: World) -> None:
    """quart-trio cancels Hypercorn in the middle of closing it, and it stays open for ever."""
    async with serving(world.app) as server, await server.connect() as stream:
        await stream.send_all(request("/version", connection="close"))
        assert b"".join([chunk async for chunk in stream])


async def test_a_kept_connection_is_closed_when_it_stays_idle(world: World) -> None:
    settings = ListenerSettings(keep_alive_timeout_s=0.05)
    async with serving(world.app, settings=settings) as server, await server.connect() as stream:
        await stream.send_all(request("/version", connection="keep-alive"))
        assert b"".join([chunk async for chunk in stream])


async def test_a_unix_socket_is_for_owner_and_group(world: World, tmp_path: Path) -> None:
    path = tmp_path / "evpower.sock"
    async with serving(world.app, f"unix:{path}") as server:
        assert stat.S_IMODE(path.stat().st_mode) == 0o660
        assert server.binds == [f"unix:{path}"]
        assert b" 200 " in await server.exchange(request("/version"))
    assert not path.exists()


async def test_a_dead_servers_socket_file_is_replaced(world: World, tmp_path: Path) -> None:
    path = tmp_path / "evpower.sock"
    dead = trio.socket.socket(trio.socket.AF_UNIX)
    await dead.bind(str(path))
    dead.close()
    async with serving(world.app, f"unix:{path}") as server:
        assert b" 200 " in await server.exchange(request("/version"))


async def test_a_living_servers_socket_is_left_alone(world: World, tmp_path: Path) -> None:
    bind = f"unix:{tmp_path / 'evpower.sock'}"
    async with serving(world.app, bind) as server:
        with pytest.raises(OSError, match="another server is listening"):
            await serve_http(world.app, [bind], settings=ListenerSettings())
        assert b" 200 " in await server.exchange(request("/version"))


async def test_a_file_in_the_way_is_not_removed(world: World, tmp_path: Path) -> None:
    path = tmp_path / "evpower.sock"
    path.write_text("precious")
    with pytest.raises(OSError, match="no socket is in the way"):
        await serve_http(world.app, [f"unix:{path}"], settings=ListenerSettings())
    assert path.read_text() == "precious"


@pytest.mark.parametrize("bind", ["nonsense", "127.0.0.1:x", "127.0.0.1:99999", "203.0.113.1:0"])
async def test_a_bind_that_cannot_be_had_is_named(world: World, bind: str) -> None:
    with pytest.raises(OSError, match=bind):
        await serve_http(world.app, [bind], settings=ListenerSettings())


def live_app() -> QuartTrio:
    """An application with one WebSocket that repeats what it hears."""
    app = HttpApplication("live", ids=CountingIds(), limits=RequestLimits())

    @app.websocket("/live")
    async def live() -> None:
        while True:
            await websocket.send(await websocket.receive())

    @app.get("/version")
    async def version() -> dict[str, str]:
        return {}

    return app


async def test_a_socket_its_application_has_closed_takes_whatever_comes_behind() -> None:
    """Safe by default 4: Hypercorn waited for room in the queue of the ended application, for ever (`make fuzz`)."""

    async def short(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        await receive()
        await trio.testing.wait_all_tasks_blocked()  # its queue is full then, and the reader waits for room
        await send({"type": "websocket.close", "code": 1009})

    async with serving(short) as server, await server.connect() as phone:
        await phone.send_all(UPGRADE)
        assert b" 101 " in await phone.receive_some()
        before = trio.lowlevel.current_statistics().tasks_living
        await phone.send_all(FRAME * 40)
        with trio.fail_after(10):
            while await phone.receive_some():
                pass
            await phone.aclose()
            while trio.lowlevel.current_statistics().tasks_living >= before:  # noqa: ASYNC110 - another's tasks
                await trio.sleep(0.01)


async def test_a_frame_sent_together_with_the_upgrade_ends_only_its_own_connection() -> None:
    """Hypercorn issue 225: it ended `serve()` and every connection with it."""
    async with serving(live_app()) as server, await server.connect() as bystander:
        await bystander.send_all(UPGRADE)
        assert b" 101 " in await bystander.receive_some()
        await server.exchange(UPGRADE + FRAME)
        await bystander.send_all(FRAME)
        assert await bystander.receive_some() == b"\x81\x02hi"
        assert b" 200 " in await server.exchange(request("/version"))


@pytest.mark.parametrize(
    "garbage", [b"\x16\x03\x01\x02\x00", b"GET / HTTP/9.9\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"]
)
async def test_garbage_ends_only_its_own_connection(world: World, garbage: bytes) -> None:
    async with serving(world.app) as server:
        async with await server.connect() as stream:
            await stream.send_all(garbage + b"\r\n\r\n")
            await stream.send_eof()
            with trio.move_on_after(5):
                async for _ in stream:
                    pass
        assert b" 200 " in await server.exchange(request("/version"))


async def test_a_wish_for_http_2_in_clear_is_ignored(world: World) -> None:
    """Safe by default 1: Hypercorn served it, and headers of its streams passed the proxy in front."""
    wish = b"Upgrade: h2c\r\nConnection: close, Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n"
    async with serving(world.app) as server:
        answer = await server.exchange(b"GET /version HTTP/1.1\r\nHost: x\r\n" + wish + b"\r\n")
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"upgrade" not in answer.lower()
    assert answer.endswith(b"}")


BOTH_LENGTHS = (
    b"POST /api/v1/charging/start HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"0\r\n\r\nGET /version HTTP/1.1\r\nHost: x\r\n\r\n"
)


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
        (b"GET /version HTTP/9.9\r\nHost: x\r\n\r\n", 400),
        (BOTH_LENGTHS, 400),
        (b"GET /version HTTP/1.1\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 100_000 + b"\r\n\r\n", 431),
        (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n", 501),
    ],
)
async def test_what_is_no_plain_request_gets_one_refusal_in_json_and_the_end(
    world: World, raw: bytes, status: int
) -> None:
    """Safe by default 1 and 10: two readings of one request are a way past a proxy; every refusal is JSON."""
    async with serving(world.app) as server:
        head, _, body = (await server.exchange(raw)).partition(b"\r\n\r\n")
    assert head.startswith(f"HTTP/1.1 {status} ".encode())
    assert b"application/json" in head
    assert json.loads(body)["success"] is False


HANDSHAKE = UPGRADE.removesuffix(b"\r\n")


@pytest.mark.parametrize(
    "raw",
    [
        HANDSHAKE + b"Content-Length: 5\r\n\r\nhello",
        HANDSHAKE + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        UPGRADE.replace(b"HTTP/1.1", b"HTTP/1.0"),
        UPGRADE.replace(b"Version: 13", b"Version: 99"),
        UPGRADE.replace(b"Sec-WebSocket-Key", b"X-Key"),
        UPGRADE.replace(b"Connection: Upgrade", b"Connection: close"),
        UPGRADE + FRAME,
        b"GET http://[::1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"GET x HTTP/1.1\r\nHost: x\r\n\r\n",
        b"CONNECT host:80 HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
)
async def test_no_stranger_causes_an_error_of_ours(raw: bytes, caplog: pytest.LogCaptureFixture) -> None:
    """Safe by default 10: each of these was an ERROR with a traceback."""
    async with serving(live_app()) as server:
        answer = await server.exchange(raw)
    assert b" 400 " in answer.splitlines()[0] or answer == b"" or b" 404 " in answer.splitlines()[0]
    assert [record.message for record in caplog.records if record.levelname == "ERROR" or record.exc_info] == []


async def test_a_refusal_of_a_head_request_has_no_body(world: World) -> None:
    async with serving(world.app) as server:
        answer = await server.exchange(BOTH_LENGTHS.replace(b"POST", b"HEAD"))
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.endswith(b"\r\n\r\n")


@pytest.mark.parametrize("target", ["//version", "//", "/%2Fversion", "http://x//version", "///api/v1/balance/6f1c"])
async def test_a_path_has_one_name(world: World, target: str) -> None:
    """Safe by default 1: `//metrics` was `/metrics` to the router, and not to the proxy's rule."""
    async with serving(world.app) as server:
        answer = await server.exchange(request(target))
    assert b" 404 " in answer.splitlines()[0]
    assert b'"error":"not_found"' in answer


async def test_a_sockets_path_has_one_name_too() -> None:
    async with serving(live_app()) as server:
        assert b" 404 " in await server.exchange(UPGRADE.replace(b"/live", b"//live"))


async def test_a_phones_socket_has_no_compression() -> None:
    """Safe by default 4: a small frame cannot become a large one."""
    wish = b"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n"
    async with serving(live_app()) as server, await server.connect() as stream:
        await stream.send_all(UPGRADE.removesuffix(b"\r\n") + wish)
        answer = await stream.receive_some()
        assert b" 101 " in answer
        assert b"extensions" not in answer.lower()


async def test_a_body_over_64_kib_is_answered_413_though_it_is_still_being_sent(world: World) -> None:
    async with serving(world.app) as server:
        answer = await server.exchange(request("/api/v1/charging/start", b" " * (64 * 1024 + 1), method="POST"))
        assert b" 413 " in answer.splitlines()[0]
        assert b'"error":"request_too_large"' in answer


@pytest.mark.parametrize("target", ["/api/v1/charging/start", "/version", "/nowhere"])
async def test_a_body_too_large_is_refused_from_the_header_alone(world: World, target: str) -> None:
    """Safe by default 3: not a byte of it is waited for, wherever it goes."""
    head = f"POST {target} HTTP/1.1\r\nHost: x\r\nContent-Length: {10 * 1024 * 1024}\r\n\r\n"
    async with serving(world.app) as server:
        answer = await server.exchange(head.encode())
    assert b" 413 " in answer.splitlines()[0]
    assert b"connection: close" in answer.lower()


async def test_a_body_without_a_length_is_refused_when_it_is_too_large(world: World) -> None:
    """Safe by default 3."""
    head = b"POST /api/v1/charging/start HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunk = b"4000\r\n" + b" " * 0x4000 + b"\r\n"
    async with serving(world.app) as server:
        answer = await server.exchange(head + chunk * 5)
    assert b" 413 " in answer.splitlines()[0]


@pytest.mark.parametrize("begin", [lambda server: server.draining.set(), lambda server: server.scope.cancel()])
async def test_a_request_in_flight_is_answered_when_a_drain_or_a_cancellation_begins(
    world: World, begin: Callable[[Running], None]
) -> None:
    world.charging.hold = trio.Event()
    answers: list[bytes] = []

    async with serving(world.app) as server:

        async def tap() -> None:
            answers.append(await server.exchange(start_request()))

        async with trio.open_nursery() as taps:
            taps.start_soon(tap)
            await world.charging.waiting.wait()
            begin(server)
            await trio.testing.wait_all_tasks_blocked()
            world.charging.hold.set()
        await server.ended.wait()
    assert b'"success":true' in answers[0]


async def test_a_cancellation_while_draining_ends_at_once(world: World) -> None:
    world.charging.hold = trio.Event()
    async with serving(world.app, settings=ListenerSettings(drain_s=3600)) as server, await server.connect() as stream:
        await stream.send_all(start_request())
        await world.charging.waiting.wait()
        server.draining.set()
        await trio.testing.wait_all_tasks_blocked()
        server.scope.cancel()
        await server.ended.wait()
        assert not world.charging.finished.is_set()


async def test_the_drain_has_a_deadline(world: World) -> None:
    world.charging.hold = trio.Event()
    async with serving(world.app, settings=ListenerSettings(drain_s=0.05)) as server, await server.connect() as stream:
        await stream.send_all(start_request())
        await world.charging.waiting.wait()
        server.draining.set()
        await server.ended.wait()


async def test_an_idle_connection_does_not_hold_up_the_drain(world: World) -> None:
    async with serving(world.app, settings=ListenerSettings(drain_s=3600)) as server, await server.connect() as stream:
        await stream.send_all(request("/version", connection="keep-alive"))
        assert b" 200 " in await stream.receive_some()
        server.draining.set()
        await server.ended.wait()


async def test_busy_phones_do_not_hold_up_the_drain(world: World) -> None:
    """Money audit B1: each keeps its connection and asks again at once. The whole `drain_s` went by."""
    lasts: list[bytes] = []
    busy = trio.Event()
    async with serving(world.app, settings=ListenerSettings(drain_s=3600)) as server:

        async def phone() -> None:
            async with await server.connect() as stream:
                with suppress(trio.BrokenResourceError):
                    while True:
                        await stream.send_all(request("/version", connection="keep-alive"))
                        answer = await stream.receive_some()
                        if not answer:
                            return
                        lasts.append(answer)
                        if len(lasts) == 1000:
                            busy.set()

        async with trio.open_nursery() as phones:
            for _ in range(8):
                phones.start_soon(phone)
            await busy.wait()
            server.draining.set()
            began = trio.current_time()
        await server.ended.wait()
    assert trio.current_time() - began < 3
    assert any(b"connection: close" in answer.lower() for answer in lasts[-8:])


async def test_a_body_that_does_not_come_does_not_hold_up_the_drain(world: World) -> None:
    """Money audit B1."""
    async with serving(world.app, settings=ListenerSettings(drain_s=3600)) as server, await server.connect() as stream:
        await stream.send_all(start_request()[:-5])
        await trio.testing.wait_all_tasks_blocked(0.05)
        began = trio.current_time()
        server.draining.set()
        await server.ended.wait()
        assert trio.current_time() - began < 3
    assert not world.charging.waiting.is_set()


async def test_a_peer_that_does_not_read_does_not_hold_up_the_drain() -> None:
    """Money audit B1: the send's own time-out is half a minute."""
    answering = trio.Event()
    async with (
        serving(big_app(answering), settings=ListenerSettings(drain_s=3600)) as server,
        await server.connect() as stream,
    ):
        await stream.send_all(request("/big"))
        await answering.wait()
        began = trio.current_time()
        server.draining.set()
        await server.ended.wait()
        assert trio.current_time() - began < 3


async def test_no_one_is_accepted_once_the_drain_began(world: World) -> None:
    async with serving(world.app) as server:
        server.draining.set()
        await server.ended.wait()
        with pytest.raises(OSError, match="connect"):
            await server.connect()


def big_app(began: trio.Event) -> QuartTrio:
    """An application whose answer is larger than any socket's buffers."""
    app = QuartTrio("big")

    @app.get("/big")
    async def big() -> bytes:
        began.set()
        return b"x" * 64 * 1024 * 1024

    return app


async def test_a_peer_that_does_not_read_is_given_up() -> None:
    began, settings = trio.Event(), ListenerSettings(drain_s=3600, send_timeout_s=0.05)
    async with serving(big_app(began), settings=settings) as server, await server.connect() as stream:
        await stream.send_all(request("/big"))
        await began.wait()
        server.draining.set()
        await server.ended.wait()


async def test_a_peer_that_does_not_read_cannot_hold_up_the_end() -> None:
    began, settings = trio.Event(), ListenerSettings(drain_s=0.05, send_timeout_s=3600)
    async with serving(big_app(began), settings=settings) as server, await server.connect() as stream:
        await stream.send_all(request("/big"))
        await began.wait()
        server.draining.set()
        await server.ended.wait()


@pytest.mark.parametrize(("proxies", "most"), [((), 2), (LOOPBACK, 3)])
async def test_one_address_has_so_many_connections_and_a_proxy_more(
    world: World, proxies: tuple[Network, ...], most: int, caplog: pytest.LogCaptureFixture
) -> None:
    """Safe by default 4: the next one is closed, a flood of them is one line."""
    settings = ListenerSettings(connections_per_address=2, connections_per_proxy=3, trusted_proxies=proxies)
    async with serving(world.app, settings=settings) as server, AsyncExitStack() as held:
        for _ in range(most):
            stream = await held.enter_async_context(await server.connect())
            await stream.send_all(request("/version", connection="keep-alive"))
            assert b" 200 " in await stream.receive_some()
        for _ in range(3):
            assert await server.exchange(b"") == b""
    assert len([line for line in caplog.messages if "connections refused" in line]) == 1


async def test_connections_over_the_limit_are_closed(world: World) -> None:
    async with serving(world.app, settings=ListenerSettings(connections_max=1)) as server:
        first = await server.connect()
        async with first:
            await first.send_all(request("/version", connection="keep-alive"))
            assert b" 200 " in await first.receive_some()
            assert await server.exchange(b"") == b""

"""Broken HTTP and WebSocket bytes at the phones' listener."""

from __future__ import annotations

import random

import trio
import trio.lowlevel

from evpower.client_address import LOOPBACK
from evpower.http.listener.server import ListenerSettings, serve_http
from tests.fuzz.storm import Duration, storm
from tests.http.fakes import World

AT_ONCE = 30
WAIT_S = 0.05

METHODS = (b"GET", b"POST", b"PUT", b"OPTIONS", b"HEAD", b"DELETE", b"CONNECT", b"TRACE", b"FOO", b"get")
TARGETS = (
    *(
        b"/",
        b"*",
        b"x",
        b"//x",
        b"host:80",
        b"http://x/y",
        b"http://[::1",
        b"http://x#y",
        b"/?a=%ff&%",
        b"/%ff%fe",
        b"/a?b#c",
    ),
    *(
        b"/api/v1/charging/start",
        b"/api/v1/balance/a%00b",
        b"/api/v1/station/status/%0a%0d",
        b"/api/v1/locations?x=%D0",
    ),
    *(b"/api/v1/ws/locations", b"/api/v1/ws/locations?client_id=%00", b"/metrics", b"/..//..", b"/;x=%2F"),
)
HANDSHAKE = (
    *(b"Host: x", b"Connection: Upgrade", b"Upgrade: websocket", b"Sec-WebSocket-Version: 13"),
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
)
HEADERS = (
    *HANDSHAKE,
    *(
        b"Host: a b",
        b"Host: [",
        b"Host: \xff",
        b"Host:",
        b": x",
        b"X y: z",
        b"Content-Length: 5",
        b"Content-Length: -1",
    ),
    *(b"Content-Length: 99999999999999999999", b"Content-Length: 5, 5", b"Transfer-Encoding: chunked", b"Upgrade: h2c"),
    *(b"Expect: 100-continue", b"Sec-WebSocket-Key: x", b"Sec-WebSocket-Version: 99", b"Sec-WebSocket-Protocol: a,b"),
    *(b"Origin: null", b"Origin: http://[", b"Origin: \xc3\xa9", b"Idempotency-Key: \xff", b"Idempotency-Key: k"),
    *(
        b"Content-Type: application/json; charset=bogus",
        b"Content-Type: multipart/form-data; boundary=x",
        b"Cookie: \xff=\1",
    ),
    *(
        b"Authorization: Basic \xff",
        b"Authorization: Bearer",
        b"X-Forwarded-For: ,,,%",
        b"X-Forwarded-For: 1.2.3.4, ::zz",
    ),
    *(b"X-Correlation-ID: a b", b"Accept-Language: \xff", b"Connection: close", b"Connection: keep-alive, Upgrade"),
    *(b"Sec-WebSocket-Extensions: permessage-deflate", b"User-Agent: " + b"a" * 3000),
)
BODIES = (
    *(b"", b"hello", b"{}", b'{"client_id":"a"}', b"5\r\nhello\r\n0\r\n\r\n", b"zz\r\n", b"\xff" * 40),
    *(
        b"\x81\x82\0\0\0\0hi",
        b"\x88\x80\0\0\0\0",
        b"\x81\xff" + b"\xff" * 8,
        b"\x89\x80\0\0\0\0" * 20,
        b"\x81\x81\0\0\0\0\xff",
    ),
    *(b"\x01\x81\0\0\0\0a\x81\x81\0\0\0\0b", b"\xc1\x80\0\0\0\0", b"\x88\x82\0\0\0\0\x03\xe8", b"\x88\x81\0\0\0\0x"),
)


def broken(dice: random.Random) -> bytes:
    """A request that may be one."""
    method, target = dice.choice(METHODS), dice.choice(TARGETS)
    headers = dice.sample(HEADERS, dice.randint(0, 7))
    if dice.random() < 0.8:
        headers = [b"Host: x", *headers]
    if dice.random() < 0.35:
        method, headers = b"GET", [*HANDSHAKE, *dice.sample(HEADERS, dice.randint(0, 2))]
        target = dice.choice((b"/api/v1/ws/locations", target))
    version = dice.choice((b"HTTP/1.1", b"HTTP/1.1", b"HTTP/1.1", b"HTTP/1.0", b"HTTP/2.0", b"X"))
    body = b"".join(dice.choice(BODIES) for _ in range(dice.randint(0, 3)))
    raw = bytearray(b"\r\n".join((b" ".join((method, target, version)), *headers)) + b"\r\n\r\n" + body)
    if dice.random() < 0.15:
        for _ in range(dice.randint(1, 4)):
            raw[dice.randrange(len(raw))] = dice.randrange(256)
    return bytes(raw)


async def send(port: int, raw: bytes, cut: int, ends: bool) -> None:
    """In two pieces, and what is answered read for a moment."""
    try:
        async with await trio.open_tcp_stream("127.0.0.1", port) as stream:
            await stream.send_all(raw[:cut])
            await trio.lowlevel.checkpoint()
            await stream.send_all(raw[cut:])
            if ends:
                await stream.send_eof()
            with trio.move_on_after(WAIT_S):
                async for _ in stream:
                    pass
    except (trio.BrokenResourceError, OSError):
        pass


async def fuzz(duration: Duration, dice: random.Random) -> str:
    """What went wrong; empty when nothing did."""
    async with trio.open_nursery() as nursery:
        app = World(rate_limit_exempt=LOOPBACK).app

        async def serve(task_status: trio.TaskStatus[list[str]]) -> None:
            await serve_http(app, ["127.0.0.1:0"], settings=ListenerSettings(), task_status=task_status)

        (bind,) = await nursery.start(serve)
        port = int(bind.rpartition(":")[2])

        async def volley() -> list[bytes]:
            sent = [broken(dice) for _ in range(AT_ONCE)]
            async with trio.open_nursery() as peers:
                for raw in sent:
                    peers.start_soon(send, port, raw, dice.randint(0, len(raw)), dice.random() < 0.5)
            return sent

        wrong = await storm(volley, duration)
        nursery.cancel_scope.cancel()
    return wrong

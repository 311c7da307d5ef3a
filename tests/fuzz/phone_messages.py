"""Broken frames and messages at the phones' socket, behind a handshake that is right."""

from __future__ import annotations

import random

import trio

from evpower.client_address import LOOPBACK
from evpower.http.listener.server import ListenerSettings, serve_http
from tests.fuzz.http_bytes import HANDSHAKE, WAIT_S
from tests.fuzz.oddities import bent, framed, odd_value, written
from tests.fuzz.storm import Duration, storm
from tests.http.fakes import World

#: One address may have 20.
AT_ONCE = 15
TARGETS = (b"/api/v1/ws/locations", b"/api/v1/ws/locations?client_id=c", b"/api/v1/locations/ws/locations")
CHANNELS = ("all", "location:L1", "location_stations:L1", "station:S1", "station:", "location:a b", "nothing", "all:x")


def message(dice: random.Random) -> object:
    """A message in the seed's dialect or the app's that is nearly right."""
    action, channel = dice.choice(("subscribe", "unsubscribe", "ping", "")), dice.choice(CHANNELS)
    match dice.randrange(4):
        case 0:
            return odd_value(dice)
        case 1:
            return bent(dice, {"type": action, "data": {"channel": channel}})
        case _:
            return bent(dice, {"action": action, "channel": channel})


def upgrade(dice: random.Random) -> bytes:
    """A handshake that is right."""
    return b"\r\n".join((b"GET " + dice.choice(TARGETS) + b" HTTP/1.1", *HANDSHAKE)) + b"\r\n\r\n"


def conversation(dice: random.Random) -> bytes:
    """What one phone sends once it is let in: now and then far too much."""
    many = dice.choice((1, 3, 8, 8, 200))
    return b"".join(framed(dice, written(dice, message(dice))) for _ in range(many))


async def phone(port: int, upgrade: bytes, raw: bytes, cut: int) -> None:
    """Is let in, sends it in two pieces, and reads the answers for a moment."""
    try:
        async with await trio.open_tcp_stream("127.0.0.1", port) as stream:
            await stream.send_all(upgrade)
            await stream.receive_some()
            await stream.send_all(raw[:cut])
            await trio.lowlevel.checkpoint()
            await stream.send_all(raw[cut:])
            with trio.move_on_after(WAIT_S):
                async for _ in stream:
                    pass
    except (trio.BrokenResourceError, OSError):
        pass  # it was shut out, as it should be


async def fuzz(duration: Duration, dice: random.Random) -> str:
    """What went wrong; empty when nothing did."""
    async with trio.open_nursery() as nursery:
        app = World(rate_limit_exempt=LOOPBACK).app

        async def serve(task_status: trio.TaskStatus[list[str]]) -> None:
            await serve_http(app, ["127.0.0.1:0"], settings=ListenerSettings(), task_status=task_status)

        (bind,) = await nursery.start(serve)
        port = int(bind.rpartition(":")[2])

        async def volley() -> list[bytes]:
            sent = [conversation(dice) for _ in range(AT_ONCE)]
            async with trio.open_nursery() as phones:
                for raw in sent:
                    phones.start_soon(phone, port, upgrade(dice), raw, dice.randint(0, len(raw)))
            return sent

        wrong = await storm(volley, duration)
        nursery.cancel_scope.cancel()
    return wrong

"""Echo over our charger transport beside trio-websocket's server: CPU per message, and memory per idle peer.

`python -m benchmarks.transport` compares; with a name, ours or trio-websocket, it is the echo server that is measured.
"""

from __future__ import annotations

import functools
import sys
from statistics import median

import trio
from trio_websocket import ConnectionClosed, WebSocketRequest, serve_websocket

from benchmarks import table
from benchmarks.chargers import ConnectedStation, Fleet, NextCall
from benchmarks.processes import Server, serving
from evpower.ocpp.door.stream import DirectStream, open_listeners
from evpower.ocpp.door.sweeper import Sweeper
from evpower.ocpp.wire.transport import SocketClosed, SocketLimits, StationSocket

NAMES = ("ours", "trio-websocket")
PEERS = 200
IDLE_PEERS = 1_000
MESSAGES = 10_000
WARM_UP = 2_000
ROUNDS = 3
#: As long as a MeterValues of one quantity.
TEXT = b'[3,"' + b"x" * 190 + b'",{}]'


async def echo(stream: DirectStream, *, sweeper: Sweeper, flushers: trio.Nursery) -> None:
    """One peer on our transport."""
    socket = StationSocket(stream, limits=SocketLimits(), flushers=flushers)
    sweeper.watch(socket)
    try:
        with socket.alive:
            handshake, request = await socket.read_request()
            await socket.accept(handshake, request, "ocpp1.6")
            while True:
                await socket.send(await socket.receive())
    except SocketClosed:
        pass
    finally:
        sweeper.forget(socket)
        with trio.move_on_after(1, shield=True):
            await socket.aclose()


async def serve_ours() -> None:
    """Our transport without anything above it."""
    async with trio.open_nursery() as nursery:
        sweeper = Sweeper()
        flushers = await nursery.start(sweeper.run)
        listeners = await open_listeners("127.0.0.1", 0)
        print(listeners[0].address[1], flush=True)
        await trio.serve_listeners(functools.partial(echo, sweeper=sweeper, flushers=flushers), listeners)


async def serve_library() -> None:
    """trio-websocket, as its documentation has it."""

    async def handle(request: WebSocketRequest) -> None:
        peer = await request.accept(subprotocol="ocpp1.6")
        try:
            while True:
                await peer.send_message(await peer.get_message())
        except ConnectionClosed:
            pass

    async with trio.open_nursery() as nursery:
        server = await nursery.start(serve_websocket, handle, "127.0.0.1", 0, None)
        print(server.port, flush=True)


def compare() -> None:
    """Measure both servers and print."""
    costs: dict[str, list[float]] = {name: [] for name in NAMES}
    memory = {}
    for name in NAMES:
        with serving("benchmarks.transport", name) as server:
            memory[name] = _idle_kib(server)
    for _ in range(ROUNDS):
        for name in NAMES:
            with serving("benchmarks.transport", name) as server:
                costs[name].append(_echo_us(server))
    table.head(f"Transport alone: {len(TEXT)} bytes echoed to {PEERS} peers", "trio-websocket")
    ours_us, library_us = (median(costs[name]) for name in NAMES)
    table.line("server CPU, us per message", ours_us, library_us, ".1f")
    ours_kib, library_kib = (memory[name] for name in NAMES)
    table.line("KiB per idle peer", ours_kib, library_kib, ".1f")


def _echo_us(server: Server) -> float:
    with Fleet() as fleet:
        fleet.connect(["peer"] * PEERS, server.port)
        fleet.drive(_texts(WARM_UP), upgrading=True)
        before = server.cpu_s()
        fleet.drive(_texts(MESSAGES))
        return (server.cpu_s() - before) * 1e6 / MESSAGES


def _idle_kib(server: Server) -> float:
    with Fleet() as first, Fleet() as idle:
        first.connect(["peer"] * 20, server.port)
        first.drive(_texts(WARM_UP), upgrading=True)
        before = server.rss_bytes()
        idle.connect(["peer"] * IDLE_PEERS, server.port)
        idle.drive(_texts(IDLE_PEERS), upgrading=True)
        return (server.rss_bytes() - before) / 1024 / IDLE_PEERS


def _texts(messages: int) -> NextCall:
    left = messages

    def next_text(_: ConnectedStation) -> bytes | None:
        nonlocal left
        left -= 1
        return TEXT if left >= 0 else None

    return next_text


if __name__ == "__main__":
    if len(sys.argv) == 1:
        compare()
    else:
        trio.run({"ours": serve_ours, "trio-websocket": serve_library}[sys.argv[1]])

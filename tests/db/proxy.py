"""A wire between us and PostgreSQL that a test can freeze or cut: what a dead network looks like from here."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial

import trio
from psycopg.conninfo import conninfo_to_dict, make_conninfo


@dataclass
class Proxy:
    """`url` leads to the server through this wire."""

    url: str
    _flowing: trio.Event = field(default_factory=trio.Event)
    _cut: bool = False
    _wires: set[trio.CancelScope] = field(default_factory=set)

    def freeze(self) -> None:
        """Nothing passes any more, in either direction; nobody is told."""
        self._flowing = trio.Event()

    def thaw(self) -> None:
        """What was held passes, and everything after it."""
        self._flowing.set()

    def cut(self) -> None:
        """Every connection breaks, and new ones do at once."""
        self._cut = True
        for wire in self._wires:
            wire.cancel()

    def mend(self) -> None:
        """New connections pass again."""
        self._cut = False

    async def carry(self, near: trio.SocketStream, far_address: tuple[str, str | int]) -> None:
        """One connection, until either end closes it."""
        host, port = far_address
        with trio.CancelScope() as wire:
            self._wires.add(wire)
            if not self._cut:
                far = (
                    await trio.open_unix_socket(f"{host}/.s.PGSQL.{port}")
                    if host.startswith("/")
                    else await trio.open_tcp_stream(host, int(port))
                )
                async with far, trio.open_nursery() as both:
                    both.start_soon(self._pump, near, far, wire)
                    both.start_soon(self._pump, far, near, wire)
        self._wires.discard(wire)
        await trio.aclose_forcefully(near)

    async def _pump(self, source: trio.SocketStream, sink: trio.SocketStream, wire: trio.CancelScope) -> None:
        try:
            async for data in source:
                await self._flowing.wait()
                await sink.send_all(data)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass
        wire.cancel()


@asynccontextmanager
async def open_proxy(conninfo: str) -> AsyncIterator[Proxy]:
    """A proxy in front of the server of `conninfo`."""
    there = conninfo_to_dict(conninfo)
    far = (str(there.get("host", "/var/run/postgresql")), str(there.get("port", 5432)))
    async with trio.open_nursery() as listening:
        proxy = Proxy("")
        proxy.thaw()

        async def serve(near: trio.SocketStream) -> None:
            await proxy.carry(near, far)

        listeners = await listening.start(partial(trio.serve_tcp, serve, 0, host="127.0.0.1"))
        port = listeners[0].socket.getsockname()[1]
        proxy.url = make_conninfo(conninfo, host="127.0.0.1", port=port, sslmode="disable", gssencmode="disable")
        yield proxy
        listening.cancel_scope.cancel()

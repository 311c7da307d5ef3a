"""The sandbox's listeners, on loopback alone, and how one of them goes away and comes back."""

from __future__ import annotations

import ipaddress
import ssl
from functools import partial

import trio

from evpower.errors import EvPowerError
from evpower.simulator.providers.surroundings.wire import AnswerRequest, converse


class NotLoopback(EvPowerError):
    """The sandbox takes payments from any caller, so it is reachable from this machine only."""


def loopback(host: str) -> str:
    """The address itself. Raises NotLoopback for any other and for names, which may mean anything."""
    try:
        is_loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_loopback = False
    if not is_loopback:
        raise NotLoopback(f"the sandbox listens on a loopback address such as 127.0.0.1 only, not on {host!r}")
    return host


class SandboxDoor:
    """One port. While it is shut its connections are cut and new ones are refused by the operating system."""

    def __init__(self, host: str, port: int, tls: ssl.SSLContext | None = None) -> None:
        self._host = loopback(host)
        self._tls = tls
        self.port = port
        self._listeners: list[trio.SocketListener] = []
        self._turn = trio.Lock()
        self._is_wanted = True
        self._wish = trio.Event()
        self._settled = trio.Event()

    @property
    def url(self) -> str:
        """Its address, without a path."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"{'http' if self._tls is None else 'https'}://{host}:{self.port}"

    async def listen(self) -> None:
        """From now on the port is known, and connections wait for `run`. Raises OSError when it is taken."""
        self._listeners = await trio.open_tcp_listeners(self.port, host=self._host)
        self.port = self._listeners[0].socket.getsockname()[1]

    async def switch(self, *, is_open: bool) -> None:
        """Open or shut; returns when it is so."""
        async with self._turn:
            if is_open == self._is_wanted:
                return
            self._is_wanted, self._settled = is_open, trio.Event()
            self._wish.set()
            await self._settled.wait()

    async def run(self, answer: AnswerRequest) -> None:
        """Answer until cancelled. Raises OSError when somebody took the port while it was shut."""
        while True:
            async with trio.open_nursery() as serving:
                serving.start_soon(trio.serve_listeners, partial(converse, answer=answer), self._spoken())
                self._settled.set()
                await self._wished(is_open=False)
                serving.cancel_scope.cancel()
            self._settled.set()
            await self._wished(is_open=True)
            await self.listen()

    async def _wished(self, *, is_open: bool) -> None:
        while self._is_wanted != is_open:
            await self._wish.wait()
            self._wish = trio.Event()

    def _spoken(self) -> list[trio.abc.Listener[trio.abc.Stream]]:
        if self._tls is None:
            return [*self._listeners]
        # Clients of HTTP hang up without TLS's own goodbye; the length of the body says that it was whole.
        return [trio.SSLListener(each, self._tls, https_compatible=True) for each in self._listeners]

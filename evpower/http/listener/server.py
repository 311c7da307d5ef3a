"""Serve an application to phones and operators: Hypercorn's HTTP/1.1 and WebSocket protocol over our own connections.

Hypercorn's own loop lets one connection's exception end the whole server (its issue 225: a WebSocket frame sent
together with the upgrade). Here each connection is guarded, and every wait on a peer has a limit.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import trio
from hypercorn.app_wrappers import ASGIWrapper
from hypercorn.config import Config
from hypercorn.trio.worker_context import WorkerContext
from hypercorn.typing import ASGIFramework

from evpower.client_address import LOOPBACK, Network, PerAddress
from evpower.http.listener.connection import HttpConnection
from evpower.http.listener.sockets import listening, real_bind
from evpower.http.listener.stream import BoundedStream

logger = logging.getLogger("evpower.http")

LOG_REFUSALS_EVERY_S = 60.0


@dataclass(frozen=True)
class ListenerSettings:
    """Limits of the listener (seed §9: 30 s)."""

    keep_alive_timeout_s: float = 30
    #: For a peer that does not read its answer.
    send_timeout_s: float = 30
    #: How long requests in flight may go on after the drain began.
    drain_s: float = 10
    connections_max: int = 10_000
    #: Of one address (IPv6: one /64), and of one trusted proxy.
    connections_per_address: int = 256
    connections_per_proxy: int = 10_000
    trusted_proxies: tuple[Network, ...] = LOOPBACK
    #: Above it Hypercorn says 1009 but leaves the socket open; `live.py` ends it at far smaller ones.
    websocket_message_bytes_max: int = 2 * 1024 * 1024


async def serve_http(
    app: ASGIFramework,
    binds: Sequence[str],
    *,
    settings: ListenerSettings,
    draining: trio.Event | None = None,
    task_status: trio.TaskStatus[list[str]] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve until `draining` is set or we are cancelled; then finish what is in flight within `drain_s`.

    A cancellation that comes while draining ends at once. `task_status` reports the real binds. Raises OSError when a
    bind cannot be had.
    """
    server = _Server(app, settings, trio.Event() if draining is None else draining)
    with listening(binds) as listeners:
        real_binds = [real_bind(listener) for listener in listeners]
        logger.info("HTTP listening: %s", ", ".join(real_binds))
        # The sockets listen already: who connects now is accepted as soon as the loop below runs.
        task_status.started(real_binds)
        async with trio.open_nursery() as watchers:
            watchers.start_soon(server.watch_cancellation)
            # Shielded so that a cancellation begins a drain instead of cutting answers off; `drain_s` bounds it.
            with trio.CancelScope(shield=True):
                await server.run(listeners)
            watchers.cancel_scope.cancel()


class _Server:
    """The accept loop, the open connections, and how they come to an end."""

    def __init__(self, app: ASGIFramework, settings: ListenerSettings, draining: trio.Event) -> None:
        self._app = ASGIWrapper(app)
        self._settings = settings
        self._config = hypercorn_config(settings)
        self._context = WorkerContext(None)
        self._draining = draining
        self._cut = trio.Event()
        self._connections_scope = trio.CancelScope()
        self._open: set[HttpConnection] = set()
        self._per_address = PerAddress(
            settings.connections_per_address, settings.connections_per_proxy, settings.trusted_proxies
        )
        self._refused = 0
        self._refusal_logged_at = -LOG_REFUSALS_EVERY_S

    async def watch_cancellation(self) -> None:
        """The first reason to end begins the drain; a cancellation after that cuts it short."""
        try:
            await self._draining.wait()
            await trio.sleep_forever()
        finally:
            (self._cut if self._draining.is_set() else self._draining).set()

    async def run(self, listeners: list[trio.SocketListener]) -> None:
        """Accept until the drain begins, then wait for the connections, at most `drain_s`."""
        async with trio.open_nursery() as cutter:
            with self._connections_scope:
                async with trio.open_nursery() as connections:
                    await self._accept_until_draining(listeners, connections)
                    await self._context.terminated.set()
                    for connection in tuple(self._open):
                        connection.end_soon()
                    cutter.start_soon(self._cut_after_drain)
            cutter.cancel_scope.cancel()

    async def _accept_until_draining(self, listeners: list[trio.SocketListener], connections: trio.Nursery) -> None:
        async with trio.open_nursery() as accepting:
            accept = partial(trio.serve_listeners, handler_nursery=connections)
            accepting.start_soon(accept, self._serve_connection, listeners)
            await self._draining.wait()
            accepting.cancel_scope.cancel()

    async def _cut_after_drain(self) -> None:
        with trio.move_on_after(self._settings.drain_s):
            await self._cut.wait()
        if self._open:
            logger.warning("HTTP drain cut off %d connections", len(self._open))
        self._connections_scope.cancel()
        for connection in self._open:
            connection.abort()

    async def _serve_connection(self, accepted: trio.SocketStream) -> None:
        """One connection, guarded: whatever goes wrong in it ends it alone."""
        peer = _peer_of(accepted)
        if len(self._open) >= self._settings.connections_max or self._per_address.is_full(peer):
            self._log_refusal(peer)
            await trio.aclose_forcefully(accepted)
            return
        stream = BoundedStream(accepted, self._settings.send_timeout_s)
        connection = HttpConnection(self._app, self._config, self._context, stream)
        self._open.add(connection)
        try:
            with self._per_address.one(peer):
                await connection.run()
        except* Exception as errors:
            logger.error("HTTP connection ended by an error", exc_info=errors)
        finally:
            self._open.discard(connection)

    def _log_refusal(self, peer: str) -> None:
        """A flood is one line a minute."""
        self._refused += 1
        if trio.current_time() - self._refusal_logged_at < LOG_REFUSALS_EVERY_S:
            return
        refused, self._refused, self._refusal_logged_at = self._refused, 0, trio.current_time()
        logger.warning(
            "HTTP connections refused since the last such line: %d, open: %d, IP: %s", refused, len(self._open), peer
        )


def _peer_of(accepted: trio.SocketStream) -> str:
    """The peer's address; empty on a Unix socket, and for one that is gone."""
    try:
        name = accepted.socket.getpeername()
    except OSError:
        return ""
    return str(name[0]) if isinstance(name, tuple) else ""


def hypercorn_config(settings: ListenerSettings) -> Config:
    """Hypercorn's own settings: our log, and no pings (they outlive their socket: `Http11.ping`)."""
    config = Config()
    config.accesslog = None
    config.errorlog = logger
    config.include_server_header = False
    config.keep_alive_timeout = settings.keep_alive_timeout_s
    config.websocket_ping_interval = None
    config.websocket_max_message_size = settings.websocket_message_bytes_max
    return config

"""HTTP/1.1 and nothing else, over Hypercorn's protocol; what the protocol refuses is JSON like every other refusal.

Hypercorn alone changes to HTTP/2 whenever a peer asks, and an HTTP/2 stream carries headers past a proxy in front.
"""

from __future__ import annotations

import dataclasses
import logging
import math
import re
from collections.abc import Mapping
from contextlib import suppress

import h11
import msgspec
import trio
from hypercorn.events import Closed, Event, RawData
from hypercorn.protocol.events import Event as StreamEvent
from hypercorn.protocol.events import Response
from hypercorn.protocol.h11 import H11Protocol
from hypercorn.protocol.ws_stream import ASGIWebsocketState, WSStream
from hypercorn.typing import H11SendableEvent
from wsproto.events import Ping
from wsproto.utilities import LocalProtocolError

from evpower.http.wire.problems import HTTP_PROBLEMS, envelope

logger = logging.getLogger("evpower.http")

#: Where the application finds its connection, in the scope's `state` (ASGI has no word for a WebSocket's pings).
CONNECTION = "evpower.connection"
VERSIONS = (b"1.0", b"1.1")
FINAL = 200
#: Of a WebSocket handshake: an extension (compression) lets a small frame become a large one.
EXTENSIONS = b"sec-websocket-extensions"


BOTH_LENGTHS = {b"content-length", b"transfer-encoding"}
#: The scheme and authority of a target in absolute form (RFC 9112 §3.2.2).
ORIGIN = re.compile(rb"^https?://[^/?#]*", re.IGNORECASE)


class NotPlain(Exception):
    """A request that two readers may read differently: another version of HTTP, or two lengths."""


class LenientTargets(h11.Connection):
    """h11, which refuses a raw byte above ASCII in a target (`curl "…?city=Бишкек"`): here it is percent-encoded."""

    def next_event(self) -> h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]:
        """As h11's; where a request line begins, its target is encoded first (field ruling 6.10)."""
        if self.their_state is h11.IDLE:
            self._encode_target()
        return super().next_event()

    def _encode_target(self) -> None:
        # h11's own buffer, because only here a line of a pipelined request is known to be one.
        waiting = self._receive_buffer
        line, end, rest = bytes(waiting).partition(b"\n")
        if line.isascii():
            return
        method, blank, target = line.partition(b" ")
        waiting.maybe_extract_at_most(len(waiting))
        waiting += method + blank + b"".join(_in_ascii(byte) for byte in target) + end + rest


class Http11(H11Protocol):
    """One connection's protocol. `Upgrade: h2c` is ignored, as RFC 9110 §7.8 allows."""

    _is_head = False
    #: When the last byte came through a WebSocket, by trio's clock.
    heard_at = -math.inf

    async def initiate(self) -> None:
        """As Hypercorn's; called once, before the first byte."""
        await super().initiate()
        self.connection_state[CONNECTION] = self
        self.connection = LenientTargets(h11.SERVER, max_incomplete_event_size=self.config.h11_max_incomplete_size)

    @property
    def awaits_body(self) -> bool:
        """A request has begun to arrive and its body has not ended."""
        return self.connection.their_state is h11.SEND_BODY

    async def handle(self, event: Event) -> None:
        """As Hypercorn's, but for a request that is not plain: 400, and the connection ends."""
        if isinstance(event, RawData) and event.data and self._awaits_handshake:
            # RFC 6455 §4.1: it must wait for our answer; Hypercorn takes what comes before for an error of ours.
            await self.send(Closed())
            return
        if isinstance(event, RawData) and isinstance(self.stream, WSStream):
            self.heard_at = trio.current_time()
        try:
            await super().handle(event)
        except NotPlain:
            await self._send_error_response(400)
            await self.send(Closed())

    async def ping(self) -> None:
        """Send a protocol ping through the WebSocket; Hypercorn's own outlive their socket."""
        if isinstance(self.stream, WSStream) and self.stream.state is ASGIWebsocketState.CONNECTED:
            # Its close may be on its way, and then no ping may be.
            with suppress(LocalProtocolError):
                await self.send(RawData(self.stream.connection.send(Ping())))

    @property
    def _awaits_handshake(self) -> bool:
        return isinstance(self.stream, WSStream) and self.stream.state is ASGIWebsocketState.HANDSHAKE

    async def stream_send(self, event: StreamEvent) -> None:
        """As Hypercorn's; an answer in a drain, or before the body's end, says that it is the connection's last."""
        is_last = self.context.terminated.is_set() or self.awaits_body
        if isinstance(event, Response) and event.status_code >= FINAL and is_last:
            event = dataclasses.replace(event, headers=[*event.headers, (b"connection", b"close")])
        await super().stream_send(event)

    async def _check_protocol(self, event: h11.Request) -> None:
        """Instead of Hypercorn's, which looks for wishes for HTTP/2."""
        self._is_head = event.method == b"HEAD"
        headers = dict(event.headers)
        if event.http_version not in VERSIONS or headers.keys() >= BOTH_LENGTHS:
            raise NotPlain
        if headers.get(b"upgrade", b"").strip().lower() == b"websocket":
            assert isinstance(self.connection, h11.Connection)
            _refuse_half_handshake(event, headers)
            if self.connection.trailing_data[0]:
                raise NotPlain

    async def _create_stream(self, request: h11.Request) -> None:
        headers = [(name, value) for name, value in request.headers if name != EXTENSIONS]
        target = _origin_form(request)
        if target != request.target or len(headers) < len(request.headers):
            version = request.http_version
            request = h11.Request(method=request.method, target=target, headers=headers, http_version=version)
        await super()._create_stream(request)

    async def _send_h11_event(self, event: H11SendableEvent) -> None:
        """As Hypercorn's; what cannot be sent after what the peer sent meanwhile ends the connection."""
        try:
            await super()._send_h11_event(event)
        except h11.LocalProtocolError as error:
            logger.warning("HTTP answer not sent: %s: IP: %s", error, (self.client or ("-",))[0])
            await self.send(Closed())

    async def _send_error_response(self, status_code: int) -> None:
        """The contract's envelope (rest-api §1.5) for what did not become a request."""
        logger.info("HTTP refused with %d: not a request of HTTP/1.1: IP: %s", status_code, (self.client or ("-",))[0])
        body = msgspec.json.encode(envelope(*HTTP_PROBLEMS.get(status_code, HTTP_PROBLEMS[400])))
        headers = [("content-type", "application/json"), ("content-length", str(len(body))), ("connection", "close")]
        await self._send_h11_event(h11.Response(status_code=status_code, headers=headers))
        if not self._is_head:
            await self._send_h11_event(h11.Data(data=body))
        await self._send_h11_event(h11.EndOfMessage())


def _origin_form(request: h11.Request) -> bytes:
    """The target as a path. Raises NotPlain for one that names no path of ours (`host:80`, `x`)."""
    target = ORIGIN.sub(b"", request.target, count=1)
    if target.startswith(b"/") or (target == b"*" and request.method == b"OPTIONS"):
        return target
    if target != request.target and not target.startswith(b"#"):
        return b"/" + target
    raise NotPlain


def _refuse_half_handshake(request: h11.Request, headers: Mapping[bytes, bytes]) -> None:
    """Raises NotPlain for a WebSocket handshake that cannot become one (RFC 6455 §4.2.1), or that has a body."""
    tokens = {token.strip().lower() for token in headers.get(b"connection", b"").split(b",")}
    is_whole = (
        request.method == b"GET"
        and request.http_version == b"1.1"
        and b"upgrade" in tokens
        and headers.get(b"sec-websocket-version") == b"13"
        and b"sec-websocket-key" in headers
        and headers.get(b"content-length", b"0") == b"0"
        and b"transfer-encoding" not in headers
    )
    if not is_whole:
        raise NotPlain


def _in_ascii(byte: int) -> bytes:
    return bytes([byte]) if byte < 0x80 else b"%%%02X" % byte

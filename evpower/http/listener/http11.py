"""HTTP/1.1 and nothing else, over Hypercorn's protocol; what the protocol refuses is JSON like every other refusal.

Hypercorn alone changes to HTTP/2 whenever a peer asks, and an HTTP/2 stream carries headers past a proxy in front.
"""

from __future__ import annotations

import dataclasses
import logging

import h11
import msgspec
from hypercorn.events import Closed, Event
from hypercorn.protocol.events import Event as StreamEvent
from hypercorn.protocol.events import Response
from hypercorn.protocol.h11 import H11Protocol

from evpower.http.wire.problems import HTTP_PROBLEMS, envelope

logger = logging.getLogger("evpower.http")

VERSIONS = (b"1.0", b"1.1")
FINAL = 200
#: Of a WebSocket handshake: an extension (compression) lets a small frame become a large one.
EXTENSIONS = b"sec-websocket-extensions"


class NotPlain(Exception):
    """A request that two readers may read differently: another version of HTTP, or two lengths."""


class Http11(H11Protocol):
    """One connection's protocol. `Upgrade: h2c` is ignored, as RFC 9110 §7.8 allows."""

    _is_head = False

    @property
    def awaits_body(self) -> bool:
        """A request has begun to arrive and its body has not ended."""
        return self.connection.their_state is h11.SEND_BODY

    async def handle(self, event: Event) -> None:
        """As Hypercorn's, but for a request that is not plain: 400, and the connection ends."""
        try:
            await super().handle(event)
        except NotPlain:
            await self._send_error_response(400)
            await self.send(Closed())

    async def stream_send(self, event: StreamEvent) -> None:
        """As Hypercorn's; an answer in a drain, or before the body's end, says that it is the connection's last."""
        is_last = self.context.terminated.is_set() or self.awaits_body
        if isinstance(event, Response) and event.status_code >= FINAL and is_last:
            event = dataclasses.replace(event, headers=[*event.headers, (b"connection", b"close")])
        await super().stream_send(event)

    async def _check_protocol(self, event: h11.Request) -> None:
        """Instead of Hypercorn's, which looks for wishes for HTTP/2."""
        self._is_head = event.method == b"HEAD"
        names = {name for name, _ in event.headers}
        if event.http_version not in VERSIONS or {b"content-length", b"transfer-encoding"} <= names:
            raise NotPlain

    async def _create_stream(self, request: h11.Request) -> None:
        if any(name == EXTENSIONS for name, _ in request.headers):
            headers = [(name, value) for name, value in request.headers if name != EXTENSIONS]
            request = h11.Request(method=request.method, target=request.target, headers=headers, http_version=b"1.1")
        await super()._create_stream(request)

    async def _send_error_response(self, status_code: int) -> None:
        """The contract's envelope (rest-api §1.5) for what did not become a request."""
        logger.info("HTTP refused with %d: not a request of HTTP/1.1: IP: %s", status_code, (self.client or ("-",))[0])
        body = msgspec.json.encode(envelope(*HTTP_PROBLEMS.get(status_code, HTTP_PROBLEMS[400])))
        headers = [("content-type", "application/json"), ("content-length", str(len(body))), ("connection", "close")]
        await self._send_h11_event(h11.Response(status_code=status_code, headers=headers))
        if not self._is_head:
            await self._send_h11_event(h11.Data(data=body))
        await self._send_h11_event(h11.EndOfMessage())

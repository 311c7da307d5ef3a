"""The bare application both HTTP doors start from: JSON for everything, bounded bodies, finished writes."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import trio
from hypercorn.typing import ASGIReceiveCallable, ASGISendCallable, HTTPScope
from quart import Quart, Request, Response, request
from quart_trio import QuartTrio
from quart_trio.asgi import TrioASGIHTTPConnection
from werkzeug.exceptions import RequestEntityTooLarge

from evpower.client_address import LOOPBACK, Network
from evpower.clock import Ids
from evpower.http.wire.access import READING_METHODS, observe
from evpower.http.wire.answers import Answer, written
from evpower.http.wire.cors import allow_origins
from evpower.http.wire.problems import answer_error, http_problem

#: How long a body that is too large may still arrive, so that its sender gets to read why it was refused.
OVERSIZE_DRAIN_S = 5
BODY_READ = "evpower.body_read"
#: Set in the scope by a route whose answer is a stream without an end: it ends with its reader.
STREAMING = "evpower.streaming"


@dataclass(frozen=True)
class RequestLimits:
    """Bounds on one request (seed §9)."""

    body_bytes_max: int = 10 * 1024 * 1024
    body_timeout_s: int = 30


class PatientConnection(TrioASGIHTTPConnection):
    """A write goes on when its phone has gone: it is reserved money and a waiting station, not to be left half done.

    Reads end with their reader. The task stays the connection's own: the drain's deadline still ends it.
    """

    def __init__(self, app: Quart, scope: HTTPScope) -> None:
        super().__init__(app, scope)
        self._body_read = trio.Event()
        # Where `answer_oversize` finds it: a request carries its scope, and nothing else of its connection.
        scope[BODY_READ] = self._body_read  # type: ignore[literal-required]
        self._answering = False

    async def handle_messages(  # type: ignore[override]
        self, nursery: trio.Nursery, request: Request, receive: ASGIReceiveCallable
    ) -> None:
        while True:
            message: Any = await receive()
            if message["type"] == "http.disconnect":
                break
            request.body.append(message.get("body", b""))
            if not message.get("more_body", False):
                request.body.set_complete()
                self._body_read.set()
        must_finish = self._answering and STREAMING not in request.scope
        must_finish = must_finish or (self._body_read.is_set() and request.method not in READING_METHODS)
        if not must_finish:
            nursery.cancel_scope.cancel()

    async def handle_request(  # type: ignore[override]
        self, nursery: trio.Nursery, request: Request, send: ASGISendCallable
    ) -> None:
        response = await self.app.handle_request(request)
        # Hypercorn says "disconnect" in the middle of its own end of a request; cancelled there, as quart-trio does,
        # it neither closes the socket nor starts its idle timer.
        self._answering = True
        await self._send_response(send, response)
        nursery.cancel_scope.cancel()


class HttpApplication(QuartTrio):
    """Quart without its HTML: no static files, no redirects, no guessing."""

    asgi_http_class = PatientConnection

    def __init__(
        self,
        name: str,
        *,
        ids: Ids,
        limits: RequestLimits,
        allowed_origins: Collection[str] = (),
        trusted_proxies: Collection[Network] = LOOPBACK,
    ) -> None:
        super().__init__(name, static_folder=None)
        self.config["MAX_CONTENT_LENGTH"] = limits.body_bytes_max
        self.config["BODY_TIMEOUT"] = limits.body_timeout_s
        # A merged `/api//v1` would be an HTML redirect.
        self.url_map.merge_slashes = False
        observe(self, ids, trusted_proxies)
        allow_origins(self, allowed_origins)
        self.register_error_handler(RequestEntityTooLarge, answer_oversize)
        self.register_error_handler(Exception, answer_error)

    async def make_default_options_response(self) -> Response:
        """The framework's own answer to OPTIONS, as JSON."""
        response = written(Answer({"success": True}))
        response.headers["Allow"] = (await super().make_default_options_response()).headers["Allow"]
        return response


async def answer_oversize(error: RequestEntityTooLarge) -> Response:
    """413, once the body has arrived: closing a socket with unread bytes resets it and loses the answer."""
    with trio.move_on_after(OVERSIZE_DRAIN_S):
        await request.scope[BODY_READ].wait()  # type: ignore[literal-required]
    return written(http_problem(error))

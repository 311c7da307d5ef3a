"""The bare application both HTTP doors start from: JSON for everything, bounded bodies, finished writes."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import trio
from hypercorn.typing import ASGIReceiveCallable, ASGISendCallable, HTTPScope
from quart import Quart, Request, Response, abort, current_app, has_websocket_context, request, websocket
from quart.routing import QuartRule
from quart_trio import QuartTrio
from quart_trio.asgi import TrioASGIHTTPConnection
from werkzeug.exceptions import RequestEntityTooLarge

from evpower.client_address import LOOPBACK, Network
from evpower.clock import Ids
from evpower.http.wire.access import READING_METHODS, HttpTraffic, observe
from evpower.http.wire.answers import written_bytes
from evpower.http.wire.cors import allow_origins
from evpower.http.wire.loop_time import CpuSeconds, LoopTime, loop_time
from evpower.http.wire.problems import answer_error

#: Where the application keeps its `RequestLimits`.
LIMITS = "REQUEST_LIMITS"
#: The clock that a request's time on the loop is taken by.
CPU_SECONDS = "CPU_SECONDS"
#: Set in the scope by a route whose answer is a stream without an end: it ends with its reader.
STREAMING = "evpower.streaming"


@dataclass(frozen=True)
class RequestLimits:
    """Bounds on one request; `larger` are the paths whose bodies may be larger, and how large."""

    body_bytes_max: int = 64 * 1024
    body_timeout_s: int = 30
    larger: Mapping[str, int] = field(default_factory=dict)

    def body_bytes(self, path: str) -> int:
        """How large a body of this path may be."""
        return self.larger.get(path, self.body_bytes_max)


class PatientConnection(TrioASGIHTTPConnection):
    """A write goes on when its phone has gone: it is reserved money and a waiting station, not to be left half done.

    Reads end with their reader. The task stays the connection's own: the drain's deadline still ends it.
    """

    def __init__(self, app: Quart, scope: HTTPScope) -> None:
        super().__init__(app, scope)
        self._body_read = False
        self._answering = False

    def _create_request_from_scope(self, send: ASGISendCallable) -> Request:
        request = super()._create_request_from_scope(send)
        limits: RequestLimits = self.app.config[LIMITS]
        request.body = request.body_class(request.content_length, limits.body_bytes(request.path))
        return request

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
                self._body_read = True
        must_finish = self._answering and STREAMING not in request.scope
        must_finish = must_finish or (self._body_read and request.method not in READING_METHODS)
        if not must_finish:
            nursery.cancel_scope.cancel()

    async def handle_request(  # type: ignore[override]
        self, nursery: trio.Nursery, request: Request, send: ASGISendCallable
    ) -> None:
        present = LoopTime(self.app.config[CPU_SECONDS])
        loop_time.set(present)
        await present.measure(self._answer(request, send))
        nursery.cancel_scope.cancel()

    async def _answer(self, request: Request, send: ASGISendCallable) -> None:
        response = await self.app.handle_request(request)
        # Hypercorn says "disconnect" in the middle of its own end of a request; cancelled there, as quart-trio does,
        # it neither closes the socket nor starts its idle timer.
        self._answering = True
        await self._send_response(send, response)


class MatchedRule(QuartRule):
    """A rule that requests are matched by. No URL is built from it: what would is most of an application's start."""

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        return _is_not_built


def _is_not_built(rule: QuartRule, *_: object, **_values: object) -> tuple[str, str]:
    raise NotImplementedError(f"URLs are not built from rules: {rule.rule}")


class HttpApplication(QuartTrio):
    """Quart without its HTML: no static files, no redirects, no guessing."""

    asgi_http_class = PatientConnection
    url_rule_class = MatchedRule  # type: ignore[assignment]  # as Quart's own

    def __init__(
        self,
        name: str,
        *,
        ids: Ids,
        limits: RequestLimits,
        allowed_origins: Collection[str] = (),
        trusted_proxies: Collection[Network] = LOOPBACK,
        cpu_s: CpuSeconds = time.thread_time,
        traffic: HttpTraffic | None = None,
    ) -> None:
        super().__init__(name, static_folder=None)
        self.config[CPU_SECONDS] = cpu_s
        self.config[LIMITS] = limits
        self.config["BODY_TIMEOUT"] = limits.body_timeout_s
        # A merged `/api//v1` would be an HTML redirect.
        self.url_map.merge_slashes = False
        observe(self, ids, trusted_proxies, traffic or HttpTraffic())
        self.before_request(self._answer_options)
        self.before_request(refuse_second_name)
        self.before_websocket(refuse_second_name)
        allow_origins(self, allowed_origins)
        self.before_request(refuse_oversize)
        self.register_error_handler(Exception, answer_error)

    async def _answer_options(self) -> Response | None:
        """204 on every path, existing or not: a page whose preflight fails cannot read why (field ruling 6.2)."""
        if request.method != "OPTIONS":
            return None
        response = written_bytes(b"", 204)
        del response.headers["Content-Length"]  # RFC 9110 §8.6
        if request.url_rule is not None:
            response.headers["Allow"] = (await self.make_default_options_response()).headers["Allow"]
        return response


async def refuse_second_name() -> None:
    """`//metrics` would be `/metrics` to the router, and something else to a rule of the proxy in front."""
    scope = websocket.scope if has_websocket_context() else request.scope
    path = scope["path"]
    if (path if path.startswith("/") else urlsplit(path).path).startswith("//"):
        abort(404)


async def refuse_oversize() -> None:
    """413 from the header alone, for a route that would not read the body too."""
    limits: RequestLimits = current_app.config[LIMITS]
    if (request.content_length or 0) > limits.body_bytes(request.path):
        raise RequestEntityTooLarge

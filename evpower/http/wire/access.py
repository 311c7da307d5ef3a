"""What every request gets: a correlation id, the contract's headers (§1.9), one line in the log (§1.10), and a count.

The line is grepped by operators: `POST /api/v1/charging/start - 200 OK - 245ms - IP: 192.168.1.100`.
"""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Collection
from http import HTTPStatus

import trio
from quart import Quart, Request, Response, Websocket, current_app, g, request

from evpower.client_address import Network, SeenAddresses, client_address
from evpower.clock import Ids
from evpower.correlation import correlation_id
from evpower.durations import Durations
from evpower.http.wire.described import path_template
from evpower.http.wire.idempotency import HEADER as IDEMPOTENCY_KEY
from evpower.http.wire.idempotency import KEY

logger = logging.getLogger("evpower.http")

API_VERSION = "1.0"
CORRELATION_ID = "X-Correlation-ID"
SAFE_CORRELATION_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")
READING_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
#: Those that are counted by name.
METHODS = READING_METHODS | {"POST", "PUT", "PATCH", "DELETE"}
OTHER = "other"
#: Of a path that is none of ours.
NO_ROUTE = "none"
#: What the peer of a Unix socket is called in the log.
LOCAL = "local"
FORWARDED_FOR = "X-Forwarded-For"
ACCESS_LINE = "%s %s - %d %s - %dms - IP: %s - ID: %s"
#: Where the application keeps them.
TRUSTED_PROXIES = "TRUSTED_PROXIES"


class HttpTraffic:
    """Requests answered since the start of the process, by what no caller can invent: a route, a status."""

    def __init__(self) -> None:
        #: By method, route and status.
        self.answers: Counter[tuple[str, str, int]] = Counter()
        #: By route: until the answer's beginning, which for a stream is all there is.
        self.took: dict[str, Durations] = {}
        #: By which addresses they came.
        self.seen = SeenAddresses()

    def note(self, method: str, route: str, status: int, took_s: float) -> None:
        """One request; `route` is the path's template, empty for a path that has none."""
        route = route or NO_ROUTE
        self.answers[method if method in METHODS else OTHER, route, status] += 1
        times = self.took.get(route)
        if times is None:
            times = self.took[route] = Durations()
        times.note(took_s)


def observe(app: Quart, ids: Ids, trusted_proxies: Collection[Network], traffic: HttpTraffic) -> None:
    """Make `app` treat every request as above."""
    app.config[TRUSTED_PROXIES] = trusted_proxies

    @app.before_request
    async def begin() -> None:
        given = request.headers.get(CORRELATION_ID, "")
        g.correlation_id = given if SAFE_CORRELATION_ID.fullmatch(given) else ids.new()
        correlation_id.set(g.correlation_id)
        g.began_at = trio.current_time()
        traffic.seen.note(peer_of(request), request.headers.getlist(FORWARDED_FOR), client_ip(), trusted_proxies)

    @app.after_request
    async def end(response: Response) -> Response:
        add_headers(response)
        took_s = trio.current_time() - g.began_at
        _log_access(response.status_code, int(took_s * 1000))
        route = "" if request.url_rule is None else path_template(request.url_rule.rule)
        traffic.note(request.method, route, response.status_code, took_s)
        return response


def add_headers(response: Response) -> None:
    """The contract's headers for the present request."""
    response.headers[CORRELATION_ID] = g.correlation_id
    if request.path.startswith("/api/"):
        response.headers["X-API-Version"] = API_VERSION
    if request.method not in READING_METHODS or "Authorization" in request.headers:
        response.headers["Cache-Control"] = "no-store"
    key = request.headers.get(IDEMPOTENCY_KEY, "")
    if KEY.fullmatch(key):
        response.headers[IDEMPOTENCY_KEY] = key


def _log_access(status: int, duration_ms: int) -> None:
    """One line for the present request; never its headers, query or body."""
    path, ip = shown_path(), client_ip()
    values = {"method": request.method, "path": path, "status": status, "duration_ms": duration_ms, "ip": ip}
    answered = (status, phrase(status), duration_ms)
    logger.info(ACCESS_LINE, request.method, path, *answered, ip, g.correlation_id, extra={"values": values})


def shown_path() -> str:
    """The path as it was sent, still percent-encoded, so that no caller can write a line of their own into the log."""
    raw: bytes = request.scope.get("raw_path") or request.path.encode()
    return "".join(chr(byte) if 0x21 <= byte <= 0x7E else f"%{byte:02X}" for byte in raw.partition(b"?")[0])


def phrase(status: int) -> str:
    """`OK`, `Not Found`."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"


def client_ip(connection: Request | Websocket = request) -> str:
    """The socket's peer, or, when that is a trusted proxy, whom it serves (`client_address`)."""
    proxies: Collection[Network] = current_app.config[TRUSTED_PROXIES]
    return client_address(peer_of(connection), connection.headers.getlist(FORWARDED_FOR), proxies)


def peer_of(connection: Request | Websocket) -> str:
    """The address at the other end of the socket, `LOCAL` on a Unix socket."""
    return str((connection.scope.get("client") or (LOCAL,))[0])

"""`GET /metrics`: the server's figures in Prometheus' text format (design §8).

On the phones' listener for a Prometheus beside the server or with the administrators' token, and on the control socket.
They name stations and show how business goes, so they are not for the world, whatever a proxy in front lets through.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from quart import Blueprint, Response, request

from evpower.client_address import LOOPBACK, is_within
from evpower.http.operators.admin import require_admin
from evpower.http.wire.access import FORWARDED_FOR, peer_of


class Exposition(Protocol):
    """The figures, written down."""

    #: Of what `text` returns.
    content_type: str

    async def text(self) -> bytes:
        """The figures of this moment; never fails for an engine that is away."""
        ...


def metrics_routes(figures: Exposition, guard: Callable[[], None] | None = None) -> Blueprint:
    """The one route, without a prefix; `guard` raises for a request that may not have it."""
    routes = Blueprint("metrics", __name__)

    @routes.get("/metrics")
    async def metrics() -> Response:
        if guard is not None:
            guard()
        return Response(await figures.text(), content_type=figures.content_type)

    return routes


def require_neighbour(token: str) -> None:
    """Let the present request pass from this machine itself, not through a proxy on it, or with the token.

    Raises what `require_admin` does.
    """
    if FORWARDED_FOR in request.headers or not is_within(peer_of(request), LOOPBACK):
        require_admin(token)

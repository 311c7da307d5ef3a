"""`GET /metrics`: the server's figures in Prometheus' text format (design §8).

On the phones' listener for a Prometheus beside the server, and on the control socket. They name stations and show how
business goes, so the proxy files in `config/` refuse the path to the world.
"""

from __future__ import annotations

from typing import Protocol

from quart import Blueprint, Response


class Exposition(Protocol):
    """The figures, written down."""

    #: Of what `text` returns.
    content_type: str

    async def text(self) -> bytes:
        """The figures of this moment; never fails for an engine that is away."""
        ...


def metrics_routes(figures: Exposition) -> Blueprint:
    """The one route, without a prefix."""
    routes = Blueprint("metrics", __name__)

    @routes.get("/metrics")
    async def metrics() -> Response:
        return Response(await figures.text(), content_type=figures.content_type)

    return routes

"""`GET /metrics`: the server's figures in Prometheus' text format (design §8).

On the phones' listener for a Prometheus beside the server, the administrator's token and staff; on the control socket.
They name stations and show how business goes, so they are not for the world, whatever a proxy in front lets through.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

from quart import Blueprint, Response, request

from evpower.client_address import LOOPBACK, is_within
from evpower.errors import Forbidden
from evpower.http.operators.admin import AdminDoor
from evpower.http.wire.access import FORWARDED_FOR, peer_of
from evpower.http.wire.described import described
from evpower.http.wire.rights import NO_RIGHT, needs
from evpower.staff.rights import Extent, Right


class Exposition(Protocol):
    """The figures, written down."""

    #: Of what `text` returns.
    content_type: str

    async def text(self) -> bytes:
        """The figures of this moment; never fails for an engine that is away."""
        ...


def metrics_routes(figures: Exposition, guard: Callable[[], Awaitable[None]] | None = None) -> Blueprint:
    """The one route, without a prefix; `guard` raises for a request that may not have it."""
    routes = Blueprint("metrics", __name__)

    @routes.get("/metrics")
    @needs(Right.READ)
    @described("Figures for Prometheus", answer=str, media_type="text/plain", caller="staff")
    async def metrics() -> Response:
        if guard is not None:
            await guard()
        return Response(await figures.text(), content_type=figures.content_type)

    return routes


async def require_neighbour(door: AdminDoor) -> None:
    """Let the present request pass from this machine itself, not through a proxy on it; else with the administrator's
    token, or one of staff who may see the whole network.

    Raises what the door does.
    """
    if FORWARDED_FOR in request.headers or not is_within(peer_of(request), LOOPBACK):
        acting = await door.acting()
        if acting.extent(Right.READ) is not Extent.ALL:
            raise Forbidden(NO_RIGHT, reason="no_right")

"""`GET /metrics` on both doors (design §8)."""

from __future__ import annotations

from evpower.http.operators.control import build_control_app
from evpower.http.operators.metrics import metrics_routes
from tests.http.fakes import CountingIds, World
from tests.http.operators.test_control import FakeViews

FIGURES = b"# TYPE evpower_database_up gauge\nevpower_database_up 1.0\n"
PLAIN = "text/plain; version=0.0.4; charset=utf-8"


class FakeExposition:
    content_type = PLAIN

    async def text(self) -> bytes:
        return FIGURES


async def test_phones_listener_shows_the_figures_as_prometheus_wants_them() -> None:
    world = World(at_root=(metrics_routes(FakeExposition()),))
    response = await world.client().get("/metrics")
    assert (response.status_code, response.content_type, await response.get_data()) == (200, PLAIN, FIGURES)


async def test_so_does_the_control_socket_below_its_prefix() -> None:
    app = build_control_app(
        charging=World().charging,
        views=FakeViews(),
        ids=CountingIds(),
        operations=(metrics_routes(FakeExposition()),),
    )
    response = await app.test_client().get("/control/metrics")
    assert (response.status_code, response.content_type, await response.get_data()) == (200, PLAIN, FIGURES)

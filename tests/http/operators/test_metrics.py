"""`GET /metrics` on both doors (design §8)."""

from __future__ import annotations

from functools import partial

import pytest

from evpower.http.operators.admin import AdminDoor
from evpower.http.operators.control import build_control_app
from evpower.http.operators.metrics import metrics_routes, require_neighbour
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


@pytest.mark.parametrize(
    ("peer", "headers", "status"),
    [
        ("127.0.0.1", {}, 200),
        ("::1", {}, 200),
        ("203.0.113.7", {}, 401),
        ("127.0.0.1", {"X-Forwarded-For": "203.0.113.7"}, 401),
        ("127.0.0.1", {"X-Forwarded-For": "127.0.0.1"}, 401),
        ("127.0.0.1", {"X-Forwarded-For": ""}, 401),
        ("203.0.113.7", {"Authorization": "Bearer secret"}, 200),
        ("127.0.0.1", {"X-Forwarded-For": "203.0.113.7", "Authorization": "Bearer secret"}, 200),
        ("203.0.113.7", {"Authorization": "Bearer guess"}, 401),
    ],
)
async def test_the_figures_are_for_this_machine_and_administrators(
    peer: str, headers: dict[str, str], status: int
) -> None:
    """Safe by default 1: whatever a proxy lets through, it is no neighbour."""
    world = World(at_root=(metrics_routes(FakeExposition(), partial(require_neighbour, AdminDoor("secret"))),))
    response = await world.client().get("/metrics", headers=headers, scope_base={"client": (peer, 5000)})
    assert response.status_code == status

"""`http.admin_allow`: from where operators' things may be asked for (contract/roadmap/identity §4, acceptance 7)."""

from __future__ import annotations

from functools import partial
from ipaddress import ip_network
from typing import cast

import pytest
from quart import Blueprint, Response
from quart_trio import QuartTrio

from evpower.client_address import Network
from evpower.http.app import HttpAppSettings, build_http_app
from evpower.http.operators.admin import AdminDoor
from evpower.http.operators.control import build_control_app
from evpower.http.operators.metrics import metrics_routes, require_neighbour
from evpower.http.wire.answers import written_data
from evpower.http.wire.rights import needs
from evpower.staff.rights import Right
from tests.http.conftest import body_of
from tests.http.fakes import CountingIds, Phone, World
from tests.http.operators.test_control import FakeViews
from tests.http.operators.test_metrics import FakeExposition
from tests.worlds.fakes import SetClock

TOKEN = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
ALLOWED = (ip_network("10.0.0.0/8"), ip_network("2001:db8::/32"))
PROXY = (ip_network("127.0.0.0/8"),)
PATHS = (
    "/api/v1/admin/things",
    "/metrics",
    "/openapi.json",
    "/api/v1/admin",
    "/api/v1/admin/",
    "/api/v1/admin/nothing",
)


class CountingDoor(AdminDoor):
    """Keeps whether anybody's token was looked at."""

    asked = 0

    async def let_in(self) -> None:
        CountingDoor.asked += 1
        await super().let_in()


def things() -> Blueprint:
    routes = Blueprint("things", __name__, url_prefix="/things")

    @routes.get("")
    @needs(Right.READ)
    async def read() -> Response:
        return written_data("things")

    @routes.post("")
    @needs(Right.NETWORK)
    async def write() -> Response:
        return written_data("written")

    return routes


def description() -> Blueprint:
    routes = Blueprint("openapi", __name__)

    @routes.get("/openapi.json")
    async def show() -> Response:
        return written_data("description")

    return routes


def app(allow: tuple[Network, ...] = ALLOWED) -> QuartTrio:
    CountingDoor.asked = 0
    door = CountingDoor(TOKEN)
    return build_http_app(
        World().services,
        SetClock(),
        CountingIds(),
        HttpAppSettings(trusted_proxies=PROXY, admin_allow=allow),
        admin=door,
        operations=(things(),),
        at_root=(metrics_routes(FakeExposition(), partial(require_neighbour, door)), description()),
    )


async def status(application: QuartTrio, peer: str, path: str, forwarded: str | None = None) -> int:
    headers = {"Authorization": f"Bearer {TOKEN}"} | ({} if forwarded is None else {"X-Forwarded-For": forwarded})
    client = cast("Phone", application.test_client())
    return (await client.get(path, headers=headers, scope_base={"client": (peer, 1)})).status_code


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("peer", ["203.0.113.7", "11.0.0.1", "2001:db9::1", "::1", "127.0.0.1", "::ffff:203.0.113.7"])
async def test_from_elsewhere_the_right_token_is_not_even_read(path: str, peer: str) -> None:
    application = app()
    assert await status(application, peer, path) == 403
    assert CountingDoor.asked == 0


@pytest.mark.parametrize("peer", ["10.255.0.1", "2001:db8:7::1", "::ffff:10.0.0.1"])
async def test_from_here_the_token_decides(peer: str) -> None:
    application = app()
    assert [await status(application, peer, path) for path in PATHS[:3]] == [200, 200, 200]
    assert await status(application, peer, "/api/v1/admin/nothing") == 404
    response = await cast("Phone", application.test_client()).get(PATHS[0], scope_base={"client": (peer, 1)})
    assert response.status_code == 401


async def test_acceptance_7_an_untrusted_peer_names_no_address() -> None:
    assert await status(app(), "203.0.113.7", PATHS[0], "10.0.0.1") == 403
    assert await status(app(), "203.0.113.7", "/metrics", "10.0.0.1, 127.0.0.1") == 403


@pytest.mark.parametrize(
    ("forwarded", "expected"),
    [
        ("10.0.0.1", 200),
        ("203.0.113.7", 403),
        ("10.0.0.1, 203.0.113.7", 403),
        ("203.0.113.7, 10.0.0.1", 200),
        ("203.0.113.7, 10.0.0.1, 127.0.0.2", 200),
        ("10.0.0.1, nonsense", 403),
        ("", 403),
    ],
)
async def test_a_trusted_proxy_names_the_address_and_the_last_untrusted_one_counts(
    forwarded: str, expected: int
) -> None:
    assert await status(app(), "127.0.0.1", PATHS[0], forwarded) == expected


async def test_a_refusal_is_the_envelope_and_says_so_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    client = cast("Phone", app().test_client())
    response = await client.post(PATHS[0], data=b"{", scope_base={"client": ("203.0.113.7", 1)})
    body = await body_of(response, 403)
    assert (body["success"], body["error"]) == (False, "forbidden")
    assert "address refused: POST /api/v1/admin/things, IP: 203.0.113.7" in caplog.text


@pytest.mark.parametrize("path", ["/api/v1/locations", "/health", "/api/v1/administration", "/metricsx"])
async def test_everything_else_is_open_to_all(path: str) -> None:
    assert await status(app(), "203.0.113.7", path) in (200, 404)


async def test_a_preflight_is_answered_so_that_a_page_can_read_its_refusal() -> None:
    client = cast("Phone", app().test_client())
    assert (await client.options(PATHS[0], scope_base={"client": ("203.0.113.7", 1)})).status_code == 204


async def test_without_a_list_the_token_alone_decides() -> None:
    assert await status(app(()), "203.0.113.7", PATHS[0]) == 200


async def test_the_control_socket_is_exempt() -> None:
    application = build_control_app(
        charging=World().charging, views=FakeViews(), ids=CountingIds(), operations=(things(),)
    )
    assert (await cast("Phone", application.test_client()).get("/control/things")).status_code == 200

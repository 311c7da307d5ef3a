"""The administrators' door: shut without a token, and the same operations as on the control socket."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

import pytest
from quart import Blueprint, Quart, Response
from quart_trio import QuartTrio

from evpower.http.app import HttpAppSettings, build_http_app
from evpower.http.operators.admin import AdminDoor, admin_routes
from evpower.http.operators.control import OPERATOR_HEADER, build_control_app
from evpower.http.throttle.guard import RequestGuard
from evpower.http.wire.access import HttpTraffic
from evpower.http.wire.answers import Answer, written
from evpower.http.wire.caller import acting
from evpower.http.wire.rights import need_of, needs
from evpower.server.doors import admin_operations
from evpower.server.process import Process
from evpower.staff.rights import RIGHTS, Extent, Right
from tests.http.conftest import body_of
from tests.http.fakes import CountingIds, Phone, World
from tests.http.operators.test_control import FakeViews
from tests.worlds.fakes import SetClock

TOKEN = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
PATH = "/api/v1/admin/things/7"

#: Routes that show an operator only what is at their stations (`tests/staff/test_admin_door.py`), or prices.
FILTERED = {
    "GET /admin/attention",
    "GET /admin/summary",
    "GET /admin/locations",
    "GET /admin/stations",
    "GET /admin/parked",
    "GET /admin/parked/missing-energy",
    "GET /admin/parked/unbilled-energy",
    "GET /admin/parked/charging-without-session",
    "GET /admin/doubts",
    "GET /admin/doubts/<doubt_id>",
    "GET /admin/attempts",
    "GET /admin/start-attempts",
    "GET /admin/certificates",
    "GET /admin/connector-health",
    "GET /admin/doctor",
    "GET /admin/events",
    "GET /admin/power-groups",
    "GET /admin/power-groups/<int:group_id>",
    "GET /admin/power-groups/<int:group_id>/state",
    "GET /admin/power-groups/<int:group_id>/history",
    "GET /admin/tariff-plans",
    "GET /admin/tariff-plans/<plan_id>",
    "GET /admin/reservations",
    "GET /admin/reservations/report",
    "POST /admin/reservations/<reservation_id>/cancel",
    "GET /admin/stats",
    "GET /admin/sessions",
    "GET /admin/sessions/history",
    "GET /admin/sessions/<session_id>",
    "GET /admin/sessions/<session_id>/evidence",
    "POST /admin/sessions/<session_id>/stop",
    "POST /admin/totp",
}


def operation() -> Blueprint:
    routes = Blueprint("things", __name__, url_prefix="/things")

    @routes.get("/<thing_id>")
    @needs(Right.READ)
    async def read(thing_id: str) -> Response:
        return written(Answer({"success": True, "data": thing_id, "by": acting()}))

    @routes.post("/<thing_id>")
    async def forgotten(thing_id: str) -> Response:
        return written(Answer({"success": True, "data": thing_id}))

    return routes


def admin_app(token: str) -> Phone:
    world = World()
    app: QuartTrio = build_http_app(
        world.services,
        SetClock(),
        CountingIds(),
        HttpAppSettings(),
        admin=AdminDoor(token),
        operations=(operation(),),
    )
    return cast("Phone", app.test_client())


async def test_the_token_opens_the_door() -> None:
    response = await admin_app(TOKEN).get(PATH, headers={"Authorization": f"Bearer {TOKEN}"})
    assert await body_of(response) == {"success": True, "data": "7", "by": "admin"}


async def test_behind_the_token_a_header_names_nobody_else() -> None:
    headers = {"Authorization": f"Bearer {TOKEN}", OPERATOR_HEADER: "ann"}
    assert (await body_of(await admin_app(TOKEN).get(PATH, headers=headers)))["by"] == "admin"


@pytest.mark.parametrize(
    "authorization",
    ["", "Bearer", "Bearer ", f"Bearer {TOKEN}0", f"Bearer {TOKEN[:-1]}", f"Basic {TOKEN}", TOKEN, "Bearer ключ"],
)
async def test_anything_but_the_token_is_unauthorized(authorization: str) -> None:
    response = await admin_app(TOKEN).get(PATH, headers={"Authorization": authorization})
    assert (await body_of(response, 401))["error"] == "unauthorized"


async def test_a_request_without_a_token_is_unauthorized() -> None:
    assert (await body_of(await admin_app(TOKEN).get(PATH), 401))["error"] == "unauthorized"


@pytest.mark.parametrize("authorization", ["Bearer ", "Bearer", f"Bearer {TOKEN}"])
async def test_while_no_token_is_set_the_door_is_shut_to_everyone(authorization: str) -> None:
    response = await admin_app("").get(PATH, headers={"Authorization": authorization})
    assert (await body_of(response, 403))["error"] == "forbidden"


async def test_a_route_that_does_not_say_what_right_it_needs_is_shut_to_everyone() -> None:
    response = await admin_app(TOKEN).post(PATH, headers={"Authorization": f"Bearer {TOKEN}"})
    assert (await body_of(response, 403))["reason"] == "no_right"


def admin_rules() -> list[tuple[str, object]]:
    """The address of every route below the administrators' door, and its view."""
    app = admin_app_of(admin_operations(cast("Process", Anything()), HttpTraffic()))
    rules = [rule for rule in app.url_map.iter_rules() if rule.endpoint != "static"]
    return [(f"{method_of(rule.methods)} {rule.rule}", app.view_functions[rule.endpoint]) for rule in rules]


def admin_app_of(operations: Iterable[Blueprint]) -> Quart:
    """These operations behind the administrators' door."""
    app = Quart("test")
    app.register_blueprint(admin_routes(AdminDoor(TOKEN), operations, cast("RequestGuard", Anything()), prefix=""))
    return app


def method_of(methods: Iterable[str] | None) -> str:
    return next(each for each in methods or () if each not in ("HEAD", "OPTIONS"))


class Anything:
    """Stands for every service: routes are made, and none is called."""

    def __getattr__(self, name: str) -> Anything:
        return Anything()


def test_every_route_below_the_door_says_what_right_it_needs() -> None:
    rules = admin_rules()
    assert len(rules) > 50
    assert [rule for rule, view in rules if need_of(view) is None] == []


def test_what_an_operator_may_do_is_at_a_station_or_is_filtered() -> None:
    """A new route of theirs comes here by a decision."""
    elsewhere = {
        rule
        for rule, view in admin_rules()
        if (need := need_of(view)) is not None
        and RIGHTS[need.right]["operator"] is Extent.OWN
        and "<station_id>" not in rule
        and "<path:station_id>" not in rule
        and "<location_id>" not in rule
    }
    assert elsewhere == FILTERED


async def test_the_control_socket_serves_the_same_operations_without_a_token() -> None:
    app = build_control_app(charging=World().charging, views=FakeViews(), ids=CountingIds(), operations=(operation(),))
    response = await cast("Phone", app.test_client()).get("/control/things/7")
    assert await body_of(response) == {"success": True, "data": "7", "by": "operator"}

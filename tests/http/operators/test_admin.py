"""The administrators' door: shut without a token, and the same operations as on the control socket."""

from __future__ import annotations

from typing import cast

import pytest
from quart import Blueprint, Response
from quart_trio import QuartTrio

from evpower.http.app import HttpAppSettings, build_http_app
from evpower.http.operators.control import OPERATOR_HEADER, build_control_app
from evpower.http.wire.answers import Answer, written
from evpower.http.wire.caller import acting
from tests.http.conftest import body_of
from tests.http.fakes import CountingIds, Phone, World
from tests.http.operators.test_control import FakeViews
from tests.worlds.fakes import SetClock

TOKEN = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
PATH = "/api/v1/admin/things/7"


def operation() -> Blueprint:
    routes = Blueprint("things", __name__, url_prefix="/things")

    @routes.get("/<thing_id>")
    async def read(thing_id: str) -> Response:
        return written(Answer({"success": True, "data": thing_id, "by": acting()}))

    return routes


def admin_app(token: str) -> Phone:
    world = World()
    app: QuartTrio = build_http_app(
        world.services, SetClock(), CountingIds(), HttpAppSettings(admin_token=token), operations=(operation(),)
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


async def test_the_control_socket_serves_the_same_operations_without_a_token() -> None:
    app = build_control_app(charging=World().charging, views=FakeViews(), ids=CountingIds(), operations=(operation(),))
    response = await cast("Phone", app.test_client()).get("/control/things/7")
    assert await body_of(response) == {"success": True, "data": "7", "by": "operator"}

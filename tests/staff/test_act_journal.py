"""Who did what, from which door: writes over REST and by `evpower` are in the journal of acts (operator-pages §8)."""

from __future__ import annotations

from typing import cast

import pytest
from quart import Blueprint, Quart, Response
from quart_trio import QuartTrio

from evpower.errors import AlreadyExists, DatabaseUnavailable, EvPowerError, StationNotFound
from evpower.http.app import HttpAppSettings, build_http_app
from evpower.http.operators.admin import AdminDoor
from evpower.http.operators.arguments.device import DEVICE_OPERATIONS
from evpower.http.operators.control import OPERATOR_HEADER, build_control_app
from evpower.http.operators.people.act_journal import ActJournal, act_name
from evpower.http.operators.people.staff import enrolment_routes
from evpower.http.wire.access import READING_METHODS, HttpTraffic
from evpower.http.wire.answers import Answer, written
from evpower.http.wire.requests import read_object
from evpower.http.wire.rights import needs
from evpower.server.doors import admin_operations, operations
from evpower.server.process import Process
from evpower.staff.acts import OperatorAct
from evpower.staff.rights import Right
from evpower.texts.catalogue import LANGUAGES, load
from tests.http.fakes import CountingIds, Phone
from tests.http.fakes import World as FakeServices
from tests.http.operators.test_admin import Anything, admin_app_of
from tests.http.operators.test_control import FakeViews
from tests.worlds.charging import World
from tests.worlds.fakes import SetClock
from tests.worlds.pages import LongIds

TOKEN = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"


def station_operations(raises: EvPowerError | None = None) -> Blueprint:
    """One write at a station, as the network's own door has them; what it is told to raise, it raises."""
    routes = Blueprint("station_admin", __name__, url_prefix="/stations")

    @routes.put("/<station_id>")
    @needs(Right.NETWORK)
    async def change(station_id: str) -> Response:
        if raises is not None:
            raise raises
        return written(Answer({"success": True, "data": sorted(await read_object())}))

    @routes.get("/<station_id>")
    @needs(Right.READ)
    async def read(station_id: str) -> Response:
        return written(Answer({"success": True, "data": station_id}))

    return routes


def doors(world: World, raises: EvPowerError | None = None) -> tuple[Phone, Phone]:
    """REST, and the control socket."""
    services = FakeServices()
    rest: QuartTrio = build_http_app(
        services.services,
        SetClock(),
        CountingIds(),
        HttpAppSettings(),
        admin=AdminDoor(TOKEN, journal=ActJournal(world.app.acts, LongIds(), "rest")),
        operations=(station_operations(raises),),
    )
    control = build_control_app(
        charging=services.charging,
        views=FakeViews(),
        ids=CountingIds(),
        operations=(station_operations(raises),),
        journal=ActJournal(world.app.acts, LongIds(), "command"),
    )
    return cast("Phone", rest.test_client()), cast("Phone", control.test_client())


REST, CONTROL = "/api/v1/admin/stations/EVP-1", "/control/stations/EVP-1"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


async def kept(world: World) -> list[OperatorAct]:
    return list(reversed(await world.app.acts.newest()))


async def test_a_write_is_kept_with_who_what_and_from_which_door(world: World) -> None:
    rest, control = doors(world)
    body = {"status": "maintenance", "password": "opensesame", "values": {"A": "secret"}, "id_tag": "04AABB"}
    assert (await rest.put(REST, json=body, headers=BEARER)).status_code == 200
    world.clock.advance(1)
    assert (await control.put(CONTROL, json={}, headers={OPERATOR_HEADER: "ann"})).status_code == 200
    first, second = await kept(world)
    assert (first.actor, first.door, first.act, first.target, first.outcome) == (
        "admin",
        "rest",
        "station_admin-change",
        "EVP-1",
        "done",
    )
    assert first.detail == "id_tag, password, status=maintenance, values: A"
    assert (second.actor, second.door, second.detail) == ("operator ann", "command", None)


async def test_reading_and_who_is_not_let_in_leave_nothing(world: World) -> None:
    rest, control = doors(world)
    await rest.get(REST, headers=BEARER)
    await control.get(CONTROL)
    assert (await rest.put(REST, json={})).status_code == 401
    assert (await control.put("/control/nothing", json={})).status_code == 404
    assert await kept(world) == []


@pytest.mark.parametrize(
    ("raises", "status", "outcome"),
    [
        (StationNotFound(), 404, StationNotFound.code),
        (AlreadyExists(), 409, AlreadyExists.code),
        (DatabaseUnavailable(), 503, None),
    ],
)
async def test_a_refusal_is_kept_and_an_unknown_outcome_is_none(
    world: World, raises: EvPowerError, status: int, outcome: str | None
) -> None:
    rest, _ = doors(world, raises)
    assert (await rest.put(REST, json={"status": "x"}, headers=BEARER)).status_code == status
    (act,) = await kept(world)
    assert act.outcome == outcome


async def test_what_is_no_json_is_done_as_before_and_kept(world: World) -> None:
    _, control = doors(world)
    assert (await control.put(CONTROL, data=b"[[locations]]")).status_code == 400
    (act,) = await kept(world)
    assert (act.outcome, act.detail) == ("validation_error", None)


async def test_a_journal_that_cannot_be_written_stops_nobody(world: World) -> None:
    _, control = doors(world)
    await world.sql("ALTER TABLE evpower.operator_acts RENAME TO gone")
    assert (await control.put(CONTROL, json={})).status_code == 200
    await world.sql("ALTER TABLE evpower.gone RENAME TO operator_acts")


def test_every_write_has_a_name_in_every_language() -> None:
    process = cast("Process", Anything())
    control = build_control_app(
        charging=FakeServices().charging,
        views=FakeViews(),
        ids=CountingIds(),
        operations=(
            *operations(process, HttpTraffic()),
            enrolment_routes(process.app.second_factor, process.app.browsers),
        ),
    )
    names = {name for app in (admin_app_of(admin_operations(process, HttpTraffic())), control) for name in writes(app)}
    assert len(names) > 40
    for language in LANGUAGES:
        texts = load(language, "pages")
        assert {name for name in names if f"acts.{name}" not in texts} == set()


def test_what_2_0_1_adds_has_a_name_in_every_language() -> None:
    for language in LANGUAGES:
        texts = load(language, "pages")
        assert {name for name in DEVICE_OPERATIONS if f"acts.{name}" not in texts} == set()


def writes(app: Quart) -> set[str]:
    """Those that have no name of their own in their address."""
    return {
        act_name(rule.endpoint, {})
        for rule in app.url_map.iter_rules()
        if not (rule.methods or set()) <= READING_METHODS and not rule.arguments & {"name", "action"}
    }


def test_an_operation_has_the_name_that_the_pages_have() -> None:
    assert act_name("admin.station_commands.perform", {"station_id": "S", "name": "reset"}) == "reset"

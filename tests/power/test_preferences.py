"""Drivers' wishes: which are accepted, in OCPI's words, and what they weigh (roadmap/smart-charging §1, §2)."""

from __future__ import annotations

from datetime import timedelta
from typing import cast

import pytest
from quart import Response
from quart_trio import QuartTrio

from evpower.http.phones.person.preferences import preference_routes
from evpower.http.wire.application import HttpApplication, RequestLimits
from evpower.http.wire.caller import Callers
from evpower.http.wire.idempotency import Idempotency
from evpower.identifiers import SessionId
from evpower.identity.verifier import Verifier
from evpower.power.preferences import ChargingPreferences
from tests.http.conftest import body_of
from tests.http.fakes import CountingIds, Phone
from tests.power.test_keeper import OTHER, Desk, desk
from tests.worlds.charging import CLIENT, ONE, STATION, TWO, World

__all__ = ["desk"]

LATER = "2026-11-23T10:00:00Z"


async def session(world: World) -> SessionId:
    return (await world.order(energy_wh=5_000)).session.session_id


@pytest.mark.parametrize(
    ("wished", "result"),
    [
        (("fast",), "accepted"),
        (("regular", 4, 10_000), "accepted"),
        (("cheap", 4, 10_000), "accepted"),
        (("cheap",), "departure_required"),
        (("green", None, 10_000), "departure_required"),
        (("fast", None, 10_000), "departure_required"),
        (("fast", 4), "energy_need_required"),
        (("fast", -1, 10_000), "not_possible"),
        (("cheapest",), "profile_type_not_supported"),
    ],
)
async def test_what_may_be_wished(desk: Desk, wished: tuple[object, ...], result: str) -> None:
    kind, hours, need_wh = cast("tuple[str, float | None, int | None]", (*wished, None, None)[:3])
    departure = None if hours is None else desk.world.clock.now() + timedelta(hours=hours)
    session_id = await session(desk.world)
    order = ChargingPreferences(kind, departure, need_wh)
    assert await desk.world.app.power_preferences.store(session_id, (STATION, ONE), order) == result
    rows = await desk.world.sql("SELECT profile_type FROM evpower.power_preferences")
    assert rows == ([{"profile_type": kind}] if result == "accepted" else [])


async def test_where_nothing_is_shared_nothing_can_be_wished(world: World) -> None:
    await world.give(500_00)
    wished = ChargingPreferences("fast")
    assert await world.app.power_preferences.store(await session(world), (STATION, ONE), wished) == "not_possible"


async def test_a_fast_charge_gets_more_of_what_is_left(desk: Desk) -> None:
    """Of 20 A both get 6, and of the other 8 in parts of 3 and 2."""
    await desk.settle()
    await desk.start(ONE)
    await desk.start(TWO, OTHER)
    rows = await desk.world.sql("SELECT id FROM charging_sessions WHERE user_id = %s", CLIENT)
    fast = ChargingPreferences("fast")
    await desk.world.app.power_preferences.store(SessionId(rows[0]["id"]), (STATION, ONE), fast)
    await desk.settle()
    (picture,) = desk.keeper.pictures.values()
    assert [each.granted_da for each in picture.members] == [108, 92]


def door(world: World) -> Phone:
    app: QuartTrio = HttpApplication("test", ids=CountingIds(), limits=RequestLimits())
    idempotency = Idempotency(world.app.keys)
    app.before_request(Callers("trust", Verifier((), world.clock)).identify)
    app.register_blueprint(preference_routes(world.app.charging, world.app.power_preferences, idempotency, prefix=""))
    return cast("Phone", app.test_client())


async def put(world: World, session_id: str, client: str, **body: object) -> Response:
    path = f"/charging/{session_id}/preferences?client_id={client}"
    return await door(world).put(path, json={"profile_type": "fast"} | body)


async def test_the_door_is_the_drivers_own(desk: Desk) -> None:
    session_id = await session(desk.world)
    answer = await put(desk.world, session_id, CLIENT)
    assert await body_of(answer) == {"success": True, "result": "accepted"}
    body = await body_of(await put(desk.world, session_id, CLIENT, profile_type="fast", departure_time=LATER))
    assert body["result"] == "energy_need_required"
    assert (await put(desk.world, session_id, OTHER)).status_code == 403
    assert (await put(desk.world, "nothing", CLIENT)).status_code == 404
    await desk.world.app.settler.release(session_id, status="error", cause="charger", reason="test")
    assert (await put(desk.world, session_id, CLIENT)).status_code == 404

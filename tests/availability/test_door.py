"""Uptime and hours as JSON; one's own stations alone, and no sums of the network for who sees a part."""

from __future__ import annotations

from typing import Any

from quart import Blueprint

from evpower.http.operators.charges.availability import availability_routes
from evpower.http.wire.application import HttpApplication, RequestLimits
from evpower.http.wire.rights import act_as
from tests.attention.test_door import EVERYBODY
from tests.availability.test_availability import silent_for
from tests.worlds.charging import STATION, World
from tests.worlds.fakes import CountingIds


async def asked(world: World, path: str) -> tuple[int, Any]:
    """The status and the body."""
    app, routes = HttpApplication("test", ids=CountingIds(), limits=RequestLimits()), Blueprint("door", __name__)

    @routes.before_request
    async def admit() -> None:
        act_as(EVERYBODY)

    routes.register_blueprint(availability_routes(world.app.availability))
    app.register_blueprint(routes)
    response = await app.test_client().get(path)
    return response.status_code, await response.get_json()


async def test_a_station_has_its_uptime_its_days_and_its_outages(world: World) -> None:
    await silent_for(world, 30)
    _, body = await asked(world, f"/stations/{STATION}/availability?days=2")
    data = body["data"]
    assert (data["station_id"], data["uptime"]) == (STATION, 0)
    assert [set(each) for each in data["days"]] == [{"day", "uptime"}]
    assert [(each["cause"], each["ended_at"]) for each in data["outages"]] == [("socket", None)]


async def test_hours_are_as_many_as_were_asked_for(world: World) -> None:
    _, body = await asked(world, "/hours?hours=3")
    assert len(body["data"]) == 3
    assert {each["starts_asked"] for each in body["data"]} == {0}


async def test_more_than_is_kept_is_refused(world: World) -> None:
    assert (await asked(world, f"/stations/{STATION}/availability?days=61"))[0] == 400
    assert (await asked(world, "/hours?hours=0"))[0] == 400

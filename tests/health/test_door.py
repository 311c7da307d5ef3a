"""Connectors' health as JSON: for everybody who may read, each at their own stations."""

from __future__ import annotations

from typing import Any

from quart import Blueprint

from evpower.http.operators.charges.health import health_routes
from evpower.http.wire.application import HttpApplication, RequestLimits
from evpower.http.wire.rights import act_as
from evpower.staff.records import Acting
from tests.attention.test_door import EVERYBODY, ITS, NOBODYS
from tests.health.test_health import computed, refused
from tests.worlds.charging import STATION, World
from tests.worlds.fakes import CountingIds


async def asked(world: World, acting: Acting, query: str = "") -> Any:
    """The data of the answer."""
    app, routes = HttpApplication("test", ids=CountingIds(), limits=RequestLimits()), Blueprint("door", __name__)

    @routes.before_request
    async def admit() -> None:
        act_as(acting)

    routes.register_blueprint(health_routes(world.app.health))
    app.register_blueprint(routes)
    return (await (await app.test_client().get(f"/connector-health{query}")).get_json())["data"]


async def test_a_connector_in_doubt_is_shown_with_how_its_starts_went(world: World) -> None:
    await refused(world)
    await computed(world)
    first, second = await asked(world, EVERYBODY)
    assert (first["station_id"], first["connector_id"], first["reliability"]) == (STATION, 1, "doubtful")
    assert (first["worked"], first["tried"], first["doubt"]) == (0, 3, "starts_fail")
    assert first["chance"] < 0.43
    assert (second["reliability"], second["tried"]) == ("good", 0)
    assert "doubt" not in second


async def test_an_operator_sees_their_own_stations_alone(world: World) -> None:
    assert await asked(world, NOBODYS) == []
    assert len(await asked(world, ITS)) == 2
    assert await asked(world, EVERYBODY, "?station=OTHER") == []

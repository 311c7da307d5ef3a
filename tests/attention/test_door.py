"""What needs a person, as JSON: for everybody who may read, each at their own stations (operator-pages §10.3)."""

from __future__ import annotations

from typing import Any

from quart import Blueprint

from evpower.http.operators.charges.attention import attention_routes
from evpower.http.wire.application import HttpApplication, RequestLimits
from evpower.http.wire.rights import act_as
from evpower.identifiers import StationId
from evpower.staff.records import Acting, Own
from tests.worlds.charging import STATION, World
from tests.worlds.fakes import CountingIds


async def asked(world: World, path: str, acting: Acting) -> Any:
    """The data of the answer."""
    app, routes = HttpApplication("test", ids=CountingIds(), limits=RequestLimits()), Blueprint("door", __name__)

    @routes.before_request
    async def admit() -> None:
        act_as(acting)

    routes.register_blueprint(attention_routes(world.app.pictures))
    app.register_blueprint(routes)
    return (await (await app.test_client().get(path)).get_json())["data"]


EVERYBODY = Acting("admin")
NOBODYS = Acting("operator:a", own=Own(frozenset(), frozenset()))
ITS = Acting("operator:b", own=Own(frozenset({"EVP-LOC-001"}), frozenset({StationId(STATION)})))


async def test_the_list_and_the_figures_are_those_of_the_pages(world: World) -> None:
    await world.sql("UPDATE stations SET last_heartbeat_at = %s", world.clock.now())
    world.clock.advance(301)
    (item,) = await asked(world, "/attention", EVERYBODY)
    assert item["key"] == f"station_offline:{STATION}"
    assert item["conditions"][0]["location_id"] == "EVP-LOC-001"
    summary = await asked(world, "/summary", EVERYBODY)
    assert summary["stations_offline"] == summary["to_do"] == 1
    assert summary["connectors"] == {"offline": 2}
    assert summary["starts_last_hour"] == {"asked": 0, "reached": 0}


async def test_an_operator_gets_what_concerns_their_own_stations(world: World) -> None:
    await world.sql("UPDATE stations SET last_heartbeat_at = %s", world.clock.now())
    world.clock.advance(301)
    assert await asked(world, "/attention", NOBODYS) == []
    assert len(await asked(world, "/attention", ITS)) == 1
    summary = await asked(world, "/summary", NOBODYS)
    assert summary["stations"] == 0
    assert "revenue_today_som" not in summary

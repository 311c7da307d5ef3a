"""Requests are counted by what no caller can invent (issue H §5)."""

from __future__ import annotations

from tests.http.fakes import OWNER, STATION, Phone, World

START = "/api/v1/charging/start"


async def test_a_request_is_counted_by_its_routes_template_and_status(world: World, client: Phone) -> None:
    await client.post(START, json={"client_id": OWNER, "station_id": STATION, "connector_id": 1})
    for session in ("one", "another"):
        await client.get(f"/api/v1/charging/status/{session}")
    assert world.traffic.answers == {
        ("POST", START, 200): 1,
        ("GET", "/api/v1/charging/status/{session_id}", 404): 2,
    }
    assert {route: took.count for route, took in world.traffic.took.items()} == {
        START: 1,
        "/api/v1/charging/status/{session_id}": 2,
    }


async def test_nobody_outside_makes_the_number_of_counters_grow(world: World, client: Phone) -> None:
    for path in ("/wp-admin", "/.env", "/api/v1/charging/nothing", "//metrics"):
        await client.get(path)
    await client.open(START, method="BREW")
    assert world.traffic.answers == {("GET", "none", 404): 4, ("other", "none", 405): 1}
    assert list(world.traffic.took) == ["none"]


async def test_a_fault_of_ours_is_counted_as_500(world: World, client: Phone) -> None:
    world.charging.start_answer = KeyError("the cause")
    await client.post(START, json={"client_id": OWNER, "station_id": STATION, "connector_id": 1})
    assert world.traffic.answers == {("POST", START, 500): 1}

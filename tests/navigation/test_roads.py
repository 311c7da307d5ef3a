"""A router of the operator: asked, kept, and what is said when it does not answer; by a scripted one."""

from __future__ import annotations

import json

import httpx2
import pytest
import trio

from evpower.navigation.distance import GeoPoint, straight_way
from evpower.navigation.roads import KEPT_S, Roads

HERE, THERE, FAR = GeoPoint(42.8746, 74.5698), GeoPoint(42.9, 74.6), GeoPoint(40.514, 72.8161)


class Router(httpx2.AsyncBaseTransport):
    """Answers as it is told, and remembers what it was asked."""

    def __init__(self, answer: object, status: int = 200, late_s: float = 0) -> None:
        self.answer = answer
        self.status = status
        self.late_s = late_s
        self.asked: list[httpx2.Request] = []

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append(request)
        await trio.sleep(self.late_s)
        body = self.answer if isinstance(self.answer, bytes) else json.dumps(self.answer).encode()
        return httpx2.Response(self.status, stream=httpx2.ByteStream(body))


OSRM = {"code": "Ok", "durations": [[600, 30_000]], "distances": [[5_000, None]]}
VALHALLA = {"sources_to_targets": [[{"distance": 5.0, "time": 600}, {"distance": None, "time": None}]]}


async def test_osrm_is_asked_for_a_table_and_what_it_has_no_road_to_is_approximate() -> None:
    router = Router(OSRM)
    ways = await Roads("osrm:http://router.example/", router).ways([HERE], [THERE, FAR])
    way = ways[HERE, THERE]
    assert (way.distance_km, way.drive_minutes, way.approximate) == (5, 10, False)
    assert ways[HERE, FAR] == straight_way(HERE, FAR)
    (asked,) = router.asked
    assert asked.url.path == "/table/v1/driving/74.5698,42.8746;74.6,42.9;72.8161,40.514"
    assert dict(asked.url.params) == {"annotations": "duration,distance", "sources": "0", "destinations": "1;2"}


async def test_valhalla_is_asked_for_a_matrix() -> None:
    router = Router(VALHALLA)
    ways = await Roads("valhalla:http://router.example/v", router).ways([HERE], [THERE, FAR])
    assert (ways[HERE, THERE].distance_km, ways[HERE, THERE].drive_minutes) == (5, 10)
    assert ways[HERE, FAR].approximate
    (asked,) = router.asked
    assert asked.url.path == "/v/sources_to_targets"
    assert json.loads(asked.content)["sources"] == [{"lat": 42.8746, "lon": 74.5698}]


async def test_an_answer_is_kept_for_ten_minutes_and_for_ten_metres(autojump_clock: trio.testing.MockClock) -> None:
    router = Router({"code": "Ok", "durations": [[600]], "distances": [[5_000]]})
    roads = Roads("osrm:http://router.example", router)
    await roads.ways([HERE], [THERE])
    await trio.sleep(KEPT_S - 1)
    near = GeoPoint(HERE.latitude + 0.00001, HERE.longitude)
    assert (await roads.ways([near], [THERE]))[near, THERE].drive_minutes == 10
    assert len(router.asked) == 1
    await trio.sleep(2)
    await roads.ways([HERE], [THERE])
    assert len(router.asked) == 2


@pytest.mark.parametrize(
    "router",
    [
        Router(OSRM, status=500),
        Router(OSRM, late_s=2.1),
        Router(b"<html>"),
        Router([]),
        Router({"code": "NoTable"}),
        Router({"code": "Ok", "durations": [[1]], "distances": [[1, 2]]}),
        Router({"code": "Ok"}),
        Router({"code": "Ok", "durations": 7, "distances": None}),
        Router({"code": "Ok", "durations": [["x", "y"]], "distances": [["a", "b"]]}),
        Router(b" " * 2_000_000),
    ],
)
async def test_a_router_that_does_not_answer_costs_two_seconds_at_most(
    router: Router, autojump_clock: trio.testing.MockClock
) -> None:
    roads, began_at = Roads("osrm:http://router.example", router), trio.current_time()
    ways = await roads.ways([HERE], [THERE, FAR])
    assert trio.current_time() - began_at <= 2
    assert ways == {(HERE, THERE): straight_way(HERE, THERE), (HERE, FAR): straight_way(HERE, FAR)}
    assert roads.asked == {"failed": 1}


async def test_without_a_router_nobody_is_asked() -> None:
    roads = Roads()
    assert (await roads.ways([HERE], [HERE]))[HERE, HERE].drive_minutes == 0
    assert roads.asked == {}

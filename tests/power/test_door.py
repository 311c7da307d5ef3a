"""The administrators' door to power groups: what is read and refused, and that a group is written whole or not."""

from __future__ import annotations

from typing import Any, cast

import pytest
from quart_trio import QuartTrio

from evpower.http.operators.systems.power import power_routes
from evpower.http.wire.application import HttpApplication, RequestLimits
from evpower.http.wire.rights import act_as
from evpower.identifiers import StationId
from evpower.ocpp.shared.stored import read_schedules
from evpower.power.service import PowerGroups
from evpower.staff.records import Acting, Own
from tests.http.conftest import body_of
from tests.http.description import hold_to_description
from tests.http.fakes import CountingIds, Phone
from tests.power.sites import BISHKEK
from tests.worlds.charging import STATION, World

MEMBER = {"station_id": STATION, "connector_id": 1, "max_a": 32}
GROUP: dict[str, Any] = {
    "location_id": "EVP-LOC-001",
    "name": "Ввод",
    "limit_a": 40,
    "failsafe_a": 6,
    "members": [MEMBER, MEMBER | {"connector_id": 2, "phases": 1, "l1_is": 2}],
}

PAST = "/history?from=2026-11-23T00:00:00Z&to=2026-11-24T00:00:00Z"
ANN = Acting("operator ann")


def door(world: World, *, enabled: bool = True, acting: Acting = ANN) -> Phone:
    app: QuartTrio = HttpApplication("test", ids=CountingIds(), limits=RequestLimits())
    app.before_request(lambda: act_as(acting))
    app.register_blueprint(
        power_routes(PowerGroups(world.pool, world.clock, world.link, BISHKEK, read_schedules, enabled=enabled))
    )
    hold_to_description(app)
    return cast("Phone", app.test_client())


@pytest.fixture
def desk(world: World) -> Phone:
    return door(world)


async def made(desk: Phone, **other: object) -> dict[str, Any]:
    answer = await body_of(await desk.post("/power-groups", json=GROUP | other))
    assert answer["success"], answer
    return cast("dict[str, Any]", answer["data"])


async def test_a_group_is_made_changed_and_deleted(world: World, desk: Phone) -> None:
    group = await made(desk)
    assert (group["limit_a"], group["limit_kw"], group["active"], group["schedule"]) == (40, None, True, [])
    assert group["members"][1] == {
        "station_id": STATION,
        "connector_id": 2,
        "phases": 1,
        "l1_is": 2,
        "min_a": 6,
        "max_a": 32,
        "dc": False,
        "priority": 0,
    }
    assert group["warnings"] == ["nameplates_exceed_limit"]
    world.link.connected.add(STATION)
    path = f"/power-groups/{group['id']}"
    changed = await body_of(await desk.put(path, json=GROUP | {"limit_a": 64, "members": [MEMBER]}))
    assert (changed["data"]["limit_a"], len(changed["data"]["members"]), changed["data"]["warnings"]) == (64, 1, [])
    assert [payload for action, payload in world.link.commanded if action == "ClearChargingProfile"] == [
        {"connectorId": 2, "chargingProfilePurpose": "TxDefaultProfile", "stackLevel": 0},
        {"connectorId": 2, "chargingProfilePurpose": "TxProfile", "stackLevel": 1},
    ], "an installer's profile stays"
    assert (await body_of(await desk.delete(path)))["data"] == []
    assert (await desk.get(path)).status_code == 404


@pytest.mark.parametrize(
    ("other", "field"),
    [
        ({"limit_kw": 10}, "limit_a"),
        ({"limit_a": None}, "limit_a"),
        ({"limit_a": -1}, "limit_a"),
        ({"limit_a": 10.05}, "limit_a"),
        ({"phases": 2}, "phases"),
        ({"name": ""}, "name"),
        ({"location_id": "nowhere"}, "location_id"),
        ({"parent_id": 77}, "parent_id"),
        ({"members": [MEMBER | {"max_a": 5}]}, "members"),
        ({"members": [{"station_id": STATION, "connector_id": 9, "max_a": 16}]}, "members"),
        ({"members": "all"}, "members"),
        ({"failsafe_a": 20.1}, "failsafe_a"),
    ],
)
async def test_a_wrong_group_is_refused_and_nothing_is_written(
    world: World, desk: Phone, other: dict[str, Any], field: str
) -> None:
    members = {"members": [MEMBER, MEMBER | {"connector_id": 2}]} if field == "failsafe_a" else {}
    answer = await body_of(await desk.post("/power-groups", json=GROUP | members | other), 400)
    assert [wrong["field"] for wrong in answer["detail"]] == [field]
    assert await world.sql("SELECT 1 FROM evpower.power_groups") == []


async def test_of_connectors_that_share_an_evse_one_alone_is_a_member(world: World, desk: Phone) -> None:
    """OCPP 2.0.1 limits EVSEs: what one of them is granted would be the other's too. Wherever the other is a member."""
    place = "INSERT INTO evpower.connector_evses VALUES (%s, 2, 1, 2, now(), now())"
    await world.sql(place, STATION)
    answer = await body_of(await desk.post("/power-groups", json=GROUP), 400)
    (wrong,) = answer["detail"]
    assert wrong["field"] == "members"
    assert all(each in wrong["message"] for each in (STATION, "1, 2", "EVSE 1"))
    assert await world.sql("SELECT 1 FROM evpower.power_groups") == []
    await made(desk, members=[MEMBER])
    answer = await body_of(await desk.post("/power-groups", json=GROUP | {"members": GROUP["members"][1:]}), 400)
    assert answer["detail"][0]["field"] == "members"


async def test_failsafes_hold_at_every_hour_and_above(desk: Phone) -> None:
    """Half of them would hold by day; by night and at the connection they are too much."""
    top = await made(desk, name="Сеть", limit_a=11.9, members=[])
    answer = await body_of(await desk.post("/power-groups", json=GROUP | {"parent_id": top["id"]}), 400)
    assert answer["detail"][0]["field"] == "failsafe_a"
    assert "Сеть" in answer["detail"][0]["message"]
    group = await made(desk)
    hours = [{"days": [6, 7], "from": "18:00", "to": "02:00", "limit_kw": 8}]
    path = f"/power-groups/{group['id']}/schedule"
    refused = await body_of(await desk.put(path, json={"schedule": hours}), 400)
    assert refused["detail"][0]["field"] == "failsafe_a"
    hours[0]["limit_kw"] = 8.4
    written = (await body_of(await desk.put(path, json={"schedule": hours})))["data"]
    assert written["schedule"] == hours
    assert written["warnings"] == ["nameplates_exceed_limit", "failsafe_leaves_no_charge"]


async def test_a_group_is_not_below_itself_and_is_not_deleted_above_others(desk: Phone) -> None:
    top = await made(desk, members=[])
    below = await made(desk, parent_id=top["id"])
    refused = await body_of(await desk.put(f"/power-groups/{top['id']}", json=GROUP | {"parent_id": below["id"]}), 400)
    assert refused["detail"][0]["field"] == "parent_id"
    refused = await body_of(await desk.delete(f"/power-groups/{top['id']}"))
    assert (refused["success"], refused["reason"]) == (False, "group_has_groups")


async def test_a_limit_from_outside_counts_until_its_end(world: World, desk: Phone) -> None:
    group = await made(desk)
    path = f"/power-groups/{group['id']}"
    until = "2026-11-23T07:00:00.000000Z"
    limited = await body_of(await desk.put(f"{path}/limit", json={"limit_kw": 10, "valid_until": until}))
    assert (limited["data"]["outside_limit_kw"], limited["data"]["outside_valid_until"]) == (10, until)
    state = (await body_of(await desk.get(f"{path}/state")))["data"]
    assert state["limit_a"] == 14.4
    world.clock.advance(3600)
    state = (await body_of(await desk.get(f"{path}/state")))["data"]
    assert (state["limit_a"], state["granted_a"], [each["online"] for each in state["members"]]) == (40, 0, [False] * 2)
    history = await desk.get(f"{path}/history?from=2026-11-23&to=2026-11-24")
    assert (await body_of(history))["data"] == []


@pytest.mark.parametrize("wrong", [{"days": [8]}, {"from": "24:00"}, {"to": "1:00"}, {"limit_kw": None}])
async def test_a_wrong_schedule_is_refused(desk: Phone, wrong: dict[str, Any]) -> None:
    group = await made(desk)
    hours = {"days": [1], "from": "18:00", "to": "22:00", "limit_kw": 20} | wrong
    answer = await body_of(await desk.put(f"/power-groups/{group['id']}/schedule", json={"schedule": [hours]}), 400)
    assert answer["detail"][0]["field"] == "schedule"


async def test_switched_off_it_is_not_there(world: World) -> None:
    assert (await door(world, enabled=False).get("/power-groups")).status_code == 404


async def test_who_sees_a_part_of_the_network_reads_sites_that_are_all_of_it(world: World, desk: Phone) -> None:
    group = await made(desk)
    paths = [f"/power-groups/{group['id']}{each}" for each in ("", "/state", PAST)]
    for stations, status in ((frozenset({STATION}), 200), (frozenset[StationId](), 404)):
        own = door(world, acting=Acting("operator bek", own=Own(frozenset(), stations)))
        assert [(await own.get(path)).status_code for path in paths] == [status] * 3
        listed = (await body_of(await own.get("/power-groups")))["data"]
        assert [each["id"] for each in listed] == ([group["id"]] if stations else [])

"""Display, customers, monitors and the device by operators' verbs: one vocabulary, and a clear refusal where a
station's version lacks it (contract/ocpp201 §4)."""

from __future__ import annotations

from typing import Any

import pytest

from evpower.errors import InvalidRequest
from evpower.http.operators.arguments.device import DEVICE_OPERATIONS
from evpower.link.errors import CommandRejected, NotInThisVersion
from evpower.ocpp.v201.dialect import OCPP_201
from tests.worlds.charging import STATION, World

MONITOR = {"variable": "EVSE.Power", "kind": "Delta", "value": 1.5, "severity": 8}
MONITORED = {
    "type": "Delta",
    "severity": 8,
    "component": {"name": "EVSE"},
    "variable": {"name": "Power"},
}
#: The least that each may be given.
ARGUMENTS: dict[str, dict[str, Any]] = {
    "set-display-message": {"message_id": 1, "text": "x"},
    "display-messages": {},
    "clear-display-message": {"message_id": 1},
    "customer-information": {"id_tag": "TAG"},
    "set-monitoring-base": {"base": "All"},
    "set-monitoring-level": {"severity": 4},
    "set-monitors": {"monitors": [MONITOR]},
    "monitors": {},
    "clear-monitors": {"monitor_ids": [1]},
    "read-device": {},
    "charging-profiles": {"connector_id": 1},
    "set-network-profile": {"slot": 1, "profile": {}},
    "publish-firmware": {"location": "https://x/y", "checksum": "abc"},
    "unpublish-firmware": {"checksum": "abc"},
}


@pytest.fixture
def station(world: World) -> World:
    world.link.dialect = OCPP_201
    return world


async def operate(world: World, name: str, **arguments: Any) -> dict[str, Any]:
    return await world.app.operations.perform(STATION, name, ARGUMENTS[name] | arguments)


def test_all_are_tried_here() -> None:
    assert ARGUMENTS.keys() == DEVICE_OPERATIONS.keys()


@pytest.mark.parametrize("name", ARGUMENTS)
async def test_a_station_of_1_6_is_not_asked(world: World, name: str) -> None:
    with pytest.raises(NotInThisVersion) as caught:
        await operate(world, name)
    assert (caught.value.code, caught.value.details) == ("command_refused", {"reason": "not_in_ocpp_1.6"})
    assert world.link.commanded == []


async def test_texts_of_all_parts_are_shown(station: World) -> None:
    parts = [{"messageInfo": [{"id": 1}]}, {}, {"messageInfo": [{"id": 2}, {"id": 3}]}]
    station.link.replies["GetDisplayMessages"] = {"status": "Accepted", "parts": parts}
    assert await operate(station, "display-messages") == {"messages": [{"id": 1}, {"id": 2}, {"id": 3}]}
    (number, again) = [payload["requestId"] for _, payload in station.link.commanded] + [
        await station.app.operations.device_model.new_number()
    ]
    assert again > number, "each request has a number of its own"


async def test_what_is_kept_of_a_customer_is_one_text(station: World) -> None:
    parts = [{"data": "name: "}, {"data": "B"}]
    station.link.replies["CustomerInformation"] = {"status": "Accepted", "parts": parts}
    assert await operate(station, "customer-information", forget=True) == {"status": "Accepted", "data": "name: B"}
    ((_, payload),) = station.link.commanded
    assert (payload["report"], payload["clear"], payload["idToken"]) == (
        True,
        True,
        {"idToken": "TAG", "type": "Central"},
    )


@pytest.mark.parametrize("name", ["customer-information", "monitors", "set-monitoring-base", "set-network-profile"])
async def test_a_refusal_is_one(station: World, name: str) -> None:
    action = {
        "customer-information": "CustomerInformation",
        "monitors": "GetMonitoringReport",
        "set-monitoring-base": "SetMonitoringBase",
        "set-network-profile": "SetNetworkProfile",
    }[name]
    station.link.replies[action] = {"status": "Rejected"}
    with pytest.raises(CommandRejected):
        await operate(station, name)


@pytest.mark.parametrize(("status", "refused"), [("Accepted", False), ("UnknownVariable", True)])
async def test_monitors_are_set_when_each_of_them_is(station: World, status: str, refused: bool) -> None:
    results = [{**MONITORED, "id": 1, "status": "Accepted"}, {**MONITORED, "status": status}]
    station.link.replies["SetVariableMonitoring"] = {"setMonitoringResult": results}
    if refused:
        with pytest.raises(CommandRejected) as caught:
            await operate(station, "set-monitors", monitors=[MONITOR, MONITOR])
        assert caught.value.details["status"] == status
    else:
        answer = await operate(station, "set-monitors", monitors=[MONITOR, MONITOR])
        assert answer == {"setMonitoringResult": results}


async def test_firmware_to_hand_out_is_followed_to_its_end(station: World) -> None:
    station.link.replies["PublishFirmware"] = {"status": "Accepted"}
    number = (await operate(station, "publish-firmware"))["transfer_id"]
    for status in ("Downloading", "Published"):
        await station.app.reports.transfer_moved(STATION, "published_firmware", status, number)
    (row,) = await station.sql("SELECT kind, status, ended_at IS NOT NULL AS ended FROM evpower.ocpp_transfers")
    assert row == {"kind": "published_firmware", "status": "Published", "ended": True}


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("set-display-message", {"priority": "Loud"}),
        ("set-monitoring-level", {"severity": 10}),
        ("set-monitors", {"monitors": []}),
        ("set-monitors", {"monitors": [MONITOR | {"variable": "NoDot"}]}),
        ("customer-information", {"id_tag": "x" * 37}),
        ("monitors", {"more": 1}),
    ],
)
async def test_arguments_that_mean_nothing_are_refused(station: World, name: str, wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest):
        await operate(station, name, **wrong)

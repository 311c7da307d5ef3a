"""Raw commands over HTTP: the body is the payload, the data is the charger's answer (design §8)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import pytest

from evpower.errors import InvalidRequest
from evpower.http.operators.control import build_control_app
from evpower.http.operators.operations import StationOperations
from evpower.http.operators.station_commands import command_routes
from evpower.identifiers import StationId
from evpower.link.errors import ChargerOffline, CommandRefused, CommandTimedOut
from evpower.stations.commands import StationCommands
from tests.http.conftest import body_of
from tests.http.fakes import CountingIds, Phone, World
from tests.http.operators.test_control import FakeViews

PATH = "/control/stations/EVP-001-01/commands/Reset"


class FakeCommands(StationCommands):
    def __init__(self) -> None:
        self.sent: list[tuple[str, str, dict[str, Any]]] = []
        self.answer: dict[str, Any] | Exception = {"status": "Accepted"}

    async def send(self, station_id: StationId, action: str, payload: Mapping[str, Any]) -> dict[str, Any]:
        self.sent.append((station_id, action, dict(payload)))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


class FakeOperations(StationOperations):
    """Says what it was asked."""

    def __init__(self, commands: FakeCommands) -> None:
        object.__setattr__(self, "commands", commands)

    async def perform(self, station_id: StationId, name: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        return {"station": station_id, "operation": name, "arguments": dict(arguments)}


@pytest.fixture
def commands() -> FakeCommands:
    return FakeCommands()


@pytest.fixture
def operator(commands: FakeCommands) -> Phone:
    app = build_control_app(
        charging=World().charging,
        views=FakeViews(),
        ids=CountingIds(),
        operations=(command_routes(FakeOperations(commands)),),
    )
    return cast("Phone", app.test_client())


async def test_the_body_is_sent_and_the_answer_is_the_data(operator: Phone, commands: FakeCommands) -> None:
    response = await operator.post(PATH, data=b'{"type": "Soft"}')
    assert await body_of(response) == {"success": True, "data": {"status": "Accepted"}}
    assert commands.sent == [("EVP-001-01", "Reset", {"type": "Soft"})]


async def test_no_body_is_an_empty_payload(operator: Phone, commands: FakeCommands) -> None:
    await operator.post(PATH)
    assert commands.sent == [("EVP-001-01", "Reset", {})]


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (ChargerOffline(), "station_offline"),
        (CommandTimedOut(), "command_timeout"),
        (CommandRefused("NotSupported", "", {}), "command_refused"),
    ],
)
async def test_each_failure_has_its_own_word(
    failure: Exception, code: str, operator: Phone, commands: FakeCommands
) -> None:
    commands.answer = failure
    body = await body_of(await operator.post(PATH))
    assert (body["success"], body["error"]) == (False, code)


async def test_the_callerror_is_inside_the_refusal(operator: Phone, commands: FakeCommands) -> None:
    commands.answer = CommandRefused("NotSupported", "no", {"a": 1})
    body = await body_of(await operator.post(PATH))
    assert body["call_error"] == {"code": "NotSupported", "description": "no", "details": {"a": 1}}


async def test_a_wrong_payload_is_a_validation_error_with_its_field(operator: Phone, commands: FakeCommands) -> None:
    commands.answer = InvalidRequest(("type", "обязательное поле"))
    body = await body_of(await operator.post(PATH), 400)
    assert (body["error"], body["detail"][0]["field"]) == ("validation_error", "type")


async def test_a_body_that_is_no_object_is_refused(operator: Phone, commands: FakeCommands) -> None:
    assert (await body_of(await operator.post(PATH, data=b"[1]"), 400))["error"] == "validation_error"
    assert commands.sent == []


async def test_a_station_nobody_can_have_is_not_found(operator: Phone, commands: FakeCommands) -> None:
    response = await operator.post("/control/stations/a%20b/commands/Reset")
    assert (await body_of(response, 404))["error"] == "station_not_found"


async def test_an_operation_is_asked_for_by_its_name(operator: Phone) -> None:
    response = await operator.post("/control/stations/EVP-001-01/operations/reset", data=b'{"kind": "hard"}')
    assert (await body_of(response))["data"] == {
        "station": "EVP-001-01",
        "operation": "reset",
        "arguments": {"kind": "hard"},
    }

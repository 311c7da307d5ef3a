"""Several connectors of one EVSE are connectors of ours, where that is configured (contract ocpp201 §5)."""

from __future__ import annotations

from typing import Any

import pytest
import trio
from trio.testing import MockClock

from evpower.identifiers import ConnectorId, IdTag, StationId
from evpower.link import commands
from evpower.network.spots.evses import EACH_ITS_OWN, STRANGE, EvsePlace, Evses
from evpower.network.station import Admission
from evpower.ocpp.dialect import Request, Send
from evpower.ocpp.v201.dialect import OCPP_201
from tests.ocpp.conftest import Csms
from tests.ocpp.peer import Peer
from tests.ocpp.v201.test_station import AT, obey
from tests.worlds.fakes import NOON

ONE, TWO, THREE = ConnectorId(1), ConnectorId(2), ConnectorId(3)
#: Two plugs on the first EVSE; the second is our third connector.
SHARED = Evses(((ONE, EvsePlace(1, 1, "cCCS2")), (TWO, EvsePlace(1, 2, "cG105")), (THREE, EvsePlace(2))))


def test_without_a_place_a_connector_is_the_evse_of_its_number() -> None:
    assert EACH_ITS_OWN.place(TWO) == (2, 1, None)
    assert [EACH_ITS_OWN.connector(2, number) for number in (1, 2)] == [TWO, TWO], "whatever its number there"
    assert not EACH_ITS_OWN.is_shared(2)


@pytest.mark.parametrize(
    ("evse_id", "number", "connector_id"),
    [(0, 0, 0), (1, 1, 1), (1, 2, 2), (2, 1, 3), (2, 7, 3), (1, 3, STRANGE + 1), (3, 1, STRANGE + 3)],
)
def test_a_place_names_its_connector_and_what_nobody_configured_is_none_of_ours(
    evse_id: int, number: int, connector_id: int
) -> None:
    """EVSE 3 is not our connector 3, which is elsewhere."""
    assert SHARED.connector(evse_id, number) == connector_id


def test_the_number_of_what_nobody_configured_can_be_stored() -> None:
    assert SHARED.connector(2**31 - 1, 1) == 2**31 - 1


@pytest.fixture
async def peer(csms: Csms, autojump_clock: MockClock) -> Peer:
    csms.reports.stations = {"CP-1": Admission("CP-1", "active", None, (ONE, TWO, THREE), evses=SHARED)}
    return await csms.charger(subprotocols=("ocpp2.0.1",))


async def say(peer: Peer, evse_id: int, number: int, status: str) -> None:
    status_of = {"timestamp": AT, "evseId": evse_id, "connectorId": number, "connectorStatus": status}
    assert (await peer.call("StatusNotification", status_of))[2] == {}


def event(seq_no: int, kind: str = "Updated", **more: Any) -> dict[str, Any]:
    info = {"transactionId": "t", "chargingState": "Charging"}
    known = {"eventType": kind, "timestamp": AT, "triggerReason": "Authorized", "seqNo": seq_no}
    return {**known, "transactionInfo": info, **more}


async def test_each_connector_has_its_own_status_and_its_transactions(csms: Csms, peer: Peer) -> None:
    await say(peer, 1, 1, "Unavailable")
    await say(peer, 1, 2, "Occupied")
    await say(peer, 2, 1, "Available")
    await peer.call("TransactionEvent", event(0, "Started", evse={"id": 1, "connectorId": 2}))
    said = [(each.connector_id, each.status) for each in csms.reports.statuses]
    assert said == [(1, "Unavailable"), (2, "Preparing"), (3, "Available"), (2, "Charging")]


async def test_an_event_that_names_its_evse_alone_is_of_the_connector_that_is_occupied(csms: Csms, peer: Peer) -> None:
    await say(peer, 1, 2, "Occupied")
    await peer.call("TransactionEvent", event(0, evse={"id": 1}))
    assert csms.reports.events[-1].connector_id == TWO
    await peer.call("MeterValues", {"evseId": 1, "meterValue": [{"timestamp": AT, "sampledValue": [{"value": 1}]}]})
    assert csms.reports.readings[-1].connector_id == TWO


async def test_a_charge_is_of_some_connector_and_a_reading_does_not_guess(csms: Csms, peer: Peer) -> None:
    """Nothing has said which one is occupied: a start without a connector could never be billed."""
    await peer.call("TransactionEvent", event(0, evse={"id": 1}))
    token = {"idToken": "CARD", "type": "ISO14443"}
    await peer.call("TransactionEvent", event(1, evse={"id": 1}, idToken=token))
    assert [each.connector_id for each in csms.reports.events] == [None, ONE]


async def test_a_connector_that_is_silent_is_asked_for_by_its_place(csms: Csms, peer: Peer) -> None:
    await say(peer, 1, 1, "Available")
    asked = [payload["evse"] for action, payload in await obey(peer) if action == "TriggerMessage"]
    assert asked == [{"id": 1, "connectorId": 2}, {"id": 2, "connectorId": 1}]


async def test_a_start_names_the_evse(csms: Csms, peer: Peer) -> None:
    await say(peer, 1, 1, "Available")
    await obey(peer)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(csms.registry.remote_start, StationId("CP-1"), TWO, IdTag("EV1"), 77)
        _, message_id, action, payload = await peer.next_call()
        assert (action, payload["evseId"]) == ("RequestStartTransaction", 1)
        await peer.send(3, message_id, {"status": "Accepted"})


@pytest.mark.parametrize(
    ("command", "where"),
    [
        (commands.Unlock(TWO), {"evseId": 1, "connectorId": 2}),
        (commands.Unlock(THREE), {"evseId": 2, "connectorId": 1}),
        (commands.SetAvailability(TWO, operative=True), {"evse": {"id": 1, "connectorId": 2}}),
        (commands.SetAvailability(THREE, operative=True), {"evse": {"id": 2}}),
        (commands.Restart("hard", TWO), {"evseId": 1}),
        (commands.Trigger("StatusNotification", TWO), {"evse": {"id": 1, "connectorId": 2}}),
        (commands.Trigger("MeterValues", TWO), {"evse": {"id": 1}}),
        (commands.Reserve(7, TWO, "TAG", NOON, None), {"evseId": 1, "connectorType": "cG105"}),
        (commands.Reserve(7, THREE, "TAG", NOON, None), {"evseId": 2}),
        (commands.ReadSchedule(TWO, 60, None), {"evseId": 1}),
    ],
)
async def test_what_operators_have_a_connector_do_names_its_place(
    command: commands.Command[Any], where: dict[str, Any]
) -> None:
    sent: list[Request] = []

    async def send(request: Request) -> dict[str, Any]:
        OCPP_201.schemas.check_command(request.action, request.payload)
        sent.append(request)
        return {"status": "Accepted"}

    await OCPP_201.perform(Send(send, SHARED), command)
    named = ("evse", "evseId", "connectorId", "connectorType")
    assert {key: value for key, value in sent[0].payload.items() if key in named} == where

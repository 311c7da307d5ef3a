"""TransactionEvent, MeterValues and what they say of connectors (OCPP 2.0.1 E, G01, J)."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from trio.testing import MockClock

from evpower.identifiers import ConnectorId, IdTag, StationId
from evpower.metering.meter_value import Sample
from evpower.network.station import Admission
from evpower.ocpp.v201.parked import read_stop, signed_values
from evpower.ocpp.watch.oddities import Kind
from evpower.reports.transaction_event import EventAnswer
from evpower.tags.id_tag import IdTagVerdict
from tests.ocpp.conftest import Csms
from tests.ocpp.peer import Peer

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
TOKEN = {"idToken": "04AABB", "type": "ISO14443"}
CP = StationId("CP-1")


def meter(value: Any = 1500, **more: Any) -> dict[str, Any]:
    return {"timestamp": "2026-01-01T12:00:00Z", "sampledValue": [{"value": value, **more}]}


def event(kind: str = "Started", seq_no: int = 0, **more: Any) -> dict[str, Any]:
    info = {"transactionId": "8c0f-1", **more.pop("info", {})}
    return {
        "eventType": kind,
        "timestamp": "2026-01-01T12:00:00Z",
        "triggerReason": "Authorized",
        "seqNo": seq_no,
        "transactionInfo": info,
        **more,
    }


async def charger(csms: Csms) -> Peer:
    csms.reports.stations = {"CP-1": Admission("CP-1", "active", None, connector_ids=(ConnectorId(1), ConnectorId(2)))}
    return await csms.charger(subprotocols=("ocpp2.0.1", "ocpp1.6"))


async def test_the_service_hears_all_that_an_event_says(csms: Csms, autojump_clock: MockClock) -> None:
    csms.reports.event_answer = EventAnswer(IdTagVerdict("Accepted", IdTag("GROUP"), None, "ky"))
    peer = await charger(csms)
    payload = event(
        seq_no=3,
        idToken=TOKEN,
        evse={"id": 2, "connectorId": 1},
        meterValue=[meter()],
        offline=True,
        reservationId=9,
        info={"chargingState": "Charging", "remoteStartId": 77},
    )
    _, _, answer = await peer.call("TransactionEvent", payload)
    assert answer == {
        "idTokenInfo": {
            "status": "Accepted",
            "cacheExpiryDateTime": "2026-01-02T00:00:00.000Z",
            "chargingPriority": 2,
            "language1": "ky",
            "groupIdToken": {"idToken": "GROUP", "type": "Central"},
        }
    }
    (heard,) = csms.reports.events
    assert (heard.wire_transaction_id, heard.seq_no, heard.kind, heard.occurred_at) == ("8c0f-1", 3, "Started", NOON)
    assert (heard.connector_id, heard.id_tag, heard.remote_start_id, heard.reservation_id) == (2, "04AABB", 77, 9)
    assert (heard.offline, heard.charging_state) == (True, "Charging")
    assert heard.samples == (Sample(NOON, 1500),)
    assert json.loads(heard.readings) == [meter()]


@pytest.mark.parametrize(
    ("sampled", "energy_wh"),
    [
        ({"value": 1.5, "unitOfMeasure": {"unit": "Wh", "multiplier": 3}}, 1500),
        ({"value": 15000, "unitOfMeasure": {"unit": "Wh", "multiplier": -1}}, 1500),
        ({"value": 1.5, "unitOfMeasure": {"unit": "kWh"}}, 1500),
        ({"value": 0.0015, "unitOfMeasure": {"unit": "kWh", "multiplier": 3}}, 1500),
        ({"value": 1500}, 1500),
        ({"value": 1500, "measurand": "Energy.Active.Import.Register", "location": "Outlet"}, 1500),
        ({"value": 1500, "unitOfMeasure": {"multiplier": 99}}, None),
        ({"value": 1500, "location": "Inlet"}, None),
        ({"value": "1500"}, 1500),
    ],
)
async def test_acceptance_5_the_same_energy_in_every_unit_and_multiplier(
    csms: Csms, autojump_clock: MockClock, sampled: dict[str, Any], energy_wh: int | None
) -> None:
    peer = await charger(csms)
    await peer.call("TransactionEvent", event("Updated", meterValue=[meter(**sampled)]))
    assert csms.reports.events[0].last_wh == energy_wh


async def test_a_vendors_own_data_is_no_oddity(csms: Csms, autojump_clock: MockClock) -> None:
    peer = await charger(csms)
    custom = {"vendorId": "org.example", "anything": [1, {"x": None}]}
    await peer.call("TransactionEvent", event(customData=custom, info={"customData": custom}, meterValue=[meter("7")]))
    assert not csms.traffic.leniencies_of(CP)[Kind.UNKNOWN_FIELD]


async def test_an_event_is_taken_without_what_is_missing_or_unreadable(csms: Csms, autojump_clock: MockClock) -> None:
    """Field ruling 3.1: or its station repeats it for ever."""
    peer = await charger(csms)
    wrong = event("Ended", seq_no=4) | {"timestamp": "yesterday", "triggerReason": 7, "evse": "one"}
    assert (await peer.call("TransactionEvent", wrong))[0] == 3
    (heard,) = csms.reports.events
    assert (heard.kind, heard.seq_no, heard.unread) == ("Ended", 4, ("timestamp",))


@pytest.mark.parametrize("missing", ["seqNo", "transactionInfo"])
async def test_an_event_of_no_transaction_is_answered_and_parked(
    csms: Csms, autojump_clock: MockClock, missing: str
) -> None:
    peer = await charger(csms)
    payload = event("Ended")
    del payload[missing]
    assert (await peer.call("TransactionEvent", payload))[2] == {}
    assert csms.reports.events == []
    assert csms.reports.parked[0][:2] == ("TransactionEvent", "names no transaction")


async def test_duty_15_an_event_that_could_not_be_stored_is_an_error(csms: Csms, autojump_clock: MockClock) -> None:
    peer = await charger(csms)
    csms.reports.broken = True
    assert (await peer.call("TransactionEvent", event()))[2] == "InternalError"


async def test_meter_values_are_stored_and_belong_to_no_charge(csms: Csms, autojump_clock: MockClock) -> None:
    peer = await charger(csms)
    assert (await peer.call("MeterValues", {"evseId": 1, "meterValue": [meter()]}))[2] == {}
    (report,) = csms.reports.readings
    assert (report.connector_id, report.wire_transaction_id, report.of_a_charge) == (1, None, False)


async def test_an_occupied_connector_is_what_its_transaction_makes_of_it(csms: Csms, autojump_clock: MockClock) -> None:
    peer = await charger(csms)
    status = {"timestamp": "2026-01-01T12:00:00Z", "evseId": 1, "connectorId": 1}

    async def say(word: str) -> None:
        await peer.call("StatusNotification", {**status, "connectorStatus": word})

    async def tell(kind: str, seq_no: int, **info: str) -> None:
        await peer.call("TransactionEvent", event(kind, seq_no, evse={"id": 1}, info=info))

    await say("Available")
    await say("Occupied")
    await tell("Started", 0, chargingState="EVConnected")
    await tell("Updated", 1, chargingState="Charging")
    await tell("Updated", 2, chargingState="Charging")
    await tell("Updated", 3, chargingState="SuspendedEV")
    await tell("Ended", 4, chargingState="Idle")
    await say("Available")
    await say("Occupied")
    words = [report.status for report in csms.reports.statuses]
    assert words == [
        "Available", "Preparing", "Charging", "SuspendedEV", "Finishing", "Available", "Preparing",
    ]  # fmt: skip


async def test_a_connector_that_is_free_is_not_made_busy_by_an_end_that_comes_later(
    csms: Csms, autojump_clock: MockClock
) -> None:
    peer = await charger(csms)
    status = {"timestamp": "2026-01-01T12:00:00Z", "evseId": 1, "connectorId": 1, "connectorStatus": "Available"}
    await peer.call("StatusNotification", status)
    await peer.call("TransactionEvent", event("Ended", 4, evse={"id": 1}, info={"chargingState": "Idle"}))
    assert [report.status for report in csms.reports.statuses] == ["Available"]


async def test_after_a_reconnect_an_occupied_connector_still_charges(csms: Csms, autojump_clock: MockClock) -> None:
    csms.reports.states = {ConnectorId(1): "Charging"}
    peer = await charger(csms)
    status = {"timestamp": "2026-01-01T12:00:00Z", "evseId": 1, "connectorId": 1, "connectorStatus": "Occupied"}
    await peer.call("StatusNotification", status)
    assert [report.status for report in csms.reports.statuses] == ["Charging"]


def test_what_a_meter_signed_comes_back_byte_for_byte() -> None:
    signed = {
        "signedMeterData": "T0NNRnx7fQ==",
        "signingMethod": "",
        "encodingMethod": "OCMF",
        "publicKey": "",
    }
    readings = json.dumps([meter(signedMeterValue=signed, context="Transaction.End")])
    (value,) = signed_values(readings)
    assert (value.value, value.context) == ("T0NNRnx7fQ==", "Transaction.End")
    (value,) = signed_values(json.dumps({"meterValue": json.loads(readings)}))
    assert value.value == "T0NNRnx7fQ=="
    assert list(signed_values("[1]")) == list(signed_values("no")) == []


def test_a_parked_end_is_read_and_another_event_is_none() -> None:
    stop = read_stop("TransactionEvent", json.dumps(event("Ended", info={"stoppedReason": "EVDisconnected"})))
    assert stop is not None
    assert (stop.stopped_at, stop.reason) == (NOON, "EVDisconnected")
    assert read_stop("TransactionEvent", json.dumps(event("Updated"))) is None
    assert read_stop("StopTransaction", "{}") is None

"""What else an OCPP 2.0.1 station sends, and what it is asked after its boot."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from evpower.errors import InvalidRequest
from evpower.identifiers import ConnectorId, IdTag, StationId, WireTransactionId
from evpower.link.errors import ChargerNotReady, ChargerOffline, NotInThisVersion
from evpower.link.ports import Outcome
from evpower.network.station import Admission, BootVerdict
from evpower.ocpp.dialects import MASKING
from evpower.ocpp.v201.after_boot import LEAST_MEASURANDS, MEASURANDS
from evpower.ocpp.wire import frames
from evpower.power.at_station.reported import CarNeeds
from evpower.reports.transaction_event import EventAnswer
from evpower.security.security_report import SecurityMatter
from evpower.stations.device_variable import DeviceMonitor, DeviceVariable
from tests.ocpp.conftest import Csms
from tests.ocpp.peer import Peer

CP = StationId("CP-1")
BOOT = {"reason": "PowerUp", "chargingStation": {"vendorName": "V", "model": "M", "serialNumber": "S"}}
STATUS = {"timestamp": "2026-01-01T00:00:00Z", "evseId": 1, "connectorId": 1, "connectorStatus": "Available"}
AT = "2026-01-01T00:00:00Z"
#: Of every message; other variables have the value that a test wants.
ROOM = {"BytesPerMessage": "10000"}
ENDED = {
    "eventType": "Ended",
    "timestamp": AT,
    "triggerReason": "EVDeparted",
    "seqNo": 2,
    "transactionInfo": {"transactionId": "t"},
}


async def charger(csms: Csms, *connectors: int) -> Peer:
    numbers = tuple(ConnectorId(each) for each in connectors)
    csms.reports.stations = {"CP-1": Admission("CP-1", "active", None, connector_ids=numbers)}
    return await csms.charger(subprotocols=("ocpp2.0.1", "ocpp1.6"))


def accepted(
    action: str, payload: dict[str, Any], refused: tuple[str, ...] = (), value: str = "true"
) -> dict[str, Any]:
    if action == "SetVariables":
        return {
            "setVariableResult": [
                {
                    "attributeStatus": "Rejected" if each["attributeValue"] in refused else "Accepted",
                    "component": each["component"],
                    "variable": each["variable"],
                }
                for each in payload["setVariableData"]
            ]
        }
    if action == "GetVariables":
        return {
            "getVariableResult": [
                {"attributeStatus": "Accepted", "attributeValue": ROOM.get(each["variable"]["name"], value), **each}
                for each in payload["getVariableData"]
            ]
        }
    return {"status": "Accepted"}


async def obey(peer: Peer, until: float = 30, **how: Any) -> list[tuple[str, dict[str, Any]]]:
    """Answer every command for a while; what they were."""
    commands = []
    with trio.move_on_after(until):
        while True:
            _, message_id, action, payload = await peer.next_call()
            commands.append((action, payload))
            await peer.send(3, message_id, accepted(action, payload, **how))
    return commands


def written(commands: list[tuple[str, dict[str, Any]]]) -> dict[str, list[str]]:
    values: dict[str, list[str]] = {}
    for action, payload in commands:
        for each in payload["setVariableData"] if action == "SetVariables" else ():
            values.setdefault(each["variable"]["name"], []).append(each["attributeValue"])
    return values


@pytest.mark.parametrize(
    ("offered", "spoken"),
    [
        (("ocpp2.1", "ocpp2.0.1", "ocpp1.6"), "ocpp2.0.1"),
        (("ocpp1.6", "ocpp2.0.1"), "ocpp1.6"),
    ],
)
async def test_the_answer_names_the_stations_first_version_that_we_speak(
    csms: Csms, autojump_clock: MockClock, offered: tuple[str, ...], spoken: str
) -> None:
    peer = Peer(await csms.connect())
    response = await peer.open(subprotocols=offered)
    assert response.headers["Sec-WebSocket-Protocol"] == spoken


async def test_a_boot_is_heard_and_answered(csms: Csms, autojump_clock: MockClock) -> None:
    peer = await charger(csms)
    _, _, answer = await peer.call("BootNotification", BOOT)
    assert answer == {"currentTime": "2026-01-01T00:00:00.000Z", "interval": 60, "status": "Accepted"}
    assert (csms.reports.boots[0].vendor, csms.reports.boots[0].serial_number) == ("V", "S")


async def test_before_its_boot_is_accepted_everything_else_is_a_security_error(
    csms: Csms, autojump_clock: MockClock
) -> None:
    csms.reports.boot_verdict = BootVerdict("Pending", 60)
    peer = await charger(csms)
    await peer.call("BootNotification", BOOT)
    assert (await peer.call("StatusNotification", STATUS))[2] == "SecurityError"


async def test_while_its_boot_is_pending_it_may_be_asked_for_variables_and_reports_alone(
    csms: Csms, autojump_clock: MockClock
) -> None:
    """B02; not for a charge, nor for anything else. A boot may be asked for, which is its way out."""
    csms.reports.boot_verdict = BootVerdict("Pending", 60)
    peer = await charger(csms, 1)
    await peer.call("BootNotification", BOOT)
    where = {"component": {"name": "C"}, "variable": {"name": "V"}}
    allowed: dict[str, dict[str, Any]] = {
        "SetVariables": {"setVariableData": [{**where, "attributeValue": "1"}]},
        "GetVariables": {"getVariableData": [where]},
        "GetBaseReport": {"requestId": 1, "reportBase": "FullInventory"},
        "GetReport": {"requestId": 1},
        "TriggerMessage": {"requestedMessage": "BootNotification"},
    }
    async with trio.open_nursery() as nursery:
        for action, payload in allowed.items():
            nursery.start_soon(csms.registry.command, CP, action, payload)
        asked = {action for action, _ in await obey(peer, until=10)}
    assert asked == set(allowed)
    start = {"idToken": {"idToken": "T", "type": "Central"}, "remoteStartId": 1, "evseId": 1}
    refused: dict[str, dict[str, Any]] = {
        "RequestStartTransaction": start,
        "Reset": {"type": "OnIdle"},
        "ClearCache": {},
    }
    for action, payload in refused.items():
        with pytest.raises(ChargerNotReady):
            await csms.registry.command(CP, action, payload)
    assert (await csms.registry.remote_start(CP, ConnectorId(1), IdTag("T"), 1)).outcome is Outcome.REJECTED
    assert await obey(peer, until=10) == []


async def test_the_error_codes_are_those_of_its_version(csms: Csms, autojump_clock: MockClock) -> None:
    peer = await charger(csms)
    assert (await peer.call("BootNotification", {"reason": "PowerUp"}))[2] == "OccurrenceConstraintViolation"
    assert (await peer.call("BootNotification", []))[2] == "FormatViolation"
    assert (await peer.call("StartTransaction", {}))[2] == "NotImplemented"
    assert (await peer.call("GetVariables", {}))[2] == "NotSupported"
    await peer.send(6, "m", "NotifyPeriodicEventStream", {})
    assert (await peer.answer())[2] == "MessageTypeNotSupported"
    await peer.send(2, "m", 17, {})
    assert (await peer.answer())[2] == "RpcFrameworkError"
    for unreadable in (b"{", b"[2]", b'[2,null,"Heartbeat",{}]'):  # OCPP-J 2.0.1 §4.2.3
        await peer.send_text(unreadable)
        assert (await peer.answer("-1"))[2] == "RpcFrameworkError"
    for answers_of_its_own in (b"[3]", b"[4]", b"[3,null,{}]"):
        await peer.send_text(answers_of_its_own)
    assert (await peer.call("Heartbeat"))[0] == 3


async def test_it_is_told_how_to_meter_and_asked_when_its_transactions_begin(
    csms: Csms, autojump_clock: MockClock
) -> None:
    peer = await charger(csms, 1)
    await peer.call("BootNotification", BOOT)
    await peer.call("StatusNotification", STATUS)
    asked = await obey(peer)
    assert written(asked) == {
        "TxUpdatedInterval": ["30"],
        "TxUpdatedMeasurands": [MEASURANDS],
        "TxStartedMeasurands": ["Energy.Active.Import.Register"],
        "TxEndedMeasurands": ["Energy.Active.Import.Register"],
        "StopTxOnInvalidId": ["true"],
    }
    read = [
        each["variable"]["name"]
        for action, data in asked
        if action == "GetVariables"
        for each in data["getVariableData"]
    ]
    limits = ["ItemsPerMessage", "BytesPerMessage"] * 2
    assert read == [*limits, "TxStartPoint", "TxStopPoint", "OfflineThreshold", "Available", "Enabled"]
    assert csms.reports.variables == {
        "TxCtrlr.TxStartPoint": "true",
        "TxCtrlr.TxStopPoint": "true",
        "OCPPCommCtrlr.OfflineThreshold": "true",
        "DisplayMessageCtrlr.Available": "true",
        "TariffCostCtrlr.Enabled": "true",
    }
    assert csms.reports.count("ready") == 1


def sizes(commands: list[tuple[str, dict[str, Any]]]) -> list[int]:
    """How many variables are in each message, after the first, which asks how many may be."""
    data = [payload.get("setVariableData") or payload.get("getVariableData") or () for _, payload in commands]
    return [len(each) for each in data if each][1:]


@pytest.mark.parametrize(("limit", "expected"), [("2", [2, 2, 1] * 2), ("50", [5, 5]), ("true", [4, 1] * 2)])
async def test_a_message_holds_as_many_variables_as_the_station_takes(
    csms: Csms, autojump_clock: MockClock, limit: str, expected: list[int]
) -> None:
    """ItemsPerMessage of GetVariables and SetVariables; a few where it is unknown."""
    peer = await charger(csms)
    await peer.call("StatusNotification", STATUS)
    assert sizes(await obey(peer, value=limit)) == expected


async def test_a_station_that_takes_one_variable_at_a_time_gets_them_so(csms: Csms, autojump_clock: MockClock) -> None:
    peer = await charger(csms)
    await peer.call("StatusNotification", STATUS)
    data: list[int] = []
    with trio.move_on_after(30):
        while True:
            _, message_id, action, payload = await peer.next_call()
            data.append(len(payload.get("setVariableData") or payload.get("getVariableData") or ()))
            if data[-1] > 1:
                await peer.send(4, message_id, "OccurrenceConstraintViolation", "", {})
            else:
                await peer.send(3, message_id, accepted(action, payload))
    assert data[:11] == [4] + [1] * 10


async def test_a_shorter_list_is_offered_to_one_that_refuses(csms: Csms, autojump_clock: MockClock) -> None:
    peer = await charger(csms)
    await peer.call("StatusNotification", STATUS)
    assert written(await obey(peer, refused=(MEASURANDS,)))["TxUpdatedMeasurands"] == [MEASURANDS, LEAST_MEASURANDS]


async def test_a_transaction_it_knows_no_more_is_lost_and_one_that_it_has_queued_is_not(
    csms: Csms, autojump_clock: MockClock
) -> None:
    csms.reports.unended = [WireTransactionId(each) for each in ("gone", "queued", "on", "silent")]
    answers: dict[str, dict[str, Any]] = {
        "gone": {"ongoingIndicator": False, "messagesInQueue": False},
        "queued": {"ongoingIndicator": False, "messagesInQueue": True},
        "on": {"ongoingIndicator": True, "messagesInQueue": False},
        "silent": {"messagesInQueue": False},
    }
    peer = await charger(csms, 1)
    await peer.call("StatusNotification", STATUS)
    with trio.move_on_after(30):
        while True:
            _, message_id, action, payload = await peer.next_call()
            answer = answers.get(payload.get("transactionId", "")) or accepted(action, payload)
            await peer.send(3, message_id, answer)
    assert csms.reports.lost == ["gone"]


async def test_one_that_shows_costs_is_answered_with_them(csms: Csms, autojump_clock: MockClock) -> None:
    csms.reports.event_answer = EventAnswer(None, 202_50)
    peer = await charger(csms, 1)
    updated = {
        "eventType": "Updated",
        "timestamp": AT,
        "triggerReason": "MeterValuePeriodic",
        "seqNo": 1,
        "transactionInfo": {"transactionId": "t"},
    }
    assert (await peer.call("TransactionEvent", updated))[2] == {}
    await peer.call("StatusNotification", STATUS)
    await obey(peer)
    assert (await peer.call("TransactionEvent", updated))[2] == {"totalCost": 202.5}


async def test_the_end_of_a_charge_is_answered_with_its_cost_whatever_a_station_shows(
    csms: Csms, autojump_clock: MockClock
) -> None:
    """I03: for a receipt."""
    csms.reports.event_answer = EventAnswer(None, 202_50)
    peer = await charger(csms, 1)
    assert (await peer.call("TransactionEvent", ENDED))[2] == {"totalCost": 202.5}


async def test_costs_are_sent_by_themselves_where_that_is_asked_for(csms: Csms, autojump_clock: MockClock) -> None:
    """I02; a charge that nobody pays for has no cost."""
    csms.set(cost_updated_interval_s=60)
    csms.reports.unended = [WireTransactionId(each) for each in ("2.0.1:17", "free")]
    csms.reports.costs = {WireTransactionId("2.0.1:17"): 202_50}
    peer = await charger(csms, 1)
    await peer.call("StatusNotification", STATUS)
    sent = [payload for action, payload in await obey(peer, until=100) if action == "CostUpdated"]
    assert sent == [{"totalCost": 202.5, "transactionId": "17"}] * 2


@pytest.mark.parametrize(("interval_s", "value"), [(0, "true"), (60, "false")])
async def test_costs_are_not_sent_unasked_nor_to_a_station_that_shows_none(
    csms: Csms, autojump_clock: MockClock, interval_s: int, value: str
) -> None:
    csms.set(cost_updated_interval_s=interval_s)
    csms.reports.unended = [WireTransactionId("t")]
    csms.reports.costs = {WireTransactionId("t"): 202_50}
    peer = await charger(csms, 1)
    await peer.call("StatusNotification", STATUS)
    assert "CostUpdated" not in [action for action, _ in await obey(peer, until=150, value=value)]


async def test_without_a_provider_certificates_of_cars_fail(csms: Csms, autojump_clock: MockClock) -> None:
    """M01, M06; with one: `tests/plug_and_charge`."""
    peer = await charger(csms, 1)
    contract = {"iso15118SchemaVersion": "urn:iso", "action": "Install", "exiRequest": "QQ=="}
    assert (await peer.call("Get15118EVCertificate", contract))[2] == {"status": "Failed", "exiResponse": ""}
    asked = {"hashAlgorithm": "SHA256", "issuerNameHash": "aa", "issuerKeyHash": "bb", "serialNumber": "1"}
    status = {"ocspRequestData": {**asked, "responderURL": "http://10.0.0.1"}}
    assert (await peer.call("GetCertificateStatus", status))[2] == {"status": "Failed"}


async def test_a_start_and_a_stop_are_asked_in_its_words(csms: Csms, autojump_clock: MockClock) -> None:
    peer = await charger(csms, 1)
    await peer.call("StatusNotification", STATUS)
    await obey(peer)
    asked: list[Any] = []

    async with trio.open_nursery() as nursery:

        async def ask() -> None:
            start = await csms.registry.remote_start(CP, ConnectorId(1), IdTag("EV1"), 77)
            stop = await csms.registry.remote_stop(CP, WireTransactionId("8c0f"))
            asked.extend([start.outcome, stop.outcome])
            nursery.cancel_scope.cancel()

        nursery.start_soon(ask)
        commands = [(await peer.next_call())]
        await peer.send(3, commands[0][1], {"status": "Accepted"})
        commands.append(await peer.next_call())
        await peer.send(3, commands[1][1], {"status": "Rejected"})
        await trio.sleep(60)
    assert [(each[2], each[3]) for each in commands] == [
        (
            "RequestStartTransaction",
            {"evseId": 1, "idToken": {"idToken": "EV1", "type": "Central"}, "remoteStartId": 77},
        ),
        ("RequestStopTransaction", {"transactionId": "8c0f"}),
    ]
    assert asked == [Outcome.ACCEPTED, Outcome.REJECTED]


@pytest.mark.parametrize("said", ["Expired", "Removed"])
async def test_a_reservation_that_ended_at_the_station_ends(csms: Csms, autojump_clock: MockClock, said: str) -> None:
    peer = await charger(csms)
    update = {"reservationId": 7, "reservationUpdateStatus": said}
    assert (await peer.call("ReservationStatusUpdate", update))[2] == {}
    assert (f"reservation 7 {said.lower()}", CP) in csms.reports.told


async def test_an_action_of_the_other_version_is_refused_by_name(csms: Csms, autojump_clock: MockClock) -> None:
    await charger(csms)
    with pytest.raises(NotInThisVersion) as refusal:
        await csms.registry.command(CP, "GetConfiguration", {})
    assert refusal.value.details["reason"] == "not_in_ocpp_2.0.1"
    with pytest.raises(NotInThisVersion) as refusal:
        await csms.registry.command(StationId("elsewhere"), "GetVariables", {})
    assert refusal.value.details["reason"] == "not_in_ocpp_1.6"
    with pytest.raises(InvalidRequest):
        await csms.registry.command(CP, "NoSuchAction", {})


async def test_a_station_that_is_away_is_asked_in_the_version_it_spoke_last(
    csms: Csms, autojump_clock: MockClock
) -> None:
    """It has not even booted on its last connection."""
    peer = await csms.charger(subprotocols=("ocpp2.0.1",))
    await trio.sleep(1)
    await peer.wire.aclose()
    await trio.sleep(1)
    assert not csms.registry.is_connected(CP)
    with pytest.raises(ChargerOffline):
        await csms.registry.command(CP, "GetBaseReport", {"requestId": 1, "reportBase": "FullInventory"})
    with pytest.raises(InvalidRequest):
        await csms.registry.command(CP, "GetBaseReport", {"requestId": "1"})
    with pytest.raises(NotInThisVersion) as refusal:
        await csms.registry.command(CP, "GetConfiguration", {})
    assert refusal.value.details["reason"] == "not_in_ocpp_2.0.1"


async def test_a_password_is_not_set_by_hand_and_in_no_kept_frame(csms: Csms, autojump_clock: MockClock) -> None:
    await charger(csms)
    data = {
        "component": {"name": "SecurityCtrlr"},
        "variable": {"name": "BasicAuthPassword"},
        "attributeValue": "secret-of-station",
    }
    with pytest.raises(InvalidRequest):
        await csms.registry.command(CP, "SetVariables", {"setVariableData": [data]})
    frame = frames.call("m", "SetVariables", json.dumps({"setVariableData": [data]}).encode())
    assert b"secret-of-station" not in MASKING.kept(frame)
    assert b"SecurityCtrlr" in MASKING.kept(frame)


async def test_authorize_answers_with_the_verdict_and_trusts_no_contract(csms: Csms, autojump_clock: MockClock) -> None:
    peer = await charger(csms)
    token = {"idToken": {"idToken": "04AA", "type": "ISO14443"}}
    assert (await peer.call("Authorize", token))[2]["idTokenInfo"]["status"] == "Accepted"
    contract = {"idToken": {"idToken": "DE8AA", "type": "eMAID"}, "certificate": "PEM"}
    assert (await peer.call("Authorize", contract))[2] == {
        "certificateStatus": "NoCertificateAvailable",
        "idTokenInfo": {"status": "Invalid"},
    }


EVENT = {
    "eventId": 1,
    "timestamp": AT,
    "trigger": "Alerting",
    "actualValue": "true",
    "component": {"name": "Connector", "evse": {"id": 1, "connectorId": 2}},
    "variable": {"name": "Problem"},
    "eventNotificationType": "HardWiredNotification",
    "techCode": "E42",
    "variableMonitoringId": 3,
    "transactionId": "t",
    "cleared": False,
}


async def test_events_are_heard_in_the_parts_that_they_come_in(csms: Csms, autojump_clock: MockClock) -> None:
    """What becomes of them: `tests/stations/test_device_events.py`."""
    peer = await charger(csms)
    await peer.call("SecurityEventNotification", {"type": "TamperDetectionActivated", "timestamp": AT})
    assert [each.type for each in csms.reports.security_reports] == ["TamperDetectionActivated"]
    for seq_no, more in enumerate(({"tbc": True}, {"tbc": False}, {})):
        message = {"generatedAt": AT, "seqNo": seq_no, "eventData": [EVENT], **more}
        assert (await peer.call("NotifyEvent", message))[2] == {}
    assert [(part.seq_no, part.more) for part in csms.reports.event_parts] == [(0, True), (1, False), (2, False)]
    (event,) = csms.reports.event_parts[0].events
    assert (event.name, event.evse_id, event.connector_id, event.monitor_id) == ("Connector.Problem", 1, 2, 3)
    assert (event.occurred_at, event.transaction_id, event.cleared) == (datetime(2026, 1, 1, tzinfo=UTC), "t", False)
    report = event.report()
    assert (report.matter, report.type, report.detail) == (SecurityMatter.EVENT, "Connector.Problem", "true E42")


async def test_how_grave_monitors_are_is_heard_in_parts(csms: Csms, autojump_clock: MockClock) -> None:
    peer = await charger(csms)
    where = {"component": {"name": "Connector"}, "variable": {"name": "Temperature"}}
    monitor = {"id": 3, "transaction": False, "value": 60.0, "type": "UpperThreshold", "severity": 8}
    data = [{**where, "variableMonitoring": [monitor]}]
    report = {"requestId": 5, "seqNo": 1, "generatedAt": AT, "monitor": data, "tbc": True}
    assert (await peer.call("NotifyMonitoringReport", report))[2] == {}
    assert csms.reports.monitor_reports == [(5, 1, (DeviceMonitor(3, "Connector.Temperature", 8),), True)]


async def test_files_are_followed_by_their_numbers(csms: Csms, autojump_clock: MockClock) -> None:
    peer = await charger(csms)
    await peer.call("LogStatusNotification", {"status": "UploadFailure", "requestId": 0})
    await peer.call("FirmwareStatusNotification", {"status": "Installed", "requestId": 0})
    await peer.call("LogStatusNotification", {"status": "Uploaded", "requestId": 5})
    await peer.call("FirmwareStatusNotification", {"status": "InvalidSignature", "requestId": 6})
    assert csms.reports.transfers == [("diagnostics", "UploadFailed"), ("firmware", "Installed")]
    assert [(each.matter, each.request_id) for each in csms.reports.security_reports] == [
        (SecurityMatter.LOG_UPLOAD, 5),
        (SecurityMatter.SIGNED_FIRMWARE, 6),
    ]


@pytest.mark.parametrize(
    ("action", "payload", "answer"),
    [
        ("Heartbeat", {}, {"currentTime": "2026-01-01T00:00:00.000Z"}),
        ("DataTransfer", {"vendorId": "V", "data": {"any": ["thing"]}}, {"status": "UnknownVendorId"}),
        ("NotifyChargingLimit", {"chargingLimit": {"chargingLimitSource": "EMS"}}, {}),
        ("ClearedChargingLimit", {"chargingLimitSource": "EMS"}, {}),
        ("ReportChargingProfiles", {"requestId": 1, "chargingLimitSource": "CSO", "evseId": 1}, {}),
        ("ReportChargingProfiles", {"requestId": "?"}, {}),
        ("NotifyEVChargingNeeds", {"evseId": 1}, {"status": "Rejected"}),
        ("ReservationStatusUpdate", {"reservationId": 1, "reservationUpdateStatus": "Expired"}, {}),
        ("SignCertificate", {"csr": "PEM", "certificateType": "V2GCertificate"}, {"status": "Rejected"}),
        ("SignCertificate", {"csr": "PEM"}, {"status": "Accepted"}),
    ],
)
async def test_everything_a_station_can_say_is_answered(
    csms: Csms, autojump_clock: MockClock, action: str, payload: dict[str, Any], answer: dict[str, Any]
) -> None:
    peer = await charger(csms)
    assert (await peer.call(action, payload))[2] == answer


SCHEDULE = {"id": 1, "chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 10.0}]}


async def test_limits_of_others_are_kept_and_dropped(csms: Csms, autojump_clock: MockClock) -> None:
    """K11, K12, K13; of the whole station when no EVSE is named."""
    peer = await charger(csms)
    source = {"chargingLimitSource": "SO", "isGridCritical": True}
    limited: dict[str, Any] = {"chargingLimit": source, "chargingSchedule": [SCHEDULE]}
    for sent in (limited | {"evseId": 2}, limited, {"chargingLimit": {"chargingLimitSource": "EMS"}}):
        assert (await peer.call("NotifyChargingLimit", sent))[2] == {}
    for gone in ({"evseId": 2}, {}):
        assert (await peer.call("ClearedChargingLimit", {"chargingLimitSource": "SO", **gone}))[2] == {}
    assert csms.reports.limits_of_others.told == [
        ("set", CP, 2, "SO", {"chargingSchedule": [SCHEDULE]}),
        ("set", CP, 0, "SO", {"chargingSchedule": [SCHEDULE]}),
        ("set", CP, 0, "EMS", None),
        ("cleared", CP, 2, "SO"),
        ("cleared", CP, None, "SO"),
    ]


DC = {"evMaxCurrent": 200, "evMaxVoltage": 400, "evEnergyCapacity": 60_000, "stateOfCharge": 25, "fullSoC": 80}


@pytest.mark.parametrize(
    ("needs", "energy_wh"),
    [
        ({"acChargingParameters": {"energyAmount": 20_000, "evMinCurrent": 6, "evMaxCurrent": 32}}, 20_000),
        ({"dcChargingParameters": DC}, 33_000),
        ({"dcChargingParameters": DC | {"energyAmount": 5_000}}, 5_000),
        ({}, None),
    ],
)
@pytest.mark.parametrize("grants", [True, False])
async def test_a_car_that_asks_for_a_schedule_gets_one_where_we_grant(
    csms: Csms, autojump_clock: MockClock, needs: dict[str, Any], energy_wh: int | None, grants: bool
) -> None:
    """K15, K17."""
    peer = await charger(csms)
    csms.reports.limits_of_others.grants = grants
    departure = {"departureTime": "2026-01-01T05:00:00Z", "requestedEnergyTransfer": "DC"}
    answer = await peer.call("NotifyEVChargingNeeds", {"evseId": 1, "chargingNeeds": departure | needs})
    assert answer[2] == {"status": "Accepted" if grants else "Rejected"}
    wanted = CarNeeds(energy_wh, datetime(2026, 1, 1, 5, tzinfo=UTC))
    assert csms.reports.limits_of_others.told == [("needed", CP, 1, wanted)]


async def test_an_inventory_that_is_not_known_is_asked_for_once_it_is_settled(
    csms: Csms, autojump_clock: MockClock
) -> None:
    csms.reports.inventory = 7
    peer = await charger(csms)
    await peer.call("StatusNotification", STATUS)
    assert (await obey(peer))[-1] == ("GetBaseReport", {"requestId": 7, "reportBase": "FullInventory"})


async def test_a_part_of_a_report_is_heard_with_its_variables_and_no_password(
    csms: Csms, autojump_clock: MockClock
) -> None:
    peer = await charger(csms)
    part = [
        {
            "component": {"name": "Connector", "evse": {"id": 1, "connectorId": 2}},
            "variable": {"name": "Available", "instance": "x"},
            "variableAttribute": [{"value": "true", "mutability": "ReadOnly"}, {"type": "Target", "value": "1"}],
        },
        {
            "component": {"name": "SecurityCtrlr"},
            "variable": {"name": "BasicAuthPassword"},
            "variableAttribute": [{"value": "secret-of-station"}],
        },
    ]
    head = {"requestId": 7, "generatedAt": AT, "seqNo": 3, "tbc": True}
    assert (await peer.call("NotifyReport", {**head, "reportData": part}))[2] == {}
    ((number, seq_no, variables, more),) = csms.reports.device_reports
    assert (number, seq_no, more) == (7, 3, True)
    actual = DeviceVariable("Connector", "Available", "true", "", 1, 2, "x", "Actual", "ReadOnly")
    assert variables == (
        actual,
        replace(actual, attribute="Target", value="1", mutability=None),
        DeviceVariable("SecurityCtrlr", "BasicAuthPassword", None),
    )

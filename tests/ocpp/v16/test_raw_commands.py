"""An operator's own commands: checked against the standard before they leave, each end a typed result (duty 39)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from importlib import resources
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from evpower.errors import InvalidRequest
from evpower.identifiers import StationId
from evpower.link.errors import (
    ChargerNotReady,
    ChargerOffline,
    CommandFailure,
    CommandRefused,
    CommandTimedOut,
    UnreadableAnswer,
)
from evpower.network.station import BootVerdict
from evpower.ocpp.v16.commands.schemas import COMMANDS, SCHEMAS
from tests.ocpp.conftest import Csms
from tests.ocpp.peer import Peer
from tests.ocpp.test_connection import ready_charger

CP = StationId("CP-1")
TIME = "2026-11-23T12:00:00Z"
PERIODS = [{"startPeriod": 0, "limit": Decimal("21.4")}]
PROFILE = {
    "chargingProfileId": 1,
    "stackLevel": 0,
    "chargingProfilePurpose": "TxDefaultProfile",
    "chargingProfileKind": "Absolute",
    "chargingSchedule": {"chargingRateUnit": "A", "chargingSchedulePeriod": PERIODS},
}
HASHES = {
    "hashAlgorithm": "SHA256",
    "issuerNameHash": "00",
    "issuerKeyHash": "00",
    "serialNumber": "00",
}
#: A payload of every command, and an answer to it.
EXAMPLES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "CancelReservation": ({"reservationId": 1}, {"status": "Accepted"}),
    "CertificateSigned": ({"certificateChain": "PEM"}, {"status": "Accepted"}),
    "ChangeAvailability": ({"connectorId": 1, "type": "Operative"}, {"status": "Scheduled"}),
    "ChangeConfiguration": ({"key": "k", "value": "v"}, {"status": "RebootRequired"}),
    "ClearCache": ({}, {"status": "Accepted"}),
    "ClearChargingProfile": ({"id": 1}, {"status": "Unknown"}),
    "DataTransfer": ({"vendorId": "EvPower"}, {"status": "Accepted", "data": "d"}),
    "DeleteCertificate": ({"certificateHashData": HASHES}, {"status": "NotFound"}),
    "ExtendedTriggerMessage": ({"requestedMessage": "Heartbeat"}, {"status": "Accepted"}),
    "GetCompositeSchedule": ({"connectorId": 1, "duration": 60}, {"status": "Accepted", "connectorId": 1}),
    "GetConfiguration": ({"key": ["k"]}, {"configurationKey": [{"key": "k", "readonly": False, "value": "v"}]}),
    "GetDiagnostics": ({"location": "ftp://host/d"}, {"fileName": "d.zip"}),
    "GetInstalledCertificateIds": ({"certificateType": "CentralSystemRootCertificate"}, {"status": "NotFound"}),
    "GetLocalListVersion": ({}, {"listVersion": 3}),
    "GetLog": (
        {"logType": "SecurityLog", "requestId": 1, "log": {"remoteLocation": "https://host/l"}},
        {"status": "Accepted", "filename": "l"},
    ),
    "InstallCertificate": (
        {"certificateType": "CentralSystemRootCertificate", "certificate": "PEM"},
        {"status": "Accepted"},
    ),
    "RemoteStartTransaction": ({"idTag": "TAG", "connectorId": 1}, {"status": "Accepted"}),
    "RemoteStopTransaction": ({"transactionId": 1}, {"status": "Rejected"}),
    "ReserveNow": (
        {"connectorId": 1, "expiryDate": TIME, "idTag": "TAG", "reservationId": 1},
        {"status": "Occupied"},
    ),
    "Reset": ({"type": "Soft"}, {"status": "Accepted"}),
    "SendLocalList": ({"listVersion": 1, "updateType": "Full"}, {"status": "Accepted"}),
    "SetChargingProfile": ({"connectorId": 1, "csChargingProfiles": PROFILE}, {"status": "Accepted"}),
    "SignedUpdateFirmware": (
        {
            "requestId": 1,
            "firmware": {
                "location": "https://host/f",
                "retrieveDateTime": TIME,
                "signingCertificate": "PEM",
                "signature": "S",
            },
        },
        {"status": "Accepted"},
    ),
    "TriggerMessage": ({"requestedMessage": "MeterValues", "connectorId": 1}, {"status": "NotImplemented"}),
    "UnlockConnector": ({"connectorId": 1}, {"status": "Unlocked"}),
    "UpdateFirmware": ({"location": "ftp://host/f", "retrieveDate": TIME}, {}),
}


class Asked:
    """One command on its way, and how it ended."""

    def __init__(self) -> None:
        self.answer: dict[str, Any] | None = None
        self.failure: CommandFailure | None = None
        self.done = trio.Event()


def ask(csms: Csms, nursery: trio.Nursery, action: str, payload: Mapping[str, Any] | None = None) -> Asked:
    asked = Asked()

    async def talk() -> None:
        try:
            asked.answer = await csms.registry.command(CP, action, payload or {})
        except CommandFailure as failure:
            asked.failure = failure
        asked.done.set()

    nursery.start_soon(talk)
    return asked


def wrong(action: str, payload: Mapping[str, Any]) -> list[tuple[str, str]]:
    with pytest.raises(InvalidRequest) as caught:
        SCHEMAS.check_command(action, payload)
    return list(caught.value.fields)


def test_every_command_of_a_central_system_is_offered() -> None:
    """All requests the `ocpp` package has a schema of, but for those only a charger sends."""
    from evpower.ocpp.v16.actions import ACTIONS

    names = [path.name.removesuffix(".json") for path in (resources.files("ocpp.v16") / "schemas").iterdir()]
    requests = {name for name in names if not name.endswith("Response")}
    chargers_own = set(ACTIONS) | {
        "LogStatusNotification",
        "SecurityEventNotification",
        "SignCertificate",
        "SignedFirmwareStatusNotification",
    }
    assert set(COMMANDS) == requests - chargers_own | {"DataTransfer"}
    assert set(EXAMPLES) == set(COMMANDS)


@pytest.mark.parametrize("action", COMMANDS)
async def test_a_command_arrives_as_written_and_its_answer_comes_back(
    action: str, csms: Csms, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    payload, reply = EXAMPLES[action]
    peer = await ready_charger(csms)
    asked = ask(csms, nursery, action, payload)
    _, message_id, name, arrived = await peer.next_call()
    assert (name, arrived) == (action, json.loads(json.dumps(payload, default=float)))
    await peer.send(3, message_id, reply)
    await asked.done.wait()
    assert (asked.answer, asked.failure) == (reply, None)


@pytest.mark.parametrize(
    ("action", "payload", "field"),
    [
        ("Reset", {"type": "Warm"}, "type"),
        ("Reset", {}, "type"),
        ("Reset", {"type": "Soft", "when": 1}, "when"),
        ("UnlockConnector", {"connectorId": "1"}, "connectorId"),
        ("ChangeConfiguration", {"key": "k" * 51, "value": "v"}, "key"),
        ("UpdateFirmware", {"location": "ftp://h/f", "retrieveDate": "tomorrow"}, "retrieveDate"),
        ("UpdateFirmware", {"location": "ftp://h/f", "retrieveDate": "2026-11-23T12:00:00"}, "retrieveDate"),
        ("GetDiagnostics", {"location": "somewhere"}, "location"),
        (
            "SetChargingProfile",
            {
                "connectorId": 1,
                "csChargingProfiles": {
                    **PROFILE,
                    "chargingSchedule": {
                        "chargingRateUnit": "A",
                        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": Decimal("4.11")}],
                    },
                },
            },
            "csChargingProfiles.chargingSchedule.chargingSchedulePeriod[0].limit",
        ),
    ],
)
def test_a_payload_ocpp_does_not_allow_is_told_by_its_field(action: str, payload: dict[str, Any], field: str) -> None:
    assert [name for name, _ in wrong(action, payload)] == [field]


def test_every_wrong_field_is_told() -> None:
    assert {name for name, _ in wrong("ChangeAvailability", {"type": "Off"})} == {"connectorId", "type"}


@pytest.mark.parametrize("action", ["Resets", "reset", "BootNotification", "StopTransaction"])
def test_an_action_that_is_no_command_of_ours_names_the_known_ones(action: str) -> None:
    [(field, text)] = wrong(action, {})
    assert field == "action"
    assert all(known in text for known in COMMANDS)


async def test_duty_39_a_callerror_reaches_the_caller_with_its_words(
    csms: Csms, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    peer = await ready_charger(csms)
    asked = ask(csms, nursery, "ClearCache")
    await peer.send(4, (await peer.next_call())[1], "NotSupported", "no cache", {"a": 1})
    await asked.done.wait()
    assert isinstance(asked.failure, CommandRefused)
    assert asked.failure.details == {
        "call_error": {"code": "NotSupported", "description": "no cache", "details": {"a": 1}}
    }


async def test_duty_39_silence_is_a_timeout(csms: Csms, nursery: trio.Nursery, autojump_clock: MockClock) -> None:
    peer = await ready_charger(csms)
    asked = ask(csms, nursery, "ClearCache")
    await peer.next_call()
    await asked.done.wait()
    assert isinstance(asked.failure, CommandTimedOut)


async def test_duty_39_a_dropped_socket_is_offline(
    csms: Csms, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    peer = await ready_charger(csms)
    asked = ask(csms, nursery, "ClearCache")
    await peer.next_call()
    await peer.wire.aclose()
    await asked.done.wait()
    assert isinstance(asked.failure, ChargerOffline)


async def test_duty_39_a_station_that_is_not_there_is_offline(csms: Csms, autojump_clock: MockClock) -> None:
    with pytest.raises(ChargerOffline):
        await csms.registry.command(CP, "ClearCache", {})


async def test_what_is_wrong_is_told_even_when_the_station_is_away(csms: Csms, autojump_clock: MockClock) -> None:
    with pytest.raises(InvalidRequest):
        await csms.registry.command(CP, "Reset", {})


@pytest.mark.parametrize("reply", [{}, {"status": "Perhaps"}, {"status": 1}, [], "done"])
async def test_an_answer_nobody_can_use_is_a_failure_that_shows_it(
    reply: Any, csms: Csms, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    peer = await ready_charger(csms)
    asked = ask(csms, nursery, "Reset", {"type": "Hard"})
    await peer.send(3, (await peer.next_call())[1], reply)
    await asked.done.wait()
    assert isinstance(asked.failure, UnreadableAnswer)
    assert asked.failure.details["answer"] == reply


async def test_duty_14_a_vendors_own_fields_in_an_answer_harm_nothing(
    csms: Csms, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    peer = await ready_charger(csms)
    asked = ask(csms, nursery, "Reset", {"type": "Hard"})
    await peer.send(3, (await peer.next_call())[1], {"status": "Accepted", "inSeconds": 5})
    await asked.done.wait()
    assert asked.answer == {"status": "Accepted", "inSeconds": 5}


@pytest.mark.parametrize(
    ("action", "reply", "meant"),
    [
        (
            "GetConfiguration",
            {"configurationKey": [{"key": "K", "readonly": "False", "value": "1"}]},
            {"configurationKey": [{"key": "K", "readonly": False, "value": "1"}]},
        ),
        ("GetLocalListVersion", {"listVersion": "-1"}, {"listVersion": -1}),
        ("Reset", {"status": "accepted"}, {"status": "Accepted"}),
    ],
)
async def test_duty_14_an_answer_that_can_only_be_meant_one_way_is_taken_and_counted(
    action: str,
    reply: dict[str, Any],
    meant: dict[str, Any],
    csms: Csms,
    nursery: trio.Nursery,
    autojump_clock: MockClock,
) -> None:
    peer = await ready_charger(csms)
    asked = ask(csms, nursery, action, EXAMPLES[action][0])
    await peer.send(3, (await peer.next_call())[1], reply)
    await asked.done.wait()
    connection = csms.registry.connection(CP)
    assert connection is not None
    assert (asked.answer, connection.oddities.counts.total()) == (meant, 1)


@pytest.mark.parametrize("version", ["", "three", "3.5", "1e3", "99999999999", True])
async def test_duty_14_a_number_that_is_none_is_not_guessed(
    version: object, csms: Csms, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    peer = await ready_charger(csms)
    asked = ask(csms, nursery, "GetLocalListVersion")
    await peer.send(3, (await peer.next_call())[1], {"listVersion": version})
    await asked.done.wait()
    assert isinstance(asked.failure, UnreadableAnswer)


async def test_duty_18_a_booting_charger_is_waited_for(
    csms: Csms, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    peer = await csms.charger()
    asked = ask(csms, nursery, "ClearCache")
    await peer.call("Heartbeat")
    names = await answer_calls(peer, until="ClearCache")
    await asked.done.wait()
    assert names[-1] == "ClearCache"
    assert len(names) > 1
    assert asked.answer == {"status": "Accepted"}


async def answer_calls(peer: Peer, until: str) -> list[str]:
    """Accept every CALL up to and including `until`; their names."""
    names: list[str] = []
    while not names or names[-1] != until:
        _, message_id, name, _ = await peer.next_call()
        names.append(name)
        await peer.send(3, message_id, {"status": "Accepted"})
    return names


async def test_duty_17_a_rejected_charger_is_sent_nothing(
    csms: Csms, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    csms.reports.boot_verdict = BootVerdict("Rejected", 60)
    peer = await csms.charger()
    await peer.call("BootNotification", {"chargePointVendor": "V", "chargePointModel": "M"})
    asked = ask(csms, nursery, "ClearCache")
    await asked.done.wait()
    assert isinstance(asked.failure, ChargerNotReady)


async def test_duty_17_a_pending_charger_takes_commands_but_no_starts_and_stops(
    csms: Csms, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    csms.reports.boot_verdict = BootVerdict("Pending", 60)
    peer = await csms.charger()
    await peer.call("BootNotification", {"chargePointVendor": "V", "chargePointModel": "M"})
    refused = ask(csms, nursery, "RemoteStartTransaction", {"idTag": "TAG"})
    await refused.done.wait()
    assert isinstance(refused.failure, ChargerNotReady)
    asked = ask(csms, nursery, "GetConfiguration")
    await peer.send(3, (await peer.next_call())[1], {})
    await asked.done.wait()
    assert asked.answer == {}


async def test_duty_18_an_accepted_charger_is_never_asked_to_boot_again(csms: Csms, autojump_clock: MockClock) -> None:
    await ready_charger(csms)
    with pytest.raises(InvalidRequest):
        await csms.registry.command(CP, "TriggerMessage", {"requestedMessage": "BootNotification"})

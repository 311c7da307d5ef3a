"""What operators have no verb for is sent as they write it, checked by its schema, and its answer comes back
(contract/ocpp201 §4: raw actions). Each row names the cases of the independent suite that want it."""

from __future__ import annotations

from typing import Any

import pytest
import trio
from trio.testing import MockClock

from evpower.identifiers import StationId
from tests.ocpp.conftest import Csms
from tests.ocpp.v201.test_messages import PROFILE
from tests.ocpp.v201.test_station import STATUS, charger, obey

CP = StationId("CP-1")
ACCEPTED = {"status": "Accepted"}
CERTIFICATE = {"hashAlgorithm": "SHA256", "issuerNameHash": "aa", "issuerKeyHash": "bb", "serialNumber": "1"}
TX_PROFILE = PROFILE | {"chargingProfilePurpose": "TxProfile"}
CASES: list[tuple[str, str, dict[str, Any], dict[str, Any]]] = [
    ("B_18", "GetReport", {"requestId": 1, "componentCriteria": ["Problem"]}, {"status": "EmptyResultSet"}),
    ("E_33", "GetTransactionStatus", {}, {"messagesInQueue": True}),
    ("E_34", "GetTransactionStatus", {}, {"messagesInQueue": False}),
    ("F_12", "TriggerMessage", {"requestedMessage": "MeterValues"}, ACCEPTED),
    ("F_13", "TriggerMessage", {"requestedMessage": "TransactionEvent", "evse": {"id": 1}}, ACCEPTED),
    ("F_14", "TriggerMessage", {"requestedMessage": "TransactionEvent"}, ACCEPTED),
    ("F_27", "TriggerMessage", {"requestedMessage": "SignV2GCertificate"}, {"status": "NotImplemented"}),
    (
        "G_07 G_08 G_17",
        "ChangeAvailability",
        {"operationalStatus": "Inoperative", "evse": {"id": 1, "connectorId": 2}},
        {"status": "Scheduled"},
    ),
    (
        "H_15",
        "ReserveNow",
        {
            "id": 1,
            "expiryDateTime": "2026-01-01T00:00:00Z",
            "connectorType": "cType2",
            "idToken": {"idToken": "T", "type": "Central"},
        },
        ACCEPTED,
    ),
    (
        "K_34",
        "GetChargingProfiles",
        {"requestId": 1, "evseId": 1, "chargingProfile": {"chargingLimitSource": ["EMS"]}},
        {"status": "NoProfiles"},
    ),
    (
        "K_37",
        "RequestStartTransaction",
        {
            "remoteStartId": 1,
            "idToken": {"idToken": "T", "type": "Central"},
            "evseId": 1,
            "chargingProfile": TX_PROFILE,
        },
        ACCEPTED,
    ),
    (
        "M_03",
        "InstallCertificate",
        {"certificateType": "V2GRootCertificate", "certificate": "PEM"},
        ACCEPTED,
    ),
    ("M_04", "InstallCertificate", {"certificateType": "MORootCertificate", "certificate": "PEM"}, ACCEPTED),
    (
        "M_14 M_15 M_16",
        "GetInstalledCertificateIds",
        {"certificateType": ["V2GRootCertificate", "V2GCertificateChain", "MORootCertificate"]},
        {"status": "NotFound"},
    ),
    ("M_18", "GetInstalledCertificateIds", {}, {"status": "NotFound"}),
    (
        "N_63",
        "CustomerInformation",
        {"requestId": 1, "report": True, "clear": True, "customerCertificate": CERTIFICATE},
        ACCEPTED,
    ),
]


@pytest.mark.parametrize(("cases", "action", "payload", "answer"), CASES, ids=[each[0] for each in CASES])
async def test_it_arrives_as_written_and_its_answer_comes_back(
    csms: Csms, autojump_clock: MockClock, cases: str, action: str, payload: dict[str, Any], answer: dict[str, Any]
) -> None:
    peer = await charger(csms, 1)
    await peer.call("StatusNotification", STATUS)
    await obey(peer)
    answers: list[dict[str, Any]] = []

    async def send() -> None:
        answers.append(await csms.registry.command(CP, action, payload))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(send)
        _, message_id, asked, written = await peer.next_call()
        await peer.send(3, message_id, answer)
    assert (asked, written, answers) == (action, payload, [answer])

"""Our message types of OCPP 2.0.1 against the standard's JSON schemas, as the `ocpp` package carries them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from importlib import resources
from typing import Any

import msgspec
import pytest
from msgspec import inspect
from ocpp.messages import MessageType, get_validator

from evpower.cluster.remote_commands import read_ask, written_ask
from evpower.identifiers import ConnectorId, IdTag, WireTransactionId
from evpower.link import commands, device_commands
from evpower.network.spots.evses import EvsePlace
from evpower.ocpp.dialect import Request, Send
from evpower.ocpp.dispatch import Confirmation
from evpower.ocpp.v201 import device_messages, messages
from evpower.ocpp.v201.actions import ACTIONS
from evpower.ocpp.v201.after_boot import READ
from evpower.ocpp.v201.commands import operations, requests
from evpower.ocpp.v201.commands.schemas import SCHEMAS
from evpower.ocpp.v201.commands.settings import NAMES_OF_16, variable
from evpower.ocpp.v201.dialect import OCPP_201

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
ONE = ConnectorId(1)


def schema(name: str) -> dict[str, Any]:
    text = (resources.files("ocpp.v201") / "schemas" / f"{name}.json").read_text("utf-8-sig")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def bare(info: Any) -> Any:
    """The type itself, without "or absent" and our own marks."""
    while isinstance(info, inspect.UnionType | inspect.Metadata):
        if isinstance(info, inspect.UnionType):
            info = next(kind for kind in info.types if not isinstance(kind, inspect.NoneType))
        else:
            info = info.type
    return info


def compare(info: Any, expected: dict[str, Any], definitions: dict[str, Any], path: str) -> None:
    if "$ref" in expected:
        expected = definitions[expected["$ref"].rpartition("/")[2]]
    info = bare(info)
    match expected.get("type"):
        case "object":
            fields = {field.encode_name: field for field in info.fields}
            assert set(fields) == set(expected.get("properties", {})), path
            assert {name for name, each in fields.items() if each.required} == set(expected.get("required", ())), path
            for name, child in expected.get("properties", {}).items():
                compare(fields[name].type, child, definitions, f"{path}.{name}")
        case "array":
            assert isinstance(info, inspect.ListType), path
            assert info.min_length == expected.get("minItems"), path
            compare(info.item_type, expected["items"], definitions, path)
        case "integer":
            assert isinstance(info, inspect.IntType), path
        case "number":
            assert isinstance(info, inspect.FloatType), path
        case "boolean":
            assert isinstance(info, inspect.BoolType), path
        case "string" if "enum" in expected:
            assert set(info.values) == set(expected["enum"]), path
        case "string" if expected.get("format") == "date-time":
            assert isinstance(info, inspect.DateTimeType), path
        case "string":
            assert isinstance(info, inspect.StrType), path
            assert info.max_length == expected.get("maxLength"), path
        case _:
            assert isinstance(info, inspect.AnyType), path


TYPED = [action for action, offered in ACTIONS.items() if offered.request is not device_messages.Anything]


@pytest.mark.parametrize("action", TYPED)
def test_a_request_has_exactly_the_fields_lengths_and_words_of_its_schema(action: str) -> None:
    expected = schema(f"{action}Request")
    compare(inspect.type_info(ACTIONS[action].request), expected, expected["definitions"], action)


def test_every_message_a_station_can_send_is_answered() -> None:
    asked_by_us = set(SCHEMAS.commands) - {"DataTransfer"}
    assert set(ACTIONS) == OCPP_201.known_actions - asked_by_us


INFO = messages.IdTokenInfo(
    status="Accepted",
    cache_expiry_date_time="2026-01-01T00:00:00.000Z",
    charging_priority=0,
    language1="ru",
    group_id_token=messages.GroupIdToken(id_token="P", type="Central"),
)
DONE = messages.Done()
CONFIRMATIONS: list[tuple[str, Confirmation]] = [
    (
        "BootNotification",
        messages.BootNotificationConf(status="Pending", current_time="2026-01-01T00:00:00Z", interval=60),
    ),
    ("Heartbeat", messages.HeartbeatConf(current_time="2026-01-01T00:00:00.000Z")),
    ("StatusNotification", DONE),
    ("Authorize", messages.AuthorizeConf(id_token_info=INFO)),
    ("Authorize", messages.AuthorizeConf(id_token_info=INFO, certificate_status="NoCertificateAvailable")),
    ("TransactionEvent", messages.TransactionEventConf(total_cost=202.5, id_token_info=INFO)),
    ("TransactionEvent", messages.TransactionEventConf()),
    ("MeterValues", DONE),
    ("DataTransfer", messages.DataTransferConf(status="UnknownVendorId")),
    ("SecurityEventNotification", DONE),
    ("SignCertificate", device_messages.SignCertificateConf(status="Rejected")),
    ("LogStatusNotification", DONE),
    ("FirmwareStatusNotification", DONE),
    ("NotifyEvent", DONE),
    ("NotifyReport", DONE),
    ("NotifyMonitoringReport", DONE),
    ("NotifyDisplayMessages", DONE),
    ("NotifyCustomerInformation", DONE),
    ("PublishFirmwareStatusNotification", DONE),
    ("ReservationStatusUpdate", DONE),
    ("GetCertificateStatus", device_messages.GetCertificateStatusConf(status="Failed")),
    ("GetCertificateStatus", device_messages.GetCertificateStatusConf(status="Accepted", ocsp_result="QQ==")),
    ("Get15118EVCertificate", device_messages.Get15118EVCertificateConf(status="Failed", exi_response="")),
    ("NotifyEVChargingNeeds", device_messages.NotifyEVChargingNeedsConf(status="Rejected")),
    ("NotifyEVChargingSchedule", device_messages.NotifyEVChargingScheduleConf(status="Accepted")),
    *(
        (action, DONE)
        for action in ACTIONS
        if ACTIONS[action].request is device_messages.Anything
        and action not in ("Get15118EVCertificate", "NotifyEVChargingNeeds", "NotifyEVChargingSchedule")
    ),
]


@pytest.mark.parametrize(("action", "confirmation"), CONFIRMATIONS)
def test_what_we_answer_obeys_its_schema(action: str, confirmation: Confirmation) -> None:
    validator = get_validator(MessageType.CallResult, action, "2.0.1")
    validator.validate(json.loads(msgspec.json.encode(confirmation)))


def test_every_answer_is_checked_above() -> None:
    assert {action for action, _ in CONFIRMATIONS} == set(ACTIONS)


@pytest.mark.parametrize(
    "request_",
    [
        requests.request_start(ONE, IdTag("x" * 36), 7),
        requests.request_stop(WireTransactionId("8c0f")),
        requests.transaction_status(WireTransactionId("8c0f")),
        requests.full_inventory(1),
        requests.trigger("BootNotification", None),
        requests.trigger("StatusNotification", EvsePlace(1)),
        requests.get_variables([each.where() for each in READ]),
        requests.set_variables([{**each.where(), "attributeValue": "1"} for each in READ]),
    ],
)
def test_what_we_ask_by_ourselves_obeys_its_schema(request_: Request) -> None:
    SCHEMAS.check_command(request_.action, request_.payload)


class Sent(Exception):
    """What an operation sends is enough."""


CERTIFICATE = commands.HeldCertificate("SHA256", "aa", "bb", "cc")
PROFILE = {
    "id": 1,
    "stackLevel": 0,
    "chargingProfilePurpose": "TxDefaultProfile",
    "chargingProfileKind": "Absolute",
    "chargingSchedule": [
        {"id": 1, "chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 16.0}]}
    ],
}
LIMITS = [
    commands.LimitDraw(ONE, 9001, 133, "A", 3, is_lasting=True),
    commands.LimitDraw(ONE, 9002, 0, "A", 1, duration_s=600),
    commands.LimitDraw(ONE, 9002, 225_000, "W", None, False, WireTransactionId("tx-1"), NOON, 300),
]
NETWORK = {
    "ocppVersion": "OCPP20",
    "ocppTransport": "JSON",
    "ocppCsmsUrl": "wss://x/ws",
    "messageTimeout": 30,
    "securityProfile": 2,
    "ocppInterface": "Wired0",
}
COMMANDS: list[commands.Command[Any]] = [
    commands.Restart("hard"),
    commands.Restart("soft"),
    commands.Restart("hard", ONE),
    commands.Unlock(ONE),
    commands.SetAvailability(ONE, operative=False),
    commands.SetAvailability(ConnectorId(0), operative=True),
    commands.ForgetCards(),
    commands.Trigger("DiagnosticsStatusNotification", None),
    commands.ReadSettings(("HeartbeatInterval", "A[x].B[y]")),
    commands.WriteSetting("MeterValueSampleInterval", "30"),
    commands.SetPassword("secret-secret-16"),
    commands.UploadDiagnostics("ftp://x/y", NOON, None),
    commands.UploadLog(1, "ftp://x/y", "SecurityLog", None, NOON),
    commands.FetchFirmware("https://x/y", NOON),
    commands.FetchSignedFirmware(
        1, {"location": "https://x/y", "retrieveDateTime": "2026-01-01T00:00:00Z", "signature": "s"}
    ),
    commands.Reserve(1, ONE, "TAG", NOON, "PARENT"),
    commands.Reserve(1, ConnectorId(0), "TAG", NOON, None),
    commands.EndReservation(1),
    commands.ReadListVersion(),
    commands.SendList(1, full=True, entries={"A": commands.ListEntry("Accepted", NOON, "P")}),
    commands.SendList(2, full=False, entries={"A": None}),
    commands.SendList(3, full=True, entries={}),
    commands.SetProfile(ONE, OCPP_201.read_profile(ONE, PROFILE)),
    *LIMITS,
    commands.ClearProfiles(None, None, None, None),
    commands.ClearProfiles(1, ONE, "TxProfile", 2),
    commands.ReadSchedule(ONE, 60, "W"),
    commands.Trust("CentralSystemRootCertificate", "PEM"),
    commands.ListTrusted("ManufacturerRootCertificate"),
    commands.Distrust(CERTIFICATE),
    commands.RenewCertificate(),
    commands.DeliverCertificate("PEM"),
    commands.ReadSettings(("HeartbeatInterval",)),
    commands.ClearProfiles(None, None, "ChargePointMaxProfile", None),
    device_commands.ShowMessage(1, "Привет", "InFront", "UTF8", "ru", "Idle", NOON, NOON, WireTransactionId("2.0.1:7")),
    device_commands.ShowMessage(1, "text", "NormalCycle", "ASCII", None, None, None, None, None),
    device_commands.ReadMessages(1, (), None, None),
    device_commands.ReadMessages(1, (1, 2), "InFront", "Idle"),
    device_commands.HideMessage(1),
    device_commands.AskCustomerData(1, report=True, forget=False, id_tag="TAG", customer_identifier=None),
    device_commands.AskCustomerData(1, report=False, forget=True, id_tag=None, customer_identifier="c"),
    device_commands.SetMonitoringBase("All"),
    device_commands.SetMonitoringLevel(4),
    device_commands.SetMonitors((device_commands.WantedMonitor("EVSE.Power", "Delta", 1.5, 8, None, False, None),)),
    device_commands.SetMonitors((device_commands.WantedMonitor("A[x].B[y]", "Periodic", 60.0, 8, 7, True, 2),)),
    device_commands.ClearMonitors((1, 2)),
    device_commands.ReadMonitors(1, (), ()),
    device_commands.ReadMonitors(1, ("DeltaMonitoring",), ("EVSE.Power",)),
    device_commands.ReadDevice(1, "SummaryInventory", ()),
    device_commands.ReadDevice(1, "FullInventory", ("EVSE", "OCPPCommCtrlr.HeartbeatInterval")),
    device_commands.ReadProfiles(1, None, None, None, None),
    device_commands.ReadProfiles(1, ONE, 2, "ChargePointMaxProfile", 0),
    device_commands.ReadLimits(1, ONE, of_others=False),
    device_commands.ReadLimits(1, ONE, of_others=True),
    device_commands.SetNetworkProfile(1, NETWORK),
    device_commands.PublishFirmware(1, "https://x/y", "abc"),
    device_commands.UnpublishFirmware("abc"),
]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: type(command).__name__)
async def test_what_operators_have_it_do_obeys_its_schema(command: commands.Command[Any]) -> None:
    async def send(request: Request) -> dict[str, Any]:
        SCHEMAS.check_command(request.action, request.payload)
        raise Sent

    with pytest.raises(Sent):
        await OCPP_201.perform(Send(send), command)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: type(command).__name__)
def test_what_operators_have_it_do_is_the_same_in_another_process(command: commands.Command[Any]) -> None:
    assert read_ask(msgspec.json.decode(msgspec.json.encode(written_ask(command)))) == command


def test_every_command_is_performed_and_tried_above() -> None:
    assert (
        {type(command) for command in COMMANDS} == set(operations.OPERATIONS) == set(commands.Command.__subclasses__())
    )


def test_a_setting_has_one_name_in_both_versions() -> None:
    for name in NAMES_OF_16:
        known = variable(name.lower())
        assert known is not None
        assert known.key == name
    assert variable("OCPPCommCtrlr.MessageTimeout[Default]") == ("OCPPCommCtrlr", "MessageTimeout", "Default", None)
    assert variable("NoSuchKey") is None


async def test_a_limit_is_a_lease_in_its_charge() -> None:
    """Relative would count from the begin of the charge (K01.FR.32): it would be over before it is renewed."""
    sent: list[Request] = []

    async def send(request: Request) -> dict[str, Any]:
        sent.append(request)
        return {"status": "Accepted"}

    await OCPP_201.perform(Send(send), LIMITS[2])
    profile = sent[0].payload["chargingProfile"]
    assert (profile["stackLevel"], profile["chargingProfilePurpose"]) == (1, "TxProfile")
    assert (profile["chargingProfileKind"], profile["transactionId"]) == ("Absolute", "tx-1")
    (schedule,) = profile["chargingSchedule"]
    assert (schedule["duration"], schedule["chargingRateUnit"]) == (300, "W")
    assert schedule["chargingSchedulePeriod"] == [{"startPeriod": 0, "limit": Decimal(22_500)}]


def test_a_start_carries_a_limit_of_its_schema() -> None:
    request = requests.request_start(ONE, IdTag("TAG"), 7, LIMITS[1])
    SCHEMAS.check_command(request.action, request.payload)
    assert request.payload["chargingProfile"]["chargingProfilePurpose"] == "TxProfile"
    assert "transactionId" not in request.payload["chargingProfile"]

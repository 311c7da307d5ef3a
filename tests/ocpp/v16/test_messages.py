"""Our message types against the standard's JSON schemas, as the `ocpp` package carries them."""

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

from evpower.errors import InvalidRequest
from evpower.identifiers import ConnectorId, IdTag, WireTransactionId
from evpower.link.commands import LimitDraw
from evpower.ocpp.dialect import Request, Send
from evpower.ocpp.dispatch import Confirmation
from evpower.ocpp.v16 import messages
from evpower.ocpp.v16.actions import ACTIONS
from evpower.ocpp.v16.commands import requests
from evpower.ocpp.v16.commands.schemas import SCHEMAS
from evpower.ocpp.v16.dialect import OCPP_16


def schema(name: str) -> dict[str, Any]:
    text = (resources.files("ocpp.v16") / "schemas" / f"{name}.json").read_text("utf-8-sig")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def bare(info: Any) -> Any:
    """The type itself, without "or absent" and our own marks."""
    if isinstance(info, inspect.UnionType):
        info = next(kind for kind in info.types if not isinstance(kind, inspect.NoneType))
    return info.type if isinstance(info, inspect.Metadata) else info


def compare(info: Any, expected: dict[str, Any], path: str) -> None:
    info = bare(info)
    match expected["type"]:
        case "object":
            fields = {field.encode_name: field for field in info.fields}
            assert set(fields) == set(expected.get("properties", {})), path
            required = {name for name, field in fields.items() if field.required}
            assert required == set(expected.get("required", ())), path
            for name, child in expected.get("properties", {}).items():
                word = child.get("$ref", "").rpartition("/")[2]
                compare(fields[name].type, expected["definitions"][word] if word else child, f"{path}.{name}")
        case "array":
            assert isinstance(info, inspect.ListType), path
            compare(info.item_type, expected["items"], path)
        case "integer":
            assert isinstance(info, inspect.IntType), path
        case "string" if "enum" in expected:
            # Both lists of units are one type of ours; MeterValues knows one more than StopTransaction.
            assert set(info.values) - {"Hertz"} == set(expected["enum"]) - {"Hertz"}, path
        case "string" if expected.get("format") == "date-time":
            assert isinstance(info, inspect.DateTimeType), path
        case "string":
            assert isinstance(info, inspect.StrType), path
            assert info.max_length == expected.get("maxLength"), path


@pytest.mark.parametrize("action", ACTIONS)
def test_a_request_has_exactly_the_fields_lengths_and_words_of_its_schema(action: str) -> None:
    compare(inspect.type_info(ACTIONS[action].request), schema(action), action)


INFO = messages.IdTagInfo(status="Accepted", expiry_date="2026-01-01T00:00:00.000Z", parent_id_tag="P")
CONFIRMATIONS: list[tuple[str, Confirmation]] = [
    (
        "BootNotification",
        messages.BootNotificationConf(status="Pending", current_time="2026-01-01T00:00:00Z", interval=60),
    ),
    ("Heartbeat", messages.HeartbeatConf(current_time="2026-01-01T00:00:00.000Z")),
    ("StatusNotification", messages.Done()),
    ("Authorize", messages.AuthorizeConf(id_tag_info=INFO)),
    ("Authorize", messages.AuthorizeConf(id_tag_info=messages.IdTagInfo(status="Invalid"))),
    ("StartTransaction", messages.StartTransactionConf(transaction_id=1, id_tag_info=INFO)),
    ("MeterValues", messages.Done()),
    ("StopTransaction", messages.StopTransactionConf(id_tag_info=INFO)),
    ("StopTransaction", messages.StopTransactionConf()),
    ("DataTransfer", messages.DataTransferConf(status="UnknownVendorId")),
    ("DiagnosticsStatusNotification", messages.Done()),
    ("FirmwareStatusNotification", messages.Done()),
    ("SecurityEventNotification", messages.Done()),
    ("SignCertificate", messages.SignCertificateConf(status="Accepted")),
    ("SignCertificate", messages.SignCertificateConf(status="Rejected")),
    ("LogStatusNotification", messages.Done()),
    ("SignedFirmwareStatusNotification", messages.Done()),
]


@pytest.mark.parametrize(("action", "confirmation"), CONFIRMATIONS)
def test_what_we_answer_obeys_its_schema(action: str, confirmation: Confirmation) -> None:
    validator = get_validator(MessageType.CallResult, action, "1.6")
    validator.validate(json.loads(msgspec.json.encode(confirmation)))


def test_every_answer_is_checked_above() -> None:
    assert {action for action, _ in CONFIRMATIONS} == set(ACTIONS)


ONE, TAG = ConnectorId(1), IdTag("TAG")
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "request_",
    [
        requests.remote_start(ONE, TAG),
        requests.remote_start(ONE, TAG, LimitDraw(ONE, 9001, 133, "A", 3, duration_s=300)),
        requests.remote_stop(WireTransactionId("7")),
        requests.trigger("StatusNotification", ONE),
        requests.trigger("BootNotification", None),
        requests.change_configuration("MeterValueSampleInterval", "30"),
    ],
    ids=lambda request: request.action,
)
def test_what_we_ask_by_ourselves_has_no_field_its_schema_lacks_and_every_required_one(request_: Request) -> None:
    expected = schema(request_.action)
    assert set(request_.payload) <= set(expected["properties"])
    assert set(expected["required"]) <= set(request_.payload)
    SCHEMAS.check_command(request_.action, request_.payload)


def test_a_payload_no_charger_may_get_is_refused() -> None:
    with pytest.raises(InvalidRequest) as caught:
        request = requests.remote_start(ONE, IdTag("x" * 21))
        SCHEMAS.check_command(request.action, request.payload)
    assert [field for field, _ in caught.value.fields] == ["idTag"]


@pytest.mark.parametrize(
    ("limit", "purpose", "kind", "level"),
    [
        (LimitDraw(ONE, 9001, 133, "A", 3, is_lasting=True), "TxDefaultProfile", "Relative", 0),
        (
            LimitDraw(ONE, 9002, 225_000, "W", None, False, WireTransactionId("7"), NOON, 300),
            "TxProfile",
            "Absolute",
            1,
        ),
    ],
)
async def test_a_limit_is_one_period_of_its_purpose(limit: LimitDraw, purpose: str, kind: str, level: int) -> None:
    """roadmap/smart-charging §4; a lease that is renewed cannot count from the begin of its charge (ADR 80)."""
    sent: list[Request] = []

    async def send(request: Request) -> dict[str, Any]:
        SCHEMAS.check_command(request.action, request.payload)
        sent.append(request)
        return {"status": "Accepted"}

    await OCPP_16.perform(Send(send), limit)
    profile = sent[0].payload["csChargingProfiles"]
    found = profile["chargingProfilePurpose"], profile["chargingProfileKind"], profile["stackLevel"]
    assert found == (purpose, kind, level)
    assert profile["chargingSchedule"]["chargingSchedulePeriod"][0]["limit"] == Decimal(limit.limit_tenths) / 10
    assert profile.get("transactionId") == (7 if limit.transaction_id else None)

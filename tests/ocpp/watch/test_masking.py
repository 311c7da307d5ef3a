"""What of a frame is kept: no password, not more than the limit."""

from __future__ import annotations

import json

import pytest

from evpower.ocpp.dialects import MASKING
from evpower.ocpp.watch.masking import CUT, KEPT_BYTES, Masking, SecretSetting


@pytest.mark.parametrize("key", ["AuthorizationKey", "authorizationkey", "AUTHORIZATIONKEY", "\\u0041uthorizationKey"])
def test_the_password_a_charger_is_told_is_masked(key: str) -> None:
    frame = f'[2,"1","ChangeConfiguration",{{"value":"s3cret","key":"{key}"}}]'.encode()
    assert b"s3cret" not in MASKING.kept(frame)
    assert json.loads(MASKING.kept(frame))[3]["value"] == "***"


def test_the_password_a_charger_gives_away_is_masked_and_its_neighbours_are_not() -> None:
    keys: list[dict[str, object]] = [
        {"key": "AuthorizationKey", "readonly": False, "value": "s3cret"},
        {"key": "Other", "value": "seen"},
    ]
    kept = MASKING.kept(json.dumps([3, "1", {"configurationKey": keys}]).encode())
    assert json.loads(kept)[2]["configurationKey"] == [
        {**keys[0], "value": "***"},
        keys[1],
    ]


def test_a_frame_that_names_the_key_and_cannot_be_read_is_not_kept() -> None:
    assert b"s3cret" not in MASKING.kept(b'[2,"1","ChangeConfiguration",{"key":"AuthorizationKey","value":"s3cret"')


def test_a_password_in_a_url_is_masked() -> None:
    assert MASKING.kept(b'{"location":"ftp://user:s3cret@host/logs"}') == b'{"location":"ftp://user:***@host/logs"}'


@pytest.mark.parametrize(
    "frame", [b'[2,"1","Authorize",{"idTag":"RFID-1"}]', b'[4,"1","NotImplemented","Authorization",{}]', b"{broken"]
)
def test_other_frames_are_kept_byte_for_byte(frame: bytes) -> None:
    assert MASKING.kept(frame) == frame


def test_a_long_frame_is_cut_between_characters() -> None:
    cut = MASKING.kept(b'[2,"1","DataTransfer",{"data":"' + "щ".encode() * KEPT_BYTES)
    assert len(cut) <= KEPT_BYTES + len(CUT.encode())
    assert cut.decode().endswith(CUT)


def test_the_password_of_another_version_has_its_place() -> None:
    """OCPP 2.0.1 names a setting by its variable."""
    masking = Masking([SecretSetting("BasicAuthPassword", named_by=("variable", "name"), value_in="attributeValue")])
    data = [
        {"component": {"name": "SecurityCtrlr"}, "variable": {"name": name}, "attributeValue": value}
        for name, value in (("BasicAuthPassword", "s3cret"), ("OrganizationName", "seen"))
    ]
    _, _, _, kept = json.loads(masking.kept(json.dumps([2, "1", "SetVariables", {"setVariableData": data}]).encode()))
    assert [each["attributeValue"] for each in kept["setVariableData"]] == ["***", "seen"]


@pytest.mark.parametrize(
    ("action", "payload", "masked"),
    [
        ("NotifyCustomerInformation", {"data": "s3cret", "seqNo": 0}, {"data": "***", "seqNo": 0}),
        ("CustomerInformation", {"customerIdentifier": "s3cret"}, {"customerIdentifier": "***"}),
        (
            "SetNetworkProfile",
            {"connectionData": {"apn": {"apn": "seen", "apnPassword": "s3cret"}, "vpn": {"password": "s3cret"}}},
            {"connectionData": {"apn": {"apn": "seen", "apnPassword": "***"}, "vpn": {"password": "***"}}},
        ),
        ("DataTransfer", {"data": "seen"}, {"data": "seen"}),
    ],
)
def test_a_customers_data_and_a_networks_passwords_are_masked(
    action: str, payload: dict[str, object], masked: dict[str, object]
) -> None:
    kept = MASKING.kept(json.dumps([2, "1", action, payload]).encode())
    assert json.loads(kept)[2:] == [action, masked]


def test_a_customers_data_in_a_frame_that_cannot_be_read_is_not_kept() -> None:
    assert b"s3cret" not in MASKING.kept(b'[2,"1","NotifyCustomerInformation",{"data":"s3cret"')

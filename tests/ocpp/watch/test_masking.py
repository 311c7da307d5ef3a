"""What of a frame is kept: no password, not more than the limit."""

from __future__ import annotations

import json

import pytest

from evpower.ocpp.watch.masking import CUT, KEPT_BYTES, kept


@pytest.mark.parametrize("key", ["AuthorizationKey", "authorizationkey", "AUTHORIZATIONKEY", "\\u0041uthorizationKey"])
def test_the_password_a_charger_is_told_is_masked(key: str) -> None:
    frame = f'[2,"1","ChangeConfiguration",{{"value":"s3cret","key":"{key}"}}]'.encode()
    assert b"s3cret" not in kept(frame)
    assert json.loads(kept(frame))[3]["value"] == "***"


def test_the_password_a_charger_gives_away_is_masked_and_its_neighbours_are_not() -> None:
    keys: list[dict[str, object]] = [
        {"key": "AuthorizationKey", "readonly": False, "value": "s3cret"},
        {"key": "Other", "value": "seen"},
    ]
    assert json.loads(kept(json.dumps([3, "1", {"configurationKey": keys}]).encode()))[2]["configurationKey"] == [
        {**keys[0], "value": "***"},
        keys[1],
    ]


def test_a_frame_that_names_the_key_and_cannot_be_read_is_not_kept() -> None:
    assert b"s3cret" not in kept(b'[2,"1","ChangeConfiguration",{"key":"AuthorizationKey","value":"s3cret"')


def test_a_password_in_a_url_is_masked() -> None:
    assert kept(b'{"location":"ftp://user:s3cret@host/logs"}') == b'{"location":"ftp://user:***@host/logs"}'


@pytest.mark.parametrize(
    "frame", [b'[2,"1","Authorize",{"idTag":"RFID-1"}]', b'[4,"1","NotImplemented","Authorization",{}]', b"{broken"]
)
def test_other_frames_are_kept_byte_for_byte(frame: bytes) -> None:
    assert kept(frame) == frame


def test_a_long_frame_is_cut_between_characters() -> None:
    cut = kept(b'[2,"1","DataTransfer",{"data":"' + "щ".encode() * KEPT_BYTES)
    assert len(cut) <= KEPT_BYTES + len(CUT.encode())
    assert cut.decode().endswith(CUT)

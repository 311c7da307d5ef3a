"""The charger's own framing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from evpower.simulator.wire.address import station_url
from evpower.simulator.wire.ocpp import Call, CallError, CallResult, Frame, MalformedFrame, decode, encode, wire_time


@pytest.mark.parametrize(
    "frame",
    [Call("1", "Heartbeat", {}), CallResult("1", {"a": [1]}), CallError("1", "InternalError", "later", {"x": 1})],
)
def test_a_frame_survives_the_wire(frame: Frame) -> None:
    assert decode(encode(frame)) == frame


@pytest.mark.parametrize(
    "text",
    ["", "{", "{}", "[]", "[2]", '[2,1,"A",{}]', '[2,"1","A",[]]', '[4,"1","E","",null]', '[3,"",{}]', '[5,"1",{}]'],
)
def test_what_is_no_message_is_malformed(text: str) -> None:
    with pytest.raises(MalformedFrame):
        decode(text)


def test_bytes_that_are_no_text_are_malformed() -> None:
    with pytest.raises(MalformedFrame):
        decode(b'[2,"\xff","A",{}]')


def test_times_are_written_in_utc_with_milliseconds() -> None:
    bishkek = timezone(timedelta(hours=6))
    assert wire_time(datetime(2026, 1, 1, 6, 0, 0, 5000, bishkek)) == "2026-01-01T00:00:00.005Z"
    assert wire_time(datetime(1970, 1, 1, tzinfo=UTC)) == "1970-01-01T00:00:00.000Z"


@pytest.mark.parametrize(
    ("given_url", "own_url"),
    [
        ("ws://h:9000", "ws://h:9000/ws/CP%2F1"),
        ("ws://h:9000/", "ws://h:9000/ws/CP%2F1"),
        ("ws://h:9000/ocpp", "ws://h:9000/ocpp/CP%2F1"),
        ("ws://h:9000/ocpp/", "ws://h:9000/ocpp/CP%2F1"),
        ("ws://h/x/{station_id}?token=1", "ws://h/x/CP%2F1?token=1"),
        ("ws://h/ws/CP%2F1", "ws://h/ws/CP%2F1"),
    ],
)
def test_a_charger_finds_its_own_url(given_url: str, own_url: str) -> None:
    assert station_url(given_url, "CP/1") == own_url

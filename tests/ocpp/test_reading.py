"""Strict first, then lenient and counted; what cannot be meant kindly has its CALLERROR code (duties 12, 14)."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from trio.testing import MockClock

from evpower.ocpp.reading import MOST_BROKEN_ITEMS, Request, Unreadable, read, storable
from evpower.ocpp.v16 import messages
from evpower.ocpp.v16.actions import ACTIONS
from evpower.ocpp.v16.dialect import OCPP_16
from evpower.ocpp.watch.oddities import MAX_KINDS, Kind, Oddities
from evpower.ocpp.wire import frames
from tests.ocpp.conftest import Csms

START = {"connectorId": 1, "idTag": "TAG", "meterStart": 1500, "timestamp": "2026-01-01T00:00:00Z"}


class Deniable(Request):
    """The fields of a start, in a message that may be refused."""

    connector_id: messages.ConnectorNumber
    id_tag: messages.IdToken
    meter_start: int
    timestamp: messages.When


def written(**changes: Any) -> bytes:
    return json.dumps({name: value for name, value in {**START, **changes}.items() if value is not ...}).encode()


def read_start(**changes: Any) -> tuple[messages.StartTransaction, Oddities]:
    oddities = Oddities("CP-1")
    return read(messages.StartTransaction, written(**changes), oddities), oddities


def test_a_correct_message_has_no_oddities() -> None:
    _, oddities = read_start()
    assert not oddities.counts


@pytest.mark.parametrize(
    ("wire", "meter_start"),
    [
        ("1500", 1500),
        (" 1500 ", 1500),
        (1500.0, 1500),
        (1500.5, 1501),
        ("1500.49", 1500),
        ("1.5e3", 1500),
        ("1500,0", 1500),
        ("1500,5", 1501),
        ("1500,", 1500),
        ("1 500", 1500),
        ("12 001 500,25", 12001500),
        ("1\u00a0500.000", 1500),
    ],
)
def test_duty_14_numbers_as_text_or_with_a_fraction_are_taken_rounded_and_counted(wire: Any, meter_start: int) -> None:
    request, oddities = read_start(meterStart=wire)
    assert request.meter_start == meter_start
    assert oddities.counts.total() == 1


def test_duty_14_a_number_for_text_is_taken() -> None:
    request, oddities = read_start(idTag=12345)
    assert (request.id_tag, oddities.counts.total()) == ("12345", 1)


@pytest.mark.parametrize(
    ("wire", "moment"),
    [
        ("2026-01-01T00:00:00", datetime(2026, 1, 1, tzinfo=UTC)),
        ("2026-01-01T00:00:00.123Z", datetime(2026, 1, 1, 0, 0, 0, 123000, tzinfo=UTC)),
        ("2026-01-01T00:00:00.1234560Z", datetime(2026, 1, 1, 0, 0, 0, 123456, tzinfo=UTC)),
        ("2026-01-01T06:00:00+06:00", datetime(2026, 1, 1, tzinfo=UTC)),
        ("2026-01-01T06:00:00+0600", datetime(2026, 1, 1, tzinfo=UTC)),
        ("2026-01-01 00:00:00Z", datetime(2026, 1, 1, tzinfo=UTC)),
        ("1970-01-01T00:00:00Z", datetime(1970, 1, 1, tzinfo=UTC)),
    ],
)
def test_duty_14_times_with_or_without_zone_and_fraction(wire: str, moment: datetime) -> None:
    request, _ = read_start(timestamp=wire)
    assert request.timestamp == moment


def test_duty_14_fields_of_a_vendor_are_let_pass_and_counted() -> None:
    _, oddities = read_start(vendorField={"a": [1]}, reservationId=None)
    assert set(oddities.counts) == {"unknown or null field vendorField"}


def test_a_tag_longer_than_the_standard_says_is_taken() -> None:
    request, oddities = read_start(idTag="x" * 21)
    assert (request.id_tag, oddities.counts.total()) == ("x" * 21, 1)


def test_an_optional_field_that_cannot_be_read_is_left_out_of_a_message_about_money() -> None:
    request, oddities = read_start(reservationId="seven")
    assert (request.reservation_id, oddities.counts.total()) == (None, 1)


UNREADABLE: list[tuple[dict[str, Any], str]] = [
    ({"meterStart": ...}, "OccurenceConstraintViolation"),
    ({"meterStart": None}, "OccurenceConstraintViolation"),
    ({"meterStart": "many"}, "TypeConstraintViolation"),
    ({"meterStart": True}, "TypeConstraintViolation"),
    ({"meterStart": [1]}, "TypeConstraintViolation"),
    ({"meterStart": "1e999"}, "TypeConstraintViolation"),
    ({"meterStart": "NaN"}, "TypeConstraintViolation"),
    ({"meterStart": "1,500"}, "TypeConstraintViolation"),
    ({"meterStart": "1,500,000"}, "TypeConstraintViolation"),
    ({"meterStart": "1,5,0"}, "TypeConstraintViolation"),
    ({"meterStart": "1 50"}, "TypeConstraintViolation"),
    ({"meterStart": "15 00"}, "TypeConstraintViolation"),
    ({"idTag": {}}, "TypeConstraintViolation"),
    ({"idTag": True}, "TypeConstraintViolation"),
    ({"timestamp": "yesterday"}, "TypeConstraintViolation"),
    ({"timestamp": 5}, "TypeConstraintViolation"),
    ({"connectorId": -1}, "PropertyConstraintViolation"),
    ({"connectorId": 2**31}, "PropertyConstraintViolation"),
    ({"connectorId": "-1"}, "PropertyConstraintViolation"),
    ({"idTag": "x" * 256}, "PropertyConstraintViolation"),
    ({"idTag": "a\0b"}, "FormationViolation"),
]


@pytest.mark.parametrize(("changes", "code"), UNREADABLE, ids=str)
def test_what_cannot_be_meant_kindly_has_its_code(changes: dict[str, Any], code: str) -> None:
    with pytest.raises(Unreadable) as caught:
        read(Deniable, written(**changes), Oddities("CP-1"))
    assert OCPP_16.error_codes[caught.value.flaw] == code


@pytest.mark.parametrize(
    "payload", [b"[]", b"5", b'"x"', b"{", b"[" * 100_000, b'{"connectorId":' + b"1" * 5000 + b"}"]
)
def test_a_payload_that_is_no_object_is_a_formation_violation_and_of_a_start_nothing_is_read(payload: bytes) -> None:
    with pytest.raises(Unreadable) as caught:
        read(Deniable, payload, Oddities("CP-1"))
    assert OCPP_16.error_codes[caught.value.flaw] == "FormationViolation"
    oddities = Oddities("CP-1")
    start = read(messages.StartTransaction, payload, oddities)
    assert (start.connector_id, start.id_tag, start.meter_start, start.timestamp) == (None, None, None, None)
    assert oddities.by_kind == {Kind.LEFT_OUT: 1}


@pytest.mark.parametrize("changes", [changes for changes, _ in UNREADABLE], ids=str)
def test_duty_25_of_a_start_only_the_field_that_cannot_be_read_is_lost_and_counted(changes: dict[str, Any]) -> None:
    """Field ruling 3.1: a CALLERROR would make the charger repeat it for ever."""
    (name,) = changes
    oddities = Oddities("CP-1")
    payload = storable(messages.StartTransaction, written(**changes))
    start = read(messages.StartTransaction, payload, oddities)
    lost = {field for field in ("connector_id", "id_tag", "meter_start", "timestamp") if getattr(start, field) is None}
    if changes == {"idTag": "a\0b"}:
        assert (start.id_tag, lost) == ("a\ufffdb", set())
    else:
        assert {field.replace("_", "") for field in lost} == {name.lower()}
        assert oddities.counts


def test_a_flood_of_broken_items_is_not_read_to_its_end() -> None:
    oddities = Oddities("CP-1")
    good = '{"timestamp":"2026-01-01T00:00:00Z","sampledValue":[{"value":"1"}]}'
    items = ",".join(["{}"] * (MOST_BROKEN_ITEMS - 1) + [good] + ["{}"] * 50)
    text = f'{{"transactionId":1,"meterStop":1,"timestamp":"2026-01-01T00:00:00Z","transactionData":[{items}]}}'
    data = read(messages.StopTransaction, text.encode(), oddities).transaction_data
    assert data is not None
    assert len(data) == 1
    assert oddities.by_kind[Kind.SKIPPED_ITEM] == MOST_BROKEN_ITEMS + 1


def test_an_unknown_word_passes_only_where_a_state_or_money_hangs_on_it() -> None:
    status = b'{"connectorId":1,"errorCode":"NoError","status":"Occupied"}'
    assert str(read(messages.StatusNotification, status, Oddities("CP-1")).status) == "Occupied"
    with pytest.raises(Unreadable) as caught:
        read(messages.FirmwareStatusNotification, b'{"status":"Thinking"}', Oddities("CP-1"))
    assert OCPP_16.error_codes[caught.value.flaw] == "PropertyConstraintViolation"


async def test_the_code_reaches_the_charger_and_the_socket_stays(csms: Csms, autojump_clock: MockClock) -> None:
    peer = await csms.charger()
    answer = await peer.call("Authorize", {"connectorId": 1})
    assert answer == [4, "m", "OccurenceConstraintViolation", "idTag is missing", {}]
    assert (await peer.call("Authorize", []))[2] == "FormationViolation"
    assert (await peer.call("Heartbeat"))[0] == 3


async def test_duty_14_leniencies_are_counted_per_station(csms: Csms, autojump_clock: MockClock) -> None:
    peer = await csms.charger()
    for _ in range(3):
        await peer.call("Authorize", {"idTag": 5})
    connection = csms.registry.connection(csms.reports.told[0][1])
    assert connection is not None
    assert connection.oddities.counts == {"idTag: a number instead of text": 3}


def test_a_peer_that_invents_field_names_fills_no_memory() -> None:
    oddities = Oddities("CP-1")
    for n in range(1000):
        oddities.note(Kind.UNKNOWN_FIELD, f"unknown field {n}" + "x" * 10_000)
    assert len(oddities.counts) <= MAX_KINDS + 1
    assert max(map(len, oddities.counts)) < 200


texts = st.text('aZ9. -:\n"\\é\0', max_size=6)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
field_names = st.sampled_from(
    ["connectorId", "idTag", "meterStart", "timestamp", "meterValue", "sampledValue", "value", "status", "errorCode"]
)


@given(st.sampled_from(sorted(ACTIONS)), st.dictionaries(field_names, json_values))
def test_any_json_is_read_or_refused_with_a_code(action: str, payload: dict[str, Any]) -> None:
    with suppress(Unreadable):
        read(ACTIONS[action].request, json.dumps(payload).encode(), Oddities("CP-1"))


@given(st.binary() | json_values.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_are_a_frame_or_a_named_problem(text: bytes) -> None:
    assert isinstance(
        frames.parse(text),
        frames.Call | frames.CallResult | frames.CallError | frames.Malformed | frames.UnknownType,
    )

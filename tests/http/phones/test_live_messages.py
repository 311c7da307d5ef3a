"""What phones may say on the socket and what they are told: contract/websocket-api §2-4."""

from __future__ import annotations

import json
from dataclasses import replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evpower.http.phones import live_messages as messages
from evpower.http.phones.live_messages import Ping, Subscribe, Wrong, read_message
from evpower.network.listing import ListedStation
from tests.http.fakes import LISTED, LOCATION, NOON
from tests.network.test_status import stations

WORDS = [
    "action",
    "type",
    "channel",
    "data",
    "subscribe",
    "unsubscribe",
    "ping",
    "all",
    "location:A",
    "location_stations:A",
]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"action":"subscribe","channel":"all"}', Subscribe("all", subscribed=True)),
        ('{"action":"subscribe","channel":"location:EVP-LOC-001"}', Subscribe("location:EVP-LOC-001", subscribed=True)),
        ('{"action":"subscribe","channel":"station:EVP-1"}', Subscribe("station:EVP-1", subscribed=True)),
        ('{"action":"subscribe","channel":"station:AA:1 Ж/2"}', Subscribe("station:AA:1 Ж/2", subscribed=True)),
        ('{"action":"unsubscribe","channel":"all"}', Subscribe("all", subscribed=False)),
        (
            '{"action":"unsubscribe","channel":"location_stations:EVP-LOC-001"}',
            Subscribe("location_stations:EVP-LOC-001", subscribed=False),
        ),
        ('{"type":"subscribe","data":{"channel":"location:X"}}', Subscribe("location:X", subscribed=True)),
        ('{"type":"unsubscribe","data":{"channel":"all"}}', Subscribe("all", subscribed=False)),
        ('{"type":"subscribe","channel":"all"}', Subscribe("all", subscribed=True)),
        ('{"action":"ping"}', Ping()),
        ('{"type":"ping"}', Ping()),
        ('{"type":"ping","data":{}}', Ping()),
        (b'{"action":"ping"}', Ping()),
    ],
)
def test_both_dialects_are_understood(text: str | bytes, message: object) -> None:
    assert read_message(text) == message


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "Неверный формат JSON"),
        ("hello", "Неверный формат JSON"),
        ('{"action":"ping"', "Неверный формат JSON"),
        (b"\xff\xfe", "Неверный формат JSON"),
        ("[" * 10_000, "Неверный формат JSON"),
        ("[]", "Неизвестное действие"),
        ('"ping"', "Неизвестное действие"),
        ("null", "Неизвестное действие"),
        ("{}", "Неизвестное действие"),
        ('{"action":"publish","channel":"all"}', "Неизвестное действие"),
        ('{"action":["subscribe"],"channel":"all"}', "Неизвестное действие"),
        ('{"action":"subscribe"}', "Не указан канал"),
        ('{"action":"subscribe","channel":""}', "Не указан канал"),
        ('{"type":"subscribe","data":[]}', "Не указан канал"),
        ('{"action":"unsubscribe"}', "Не указан канал"),
        ('{"action":"subscribe","channel":"location:"}', "Неизвестный канал"),
        ('{"action":"subscribe","channel":"location"}', "Неизвестный канал"),
        ('{"action":"subscribe","channel":"evpower:internal"}', "Неизвестный канал"),
        ('{"action":"subscribe","channel":"ALL"}', "Неизвестный канал"),
        ('{"action":"subscribe","channel":7}', "Неизвестный канал"),
        ('{"action":"subscribe","channel":"location:a b"}', "Неизвестный канал"),
        ('{"action":"subscribe","channel":"station:"}', "Неизвестный канал"),
        ('{"action":"subscribe","channel":"station:a\\nb"}', "Неизвестный канал"),
        ('{"action":"subscribe","channel":"station:%s"}' % ("x" * 256), "Неизвестный канал"),
        ('{"action":"subscribe","channel":"location:%s"}' % ("x" * 65), "Неизвестный канал"),
    ],
)
def test_what_cannot_be_understood_has_the_contracts_text(text: str | bytes, problem: str) -> None:
    assert read_message(text) == Wrong(problem)


@given(
    st.text()
    | st.binary()
    | st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text() | st.sampled_from(WORDS),
        lambda some: st.lists(some) | st.dictionaries(st.sampled_from(WORDS) | st.text(), some),
    ).map(json.dumps)
)
def test_whatever_a_phone_sends_has_an_answer(text: str | bytes) -> None:
    message = read_message(text)
    assert isinstance(message, Ping | Subscribe | Wrong)
    if isinstance(message, Subscribe):
        assert json.loads(msgspec.json.encode(messages.subscription(message)))["channel"] == message.channel


def test_a_location_update_carries_the_seeds_form_and_the_flat_one() -> None:
    at = "2025-09-30T12:00:00.000000Z"
    assert messages.location_update(LOCATION.id, LOCATION.counts, NOON) == {
        "type": "location_status_update",
        "data": {
            "location_id": "EVP-LOC-001",
            "status": "available",
            "available_connectors": 2,
            "total_connectors": 2,
            "stations_count": 1,
            "available_stations": 1,
            "occupied_stations": 0,
            "offline_stations": 0,
            "maintenance_stations": 0,
            "timestamp": at,
        },
        "location_id": "EVP-LOC-001",
        "status": "available",
        "available_connectors": 2,
        "stations_summary": {"total": 1, "available": 1, "occupied": 0, "offline": 0, "maintenance": 0},
        "connectors_summary": {"total": 2, "available": 2, "occupied": 0, "faulted": 0},
        "timestamp": at,
    }


def test_a_station_update_lists_every_configured_connector_in_both_forms() -> None:
    body = messages.station_update(LISTED, NOON)
    assert body["data"] == {
        "station_id": "EVP-001-01",
        "location_id": "EVP-LOC-001",
        "status": "available",
        "connectors": [
            {"connector_id": 1, "id": 1, "status": "Available", "available": True, "type": "GBT", "power_kw": 22.0},
            {"connector_id": 2, "id": 2, "status": "Available", "available": True, "type": "GBT"},
        ],
        "timestamp": "2025-09-30T12:00:00.000000Z",
    }
    flat = {name: value for name, value in body.items() if name in body["data"]}
    assert flat == body["data"]
    assert (body["type"], body["available_connectors"], body["occupied_connectors"], body["serial_number"]) == (
        "station_status_update",
        2,
        0,
        "EVPCS-001",
    )


@pytest.mark.parametrize("changes", [{"online": False}, {"admin_status": "maintenance"}])
def test_no_connector_is_available_where_nobody_can_charge(changes: dict[str, object]) -> None:
    body = messages.station_update(replace(LISTED, **changes), NOON)  # type: ignore[arg-type]
    assert [each["available"] for each in body["connectors"]] == [False, False]


@given(stations, stations)
def test_whatever_phones_are_told_of_a_station_a_push_is_due_when_it_changes(
    one: ListedStation, other: ListedStation
) -> None:
    told = [messages.station_update(each, NOON) for each in (one, other)]
    assert told[0] == told[1] or one.appearance != other.appearance


@given(st.lists(stations, max_size=3), st.lists(stations, max_size=3))
def test_phones_are_told_of_a_location_exactly_when_what_they_are_told_has_changed(
    one: list[ListedStation], other: list[ListedStation]
) -> None:
    before, after = (replace(LOCATION, stations=tuple(each)) for each in (one, other))
    told = [messages.location_update(each.id, each.counts, NOON) for each in (before, after)]
    assert (told[0] == told[1]) == (before.counts == after.counts)

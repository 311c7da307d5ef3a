"""What `docs/` says of the interfaces is what the application is: `make describe` writes the files anew."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from jsonschema import Draft202012Validator

from evpower.http.phones import live_messages as messages
from evpower.http.phones.live_messages import Ping, Subscribe, Wrong, read_message
from evpower.identifiers import ClientId
from tests.description.asyncapi import PATHS, asyncapi
from tests.description.requests import body_of, document, requests
from tests.description.written import FILES
from tests.http.description import strict
from tests.http.fakes import LISTED, LOCATION, NOON, World

SENT = [
    ("greeting", messages.greeting(ClientId("6f1c"))),
    ("subscription", messages.subscription(Subscribe("station:EVP-1", subscribed=False))),
    ("pong", messages.pong(NOON)),
    ("error", messages.error(messages.BAD_JSON)),
    ("locationUpdate", messages.location_update(LOCATION.id, LOCATION.counts, NOON)),
    ("stationUpdate", messages.station_update(LISTED, NOON)),
]
RECEIVED = [
    '{"action":"subscribe","channel":"all"}',
    '{"action":"unsubscribe","channel":"location:EVP-LOC-001"}',
    '{"action":"subscribe","channel":"location_stations:L"}',
    '{"type":"subscribe","data":{"channel":"station:AA:1 Ж/2"}}',
    '{"action":"subscribe","channel":"station:"}',
    '{"action":"subscribe","channel":"location:a b"}',
    '{"type":"subscribe","data":{}}',
    '{"action":"ping"}',
    '{"type":"ping"}',
    '{"action":"publish","channel":"all"}',
    "{}",
]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_the_written_file_is_what_would_be_written_now(file: Path) -> None:
    assert file.read_text(encoding="utf-8") == FILES[file](), "run `make describe`"


@pytest.mark.parametrize(("name", "message"), SENT, ids=[name for name, _ in SENT])
def test_every_message_to_a_phone_is_as_described_to_the_last_key(name: str, message: object) -> None:
    assert errors(strict(asyncapi()), name, message) == []


def test_every_kind_of_message_to_a_phone_is_tried() -> None:
    described = asyncapi()["operations"]["toPhone"]["messages"]
    assert [each["$ref"].rpartition("/")[2] for each in described] == [name for name, _ in SENT]


@pytest.mark.parametrize("text", RECEIVED)
def test_a_message_of_a_phone_is_understood_when_it_is_described(text: str) -> None:
    read, message = read_message(text), msgspec.json.decode(text)
    name = {Subscribe: "subscribe", Ping: "ping", Wrong: None}[type(read)]
    described = [each for each in ("subscribe", "ping") if not errors(asyncapi(), each, message)]
    assert described == ([name] if name else [])


def test_the_sockets_paths_are_the_routes() -> None:
    routes = {rule.rule for rule in World().app.url_map.iter_rules() if rule.websocket}
    assert routes == set(PATHS.values())


def test_the_collection_has_every_route_that_is_not_deprecated() -> None:
    described = document()["paths"].values()
    assert len(list(requests())) == sum("deprecated" not in each for methods in described for each in methods.values())


def test_every_body_of_the_collection_is_one_its_door_takes() -> None:
    """As far as its description says; `anyOf` of operations' arguments has no one body."""
    for methods in document()["paths"].values():
        for described in methods.values():
            content = described.get("requestBody", {}).get("content", {}).get("application/json", {})
            if "properties" in content.get("schema", {}):
                Draft202012Validator(content["schema"]).validate(body_of(content["schema"]))


def errors(document: dict[str, Any], name: str, message: object) -> list[str]:
    """What of a message is not as the document has it."""
    schema = {**document["components"]["messages"][name]["payload"], "components": document["components"]}
    plain = msgspec.json.decode(msgspec.json.encode(message))
    return [each.message for each in Draft202012Validator(schema).iter_errors(plain)]

"""The description of the API: of a request it says what the reader takes, and every answer is held to it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from jsonschema import Draft202012Validator
from quart import Blueprint, Response

import evpower
from evpower.errors import InvalidRequest
from evpower.http.openapi import openapi, operations, undescribed
from evpower.http.wire.answers import Answer, written
from evpower.http.wire.described import described, fields_of
from evpower.http.wire.kinds import AMOUNT, CONNECTOR, ENERGY, FLAG, MONEY, FieldKind, WrongValue, identifier, whole
from evpower.http.wire.requests import BodyFields, parse_object
from evpower.identifiers import CLIENT_ID
from evpower.settings.config import Config
from evpower.settings.http import HttpSettings
from tests.http.conftest import body_of
from tests.http.fakes import World
from tests.http.whole_app import whole_app

NULLABLE = {
    *((body, field) for body in ("LocationBody", "NearLocationBody") for field in ("city", "country")),
    *(("DetailBody", field) for field in ("city", "country")),
    *(("CoordinatesBody", field) for field in ("latitude", "longitude")),
    *(("ConnectorBody", field) for field in ("error", "error_code")),
    *(("StationBody", field) for field in ("last_heartbeat", "last_heartbeat_at", "firmware_version")),
    *(("StatusBody", field) for field in ("stop_time", "last_update", "transaction_id", "ocpp_transaction_id")),
    ("StatusBody", "ocpp_status"),
    *(("NestedSessionBody", field) for field in ("stop_time", "ocpp_transaction_id")),
    *(("PaymentStatusBody", field) for field in ("paid_amount", "qr_expires_at", "invoice_expires_at")),
    ("PaymentStatusBody", "last_status_check_at"),
    *(("BalanceBody", field) for field in ("last_topup_at", "total_spent")),
}
VALUES = [
    b"0", b"1", b"1.0", b"-1", b"0.5", b"20.125", b"20.1255", b"10.01", b"10.001", b"200", b"200.5", b"100000",
    b"100001", b"2147483647", b"2147483648", b"true", b'"1"', b'"abc"', b'"a b"', b'""', b"[]", b"{}",
]  # fmt: skip


@pytest.mark.parametrize("kind", [CONNECTOR, ENERGY, AMOUNT, MONEY, identifier(CLIENT_ID), whole(1, 14)])
@pytest.mark.parametrize("value", VALUES)
def test_a_kind_takes_what_its_schema_takes(kind: FieldKind[object], value: bytes) -> None:
    read = parse_object(b'{"it": %s}' % value)["it"]
    exact = BodyFields({"it": read})
    exact.required("it", kind)
    try:
        exact.check()
        taken = True
    except InvalidRequest:
        taken = False
    schema = parse_object(msgspec.json.encode(kind.schema))  # exact numbers, as the body's are
    whole_number = isinstance(read, Decimal) and read == read.to_integral_value()
    assert Draft202012Validator(schema).is_valid(int(read) if whole_number else read) == taken


@pytest.mark.parametrize(("text", "taken"), [("true", True), ("FALSE", True), ("1", True), ("yes", False), ("", False)])
def test_a_flag_of_an_address_is_spelt_in_four_ways(text: str, taken: bool) -> None:
    try:
        FLAG.read(text)
    except WrongValue:
        assert not taken
    else:
        assert taken


def test_a_reader_describes_the_fields_it_reads() -> None:
    def reader(fields: BodyFields) -> None:
        fields.required("connector_id", CONNECTOR)
        fields.optional("energy_kwh", ENERGY)
        fields.check()
        raise AssertionError("nothing is read after the check")

    named = [(field.name, field.required, field.schema) for field in fields_of(reader)]
    assert named == [("connector_id", True, CONNECTOR.schema), ("energy_kwh", False, ENERGY.schema)]


def test_a_reader_that_forgets_to_check_describes_nothing() -> None:
    with pytest.raises(AssertionError, match="never checks"):
        fields_of(lambda fields: fields.optional("energy_kwh", ENERGY))


def test_a_start_is_described_by_what_validates_it() -> None:
    start = document()["paths"]["/api/v1/charging/start"]["post"]
    schema = start["requestBody"]["content"]["application/json"]["schema"]
    assert list(schema["properties"]) == ["client_id", "station_id", "connector_id", "energy_kwh", "amount_som"]
    assert schema["properties"]["connector_id"] == {**CONNECTOR.schema, "examples": [1]}
    assert schema["properties"]["energy_kwh"] == {"anyOf": [ENERGY.schema, {"type": "null"}], "examples": [20]}
    assert [each["name"] for each in start["parameters"]] == ["Idempotency-Key"]


def test_every_route_is_described() -> None:
    """Each described one exists, because the description is made of the routes."""
    app = whole_app(Config(http=HttpSettings(openapi=True)))
    assert undescribed(app) == []
    rules = {rule.rule for rule in app.url_map.iter_rules() if not rule.websocket}
    assert len(openapi(app, "1.0.0")["paths"]) == len(rules)


def test_every_operation_has_an_id_of_its_own() -> None:
    ids = [each["operationId"] for methods in document()["paths"].values() for each in methods.values()]
    assert len(ids) == len(set(ids)) == len(list(operations(whole_app(Config()))))


async def test_an_answer_beside_its_description_fails_its_test(caplog: pytest.LogCaptureFixture) -> None:
    routes = Blueprint("wrong", __name__)

    @routes.get("/wrong")
    @described("Answers a number too many", caller="anyone", answer=dict[str, str])
    async def wrong() -> Response:
        return written(Answer({"a": 1}))

    await body_of(await World(at_root=(routes,)).client().get("/wrong"), 500)
    assert "GET /wrong: 200: $.a: 1 is not of type 'string'" in caplog.text


def test_null_stands_only_where_the_apps_schemas_take_it() -> None:
    """Field ruling 6.5, rest-api §1.3; of an administrator's answer §7.7 says that the key is always there."""
    paths = {path: each for path, each in document()["paths"].items() if "/admin/" not in path}
    components = document()["components"]["schemas"]
    found = {
        (name, field)
        for name in reached(paths, components)
        for field, schema in components[name].get("properties", {}).items()
        if {"type": "null"} in schema.get("anyOf", ()) or schema.get("type") == "null"
    }
    assert found == NULLABLE


def reached(part: Any, components: dict[str, Any]) -> set[str]:
    """The names of all components that a part of the document refers to, directly or not."""
    found: set[str] = set()
    rest = [part]
    while rest:
        each = rest.pop()
        if isinstance(each, dict):
            name = str(each.get("$ref", "")).rpartition("/")[2]
            if name and name not in found:
                found.add(name)
                rest.append(components[name])
            rest += each.values()
        elif isinstance(each, list):
            rest += each
    return found


def document() -> dict[str, Any]:
    return openapi(whole_app(Config()), "1.0.0")


async def test_the_description_is_served_where_the_setting_is_on() -> None:
    app = whole_app(Config(http=HttpSettings(openapi=True)))
    served = await body_of(await app.test_client().get("/openapi.json"))
    assert served == openapi(app, evpower.__version__)
    assert (served["openapi"], served["info"]["version"]) == ("3.1.0", evpower.__version__)
    assert "/openapi.json" in served["paths"]


async def test_the_description_is_not_there_unless_it_is_asked_for() -> None:
    answer = await body_of(await whole_app(Config()).test_client().get("/openapi.json"), 404)
    assert answer["error"] == "not_found"

"""Each validation row of contract/rest-api §4.1 and §4.3."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import pytest
from quart_trio import QuartTrio

from evpower.billing.errors import InvalidAmount
from evpower.charging.session import StartOrder
from evpower.errors import InvalidRequest, Unauthorized
from evpower.http.phones.sessions import start_order, stop_order
from evpower.http.wire.caller import Callers, caller
from evpower.http.wire.requests import BodyFields, client_id_in_path, parse_object
from evpower.identifiers import ClientId, ConnectorId, StationId
from evpower.identity.verifier import Verifier
from tests.worlds.fakes import SetClock

VALID = b'{"client_id":"6f1c","station_id":"EVP-001-01","connector_id":1%s}'


@asynccontextmanager
async def asked(headers: dict[str, str] | None = None) -> AsyncIterator[None]:
    """Inside a request of a phone."""
    async with QuartTrio("test").test_request_context("/", headers=headers or {}):
        await Callers("trust", Verifier((), SetClock())).identify()
        yield


async def order(extra: str = "", raw: bytes | None = None, headers: dict[str, str] | None = None) -> StartOrder:
    body = parse_object(VALID % f",{extra}".encode() if extra else VALID % b"" if raw is None else raw)
    async with asked(headers):
        return start_order(BodyFields(body), caller())


async def refused(extra: str = "", raw: bytes | None = None) -> dict[str, str]:
    with pytest.raises(InvalidRequest) as caught:
        await order(extra, raw)
    return dict(caught.value.fields)


async def test_a_start_without_limits_is_unlimited() -> None:
    assert await order() == StartOrder(ClientId("6f1c"), StationId("EVP-001-01"), ConnectorId(1), None, None)


async def test_limits_are_read_exactly() -> None:
    read = await order('"energy_kwh":20.125,"amount_som":0.1')
    assert (read.energy_wh, read.amount_tyiyn) == (20125, 10)


@pytest.mark.parametrize("extra", ['"energy_kwh":null,"amount_som":null', '"color":"red","connector":{"a":[1]}'])
async def test_null_limits_are_absent_and_unknown_fields_are_ignored(extra: str) -> None:
    assert (await order(extra)).energy_wh is None


@pytest.mark.parametrize("value", ["1", "1.0", "1e0"])
async def test_a_whole_number_is_a_connector(value: str) -> None:
    assert (await order(f'"connector_id":{value}')).connector_id == 1


@pytest.mark.parametrize(
    "value", ['"1"', "true", "0", "-1", "1.5", "null", "[]", "{}", "2147483648", "1e400", "1e9999999"]
)
async def test_anything_else_is_no_connector(value: str) -> None:
    assert list(await refused(f'"connector_id":{value}')) == ["connector_id"]


@pytest.mark.parametrize("value", ["0", "-5", '"20"', "true", "200.001", "1e9", "0.0001", "[20]", "{}", "1e-9999999"])
@pytest.mark.parametrize("field", ["energy_kwh"])
async def test_a_wrong_energy_is_refused(field: str, value: str) -> None:
    assert list(await refused(f'"{field}":{value}')) == [field]


@pytest.mark.parametrize("value", ["0", "-5", '"100"', "false", "100000.01", "1e9", "[1]", "-0.0"])
async def test_a_wrong_amount_is_refused_as_validation_error(value: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        await order(f'"amount_som":{value}')
    assert caught.value.code == "validation_error"


@pytest.mark.parametrize("value", ["10.001", "0.001", "99999.999", "10.000000000000000000000000000000000001"])
async def test_parts_of_a_tyiyn_are_refused_as_invalid_amount(value: str) -> None:
    with pytest.raises(InvalidAmount) as caught:
        await order(f'"amount_som":{value}')
    assert (caught.value.code, list(dict(caught.value.fields))) == ("invalid_amount", ["amount_som"])


@pytest.mark.parametrize(("value", "tyiyn"), [("100.10", 10010), ("5.000", 500), ("1e2", 10000), ("100000", 10000000)])
async def test_an_amount_keeps_its_tyiyn(value: str, tyiyn: int) -> None:
    assert (await order(f'"amount_som":{value}')).amount_tyiyn == tyiyn


async def test_the_limits_themselves_are_allowed() -> None:
    read = await order('"energy_kwh":200,"amount_som":100000')
    assert (read.energy_wh, read.amount_tyiyn) == (200_000, 10_000_000)


@pytest.mark.parametrize("station", ["EVP-001-01", "a", "evp_2", "X" * 50, "a b", "a/b", "AA:BB", "Ж", "X" * 255])
async def test_a_station_is_named_by_its_id_or_a_serial_number_which_is_any_line_of_text(station: str) -> None:
    """Field ruling 6.1; what can be no id, but a serial number, was refused here."""
    assert (await order(f'"station_id":"{station}"')).station_id == station


@pytest.mark.parametrize("station", ['""', '"' + "X" * 256 + '"', "7", '"a\\n"', '"\\u0000"', "null"])
async def test_what_names_no_station_is_refused(station: str) -> None:
    assert list(await refused(f'"station_id":{station}')) == ["station_id"]


@pytest.mark.parametrize("client", ['""', '"a.b"', '"' + "x" * 65 + '"', "7", "null", '"a\\n"'])
async def test_a_malformed_client_id_is_refused(client: str) -> None:
    assert list(await refused(f'"client_id":{client}')) == ["client_id"]


async def test_all_wrong_fields_are_told_together() -> None:
    wrong = await refused(raw=b'{"station_id":"","connector_id":"1","energy_kwh":0,"amount_som":1.001}')
    assert list(wrong) == ["client_id", "station_id", "connector_id", "energy_kwh", "amount_som"]


async def test_a_sum_among_other_wrong_fields_is_a_validation_error() -> None:
    with pytest.raises(InvalidRequest) as caught:
        await order('"amount_som":1.001,"energy_kwh":0')
    assert caught.value.code == "validation_error"


async def test_a_token_that_is_not_believed_is_ignored_beside_a_client_id() -> None:
    assert (await order(headers={"Authorization": "Bearer x"})).client_id == "6f1c"


async def test_a_token_that_is_not_believed_names_nobody() -> None:
    with pytest.raises(Unauthorized):
        await order(raw=b'{"station_id":"EVP-1","connector_id":1}', headers={"Authorization": "Bearer x"})


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"[]",
        b'"text"',
        b"null",
        b"7",
        b'{"a":NaN}',
        b'{"a":Infinity}',
        b'{"a":-Infinity}',
        b'{"a":"\xff"}',
        b"\xef\xbb\xbf{}",
        b"[" * 5000,
        b'{"a":' * 5000,
        b'{"a":1e99999999999999999999}',
        b'{"a":' + b"9" * 5000 + b"}",
        b"client_id=6f1c",
    ],
)
def test_a_body_that_is_no_json_object_is_refused(raw: bytes) -> None:
    with pytest.raises(InvalidRequest) as caught:
        parse_object(raw)
    assert [field for field, _ in caught.value.fields] == ["body"]


def test_numbers_never_pass_through_binary_floats() -> None:
    assert parse_object(b'{"a":0.1}') == {"a": Decimal("0.1")}


async def test_a_stop_names_its_session_and_maybe_its_client() -> None:
    async with asked():
        assert stop_order(BodyFields({"session_id": "0b6e"}), caller()) == ("0b6e", None)
        assert stop_order(BodyFields({"session_id": "0b6e", "client_id": "6f1c"}), caller()) == ("0b6e", "6f1c")


@pytest.mark.parametrize("session_id", [None, "", "a b", "x" * 101, 5, True, ["a"]])
async def test_a_stop_without_a_readable_session_is_refused(session_id: Any) -> None:
    async with asked():
        with pytest.raises(InvalidRequest) as caught:
            stop_order(BodyFields({"session_id": session_id, "client_id": "?"}), caller())
    assert [field for field, _ in caught.value.fields] == ["session_id", "client_id"]


@pytest.mark.parametrize("text", ["", "a.b", "x" * 65, "a\n"])
def test_a_malformed_client_id_in_a_path_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest):
        client_id_in_path(text)


@pytest.mark.parametrize(
    ("body", "is_read"),
    [
        (json.dumps({str(key): 0 for key in range(200)}), True),
        (json.dumps({str(key): 0 for key in range(201)}), False),
        (json.dumps({"list": [0] * 200}), True),
        (json.dumps({"list": [0] * 201}), False),
        (json.dumps({"list": [{"deep": [0] * 201}]}), False),
        ('{"a":' * 31 + "{}" + "}" * 31, True),
        ('{"a":' * 32 + "{}" + "}" * 32, False),
        ('{"a":' * 5000 + "{}" + "}" * 5000, False),
    ],
)
def test_a_body_has_at_most_200_items_a_level_and_32_levels(body: str, is_read: bool) -> None:
    """Safe by default 3."""
    if is_read:
        parse_object(body.encode())
    else:
        with pytest.raises(InvalidRequest):
            parse_object(body.encode())

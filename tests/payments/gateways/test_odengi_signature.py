"""The worked vectors of contract/payments §2.2, and what must not be signed instead."""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from evpower.payments.gateways.odengi_signature import canonical, md5_works, mktime, signature, signed
from tests.payments.gateways.parties import SECRET, SID

CREATE = {
    "order_id": "tu_01J8ZK3M9Q",
    "desc": "Пополнение баланса 100 сом",
    "amount": 10000,
    "currency": "KGS",
    "test": 1,
    "long_term": 0,
    "result_url": "https://csms.example/api/v1/payment/webhook/odengi",
}
STATUS = {"invoice_id": "530912448170", "order_id": "tu_01J8ZK3M9Q"}
CANCEL = {"invoice_id": "530912448170"}
#: The command, its time, its data, its hash.
VECTORS = [
    ("createInvoice", "1759233600000", CREATE, "1d63a471c4de176eecd473e09ad80082"),
    ("statusPayment", "1759233615000", STATUS, "fc2672a0ee13b936e45fbc4cd03b247e"),
    ("invoiceCancel", "1759233630000", CANCEL, "0ec44f34c1967089222c7060e0b948c6"),
]


@pytest.mark.parametrize(("cmd", "at", "data", "expected"), VECTORS)
def test_requests_sign_as_the_worked_vectors(cmd: str, at: str, data: Mapping[str, object], expected: str) -> None:
    assert signature(SECRET, canonical(cmd, SID, at, data)) == expected


def test_the_canonical_text_is_the_contracts_line() -> None:
    expected = (
        '{"cmd":"createInvoice","version":1005,"sid":"1000000042","mktime":"1759233600000","lang":"ru","data":'
        '{"order_id":"tu_01J8ZK3M9Q","desc":"Пополнение баланса 100 сом","amount":10000,"currency":"KGS","test":1,'
        '"long_term":0,"result_url":"https://csms.example/api/v1/payment/webhook/odengi"}}'
    )
    assert canonical("createInvoice", SID, "1759233600000", CREATE) == expected.encode()


def test_each_wrong_way_to_write_the_text_has_the_hash_the_contract_warns_of() -> None:
    """So the vectors tell them apart, and none of them is ours."""
    text = canonical("createInvoice", SID, "1759233600000", CREATE).decode()
    members = json.loads(text)
    wrong = {
        "escaped letters": json.dumps(members, separators=(",", ":")),
        "escaped slashes": text.replace("/", "\\/"),
        "spaces": json.dumps(members, ensure_ascii=False),
        "sorted": json.dumps(members, ensure_ascii=False, separators=(",", ":"), sort_keys=True),
    }
    assert {name: signature(SECRET, said.encode()) for name, said in wrong.items()} == {
        "escaped letters": "5d2d9f8c14d6be433f9146c4b0fdbe57",
        "escaped slashes": "73bc619e19ae3e8122f6830e7d3278bd",
        "spaces": "cfe9bcc4f2ae795eb06fccc2128679a4",
        "sorted": "015a566ee8f99d7f896b8795a771eb07",
    }


def test_what_is_sent_is_what_was_signed_with_the_hash_before_the_last_brace() -> None:
    message = canonical("invoiceCancel", SID, "1759233630000", CANCEL)
    assert signed(message, SECRET) == message[:-1] + b',"hash":"0ec44f34c1967089222c7060e0b948c6"}'


def test_mktime_is_milliseconds_of_the_moment_given() -> None:
    assert mktime(datetime(2025, 9, 30, 12, 0, 41, 250_999, tzinfo=UTC)) == "1759233641250"


def test_half_a_surrogate_in_a_description_does_not_break_the_request() -> None:
    assert '"desc":"зарядка ?"'.encode() in canonical("createInvoice", SID, "1", {"desc": "зарядка \ud83d"})


def test_md5_works_here() -> None:
    assert md5_works()


def test_a_system_that_refuses_md5_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> bytes:
        raise ValueError("[digital envelope routines] unsupported")

    monkeypatch.setattr(hmac, "digest", refuse)
    assert not md5_works()

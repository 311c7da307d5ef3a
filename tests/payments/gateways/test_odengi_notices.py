"""O!Dengi's calls to us: vectors 4-6 of contract/payments §2.6, forgeries, and the two number spaces of §2.7."""

from __future__ import annotations

import hmac
import json
from datetime import timedelta
from typing import Any

import pytest

from evpower.errors import InvalidRequest, StaleTimestamp, Unauthorized
from evpower.payments.gateway import Notice, OrderState, Payment
from evpower.payments.gateways.odengi_notice import OlderForm, read_notice
from tests.payments.gateways.parties import AT, SECRET, SID, WEBHOOK_SECRET, odengi_at

VECTOR_4: dict[str, Any] = {
    "trans_id": "90017755",
    "status_pay": 3,
    "site_id": "1000000042",
    "order_id": "tu_01J8ZK3M9Q",
    "amount": 10000,
    "currency": "KGS",
    "mktime": "1759233641000",
    "test": 1,
    "hash": "e67acdca3c2df2f51b7e9d004595fd27",
}
VECTOR_6 = (
    b'{"merchant_id":"1000000042","invoice_id":"530912448170","order_id":"tu_01J8ZK3M9Q","status":1,"amount":10000,'
    b'"currency":"KGS","paid_amount":10000,"transaction_id":"90017755"}'
)
HASH_6 = "713d711d306764cb682df58d5048c2828dbef43adb318d1986941e735326a519"
OLDER = OlderForm(WEBHOOK_SECRET, AT)
PAID = Payment("90017755", 10000, "KGS")


def read(fields: dict[str, Any]) -> Notice:
    return read_notice(json.dumps(fields).encode(), {}, sid=SID, secret=SECRET)


def with_hash(**changes: Any) -> dict[str, Any]:
    """Vector 4 with other values, signed anew by the rule as the contract states it."""
    fields = VECTOR_4 | changes
    names = ("trans_id", "status_pay", "site_id", "order_id", "amount", "currency", "mktime", "test")
    message = ":::".join("" if fields.get(name) is None else str(fields[name]) for name in names)
    return fields | {"hash": hmac.new(SECRET.encode(), message.encode(), "md5").hexdigest()}


def read_older(body: bytes = VECTOR_6, **headers: str) -> Notice:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return read_notice(body, named, sid=SID, secret=SECRET, older=OLDER)


def test_vector_4_is_a_paid_notice() -> None:
    assert read(VECTOR_4) == Notice("tu_01J8ZK3M9Q", None, OrderState.APPROVED, PAID, is_test=True)


def test_vector_5_is_a_canceled_notice() -> None:
    fields = VECTOR_4 | {"status_pay": 2, "hash": "4b7c895a3a79cd2086b490abffc37d0d"}
    assert read(fields).state is OrderState.CANCELED


@pytest.mark.parametrize(
    ("number", "state"),
    [
        (1, OrderState.PROCESSING),
        (2, OrderState.CANCELED),
        (3, OrderState.APPROVED),
        (4, OrderState.PROCESSING),
        (6, OrderState.PARTIAL_REFUND),
        (8, OrderState.PROCESSING),
        (9, OrderState.PROCESSING),
        (0, OrderState.PROCESSING),
        (33, OrderState.PROCESSING),
        ("3", OrderState.APPROVED),
    ],
)
def test_the_signed_forms_numbers_are_its_own_and_one_is_waiting(number: object, state: OrderState) -> None:
    assert read(with_hash(status_pay=number)).state is state


@pytest.mark.parametrize(
    "name", ["trans_id", "status_pay", "site_id", "order_id", "amount", "currency", "mktime", "test"]
)
def test_a_changed_value_breaks_the_signature(name: str) -> None:
    with pytest.raises(Unauthorized):
        read(VECTOR_4 | {name: "7"})


@pytest.mark.parametrize("given", ["", None, 5, "e67acdca", "E67ACDCA3C2DF2F51B7E9D004595FD27", "ключ", "\ud800"])
def test_a_missing_or_foreign_hash_is_refused(given: object) -> None:
    with pytest.raises(Unauthorized):
        read(VECTOR_4 | {"hash": given})


def test_a_hash_made_for_another_merchant_is_refused_whichever_is_named() -> None:
    foreign = with_hash(site_id="1000000099")
    for site_id in ("1000000099", SID):
        with pytest.raises(Unauthorized):
            read(foreign | {"site_id": site_id})


def test_a_hash_made_for_no_merchant_is_refused() -> None:
    with pytest.raises(Unauthorized):
        read(with_hash(site_id=None))


def test_a_foreign_merchant_under_our_own_hash_is_refused() -> None:
    with pytest.raises(Unauthorized):
        read(VECTOR_4 | {"site_id": "1000000099"})


def test_absent_and_null_values_sign_as_nothing() -> None:
    fields = with_hash(test=None)
    assert read(fields).is_test is False
    del fields["test"]
    assert read(fields).order_id == "tu_01J8ZK3M9Q"


def test_the_same_signed_text_cut_elsewhere_is_refused() -> None:
    joined = "tu_01J8ZK3M9Q:::10000"
    with pytest.raises(InvalidRequest):
        read(
            VECTOR_4
            | {"order_id": joined, "amount": "KGS", "currency": "1759233641000", "mktime": "1", "test": ""}
            | {
                "hash": hmac.new(
                    SECRET.encode(), f"90017755:::3:::{SID}:::{joined}:::KGS:::1759233641000:::1:::".encode(), "md5"
                ).hexdigest()
            }
        )


def test_a_sum_with_a_point_is_signed_as_written_and_named_as_none() -> None:
    fields = with_hash(amount="100.50")
    body = json.dumps(fields).replace('"100.50"', "100.50").encode()
    assert read_notice(body, {}, sid=SID, secret=SECRET).payment == Payment("90017755", None, "KGS")


def test_a_notice_without_a_transaction_names_no_payment() -> None:
    assert read(with_hash(trans_id=None)).payment is None


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff", b"[" * 50_000, b"{}" + b" " * 70_000, b"NaN"])
def test_a_body_that_is_no_object_is_unreadable(body: bytes) -> None:
    with pytest.raises(InvalidRequest):
        read_notice(body, {}, sid=SID, secret=SECRET)


@pytest.mark.parametrize("missing", ["order_id", "status_pay"])
def test_a_signed_notice_without_its_order_or_status_is_unreadable(missing: str) -> None:
    with pytest.raises(InvalidRequest):
        read(with_hash(**{missing: None}))


async def test_the_older_form_is_off_by_default() -> None:
    async with odengi_at() as (odengi, _):
        with pytest.raises(Unauthorized):
            odengi.read_notice(VECTOR_6, {"X-O-Dengi-Signature": HASH_6}, {})


@pytest.mark.parametrize("given", [HASH_6, f"sha256={HASH_6}"])
def test_vector_6_is_a_paid_notice_where_the_older_form_is_on(given: str) -> None:
    notice = read_older(x_o_dengi_signature=given)
    assert notice == Notice("tu_01J8ZK3M9Q", None, OrderState.APPROVED, PAID)


@pytest.mark.parametrize("given", ["", "sha256=", HASH_6[:-1], "ё", HASH_6.upper()])
def test_a_foreign_signature_of_the_older_form_is_refused(given: str) -> None:
    with pytest.raises(Unauthorized):
        read_older(x_o_dengi_signature=given)


def test_the_older_forms_signature_is_over_the_raw_bytes() -> None:
    with pytest.raises(Unauthorized):
        read_older(VECTOR_6 + b" ", x_o_dengi_signature=HASH_6)


def older(**changes: Any) -> Notice:
    body = json.dumps(json.loads(VECTOR_6) | changes).encode()
    return read_older(body, x_o_dengi_signature=hmac.new(WEBHOOK_SECRET.encode(), body, "sha256").hexdigest())


@pytest.mark.parametrize("status", [0, 2, 3, "paid", None])
def test_in_the_older_form_only_one_is_paid(status: object) -> None:
    assert older(status=status).state is OrderState.PROCESSING


def test_the_older_forms_payment_is_what_was_paid_not_what_was_asked() -> None:
    assert older(paid_amount=None).payment == Payment("90017755", None, "KGS")


def test_the_older_form_of_another_merchant_is_refused() -> None:
    with pytest.raises(Unauthorized):
        older(merchant_id="1000000099")


@pytest.mark.parametrize("off_s", [-300, 0, 300])
def test_a_time_stamp_near_now_passes(off_s: int) -> None:
    stamp = str(int((AT + timedelta(seconds=off_s)).timestamp()))
    assert read_older(X_O_Dengi_Signature=HASH_6, X_Timestamp=stamp).order_id == "tu_01J8ZK3M9Q"


@pytest.mark.parametrize("stamp", ["1759233299", "1759233901", "", "yesterday", "9" * 40])
def test_a_time_stamp_far_from_now_is_stale(stamp: str) -> None:
    with pytest.raises(StaleTimestamp) as caught:
        read_older(X_O_Dengi_Signature=HASH_6, X_Timestamp=stamp)
    assert caught.value.code == "stale_timestamp"


def test_with_the_older_form_on_the_signed_form_still_works() -> None:
    notice = read_notice(json.dumps(VECTOR_4).encode(), {}, sid=SID, secret=SECRET, older=OLDER)
    assert notice.state is OrderState.APPROVED

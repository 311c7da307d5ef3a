"""O!Dengi's wire (contract/payments §2): signatures, invoices, payments, refusals."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from evpower.simulator.providers.sandbox import Sandbox
from tests.simulator.providers.sandbox_client import SECRET, Merchant, SetClock, compact, envelope, signature, signed

VECTOR_1 = (
    '{"cmd":"createInvoice","version":1005,"sid":"1000000042","mktime":"1759233600000","lang":"ru","data":'
    '{"order_id":"tu_01J8ZK3M9Q","desc":"Пополнение баланса 100 сом","amount":10000,"currency":"KGS","test":1,'
    '"long_term":0,"result_url":"https://csms.example/api/v1/payment/webhook/odengi"}}'
)
HASH_1 = "1d63a471c4de176eecd473e09ad80082"
SIGNATURE_WRONG, NO_ORDER, FIELDS_WRONG = 2, 4, 5


def with_hash(text: str, hash: str) -> bytes:
    return f'{text[:-1]},"hash":"{hash}"}}'.encode()


async def test_vector_1_is_accepted(merchant: Merchant) -> None:
    data = (await merchant.post(with_hash(VECTOR_1, HASH_1))).json()["data"]
    assert len(data["invoice_id"]) == 12
    assert data["invoice_id"].isdigit()


@pytest.mark.parametrize(
    ("command", "data", "mktime", "hash"),
    [
        (
            "statusPayment",
            {"invoice_id": "530912448170", "order_id": "tu_01J8ZK3M9Q"},
            "1759233615000",
            "fc2672a0ee13b936e45fbc4cd03b247e",
        ),
        ("invoiceCancel", {"invoice_id": "530912448170"}, "1759233630000", "0ec44f34c1967089222c7060e0b948c6"),
    ],
)
async def test_vectors_2_and_3_pass_the_signature(
    merchant: Merchant, command: str, data: dict[str, Any], mktime: str, hash: str
) -> None:
    """The invoice is unknown here, and that is what is said: not that the signature is wrong."""
    body = with_hash(compact(envelope(command, data, mktime=mktime)), hash)
    assert (await merchant.post(body)).json()["data"]["error"] == NO_ORDER


ESCAPED = json.dumps(json.loads(VECTOR_1), separators=(",", ":"))
WRONG_TEXTS = {
    "escaped Cyrillic": (ESCAPED, "5d2d9f8c14d6be433f9146c4b0fdbe57"),
    "escaped slashes": (VECTOR_1.replace("/", "\\/"), "73bc619e19ae3e8122f6830e7d3278bd"),
    "spaces": (json.dumps(json.loads(VECTOR_1), ensure_ascii=False), "cfe9bcc4f2ae795eb06fccc2128679a4"),
    "sorted keys": (
        json.dumps(json.loads(VECTOR_1), ensure_ascii=False, separators=(",", ":"), sort_keys=True),
        "015a566ee8f99d7f896b8795a771eb07",
    ),
}


@pytest.mark.parametrize("text", WRONG_TEXTS)
async def test_bytes_that_are_not_canonical_fail_although_they_are_signed(merchant: Merchant, text: str) -> None:
    sent, hash = WRONG_TEXTS[text]
    assert signature(sent) == hash
    assert (await merchant.post(with_hash(sent, hash))).json()["data"]["error"] == SIGNATURE_WRONG


@pytest.mark.parametrize("text", WRONG_TEXTS)
async def test_the_signature_of_other_bytes_than_those_sent_fails(merchant: Merchant, text: str) -> None:
    assert (await merchant.post(with_hash(VECTOR_1, WRONG_TEXTS[text][1]))).json()["data"]["error"] == SIGNATURE_WRONG
    assert (await merchant.post(with_hash(WRONG_TEXTS[text][0], HASH_1))).json()["data"]["error"] == SIGNATURE_WRONG


async def test_another_secret_fails(merchant: Merchant) -> None:
    body = signed(VECTOR_1, SECRET + "x")
    assert (await merchant.post(body)).json()["data"]["error"] == SIGNATURE_WRONG


async def test_no_hash_and_a_hash_that_is_not_last_fail(merchant: Merchant) -> None:
    first = f'{{"hash":"{HASH_1}",{VECTOR_1[1:]}'.encode()
    for body in (VECTOR_1.encode(), first):
        assert (await merchant.post(body)).json()["data"]["error"] == SIGNATURE_WRONG


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"null", b"\xff", b"[" * 100_000])
async def test_what_is_no_object_is_an_error_with_http_200(merchant: Merchant, body: bytes) -> None:
    response = await merchant.post(body)
    assert (response.status_code, response.json()["data"]["error"]) == (200, 1)


async def test_a_form_is_no_request(merchant: Merchant) -> None:
    response = await merchant.post(with_hash(VECTOR_1, HASH_1), "application/x-www-form-urlencoded")
    assert response.json()["data"]["error"] == 1


@pytest.mark.parametrize("change", [{"sid": "1000000043"}, {"version": 1004}, {"mktime": "now"}, {"cmd": "getMoney"}])
async def test_a_wrong_envelope_is_refused(merchant: Merchant, change: dict[str, Any]) -> None:
    body = signed(compact(envelope("statusPayment", {"order_id": "tu_1"}, **change)))
    assert (await merchant.post(body)).json()["data"]["error"] in (3, FIELDS_WRONG)


@pytest.mark.parametrize(
    "data",
    [
        {"order_id": ""},
        {"order_id": "x" * 65},
        {"desc": ""},
        {"amount": "10000"},
        {"amount": -1},
        {"amount": 99.5},
        {"amount": True},
        {"currency": "USD"},
        {"test": 2},
        {"date_life": "2025-09-30T12:05:00Z"},
        {"result_url": None},
    ],
    ids=str,
)
async def test_a_wrong_field_is_refused_and_makes_no_invoice(merchant: Merchant, data: dict[str, Any]) -> None:
    assert (await merchant.invoice(**data))["error"] == FIELDS_WRONG
    assert merchant.sandbox.odengi.book.by_id == {}


async def test_the_qr_is_an_address_whose_data_is_the_elqr_text(merchant: Merchant) -> None:
    invoice = await merchant.invoice(amount=4350)
    address = urlsplit(invoice["qr"])
    query = parse_qs(address.query)
    assert (address.path, query["type"]) == ("/qr.php", ["emvQr"])
    (text,) = query["data"]
    fields = tlv(text)
    assert (fields["53"], fields["54"], list(fields)[-1]) == ("417", "4350", "63")
    assert fields["63"] == hashlib.sha256(text[: -len("6304XXXX")].encode()).hexdigest()[-4:].upper()
    picture = await merchant.http.get(invoice["qr"])
    assert picture.headers["content-type"] == "image/png"
    assert picture.content.startswith(b"\x89PNG")


def tlv(text: str) -> dict[str, str]:
    fields = {}
    while text:
        length = int(text[2:4])
        fields[text[:2]], text = text[4 : 4 + length], text[4 + length :]
    return fields


async def test_a_status_has_payments_only_when_somebody_has_scanned(merchant: Merchant, sandbox: Sandbox) -> None:
    await merchant.invoice()
    assert await merchant.status() == {"status": "processing"}
    sandbox.act_on_invoice("scan", order_id="tu_1")
    scanned = await merchant.status()
    assert (scanned["status"], [each["status"] for each in scanned["payments"]]) == ("processing", ["processing"])


async def test_a_payment_is_approved_with_its_sum_as_text(merchant: Merchant, sandbox: Sandbox) -> None:
    await merchant.invoice()
    paid = sandbox.act_on_invoice("pay", order_id="tu_1")
    status = await merchant.status()
    (shown,) = status["payments"]
    assert status["status"] == "approved"
    assert (shown["trans_id"], shown["status"], shown["amount"]) == (paid["trans_id"], "approved", "10000")
    assert "currency" not in shown


async def test_a_scan_that_is_then_paid_is_one_payment(merchant: Merchant, sandbox: Sandbox) -> None:
    await merchant.invoice()
    scanned = sandbox.act_on_invoice("scan", order_id="tu_1")
    assert sandbox.act_on_invoice("pay", order_id="tu_1")["trans_id"] == scanned["trans_id"]
    assert len((await merchant.status())["payments"]) == 1


async def test_a_refusal_leaves_the_invoice_payable(merchant: Merchant, sandbox: Sandbox) -> None:
    await merchant.invoice()
    sandbox.act_on_invoice("refuse", order_id="tu_1")
    refused = await merchant.status()
    assert (refused["status"], refused["payments"][0]["status"]) == ("processing", "canceled")
    sandbox.act_on_invoice("pay", order_id="tu_1")
    paid = await merchant.status()
    assert [each["status"] for each in paid["payments"]] == ["canceled", "approved"]
    assert paid["status"] == "approved"


async def test_two_payments_of_one_invoice_have_two_ids(merchant: Merchant, sandbox: Sandbox) -> None:
    await merchant.invoice()
    first, second = (sandbox.act_on_invoice("pay", order_id="tu_1")["trans_id"] for _ in range(2))
    assert first != second
    assert [each["trans_id"] for each in (await merchant.status())["payments"]] == [first, second]


@pytest.mark.parametrize("amount", [1, 9999, 10001])
async def test_another_sum_may_be_paid(merchant: Merchant, sandbox: Sandbox, amount: int) -> None:
    await merchant.invoice()
    sandbox.act_on_invoice("pay", order_id="tu_1", amount=amount)
    assert (await merchant.status())["payments"][0]["amount"] == str(amount)


async def test_another_currency_is_named_and_a_sum_may_be_missing(merchant: Merchant, sandbox: Sandbox) -> None:
    await merchant.invoice()
    sandbox.act_on_invoice("pay", order_id="tu_1", currency="USD")
    sandbox.act_on_invoice("pay", order_id="tu_1", without_amount=True)
    foreign, without = (await merchant.status())["payments"]
    assert foreign["currency"] == "USD"
    assert "amount" not in without


async def test_a_canceled_invoice_can_still_be_paid(merchant: Merchant, sandbox: Sandbox) -> None:
    invoice = await merchant.invoice()
    assert await merchant.odengi("invoiceCancel", invoice_id=invoice["invoice_id"]) == {"success": True}
    assert await merchant.status() == {"status": "canceled"}
    sandbox.act_on_invoice("pay", order_id="tu_1")
    assert (await merchant.status())["status"] == "approved"


async def test_a_paid_invoice_cannot_be_canceled(merchant: Merchant, sandbox: Sandbox) -> None:
    invoice = await merchant.invoice()
    sandbox.act_on_invoice("pay", order_id="tu_1")
    assert "error" in await merchant.odengi("invoiceCancel", invoice_id=invoice["invoice_id"])
    assert (await merchant.status())["status"] == "approved"


async def test_an_expired_invoice_says_so_to_the_payer_and_can_be_paid(merchant: Merchant, set_clock: SetClock) -> None:
    """`date_life` is Bishkek's time: 18:05 there is 12:05 UTC."""
    invoice = await merchant.invoice(date_life="2025-09-30 18:05:00")
    page = f"{merchant.sandbox.page_url}/pay/{invoice['invoice_id']}"
    assert "срок истёк" not in (await merchant.http.get(page)).text
    set_clock.time += timedelta(minutes=5)
    assert "срок истёк" in (await merchant.http.get(page)).text
    await merchant.http.post(f"{page}/approve")
    assert (await merchant.status())["status"] == "approved"


async def test_a_refund_in_parts_ends_in_a_canceled_payment(merchant: Merchant, sandbox: Sandbox) -> None:
    await merchant.invoice()
    trans_id = sandbox.act_on_invoice("pay", order_id="tu_1")["trans_id"]
    assert await merchant.odengi("refundPayment", trans_id=trans_id, amount=4000) == {"success": True}
    (part,) = (await merchant.status())["payments"]
    assert (part["status"], part["amount"], part["amount_old"]) == ("approved", "6000", "10000")
    assert "error" in await merchant.odengi("refundPayment", trans_id=trans_id, amount=6001)
    assert await merchant.odengi("refundPayment", trans_id=trans_id, amount=6000) == {"success": True}
    whole = await merchant.status()
    assert (whole["status"], whole["payments"][0]["status"]) == ("canceled", "canceled")


async def test_a_repeated_order_is_refused_or_gets_its_invoice(merchant: Merchant, sandbox: Sandbox) -> None:
    invoice = await merchant.invoice()
    assert "error" in await merchant.invoice()
    sandbox.behave(repeats_order=True)
    assert await merchant.invoice() == invoice


async def test_both_ids_must_name_the_same_invoice(merchant: Merchant) -> None:
    one, _ = await merchant.invoice("tu_1"), await merchant.invoice("tu_2")
    wrong = await merchant.odengi("statusPayment", invoice_id=one["invoice_id"], order_id="tu_2")
    assert wrong["error"] == NO_ORDER
    assert "error" in await merchant.odengi("statusPayment", mark=1)


async def test_only_post_at_the_one_address_is_answered(merchant: Merchant) -> None:
    assert (await merchant.http.get(merchant.sandbox.odengi_url)).status_code == 405
    assert (await merchant.http.post(merchant.sandbox.odengi_url + "x")).status_code == 404


async def test_a_body_without_end_is_cut_off(merchant: Merchant) -> None:
    assert (await merchant.post(b" " * 300_000)).status_code == 413

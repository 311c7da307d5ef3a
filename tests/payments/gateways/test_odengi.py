"""O!Dengi's commands: the bytes that leave, and what each answer is taken for (contract/payments §2.3-2.5)."""

from __future__ import annotations

import hmac
import json
from dataclasses import replace
from typing import Any

import pytest

from evpower.errors import ProviderError, ProviderTimeout, ProviderUnavailable
from evpower.payments.gateway import OrderState, OrderStatus, Payment, QrInvoice
from tests.payments.gateways.parties import INVOICED, ODENGI, ORDER, SECRET, odengi_at
from tests.payments.gateways.peer import answer

QR_URL = "https://pay.example/qr.php?type=emvQr&data=0002%2B01%20x"


def says(**data: Any) -> str:
    return json.dumps({"cmd": "x", "version": 1005, "sid": "1", "data": data})


def sent_data(body: bytes) -> Any:
    return json.loads(body)["data"]


async def status_of(**data: Any) -> OrderStatus:
    async with odengi_at(answer(says(**data))) as (odengi, _):
        return await odengi.status(INVOICED)


async def test_create_invoice_sends_exactly_these_bytes() -> None:
    async with odengi_at(answer(says(invoice_id="530912448170"))) as (odengi, peer):
        await odengi.create_invoice(ORDER)
    text = (
        '{"cmd":"createInvoice","version":1005,"sid":"1000000042","mktime":"1759233600000","lang":"ru","data":'
        '{"order_id":"tu_01J8ZK3M9Q","desc":"Пополнение баланса 100 сом","amount":10000,"currency":"KGS","test":1,'
        '"long_term":0,"date_life":"2025-09-30 18:05:00",'
        '"result_url":"https://csms.example/api/v1/payment/webhook/odengi"}}'
    )
    hashed = hmac.new(SECRET.encode(), text.encode(), "md5").hexdigest()
    assert peer.received[0].body == f'{text[:-1]},"hash":"{hashed}"}}'.encode()


async def test_a_request_is_one_post_of_json_and_nothing_else_identifies_us() -> None:
    async with odengi_at(answer(says(invoice_id="1"))) as (odengi, peer):
        await odengi.create_invoice(ORDER)
    head = peer.received[0].head.lower()
    assert head.startswith("post /api/json/json.php http/1.1\r\n")
    assert "content-type: application/json; charset=utf-8" in head
    assert "accept-encoding: identity" in head
    assert "authorization" not in head


async def test_a_real_invoice_says_so() -> None:
    async with odengi_at(answer(says(invoice_id="1")), settings=replace(ODENGI, test=False)) as (odengi, peer):
        await odengi.create_invoice(ORDER)
    assert sent_data(peer.received[0].body)["test"] == 0


async def test_without_an_address_of_ours_no_call_is_asked_for() -> None:
    async with odengi_at(answer(says(invoice_id="1")), public_url="") as (odengi, peer):
        await odengi.create_invoice(ORDER)
    assert "result_url" not in sent_data(peer.received[0].body)


async def test_a_long_description_is_cut() -> None:
    async with odengi_at(answer(says(invoice_id="1"))) as (odengi, peer):
        await odengi.create_invoice(replace(ORDER, description="ы" * 2000))
    assert sent_data(peer.received[0].body)["desc"] == "ы" * 1000


@pytest.mark.parametrize(
    ("reply", "invoice"),
    [
        ({"qr": QR_URL}, QrInvoice("530912448170", "0002+01 x", QR_URL)),
        ({"qr": QR_URL, "emv_qr_data": "00020101"}, QrInvoice("530912448170", "00020101", QR_URL)),
        ({"qr": "00020101"}, QrInvoice("530912448170", "00020101")),
        ({"qr": "00020101", "emv_qr": QR_URL}, QrInvoice("530912448170", "0002+01 x", QR_URL)),
        ({"qr_url": "https://a.example/1", "emv_qr": QR_URL}, QrInvoice("530912448170", None, "https://a.example/1")),
        ({"link_app": "https://w.example"}, QrInvoice("530912448170", "https://w.example", None, "https://w.example")),
        ({"qr": "0002", "app_link": "https://w.example"}, QrInvoice("530912448170", "0002", None, "https://w.example")),
        ({}, QrInvoice("530912448170")),
    ],
)
async def test_the_qr_is_found_under_each_of_its_names(reply: dict[str, str], invoice: QrInvoice) -> None:
    async with odengi_at(answer(says(invoice_id="530912448170", **reply))) as (odengi, _):
        assert await odengi.create_invoice(ORDER) == invoice


async def test_an_invoice_id_sent_as_a_number_is_its_digits() -> None:
    async with odengi_at(answer(says(invoice_id=530912448170))) as (odengi, _):
        assert (await odengi.create_invoice(ORDER)).invoice_id == "530912448170"


async def test_an_error_at_creation_is_a_refusal() -> None:
    async with odengi_at(answer(says(error=26, desc="Абонент не найден"))) as (odengi, _):
        with pytest.raises(ProviderError):
            await odengi.create_invoice(ORDER)


async def test_the_refusal_is_in_the_log_with_its_number_and_text(caplog: pytest.LogCaptureFixture) -> None:
    async with odengi_at(answer(says(error=26, desc="Абонент\nне найден"))) as (odengi, _):
        with pytest.raises(ProviderError):
            await odengi.create_invoice(ORDER)
    assert "ODENGI: createInvoice of order tu_01J8ZK3M9Q refused: error 26: Абонент не найден" in caplog.messages


@pytest.mark.parametrize("body", [says(), "{}", "[]", '{"data":[]}', '{"data":null}', "null", "[" * 50_000, "NaN"])
async def test_an_answer_without_an_invoice_leaves_the_outcome_unknown(body: str) -> None:
    async with odengi_at(answer(body)) as (odengi, _):
        with pytest.raises(ProviderTimeout):
            await odengi.create_invoice(ORDER)


async def test_status_asks_by_both_ids_once_the_invoice_is_known() -> None:
    async with odengi_at(answer(says(status="processing"))) as (odengi, peer):
        await odengi.status(INVOICED)
    assert peer.received[0].body.startswith(
        b'{"cmd":"statusPayment","version":1005,"sid":"1000000042","mktime":"1759233600000","lang":"ru",'
        b'"data":{"invoice_id":"530912448170","order_id":"tu_01J8ZK3M9Q"},"hash":"'
    )


async def test_status_asks_by_our_id_while_the_invoice_is_unknown() -> None:
    async with odengi_at(answer(says(status="processing"))) as (odengi, peer):
        await odengi.status(ORDER)
    assert sent_data(peer.received[0].body) == {"order_id": "tu_01J8ZK3M9Q"}


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("processing", OrderState.PROCESSING),
        ("approved", OrderState.APPROVED),
        ("canceled", OrderState.CANCELED),
        ("cancelled", OrderState.CANCELED),
        ("success", OrderState.PROCESSING),
        ("paid", OrderState.PROCESSING),
        (1, OrderState.PROCESSING),
        (3, OrderState.PROCESSING),
        (None, OrderState.PROCESSING),
        (True, OrderState.PROCESSING),
    ],
)
async def test_without_attempts_the_invoices_own_word_counts_and_unknown_ones_are_under_way(
    word: object, state: OrderState
) -> None:
    assert (await status_of(status=word)).state is state


async def test_an_approved_word_without_attempts_names_no_payment() -> None:
    assert (await status_of(status="approved", payments=[])).payments == ()


@pytest.mark.parametrize("amount", [10000, "10000"])
async def test_a_sum_is_read_as_number_or_as_digits(amount: object) -> None:
    status = await status_of(payments=[{"trans_id": "90017755", "status": "approved", "amount": amount}])
    assert status == OrderStatus(OrderState.APPROVED, (Payment("90017755", 10000),), reason="approved")


@pytest.mark.parametrize("amount", ["100.00", 100.5, "", None, "1e4", "сто", True, [], "1" * 30, " 10000"])
async def test_a_sum_that_is_no_whole_number_is_not_named(amount: object) -> None:
    status = await status_of(payments=[{"trans_id": "1", "status": "approved", "amount": amount}])
    assert status.payments == (Payment("1", None),)


async def test_a_sum_below_zero_is_told_as_it_is() -> None:
    status = await status_of(payments=[{"trans_id": "1", "status": "approved", "amount": "-5"}])
    assert status.payments == (Payment("1", -5),)


async def test_the_currency_is_told_when_it_is_said() -> None:
    status = await status_of(payments=[{"trans_id": "1", "status": "approved", "amount": 1, "currency": "USD"}])
    assert status.payments == (Payment("1", 1, "USD"),)


@pytest.mark.parametrize("order", [("canceled", "approved"), ("approved", "canceled"), ("processing", "approved")])
async def test_any_approved_attempt_pays_the_invoice(order: tuple[str, str]) -> None:
    attempts = [{"trans_id": f"t-{word}", "status": word, "amount": 10000} for word in order]
    status = await status_of(status="canceled", payments=attempts)
    assert (status.state, status.payments) == (OrderState.APPROVED, (Payment("t-approved", 10000),))


async def test_each_transaction_is_one_payment_however_often_it_is_listed() -> None:
    attempts = [{"trans_id": trans, "status": "approved", "amount": 10000} for trans in ("a", "b", "a")]
    assert (await status_of(payments=attempts)).payments == (Payment("a", 10000), Payment("b", 10000))


async def test_a_transaction_listed_with_two_sums_has_none() -> None:
    attempts = [{"trans_id": "a", "status": "approved", "amount": amount} for amount in (10000, 20000)]
    assert (await status_of(payments=attempts)).payments == (Payment("a", None),)


async def test_an_approved_attempt_without_an_id_is_paid_but_names_no_payment() -> None:
    status = await status_of(payments=[{"status": "approved", "amount": 10000}])
    assert (status.state, status.payments) == (OrderState.APPROVED, ())


async def test_a_payment_of_another_order_is_not_named() -> None:
    attempts = [{"trans_id": "a", "status": "approved", "amount": 10000, "order_id": "tu_OTHER"}]
    assert (await status_of(payments=attempts)).payments == ()


async def test_canceled_attempts_alone_leave_the_invoice_payable() -> None:
    assert (await status_of(payments=[{"trans_id": "a", "status": "canceled"}])).state is OrderState.PROCESSING


async def test_an_invoice_is_canceled_when_it_and_all_attempts_are() -> None:
    status = await status_of(status="canceled", payments=[{"trans_id": "a", "status": "canceled"}])
    assert status.state is OrderState.CANCELED


async def test_an_attempt_under_way_keeps_a_canceled_invoice_open() -> None:
    attempts = [{"trans_id": "a", "status": "canceled"}, {"trans_id": "b", "status": "processing"}]
    assert (await status_of(status="canceled", payments=attempts)).state is OrderState.PROCESSING


async def test_an_invoice_is_not_approved_against_its_own_attempts() -> None:
    status = await status_of(status="approved", payments=[{"trans_id": "a", "status": "processing"}])
    assert status.state is OrderState.PROCESSING


async def test_a_test_payment_says_so() -> None:
    assert (await status_of(payments=[{"trans_id": "a", "status": "approved", "amount": 1, "test": 1}])).is_test
    assert not (await status_of(payments=[{"trans_id": "a", "status": "approved", "amount": 1, "test": 0}])).is_test


async def test_an_error_on_status_changes_nothing() -> None:
    status = await status_of(error=4, desc="Нет информации о заказе")
    assert status == OrderStatus(OrderState.PROCESSING, reason="error 4: Нет информации о заказе")


async def test_cancel_asks_for_the_invoice_and_takes_success() -> None:
    async with odengi_at(answer(says(success=True))) as (odengi, peer):
        await odengi.cancel(INVOICED)
    assert sent_data(peer.received[0].body) == {"invoice_id": "530912448170"}


async def test_cancel_of_an_invoice_without_an_id_sends_nothing() -> None:
    async with odengi_at() as (odengi, peer):
        with pytest.raises(ProviderUnavailable):
            await odengi.cancel(ORDER)
    assert peer.received == []


@pytest.mark.parametrize(
    ("reply", "failure"),
    [({"error": 3, "desc": "x"}, ProviderError), ({}, ProviderTimeout), ({"success": False}, ProviderTimeout)],
)
async def test_cancel_without_success_is_refused_or_unknown(reply: dict[str, Any], failure: type[Exception]) -> None:
    async with odengi_at(answer(says(**reply))) as (odengi, _):
        with pytest.raises(failure):
            await odengi.cancel(INVOICED)


async def test_refund_names_the_transaction_and_the_sum() -> None:
    async with odengi_at(answer(says(success=True))) as (odengi, peer):
        await odengi.refund(INVOICED, Payment("90017755", 10000), 2500)
    assert b'"cmd":"refundPayment"' in peer.received[0].body
    assert sent_data(peer.received[0].body) == {"trans_id": "90017755", "amount": 2500}


async def test_a_refused_refund_is_an_error() -> None:
    async with odengi_at(answer(says(error=9, desc="x"))) as (odengi, _):
        with pytest.raises(ProviderError):
            await odengi.refund(INVOICED, Payment("90017755", 10000), 2500)


async def test_what_is_missing_of_a_payment_was_given_back() -> None:
    paid = {"trans_id": "a", "status": "approved", "amount": "6000", "amount_old": "10000"}
    status = await status_of(status="approved", payments=[paid])
    assert (status.state, status.refunded_tyiyn) == (OrderState.PARTIAL_REFUND, 4000)


@pytest.mark.parametrize("length", [200, 201])
async def test_an_id_no_index_can_hold_names_no_payment(length: int) -> None:
    status = await status_of(
        status="approved", payments=[{"trans_id": "9" * length, "status": "approved", "amount": "10000"}]
    )
    assert (status.state, len(status.payments)) == (OrderState.APPROVED, 1 if length == 200 else 0)


@pytest.mark.parametrize(
    "text", ["NaN", "nan", "Infinity", "-inf", "1e3", "", " 1", "0x10", "١٢", "9" * 16, "1" * 5000]
)
async def test_a_sum_that_is_no_whole_number_of_tyiyn_is_none(text: str) -> None:
    status = await status_of(status="approved", payments=[{"trans_id": "a", "status": "approved", "amount": text}])
    assert status.payments == (Payment("a", None),)


async def test_what_was_given_back_is_known_of_each_payment() -> None:
    part = {"trans_id": "a", "status": "approved", "amount": "6000", "amount_old": "10000"}
    whole = {"trans_id": "b", "status": "approved", "amount": "5000", "amount_old": "5000"}
    status = await status_of(status="approved", payments=[part, whole])
    assert status.state is OrderState.PARTIAL_REFUND
    assert status.payments == (Payment("a", 6000, given_back_tyiyn=4000), Payment("b", 5000))


async def test_canceled_attempts_are_named_so_that_a_credited_one_is_known_as_returned() -> None:
    status = await status_of(status="canceled", payments=[{"trans_id": "a", "status": "canceled", "amount": "10000"}])
    assert [each.trans_id for each in status.payments] == ["a"]

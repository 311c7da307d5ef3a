"""Calls to the merchant's webhooks: their signature, and everything that may go wrong with them."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree as ET

import pytest

from evpower.simulator.providers.odengi.invoices import Attempt
from evpower.simulator.providers.sandbox import Sandbox
from evpower.simulator.providers.surroundings.courier import WebhookFault
from evpower.simulator.providers.surroundings.faults import WrongControl
from tests.simulator.providers.sandbox_client import CARD, NOW, SID, Merchant, Point, Waits, Webhook, signature


def expected_hash(message: dict[str, Any]) -> str:
    """Payments §2.6, with our own sid, and empty text for what is absent."""
    names = ("trans_id", "status_pay", "", "order_id", "amount", "currency", "mktime", "test")
    return signature(":::".join(str(message.get(name, "")) if name else SID for name in names))


def fault(sandbox: Sandbox, kind: str, **how: Any) -> None:
    sandbox.courier.faults.append(WebhookFault(provider="odengi", kind=kind, **how))


async def paid(merchant: Merchant, webhook: Webhook, order_id: str = "tu_1") -> str:
    """An invoice somebody pays; its `trans_id`."""
    await merchant.invoice(order_id, result_url=webhook.url, test=1)
    trans_id: str = merchant.sandbox.act_on_invoice("pay", order_id=order_id)["trans_id"]
    return trans_id


@pytest.mark.parametrize(
    ("status_pay", "hash"), [(3, "e67acdca3c2df2f51b7e9d004595fd27"), (2, "4b7c895a3a79cd2086b490abffc37d0d")]
)
async def test_vectors_4_and_5_are_what_would_be_sent(
    merchant: Merchant, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, status_pay: int, hash: str
) -> None:
    await merchant.invoice("tu_01J8ZK3M9Q", result_url="http://127.0.0.1:1/", test=1)
    monkeypatch.setattr(type(sandbox.clock), "milliseconds", lambda _: "1759233641000")
    attempt = Attempt("90017755", "1", "approved", 10000, "KGS", NOW)
    letter = sandbox.odengi.letter(sandbox.odengi.book.find(order_id="tu_01J8ZK3M9Q"), attempt, status_pay)
    assert letter is not None
    assert f'"hash":"{hash}"'.encode() in letter.body


async def test_a_payment_is_told_with_a_right_signature(merchant: Merchant, webhook: Webhook) -> None:
    trans_id = await paid(merchant, webhook)
    await webhook.wait_for(1)
    (message,) = webhook.messages
    told = [message[name] for name in ("trans_id", "status_pay", "site_id", "order_id", "amount", "currency", "test")]
    assert told == [trans_id, 3, SID, "tu_1", 10000, "KGS", 1]
    assert message["mktime"] == str(int(NOW.timestamp()) * 1000)
    assert message["hash"] == expected_hash(message)
    assert webhook.requests[0][0] == "POST"


async def test_each_change_has_its_status_pay(merchant: Merchant, webhook: Webhook, sandbox: Sandbox) -> None:
    """Waiting 1, paid 3, part returned 6, canceled or all returned 2."""
    await merchant.invoice(result_url=webhook.url)
    sandbox.act_on_invoice("scan", order_id="tu_1")
    sandbox.act_on_invoice("refuse", order_id="tu_1")
    trans_id = sandbox.act_on_invoice("pay", order_id="tu_1")["trans_id"]
    sandbox.act_on_invoice("refund", trans_id=trans_id, amount=1000)
    sandbox.act_on_invoice("refund", trans_id=trans_id)
    await webhook.wait_for(5)
    assert [each["status_pay"] for each in webhook.messages] == [1, 2, 3, 6, 2]
    assert all(each["hash"] == expected_hash(each) for each in webhook.messages)


async def test_a_payment_without_its_sum_signs_empty_text(
    merchant: Merchant, webhook: Webhook, sandbox: Sandbox
) -> None:
    await merchant.invoice(result_url=webhook.url)
    sandbox.act_on_invoice("pay", order_id="tu_1", without_amount=True)
    await webhook.wait_for(1)
    (message,) = webhook.messages
    assert "amount" not in message
    assert message["hash"] == expected_hash(message)


async def test_without_result_url_nothing_is_told(merchant: Merchant, webhook: Webhook, sandbox: Sandbox) -> None:
    await merchant.invoice("tu_0")
    sandbox.act_on_invoice("pay", order_id="tu_0")
    await paid(merchant, webhook)
    await webhook.wait_for(1)
    assert [each["order_id"] for each in webhook.messages] == ["tu_1"]


async def test_a_wrong_signature_is_all_that_is_wrong(merchant: Merchant, webhook: Webhook, sandbox: Sandbox) -> None:
    fault(sandbox, "wrong_signature")
    await paid(merchant, webhook)
    await webhook.wait_for(1)
    (message,) = webhook.messages
    assert message["order_id"] == "tu_1"
    assert message["hash"] != expected_hash(message)


async def test_a_forged_call_claims_a_payment_that_is_not(
    merchant: Merchant, webhook: Webhook, sandbox: Sandbox
) -> None:
    await merchant.invoice(result_url=webhook.url)
    sandbox.act_on_invoice("forge", order_id="tu_1")
    await webhook.wait_for(1)
    (message,) = webhook.messages
    assert (message["status_pay"], message["hash"] == expected_hash(message)) == (3, False)
    assert await merchant.status() == {"status": "processing"}


async def test_duplicates_are_equal(merchant: Merchant, webhook: Webhook, sandbox: Sandbox) -> None:
    fault(sandbox, "duplicate", copies=3)
    await paid(merchant, webhook)
    await webhook.wait_for(3)
    assert len({body for _, _, body in webhook.requests}) == 1
    assert len(webhook.requests) == 3


async def test_a_dropped_call_never_arrives(merchant: Merchant, webhook: Webhook, sandbox: Sandbox) -> None:
    fault(sandbox, "drop")
    await paid(merchant, webhook, "tu_1")
    await paid(merchant, webhook, "tu_2")
    await webhook.wait_for(2)
    assert [each["order_id"] for each in webhook.messages] == ["tu_2"]
    assert [each.problem for each in sandbox.courier.delivered] == ["dropped", ""]


async def test_a_late_call_waits_while_others_pass(
    merchant: Merchant, webhook: Webhook, sandbox: Sandbox, waits: Waits
) -> None:
    fault(sandbox, "delay", delay_s=90)
    await paid(merchant, webhook, "tu_1")
    await paid(merchant, webhook, "tu_2")
    await webhook.wait_for(1)
    assert ([each["order_id"] for each in webhook.messages], waits.asked) == (["tu_2"], [90])
    waits.over.set()
    await webhook.wait_for(2)
    assert webhook.messages[1]["order_id"] == "tu_1"


async def test_a_reordered_call_follows_the_next(merchant: Merchant, webhook: Webhook, sandbox: Sandbox) -> None:
    fault(sandbox, "reorder")
    await paid(merchant, webhook, "tu_1")
    await paid(merchant, webhook, "tu_2")
    await webhook.wait_for(2)
    assert [each["order_id"] for each in webhook.messages] == ["tu_2", "tu_1"]


async def test_an_old_call_can_be_sent_again(merchant: Merchant, webhook: Webhook, sandbox: Sandbox) -> None:
    await paid(merchant, webhook)
    await webhook.wait_for(1)
    sandbox.courier.again(1)
    await webhook.wait_for(2)
    assert webhook.requests[0] == webhook.requests[1]
    with pytest.raises(WrongControl):
        sandbox.courier.again(9)


async def test_a_server_that_is_not_there_is_noted_and_not_asked_again(merchant: Merchant, sandbox: Sandbox) -> None:
    for url in ("http://127.0.0.1:1/", "no address", "ftp://127.0.0.1/"):
        await merchant.invoice(url, result_url=url)
        sandbox.act_on_invoice("pay", order_id=url)
    await sandbox.courier.wait_until(lambda: len(sandbox.courier.delivered) == 3)
    assert [each.status for each in sandbox.courier.delivered] == [None] * 3
    assert all(each.problem for each in sandbox.courier.delivered)


async def test_obank_tells_by_a_form(point: Point, webhook: Webhook) -> None:
    done = await point.pay(7, {**CARD, "notify_url": webhook.url})
    await webhook.wait_for(1)
    ((method, _, body),) = webhook.requests
    fields = parse_qs(body.decode())
    assert (method, fields["order.id"], fields["state"], fields["id"]) == ("POST", ["7"], ["60"], [done["trans"]])


async def test_obank_tells_by_a_query(point: Point, webhook: Webhook, sandbox: Sandbox) -> None:
    sandbox.behave(notice_shape="get")
    await point.pay(7, {**CARD, "card_cvv": "000", "notify_url": webhook.url})
    await webhook.wait_for(1)
    ((method, target, body),) = webhook.requests
    assert (method, body, parse_qs(urlsplit(target).query)["state"]) == ("GET", b"", ["80"])


async def test_obank_tells_by_xml(point: Point, webhook: Webhook, sandbox: Sandbox) -> None:
    sandbox.behave(notice_shape="xml")
    await point.pay(7, {**CARD, "notify_url": webhook.url})
    await webhook.wait_for(1)
    root = ET.fromstring(webhook.requests[0][2])
    told = {each.tag: each.text for each in root}
    assert told == {"invoice_id": "7", "status": "completed", "sum": "10000"}


async def test_obank_tells_a_return(point: Point, webhook: Webhook) -> None:
    await point.pay(7, {**CARD, "notify_url": webhook.url})
    await point.cancel(7)
    await webhook.wait_for(2)
    assert [parse_qs(body.decode())["state"] for _, _, body in webhook.requests] == [["60"], ["80"]]

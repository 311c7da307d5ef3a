"""OBANK's operations: the bytes that leave, and what each result is taken for (contract/payments §3.2-3.8)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from xml.etree.ElementTree import Element, SubElement, fromstring, tostring

import pytest

from evpower.errors import ProviderError, ProviderTimeout, ProviderUnavailable
from evpower.payments.gateway import CardAnswer, Challenge, HostedPage, OrderState, OrderStatus, Payer, Payment
from tests.payments.gateways.parties import CARD, INVOICED, OBANK, ORDER, PAYER, obank_at
from tests.payments.gateways.peer import Step, answer

NOTIFY_URL = "https://csms.example/api/v1/payment/webhook/obank/f4a411c94677f941271edb83e4c6c413"
RETURN_URL = "https://csms.example/api/v1/payment/3ds-return"
DONE: dict[str, Any] = {"id": ORDER.number, "state": 60, "code": 0, "final": 1, "trans": 7781234, "sum": 10000}
KEYED = replace(ORDER, invoice_id="auth-key-1")


def says(inputs: Mapping[str, str] | None = None, /, **attributes: object) -> Step:
    """A response with one result."""
    root = Element("response")
    result = SubElement(root, "result", {name: str(value) for name, value in attributes.items()})
    data = SubElement(result, "data")
    for key, value in (inputs or {}).items():
        SubElement(data, "input", {"key": key, "value": value})
    return answer(tostring(root))


async def paid_with(inputs: Mapping[str, str] | None = None, /, **attributes: object) -> CardAnswer:
    async with obank_at(says(inputs, **(DONE | attributes))) as (obank, _):
        return await obank.pay(ORDER, CARD, PAYER)


async def status_of(**attributes: object) -> OrderStatus:
    async with obank_at(says(**(DONE | attributes))) as (obank, _):
        return await obank.status(ORDER)


async def test_a_card_payment_sends_exactly_these_bytes() -> None:
    async with obank_at(says(**DONE)) as (obank, peer):
        await obank.pay(ORDER, CARD, PAYER)
    expected = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<request point="4354">'
        '<payment id="1759233600001" sum="10000" check="0" service="1331" date="2025-09-30T18:00:00+0600"'
        ' account="5678">'
        '<attribute name="amount_currency" value="417" />'
        f'<attribute name="notify_url" value="{NOTIFY_URL}" />'
        f'<attribute name="redirect_url" value="{RETURN_URL}" />'
        '<attribute name="card_pan" value="4169585512345678" />'
        '<attribute name="card_name" value="TEST CARD" />'
        '<attribute name="card_cvv" value="123" />'
        '<attribute name="card_year" value="25" />'
        '<attribute name="card_month" value="12" />'
        '<attribute name="email" value="test@example.org" />'
        '<attribute name="phone_number" value="+996555000001" />'
        '<attribute name="city" value="BISHKEK" />'
        '<attribute name="country_code" value="KGZ" />'
        "</payment></request>"
    )
    assert peer.received[0].body == expected.encode()


async def test_a_request_is_one_post_of_xml_to_the_one_address() -> None:
    async with obank_at(says(**DONE)) as (obank, peer):
        await obank.status(ORDER)
    head = peer.received[0].head.lower()
    assert head.startswith("post /api/json/json.php http/1.1\r\n")
    assert "content-type: application/xml; charset=utf-8" in head
    assert "accept: application/xml" in head


async def test_names_with_quotes_and_signs_are_escaped_and_what_xml_cannot_carry_is_dropped() -> None:
    async with obank_at(says(**DONE)) as (obank, peer):
        await obank.pay(ORDER, replace(CARD, holder='A"/><x & ы\x00\ud800'), Payer("a@example.org"))
    values = {child.get("name"): child.get("value") for child in fromstring(peer.received[0].body).iter("attribute")}
    assert values["card_name"] == 'A"/><x & ы'
    assert "phone_number" not in values


async def test_a_long_address_is_not_cut() -> None:
    public_url = "https://" + "a" * 60 + ".example"
    async with obank_at(says(**DONE), public_url=public_url) as (obank, peer):
        await obank.pay(ORDER, CARD, PAYER)
    values = {child.get("name"): child.get("value") for child in fromstring(peer.received[0].body).iter("attribute")}
    assert values["notify_url"] == f"{public_url}/api/v1/payment/webhook/obank/{obank.notify_token(ORDER)}"


async def test_without_an_address_of_ours_none_is_sent() -> None:
    async with obank_at(says(**DONE), public_url="") as (obank, peer):
        await obank.pay(ORDER, CARD, PAYER)
    assert b"notify_url" not in peer.received[0].body
    assert b"redirect_url" not in peer.received[0].body


async def test_without_a_notify_key_the_bank_is_not_asked_to_call() -> None:
    async with obank_at(says(**DONE), settings=replace(OBANK, notify_key="")) as (obank, peer):
        await obank.pay(ORDER, CARD, PAYER)
        assert obank.notify_token(ORDER) == ""
    assert b"notify_url" not in peer.received[0].body
    assert RETURN_URL.encode() in peer.received[0].body


async def test_with_card_entry_off_nothing_is_sent() -> None:
    async with obank_at(settings=replace(OBANK, h2h=False)) as (obank, peer):
        with pytest.raises(ProviderUnavailable):
            await obank.pay(ORDER, CARD, PAYER)
    assert peer.received == []


async def test_a_stored_card_is_charged_by_its_token_with_no_account_even_when_card_entry_is_off() -> None:
    async with obank_at(says(**DONE), settings=replace(OBANK, h2h=False)) as (obank, peer):
        answered = await obank.pay_with_token(ORDER, "token-1", PAYER)
    assert answered.status.state is OrderState.APPROVED
    payment = fromstring(peer.received[0].body)[0]
    names = [child.get("name") or "" for child in payment]
    assert payment.get("account") == ""
    assert "card-token" in names
    assert not any(name.startswith("card_") for name in names)


async def test_a_done_payment_is_approved_with_its_transaction_and_sum() -> None:
    assert await paid_with({"auth-key": "k-1"}) == CardAnswer(
        OrderStatus(OrderState.APPROVED, (Payment("7781234", 10_000),), reason="state 60 code 0"), "k-1"
    )


@pytest.mark.parametrize(
    ("state", "code", "ours"),
    [
        ("60", "0", OrderState.APPROVED),
        ("60", "5", OrderState.PROCESSING),
        ("60", "", OrderState.PROCESSING),
        ("060", "0", OrderState.PROCESSING),
        ("80", "5", OrderState.CANCELED),
        ("80", "0", OrderState.CANCELED),
        ("-2", "0", OrderState.NOT_FOUND),
        ("0", "0", OrderState.PROCESSING),
        ("10", "0", OrderState.PROCESSING),
        ("20", "0", OrderState.PROCESSING),
        ("40", "0", OrderState.PROCESSING),
        ("-1", "0", OrderState.PROCESSING),
        ("30", "30", OrderState.PROCESSING),
        ("completed", "0", OrderState.PROCESSING),
    ],
)
async def test_only_sixty_without_a_code_is_paid_and_only_eighty_is_declined(
    state: str, code: str, ours: OrderState
) -> None:
    status = await status_of(state=state, code=code)
    assert status.state is ours
    assert bool(status.payments) is (ours is OrderState.APPROVED)


async def test_a_decline_says_its_number_and_nothing_of_the_banks_text() -> None:
    answered = await paid_with({"provider-error-text": f"card {CARD.pan} refused"}, state=80, code=51)
    assert answered == CardAnswer(OrderStatus(OrderState.CANCELED, reason="state 80 code 51"))


async def test_a_number_that_is_none_is_not_repeated() -> None:
    assert (await paid_with(state=80, code=CARD.pan)).status.reason == "state 80 code ?"


@pytest.mark.parametrize("said", [100_000, 1_000, 9_999, 10_001])
async def test_another_sum_is_told_as_it_is_never_made_to_fit(said: int) -> None:
    assert (await status_of(sum=said)).payments == (Payment("7781234", said),)


@pytest.mark.parametrize("said", ["", "100.00", "сто", "1e4", "9" * 30])
async def test_a_sum_that_is_no_number_is_not_named(said: str) -> None:
    assert (await status_of(sum=said)).payments == (Payment("7781234", None),)


async def test_a_point_that_counts_thousandths_is_sent_and_read_in_them() -> None:
    thousandths = replace(OBANK, minor_units_per_som=1000)
    async with obank_at(says(**(DONE | {"sum": 100_000})), settings=thousandths) as (obank, peer):
        answered = await obank.pay(ORDER, CARD, PAYER)
    assert fromstring(peer.received[0].body)[0].get("sum") == "100000"
    assert answered.status.payments == (Payment("7781234", 10_000),)


async def test_parts_of_a_tyiyn_are_no_sum() -> None:
    async with obank_at(says(**(DONE | {"sum": 100_005})), settings=replace(OBANK, minor_units_per_som=1000)) as (
        obank,
        _,
    ):
        assert (await obank.status(ORDER)).payments == (Payment("7781234", None),)


@pytest.mark.parametrize(("number", "currency"), [("417", "KGS"), ("840", "840")])
async def test_the_currency_is_told_when_it_is_said(number: str, currency: str) -> None:
    assert (await paid_with({"amount_currency": number})).status.payments[0].currency == currency


async def test_a_done_payment_without_a_transaction_names_no_payment() -> None:
    status = await status_of(trans="")
    assert (status.state, status.payments) == (OrderState.APPROVED, ())


async def test_three_d_secure_is_four_fields_and_still_under_way() -> None:
    form = {
        "acs-url": "https://acs.example/",
        "pa-req": "eJx",
        "md": "M1",
        "term-url": "https://t.example",
        "auth-key": "k",
    }
    answered = await paid_with(form, state=40)
    assert answered.challenge == Challenge("https://acs.example/", "eJx", "M1", "https://t.example")
    assert (answered.status.state, answered.auth_key) == (OrderState.PROCESSING, "k")


@pytest.mark.parametrize("name", ["redirect-url", "redirect_url", "payment-url", "pay-url"])
async def test_three_d_secure_may_be_an_address_alone(name: str) -> None:
    assert (await paid_with({name: "https://acs.example/1"}, state=40)).challenge == Challenge("https://acs.example/1")


@pytest.mark.parametrize("url", ["javascript:alert(1)", "file:///etc/passwd", "", "https://a\nb"])
async def test_a_browser_is_sent_to_no_address_that_is_none(url: str) -> None:
    assert (await paid_with({"acs-url": url.replace("\n", "\u2028")}, state=40)).challenge is None


@pytest.mark.parametrize("state", [60, 80])
async def test_a_decided_payment_asks_for_nothing_more(state: int) -> None:
    assert (await paid_with({"acs-url": "https://acs.example/"}, state=state)).challenge is None


UNUSABLE = {
    "error": "<error>no such point</error>",
    "error-detail": '<response><error-detail code="7" desc="x">y</error-detail></response>',
    "no result": "<response/>",
    "another root": f'<answer><result id="{ORDER.number}" state="60" code="0" trans="1"/></answer>',
    "another order": '<response><result id="1759233600002" state="60" code="0" trans="1" sum="10000"/></response>',
    "no id": '<response><result state="60" code="0" trans="1" sum="10000"/></response>',
    "no state": f'<response><result id="{ORDER.number}" code="0" trans="1" sum="10000"/></response>',
    "HTML": "<!DOCTYPE html><html><body>Bad gateway</body></html>",
    "HTML without a type": "<html><body><p>Bad gateway<p></body></html>",
    "empty": "",
    "truncated": f'<response><result id="{ORDER.number}" state="60"',
    "JSON": '{"state":60}',
    "bytes": "\x00\x01",
    "a strange encoding": '<?xml version="1.0" encoding="ebcdic-xx"?><response/>',
    "a harmless document type": (
        f'<!DOCTYPE response><response><result id="{ORDER.number}" state="60" code="0" trans="1"/></response>'
    ),
    "a document type": '<!DOCTYPE r SYSTEM "http://localhost/x"><response/>',
    "a bomb": (
        '<!DOCTYPE r [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]>'
        f'<response><result id="{ORDER.number}" state="60" code="0" trans="&b;"/></response>'
    ),
}


@pytest.mark.parametrize("body", UNUSABLE.values(), ids=UNUSABLE)
async def test_an_answer_that_is_not_about_our_operation_is_unknown_never_a_decline(body: str) -> None:
    async with obank_at(answer(body), answer(body)) as (obank, _):
        with pytest.raises(ProviderTimeout):
            await obank.pay(ORDER, CARD, PAYER)
        with pytest.raises(ProviderTimeout):
            await obank.status(ORDER)


async def test_of_several_results_ours_is_read() -> None:
    body = (
        '<response><result id="1" state="80" code="5"/>'
        f'<result id="{ORDER.number}" state="60" code="0" trans="7" sum="10000"/></response>'
    )
    async with obank_at(answer(body)) as (obank, _):
        assert (await obank.status(ORDER)).payments == (Payment("7", 10_000),)


async def test_an_answer_in_another_encoding_is_read() -> None:
    body = (
        '<?xml version="1.0" encoding="windows-1251"?>'
        f'<response><result id="{ORDER.number}" state="80" code="5"><attribute name="t" value="Отказ"/></result>'
        "</response>"
    )
    async with obank_at(answer(body.encode("windows-1251"))) as (obank, _):
        assert (await obank.status(ORDER)).state is OrderState.CANCELED


async def test_status_asks_by_our_number() -> None:
    async with obank_at(says(**DONE)) as (obank, peer):
        await obank.status(INVOICED)
    assert peer.received[0].body == (
        b'<?xml version="1.0" encoding="UTF-8"?>\n<request point="4354"><status id="1759233600001" /></request>'
    )


async def test_an_unknown_number_without_a_key_is_not_found() -> None:
    async with obank_at(says(id=ORDER.number, state=-2)) as (obank, peer):
        assert (await obank.status(replace(ORDER, invoice_id=str(ORDER.number)))).state is OrderState.NOT_FOUND
    assert len(peer.received) == 1


async def test_an_unknown_number_with_a_key_is_asked_for_by_the_key() -> None:
    fetched = says({"status": "completed", "sum": "10000", "trans": "77"}, state=60, code=0)
    async with obank_at(says(id=ORDER.number, state=-2), fetched) as (obank, peer):
        status = await obank.status(KEYED)
    assert status == OrderStatus(OrderState.APPROVED, (Payment("77", 10_000),), reason="status approved")
    assert peer.received[1].body.endswith(
        b'<request point="4354"><advanced service="1331" function="fetch-operation">'
        b'<attribute name="key" value="auth-key-1" /></advanced></request>'
    )


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("processing", OrderState.PROCESSING),
        ("failed", OrderState.CANCELED),
        ("cancelled", OrderState.CANCELED),
        ("success", OrderState.PROCESSING),
    ],
)
async def test_by_the_key_the_word_decides_not_the_state_of_the_query(word: str, state: OrderState) -> None:
    fetched = says({"status": word}, state=60, code=0, trans=1)
    async with obank_at(says(id=ORDER.number, state=-2), fetched) as (obank, _):
        assert (await obank.status(KEYED)).state is state


async def test_by_the_key_a_result_without_a_word_is_read_by_its_state() -> None:
    async with obank_at(says(id=ORDER.number, state=-2), says(state=60, code=0, trans=1, sum=5)) as (obank, _):
        assert (await obank.status(KEYED)).payments == (Payment("1", 5),)


async def test_a_key_whose_answer_is_unreadable_leaves_the_order_unknown_not_unfound() -> None:
    async with obank_at(says(id=ORDER.number, state=-2), answer("<error>x</error>")) as (obank, _):
        with pytest.raises(ProviderTimeout):
            await obank.status(KEYED)


@pytest.mark.parametrize("name", ["url", "token-url", "token", "pay-url"])
async def test_a_page_to_store_a_card_is_found_under_each_of_its_names(name: str) -> None:
    async with obank_at(says({name: "https://pay.example/s"}, state=60, code=0)) as (obank, peer):
        assert await obank.store_card(14) == HostedPage("https://pay.example/s")
    assert peer.received[0].body.endswith(
        b'<advanced service="1331" function="stored-cards"><attribute name="days" value="14" /></advanced></request>'
    )


async def test_a_refused_page_is_an_error() -> None:
    async with obank_at(says(state=80, code=5)) as (obank, _):
        with pytest.raises(ProviderError):
            await obank.store_card(14)


async def test_an_answer_without_a_page_is_unknown() -> None:
    async with obank_at(says({"token": "abc"}, state=60, code=0)) as (obank, _):
        with pytest.raises(ProviderTimeout):
            await obank.store_card(14)


async def test_cancel_sends_nothing_because_it_would_pay_back() -> None:
    async with obank_at() as (obank, peer):
        await obank.cancel(ORDER)
    assert peer.received == []


async def test_a_refund_names_our_number_and_the_sum() -> None:
    async with obank_at(says(**DONE)) as (obank, peer):
        await obank.refund(ORDER, Payment("7781234", 10_000), 2_500)
    assert peer.received[0].body.endswith(b'<cancel id="1759233600001" sum="2500" /></request>')


@pytest.mark.parametrize(
    ("state", "code", "failure"),
    [
        (80, 5, ProviderTimeout),
        (-2, 0, ProviderError),
        (80, 0, ProviderTimeout),
        (40, 0, ProviderTimeout),
        (60, 5, ProviderTimeout),
    ],
)
async def test_a_refund_is_refused_only_when_the_bank_says_so(state: int, code: int, failure: type[Exception]) -> None:
    async with obank_at(says(id=ORDER.number, state=state, code=code)) as (obank, _):
        with pytest.raises(failure):
            await obank.refund(ORDER, Payment("7781234", 10_000), 2_500)


def gave_back(state: int, code: int, sum_given: int) -> Step:
    attributes = f'id="{ORDER.number}" state="{state}" code="{code}" final="1" trans="7781234" sum="10000"'
    given = f'<attribute name="cancelled-sum" value="{sum_given}"/>'
    return answer(f"<response><result {attributes}>{given}</result></response>".encode())


async def test_a_rejected_operation_that_names_the_sum_given_back_is_a_refund_done() -> None:
    async with obank_at(gave_back(80, 60, 10_000)) as (obank, _):
        await obank.refund(ORDER, Payment("7781234", 10_000), 10_000)


@pytest.mark.parametrize(
    ("state", "code", "given", "meaning"),
    [(60, 0, 2_500, OrderState.PARTIAL_REFUND), (80, 60, 10_000, OrderState.REFUNDED)],
)
async def test_the_status_tells_what_was_given_back(state: int, code: int, given: int, meaning: OrderState) -> None:
    async with obank_at(gave_back(state, code, given)) as (obank, _):
        status = await obank.status(ORDER)
    assert (status.state, status.refunded_tyiyn) == (meaning, given)
    assert [each.trans_id for each in status.payments] == ["7781234"]


async def test_vector_7_is_the_token_of_the_notify_address() -> None:
    async with obank_at() as (obank, _):
        assert obank.notify_token(ORDER) == "f4a411c94677f941271edb83e4c6c413"

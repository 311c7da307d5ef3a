"""Whatever a provider or a stranger sends, reading it ends in one of the ways that are allowed."""

from __future__ import annotations

import hmac
import json
from contextlib import suppress
from xml.etree.ElementTree import Element, SubElement, fromstring, tostring

from hypothesis import given
from hypothesis import strategies as st

from evpower.errors import InvalidRequest, Unauthorized
from evpower.payments.gateway import NOTIFY_TOKEN, OrderState, OrderStatus
from evpower.payments.gateways import obank_notice, odengi_notice
from evpower.payments.gateways.obank_answers import card_answer, fetched_status, hosted_page
from evpower.payments.gateways.obank_xml import IMPOSSIBLE, UnreadableXml, element, request, results
from evpower.payments.gateways.odengi_answers import invoice_of, refusal_of, status_of
from evpower.payments.gateways.odengi_signature import canonical, signed
from tests.payments.gateways.parties import NOTIFY_KEY, ORDER, SECRET, SID

SCALARS = st.none() | st.booleans() | st.integers() | st.text() | st.sampled_from(["approved", "canceled", "1", 0])
JSON = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=5)
ATTEMPT = st.dictionaries(st.sampled_from(["trans_id", "status", "amount", "order_id", "test", "currency"]), JSON)
ANSWER = st.dictionaries(
    st.sampled_from(["status", "error", "desc", "invoice_id", "qr", "qr_url", "emv_qr", "emv_qr_data", "test"]), JSON
)
NAMES = st.sampled_from(
    ["id", "state", "code", "trans", "sum", "status", "amount-currency", "acs-url", "pay-url", "url"]
)
VALUES = st.text(st.characters(min_codepoint=32, max_codepoint=0x4FF)) | st.sampled_from(["60", "0", "-2", "completed"])


def sound(status: OrderStatus) -> bool:
    """Only what is paid names payments, each with an id and each once."""
    ids = [payment.trans_id for payment in status.payments]
    return len(ids) == len(set(ids)) and all(ids) and (not ids or status.state is OrderState.APPROVED)


@given(ANSWER, JSON | st.lists(ATTEMPT | JSON))
def test_any_answer_of_odengi_is_some_status_and_some_invoice_or_none(
    data: dict[str, object], attempts: object
) -> None:
    assert sound(status_of(data | {"payments": attempts}, ORDER.order_id))
    invoice = invoice_of(data)
    assert invoice is None or invoice.invoice_id
    assert (refusal_of(data) is None) is (data.get("error") in (None, 0, "", "0"))


@given(st.binary() | st.builds(lambda value: json.dumps(value).encode(), JSON))
def test_an_unsigned_call_in_odengis_name_is_refused_or_unreadable(body: bytes) -> None:
    with suppress(Unauthorized, InvalidRequest):
        odengi_notice.read_notice(body, {}, sid=SID, secret=SECRET)
        raise AssertionError("it was believed")


@given(st.dictionaries(st.text(), JSON), st.text())
def test_whatever_is_sent_to_odengi_is_signed_as_it_is_sent(data: dict[str, object], secret: str) -> None:
    key = secret.encode("utf-8", "replace").decode()
    sent = signed(canonical("createInvoice", SID, "1759233600000", data), key)
    found = json.loads(sent)["hash"]
    unsigned = sent.replace(f',"hash":"{found}"'.encode(), b"")
    assert hmac.new(key.encode(), unsigned, "md5").hexdigest() == found


@given(st.binary() | st.builds(lambda text: f"<response>{text}</response>".encode("utf-8", "replace"), st.text()))
def test_any_bytes_from_obank_are_results_or_unreadable(body: bytes) -> None:
    with suppress(UnreadableXml):
        assert results(body) == []


@given(st.dictionaries(NAMES, VALUES), st.dictionaries(NAMES, VALUES), st.sampled_from([100, 1000]))
def test_any_result_of_obank_is_some_answer(attributes: dict[str, str], values: dict[str, str], units: int) -> None:
    root = Element("response")
    found = SubElement(root, "result", {name.replace("-", "_"): value for name, value in attributes.items()})
    for name, value in values.items():
        SubElement(found, "input", {"key": name, "value": value})
    [result] = results(tostring(root))
    answer = card_answer(result, units)
    assert sound(answer.status)
    assert sound(fetched_status(result, units))
    paid = (attributes.get("state"), attributes.get("code")) == ("60", "0")
    assert (answer.status.state is OrderState.APPROVED) is paid
    page = hosted_page(result)
    assert page is None or page.url.startswith(("https://", "http://"))


@given(st.dictionaries(st.sampled_from(["email", "card_name", "description"]), st.text()))
def test_whatever_is_sent_to_obank_arrives_but_for_what_xml_cannot_carry(values: dict[str, str]) -> None:
    [payment] = fromstring(request("4354", element("payment", {"id": 1}, values)))
    arrived = {child.attrib["name"]: child.attrib["value"] for child in payment}
    possible = {name: IMPOSSIBLE.sub("", value) for name, value in values.items()}
    assert arrived == {name: value for name, value in possible.items() if value}


@given(st.binary(), st.dictionaries(st.text(), st.text()))
def test_a_call_in_obanks_name_without_the_token_is_refused_or_unreadable(body: bytes, query: dict[str, str]) -> None:
    with suppress(Unauthorized, InvalidRequest):
        obank_notice.read_notice(body, {}, query | {NOTIFY_TOKEN: "0" * 32}, notify_key=NOTIFY_KEY)
        raise AssertionError("it was believed")

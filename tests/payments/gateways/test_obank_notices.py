"""OBANK's calls to us, in the three shapes of contract/payments §3.9: hints, and only for whoever knows the token."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from evpower.errors import InvalidRequest, Unauthorized
from evpower.payments.gateway import NOTIFY_TOKEN, Notice, OrderState
from evpower.payments.gateways.obank_notice import notify_token, read_notice
from tests.payments.gateways.parties import NOTIFY_KEY, ORDER, obank_at

TOKEN = "f4a411c94677f941271edb83e4c6c413"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
APPROVED = Notice(None, ORDER.number, OrderState.APPROVED)


def read(
    body: bytes | str = b"", headers: Mapping[str, str] | None = None, /, token: str = TOKEN, **query: str
) -> Notice:
    content = body.encode() if isinstance(body, str) else body
    return read_notice(content, headers or {}, {**query, NOTIFY_TOKEN: token}, notify_key=NOTIFY_KEY)


def xml(word: str = "completed", number: object = ORDER.number) -> str:
    return f"<notify><invoice_id>{number}</invoice_id><status>{word}</status><sum>10000</sum></notify>"


def test_vector_7() -> None:
    assert notify_token(NOTIFY_KEY, 1759233600001) == TOKEN


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("completed", OrderState.APPROVED),
        (" completed\n", OrderState.APPROVED),
        ("failed", OrderState.CANCELED),
        ("cancelled", OrderState.CANCELED),
        ("processing", OrderState.PROCESSING),
        ("paid", OrderState.PROCESSING),
        ("1", OrderState.PROCESSING),
    ],
)
def test_xml_names_our_number_and_a_word(word: str, state: OrderState) -> None:
    assert read(xml(word)) == Notice(None, ORDER.number, state)


def test_xml_may_have_a_declaration_and_a_byte_order_mark() -> None:
    assert read(b"\xef\xbb\xbf" + b'<?xml version="1.0" encoding="UTF-8"?>' + xml().encode()) == APPROVED


@pytest.mark.parametrize("name", ["id", "order.id"])
@pytest.mark.parametrize(("number", "state"), [("60", OrderState.APPROVED), ("80", OrderState.CANCELED)])
def test_a_form_names_our_number_and_a_state(name: str, number: str, state: OrderState) -> None:
    assert read(f"{name}={ORDER.number}&refNo=7&state={number}", FORM) == Notice(None, ORDER.number, state)


def test_a_query_names_our_number_and_a_state() -> None:
    assert read(id=str(ORDER.number), refNo="7", status="60", signature="unknown rule") == APPROVED


def test_the_number_is_the_one_the_token_was_made_for() -> None:
    assert read(**{"id": "7781234", "order.id": str(ORDER.number), "state": "60"}) == APPROVED


def test_a_notice_never_carries_a_payment() -> None:
    assert read(xml()).payment is None


@pytest.mark.parametrize("token", ["", "0" * 32, TOKEN.upper(), TOKEN[:-1], TOKEN + "0", "ключ", "\ud800"])
def test_a_wrong_token_is_refused(token: str) -> None:
    with pytest.raises(Unauthorized):
        read(xml(), token=token)


def test_the_token_of_another_payment_is_refused() -> None:
    with pytest.raises(Unauthorized):
        read(xml(number=ORDER.number + 1))


@pytest.mark.parametrize("number", ["", "-1", "abc", "1" * 400, "١٧٥"])
def test_a_number_that_is_none_is_refused(number: str) -> None:
    with pytest.raises(Unauthorized):
        read(xml(number=number))


def test_a_token_sent_in_the_body_counts_for_nothing() -> None:
    with pytest.raises(Unauthorized):
        read(f"id={ORDER.number}&{NOTIFY_TOKEN}={TOKEN}", FORM, token="0" * 32)


async def test_without_a_notify_key_every_notice_is_refused() -> None:
    with pytest.raises(Unauthorized):
        read_notice(xml().encode(), {}, {NOTIFY_TOKEN: notify_token("", ORDER.number)}, notify_key="")


@pytest.mark.parametrize(
    "body",
    [
        "<notify><invoice_id>",
        '<!DOCTYPE n [<!ENTITY a "x">]>' + xml(),
        "<n>" + " " * 70_000 + "</n>",
        b"<n>\xff</n>",
    ],
)
def test_xml_that_may_not_be_read_is_unreadable(body: str | bytes) -> None:
    with pytest.raises(InvalidRequest):
        read(body)


@pytest.mark.parametrize("body", [b"id=\xff", "&".join(f"a{i}=1" for i in range(200)).encode()])
def test_a_form_that_may_not_be_read_is_unreadable(body: bytes) -> None:
    with pytest.raises(InvalidRequest):
        read(body, FORM)


async def test_the_gateway_reads_notices_with_its_own_key() -> None:
    async with obank_at() as (obank, _):
        assert obank.read_notice(xml().encode(), {}, {NOTIFY_TOKEN: TOKEN}) == APPROVED

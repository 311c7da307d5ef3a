"""What O!Dengi's answers say (contract/payments §2.3-2.4). Its status texts and numbers do not leave this package."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import unquote, urlsplit

from evpower.payments.gateway import TRANS_ID_CHARACTERS_MAX, OrderState, OrderStatus, Payment, QrInvoice

STATES_BY_TEXT = {
    "approved": OrderState.APPROVED,
    "canceled": OrderState.CANCELED,
    "cancelled": OrderState.CANCELED,
}
REASON_CHARACTERS_MAX = 200


def refusal_of(data: Mapping[str, Any]) -> str | None:
    """The error and its text, when the answer is one."""
    error = data.get("error")
    if error in (None, 0, "", "0"):
        return None
    text = "".join(sign if sign.isprintable() else " " for sign in f"error {error}: {data.get('desc', '')}")
    return text[:REASON_CHARACTERS_MAX]


def invoice_of(data: Mapping[str, Any]) -> QrInvoice | None:
    """The invoice made; None when it has no id."""
    invoice_id = text_of(data.get("invoice_id"))
    if not invoice_id:
        return None
    names = ("qr", "qr_url", "emv_qr", "emv_qr_data", "link_app", "app_link")
    links = {name: text_of(data.get(name)) for name in names}
    url = next((links[name] for name in ("qr", "qr_url", "emv_qr") if _is_url(links[name])), "")
    plain_qr = "" if _is_url(links["qr"]) else links["qr"]
    return QrInvoice(
        invoice_id,
        qr_code=links["emv_qr_data"] or _text_in(url) or plain_qr or links["link_app"] or None,
        qr_code_url=url or None,
        app_link=links["link_app"] or links["app_link"] or None,
    )


def status_of(data: Mapping[str, Any], order_id: str) -> OrderStatus:
    """Any approved attempt makes the order paid; all canceled ones alone do not cancel it, the invoice must be too."""
    attempts = data.get("payments")
    attempts = [attempt for attempt in attempts if isinstance(attempt, dict)] if isinstance(attempts, list) else []
    states = [_state(attempt.get("status")) for attempt in attempts]
    paid = [attempt for attempt, state in zip(attempts, states, strict=True) if state is OrderState.APPROVED]
    if paid:
        is_test = any(text_of(attempt.get("test")) == "1" for attempt in paid)
        back_tyiyn = sum(_given_back_tyiyn(attempt) for attempt in paid)
        state = OrderState.PARTIAL_REFUND if back_tyiyn else OrderState.APPROVED
        payments = _payments(paid, order_id)
        return OrderStatus(state, payments, back_tyiyn or None, reason="approved", is_test=is_test)
    whole = _state(data.get("status"))
    statuses = [text_of(data.get("status")), *(text_of(attempt.get("status")) for attempt in attempts)]
    reason = " ".join(status for status in statuses if status)[:REASON_CHARACTERS_MAX]
    # The invoice's own "approved" without an approved attempt identifies no payment.
    if attempts and any(state is not whole for state in states):
        whole = OrderState.PROCESSING
    returned = _payments(attempts, order_id) if whole is OrderState.CANCELED else ()
    return OrderStatus(whole, returned, reason=reason, is_test=text_of(data.get("test")) == "1")


def text_of(value: object) -> str:
    """A value as its plain text: numbers without decoration, absent and null as nothing (contract/payments §2.6).

    Text with unprintable characters is nothing too: PostgreSQL would refuse some of them, and none belongs there.
    """
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    text = str(value)
    return text if text.isprintable() else ""


def whole_of(value: object) -> int | None:
    """A whole number that came as a number or as digits; None for anything else."""
    text = text_of(value)
    return int(text) if re.fullmatch(r"-?[0-9]{1,15}", text) else None


def _payments(paid: list[dict[str, Any]], order_id: str) -> tuple[Payment, ...]:
    """Each transaction once. One without an id, or of another order, is not named: a person must look at it."""
    payments: dict[str, Payment] = {}
    for attempt in paid:
        trans_id = text_of(attempt.get("trans_id"))
        if not 0 < len(trans_id) <= TRANS_ID_CHARACTERS_MAX or text_of(attempt.get("order_id")) not in ("", order_id):
            continue
        currency = text_of(attempt.get("currency")) or None
        payment = Payment(trans_id, whole_of(attempt.get("amount")), currency, _given_back_tyiyn(attempt))
        known = payments.setdefault(trans_id, payment)
        if known.amount_tyiyn != payment.amount_tyiyn:
            payments[trans_id] = replace(known, amount_tyiyn=None)
    return tuple(payments.values())


def _given_back_tyiyn(attempt: dict[str, Any]) -> int:
    """What is missing of a payment: after a part was returned, `amount` is what is left of `amount_old`."""
    left_tyiyn, paid_tyiyn = whole_of(attempt.get("amount")), whole_of(attempt.get("amount_old"))
    return 0 if left_tyiyn is None or paid_tyiyn is None else max(0, paid_tyiyn - left_tyiyn)


def _state(status: object) -> OrderState:
    return STATES_BY_TEXT.get(text_of(status).lower(), OrderState.PROCESSING)


def _is_url(text: str) -> bool:
    return text.startswith(("https://", "http://"))


def _text_in(url: str) -> str:
    """The QR's text, where it is the `data` of the picture's address; a plus in it is a plus."""
    try:
        parts = urlsplit(url).query.split("&")
    except ValueError:
        return ""
    return next((unquote(part.removeprefix("data=")) for part in parts if part.startswith("data=")), "")

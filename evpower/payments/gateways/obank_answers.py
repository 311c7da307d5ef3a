"""OBANK's results (contract/payments §3.2, §3.5, §3.7). Its numbers and status texts do not leave this package.

The free text of a result is never kept or logged: it may echo the card.
"""

from __future__ import annotations

import re

from evpower.money import CURRENCY, TYIYN_PER_SOM
from evpower.payments.gateway import (
    TRANS_ID_CHARACTERS_MAX,
    CardAnswer,
    Challenge,
    HostedPage,
    OrderState,
    OrderStatus,
    Payment,
)
from evpower.payments.gateways.obank_xml import Result

CURRENCY_NUMBER = "417"
#: `state`; every other number is under way.
STATES = {"60": OrderState.APPROVED, "80": OrderState.CANCELED, "-2": OrderState.NOT_FOUND}
#: `status` of fetch-operation and of notices; every other text is under way.
STATES_BY_TEXT = {
    "completed": OrderState.APPROVED,
    "failed": OrderState.CANCELED,
    "cancelled": OrderState.CANCELED,
    "canceled": OrderState.CANCELED,
}
NO_ERROR = "0"
#: What a state means once money was given back of it: an operation given back in full is a rejected one.
GIVEN_BACK = {OrderState.APPROVED: OrderState.PARTIAL_REFUND, OrderState.CANCELED: OrderState.REFUNDED}
REDIRECTS = ("redirect-url", "payment-url", "pay-url")
PAGES = ("pay-url", "url", "token-url", "payment-url", "token")


def state_of(result: Result) -> OrderState:
    """Success is state 60 with code 0 and nothing else; a code beside it is a contradiction, so not yet a success."""
    state = STATES.get(result.attributes.get("state", ""), OrderState.PROCESSING)
    if state is OrderState.APPROVED and result.attributes.get("code") != NO_ERROR:
        return OrderState.PROCESSING
    return state


def numbers_of(result: Result) -> str:
    """State and code, for the log and the operator; what should be a short number and is none is not shown."""
    shown = [(name, result.attributes.get(name, "")) for name in ("state", "code")]
    return " ".join(f"{name} {text if re.fullmatch('-?[0-9]{1,6}', text) else '?'}" for name, text in shown)


def status_of(result: Result, minor_units_per_som: int) -> OrderStatus:
    """The answer to a payment or a status query by id."""
    return _status(state_of(result), result, minor_units_per_som, numbers_of(result))


def fetched_status(result: Result, minor_units_per_som: int) -> OrderStatus:
    """The answer to a query by key: its own `status` is of the payment, the result's state may be of the query."""
    text = result.values.get("status", "")
    if not text:
        return status_of(result, minor_units_per_som)
    state = STATES_BY_TEXT.get(text.lower(), OrderState.PROCESSING)
    return _status(state, result, minor_units_per_som, f"status {state.value}")


def card_answer(result: Result, minor_units_per_som: int) -> CardAnswer:
    """The answer to a card payment: decided, or what the payer's browser must do first."""
    status = status_of(result, minor_units_per_som)
    challenge = _challenge(result) if status.state is OrderState.PROCESSING else None
    return CardAnswer(status, _printable(result.values.get("auth-key")), challenge)


def hosted_page(result: Result) -> HostedPage | None:
    """The page made; None when the answer names no address."""
    url = next((result.values[name] for name in PAGES if _is_address(result.values.get(name, ""))), None)
    return None if url is None else HostedPage(url, _printable(result.values.get("auth-key")))


def _status(state: OrderState, result: Result, minor_units_per_som: int, reason: str) -> OrderStatus:
    payments: tuple[Payment, ...] = ()
    trans_id = result.attributes.get("trans") or result.values.get("trans", "")
    back_tyiyn = given_back_tyiyn(result, minor_units_per_som)
    if back_tyiyn and state in GIVEN_BACK:
        state = GIVEN_BACK[state]
    if state in (OrderState.APPROVED, OrderState.REFUNDED, OrderState.PARTIAL_REFUND) and _is_id(trans_id):
        sum_text = result.values.get("sum") or result.attributes.get("sum", "")
        number = result.values.get("amount-currency") or result.attributes.get("amount_currency", "")
        currency = CURRENCY if number == CURRENCY_NUMBER else number or None
        amount_tyiyn = tyiyn_of(sum_text, minor_units_per_som)
        payments = (Payment(trans_id, amount_tyiyn, currency, back_tyiyn or 0),)
    return OrderStatus(state, payments, back_tyiyn, reason)


def given_back_tyiyn(result: Result, minor_units_per_som: int) -> int | None:
    """All that was given back of the operation; None when nothing was, or the answer has no such sum."""
    return tyiyn_of(result.values.get("cancelled-sum", ""), minor_units_per_som) or None


def tyiyn_of(text: str, minor_units_per_som: int) -> int | None:
    """A sum on this wire as tyiyn; None when it is none, or has parts of a tyiyn: it is never made to fit."""
    if not re.fullmatch(r"-?[0-9]{1,15}", text):
        return None
    whole, rest = divmod(int(text) * TYIYN_PER_SOM, minor_units_per_som)
    return whole if rest == 0 else None


def _challenge(result: Result) -> Challenge | None:
    """Either the four fields of a 3-D Secure form, or an address to go to."""
    values = result.values
    acs_url = values.get("acs-url", "")
    if _is_address(acs_url):
        return Challenge(acs_url, values.get("pa-req"), values.get("md"), values.get("term-url"))
    url = next((values[name] for name in REDIRECTS if _is_address(values.get(name, ""))), None)
    return None if url is None else Challenge(url)


def _is_address(text: str) -> bool:
    """Whether a browser may be sent there: no script, no file."""
    return text.startswith(("https://", "http://")) and text.isprintable()


def _is_id(text: str) -> bool:
    return text.isprintable() and 0 < len(text) <= TRANS_ID_CHARACTERS_MAX


def _printable(text: str | None) -> str | None:
    return text if text and text.isprintable() else None

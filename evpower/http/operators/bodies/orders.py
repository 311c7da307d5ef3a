"""What an operator orders or decides: bodies."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal, cast, get_args

from evpower.http.wire.kinds import (
    MOMENT,
    MONEY,
    SIGNED_MONEY,
    SWITCH,
    TEXT,
    FieldKind,
    WrongValue,
    formed,
    identifier,
    one_of,
)
from evpower.http.wire.requests import REQUIRED, SESSION_ID, BodyFields
from evpower.identifiers import ClientId, IdTag, SessionId
from evpower.tags.cards import Card, CardStatus

#: OCPP 2.0.1's length; a card for 1.6 stations has at most 20 characters (duty 27).
ID_TAG_CHARS_MAX = 36
CARD_FIELDS = frozenset({"status", "expiry_date", "parent_id_tag", "client_id"})
PASSWORD_FORMS = ("plain", "hex")


def _read_tag(value: Any) -> IdTag:
    if not isinstance(value, str) or not 1 <= len(value) <= ID_TAG_CHARS_MAX or not value.isprintable():
        raise WrongValue(f"от 1 до {ID_TAG_CHARS_MAX} печатных символов")
    return IdTag(value)


ID_TAG = FieldKind({"type": "string", "minLength": 1, "maxLength": ID_TAG_CHARS_MAX}, _read_tag)
#: What PostgreSQL can hold.
STRING = formed(re.compile(r"[^\0\ud800-\udfff]*"), wrong="ожидается строка")


@dataclass(frozen=True)
class DoubtDecision:
    """To bill a doubtful figure, for a reason if there is one, or to dismiss it for one."""

    bill: bool
    reason: str | None


@dataclass(frozen=True)
class PaymentDecision:
    """What becomes of a payment that waits: the sum is 0 for `dismiss`."""

    chosen: Literal["credit", "debit", "dismiss"]
    amount_tyiyn: int
    reason: str


def tag_of(text: str) -> IdTag:
    """A card from an address. Raises InvalidRequest."""
    fields = BodyFields({"id_tag": text})
    tag = fields.required("id_tag", ID_TAG)
    fields.check()
    assert tag is not None
    return tag


def card_fields(fields: BodyFields) -> Card:
    """A whole card but for its number."""
    status = fields.optional("status", one_of(*get_args(CardStatus)))
    parent, expiry_date = fields.optional("parent_id_tag", ID_TAG), fields.optional("expiry_date", MOMENT)
    client_id = fields.optional("client_id", STRING)
    fields.check()
    owner = None if client_id is None else ClientId(client_id)
    return Card(IdTag(""), cast("CardStatus", status or "Accepted"), parent, expiry_date, owner)


def card_status(fields: BodyFields) -> CardStatus:
    """The status alone."""
    status = fields.required("status", one_of(*get_args(CardStatus)))
    fields.check()
    return cast("CardStatus", status)


def parked_decision(fields: BodyFields) -> tuple[str, SessionId | None]:
    """The reason, and the session a parked report is assigned to; None: it is dismissed."""
    reason, dismissed = fields.required("reason", TEXT), fields.optional("dismiss", SWITCH)
    session_id = fields.optional("session_id", identifier(SESSION_ID))
    if not dismissed and not fields.has("session_id"):
        fields.wrong("session_id", REQUIRED)
    fields.check()
    assert reason is not None
    return reason, None if session_id is None else SessionId(session_id)


def doubt_decision(fields: BodyFields) -> DoubtDecision:
    """Exactly one of `bill` and `dismiss`."""
    bill, dismissed = fields.optional("bill", SWITCH), fields.optional("dismiss", SWITCH)
    reason = fields.optional("reason", TEXT)
    if bool(bill) is bool(dismissed):
        fields.wrong("bill", "ровно одно из: bill, dismiss")
    elif dismissed and not fields.has("reason"):
        fields.wrong("reason", REQUIRED)
    fields.check()
    return DoubtDecision(bool(bill), reason)


def payment_decision(fields: BodyFields) -> PaymentDecision:
    """Exactly one of `credit`, `debit` (sums in som) and `dismiss`."""
    reason = fields.required("reason", TEXT)
    sums = {name: fields.optional(name, MONEY) for name in ("credit", "debit")}
    dismissed = fields.optional("dismiss", SWITCH)
    chosen = [name for name in ("credit", "debit", "dismiss") if fields.has(name)]
    if len(chosen) != 1 or (chosen == ["dismiss"] and not dismissed):
        fields.wrong("credit", "ровно одно из: credit, debit, dismiss")
    fields.check()
    assert reason is not None
    (one,) = chosen
    return PaymentDecision(cast("Literal['credit', 'debit', 'dismiss']", one), sums.get(one) or 0, reason)


def refund_order(fields: BodyFields, *, may_be_all: bool) -> tuple[str, int | None]:
    """The reason, and how many tyiyn; None: all of it, where that may be."""
    reason = fields.required("reason", TEXT)
    amount_tyiyn = (fields.optional if may_be_all else fields.required)("amount", MONEY)
    fields.check()
    assert reason is not None
    return reason, amount_tyiyn


def free_vend_choice(fields: BodyFields) -> bool:
    """Whether a station gives energy away."""
    enabled = fields.required("free_vend", SWITCH)
    fields.check()
    return bool(enabled)


def new_password(fields: BodyFields) -> tuple[str, bool, Literal["plain", "hex"]]:
    """A station's password, whether it is pushed to it, and in which form."""
    password, push = fields.required("password", STRING), fields.optional("push", SWITCH)
    form = fields.optional("form", one_of(*PASSWORD_FORMS))
    fields.check()
    assert password is not None
    return password, bool(push), "hex" if form == "hex" else "plain"


def adjustment(fields: BodyFields) -> tuple[int, str]:
    """By how many tyiyn a balance changes, and why."""
    amount_tyiyn, reason = fields.required("amount", SIGNED_MONEY), fields.required("reason", TEXT)
    fields.check()
    assert amount_tyiyn is not None and reason is not None  # noqa: PT018
    return amount_tyiyn, reason

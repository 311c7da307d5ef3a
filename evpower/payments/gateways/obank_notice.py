"""OBANK's calls to us: hints that nothing vouches for (contract/payments §3.9).

A token keeps strangers from making us ask.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from urllib.parse import parse_qsl

from evpower.digits import INT64_MAX, whole_number
from evpower.errors import InvalidRequest, Unauthorized
from evpower.payments.gateway import NOTIFY_TOKEN, Notice, OrderState
from evpower.payments.gateways.obank_answers import STATES, STATES_BY_TEXT
from evpower.payments.gateways.obank_xml import XML_BYTES_MAX, UnreadableXml, read
from evpower.settings.payments import OBANK_TOKEN_CHARACTERS

FIELDS_MAX = 100
#: Where our number may stand, in each of the shapes on record.
NUMBERS = ("id", "order.id", "order_id", "invoice_id")


def notify_token(notify_key: str, number: int) -> str:
    """Our own rule, not OBANK's: a token for each payment, which only we can make."""
    return hmac.digest(notify_key.encode(), f"obank:{number}".encode(), "sha256").hex()[:OBANK_TOKEN_CHARACTERS]


def read_notice(body: bytes, headers: Mapping[str, str], query: Mapping[str, str], *, notify_key: str) -> Notice:
    """XML, a form, or a query; the number it speaks of is the one the token was made for.

    Raises Unauthorized (no such token) and InvalidRequest (unreadable).
    """
    token = query.get(NOTIFY_TOKEN, "")
    if not (notify_key and token):
        raise Unauthorized
    fields = _fields(body, {name.lower(): value for name, value in headers.items()}, query)
    for name in NUMBERS:
        number = whole_number(fields.get(name, "").strip(), INT64_MAX)
        if number is not None and hmac.compare_digest(
            notify_token(notify_key, number).encode(), token.encode("utf-8", "replace")
        ):
            return Notice(None, number, _state(fields))
    raise Unauthorized


def _state(fields: Mapping[str, str]) -> OrderState:
    for text in (fields.get("status", ""), fields.get("state", "")):
        state = STATES.get(text.strip()) or STATES_BY_TEXT.get(text.strip().lower())
        if state is not None:
            return state
    return OrderState.PROCESSING


def _fields(body: bytes, headers: Mapping[str, str], query: Mapping[str, str]) -> Mapping[str, str]:
    if len(body) > XML_BYTES_MAX:
        raise InvalidRequest(("body", f"is longer than {XML_BYTES_MAX} bytes"))
    if body.lstrip().startswith((b"<", b"\xef\xbb\xbf<")):
        try:
            elements = list(read(body).iter())
        except UnreadableXml:
            raise InvalidRequest(("body", "is not XML that may be read")) from None
        attributes = {name: value for element in elements for name, value in element.attrib.items()}
        return attributes | {element.tag: element.text for element in elements if element.text}
    if body.strip() and "form" in headers.get("content-type", "application/x-www-form-urlencoded"):
        try:
            return {**query, **dict(parse_qsl(body.decode(), max_num_fields=FIELDS_MAX))}
        except ValueError:
            raise InvalidRequest(("body", "is not a form")) from None
    return query

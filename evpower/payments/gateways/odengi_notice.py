"""O!Dengi's calls to us: whose they are, and what they say (contract/payments §2.6-2.7)."""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from evpower.errors import InvalidRequest, StaleTimestamp, Unauthorized
from evpower.payments.gateway import Notice, OrderState, Payment
from evpower.payments.gateways.odengi_answers import text_of, whole_of
from evpower.payments.gateways.odengi_signature import signature

NOTICE_BYTES_MAX = 64 * 1024
#: `status_pay` of the signed form. 1 is *waiting*: all that is not here is still under way.
STATES = {3: OrderState.APPROVED, 2: OrderState.CANCELED, 6: OrderState.PARTIAL_REFUND}
SEPARATOR = ":::"
STALE_AFTER_S = 300


@dataclass(frozen=True)
class OlderForm:
    """What checks the form signed by a header, where `status` 1 is *paid* (off unless its key is set)."""

    secret: str
    now: datetime


def read_notice(
    body: bytes, headers: Mapping[str, str], *, sid: str, secret: str, older: OlderForm | None = None
) -> Notice:
    """Raises Unauthorized (not theirs), InvalidRequest (unreadable), StaleTimestamp (older form)."""
    lower = {name.lower(): value for name, value in headers.items()}
    if older is not None and "x-o-dengi-signature" in lower:
        return _older_notice(body, lower, older, sid)
    fields = _object(body)
    values = [
        text_of(fields.get("trans_id")),
        text_of(fields.get("status_pay")),
        sid,  # ours, not the one received: a foreign one must fail
        text_of(fields.get("order_id")),
        text_of(fields.get("amount")),
        text_of(fields.get("currency")),
        text_of(fields.get("mktime")),
        text_of(fields.get("test")),
    ]
    expected = signature(secret, SEPARATOR.join(values).encode("utf-8", "replace"))
    if not _same(expected, text_of(fields.get("hash"))) or text_of(fields.get("site_id")) not in ("", sid):
        raise Unauthorized
    # A value with a separator in it could pass for two: the same signed text, cut elsewhere.
    if any(SEPARATOR in value for value in values):
        raise InvalidRequest(("hash", "a value contains the separator"))
    status = whole_of(fields.get("status_pay"))
    if status is None:
        raise InvalidRequest(("status_pay", "must be a whole number"))
    return Notice(
        _order_id(fields),
        None,
        STATES.get(status, OrderState.PROCESSING),
        _payment(fields, "trans_id", "amount"),
        is_test=values[-1] == "1",
    )


def _older_notice(body: bytes, headers: Mapping[str, str], older: OlderForm, sid: str) -> Notice:
    given = headers["x-o-dengi-signature"].removeprefix("sha256=")
    if not _same(hmac.digest(older.secret.encode(), body, "sha256").hex(), given):
        raise Unauthorized
    stamp = headers.get("x-timestamp")
    if stamp is not None:
        at_s = whole_of(stamp)
        if at_s is None or abs(older.now.timestamp() - at_s) > STALE_AFTER_S:
            raise StaleTimestamp(("X-Timestamp", f"must be within {STALE_AFTER_S} s of now"))
    fields = _object(body)
    if text_of(fields.get("merchant_id")) not in ("", sid):
        raise Unauthorized
    state = OrderState.APPROVED if whole_of(fields.get("status")) == 1 else OrderState.PROCESSING
    return Notice(_order_id(fields), None, state, _payment(fields, "transaction_id", "paid_amount"))


def _payment(fields: Mapping[str, Any], key: str, amount: str) -> Payment | None:
    trans_id = text_of(fields.get(key))
    if not trans_id:
        return None
    return Payment(trans_id, whole_of(fields.get(amount)), text_of(fields.get("currency")) or None)


def _order_id(fields: Mapping[str, Any]) -> str:
    order_id = text_of(fields.get("order_id"))
    if not order_id:
        raise InvalidRequest(("order_id", "is missing"))
    return order_id


def _object(body: bytes) -> dict[str, Any]:
    if len(body) > NOTICE_BYTES_MAX:
        raise InvalidRequest(("body", f"is longer than {NOTICE_BYTES_MAX} bytes"))
    try:
        fields = json.loads(body, parse_float=str)
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, dict):
        raise InvalidRequest(("body", "must be a JSON object"))
    return fields


def _same(expected: str, given: str) -> bool:
    """Whether they are equal, in constant time."""
    return hmac.compare_digest(expected.encode(), given.encode("utf-8", "replace"))

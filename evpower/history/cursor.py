"""Where a list goes on, as text for a phone: opaque, and signed for one client's one list."""

from __future__ import annotations

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta

from evpower.history.records import ListPlace

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MAC_BYTES = 16
CHARS_MAX = 300


def sealed(place: ListPlace, key: bytes, client_id: str, what: str) -> str:
    """The cursor of a place in this list of this client."""
    microseconds = (place.created_at - EPOCH) // timedelta(microseconds=1)
    payload = f"{microseconds}|{place.row_id}".encode()
    return urlsafe_b64encode(_mac(payload, key, client_id, what) + payload).rstrip(b"=").decode()


def opened(text: str, key: bytes, client_id: str, what: str) -> ListPlace | None:
    """The place, or None for what was not made here for this list."""
    if len(text) > CHARS_MAX or not text.isascii():
        return None
    try:
        raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        return None
    mac, payload = raw[:MAC_BYTES], raw[MAC_BYTES:]
    if not hmac.compare_digest(mac, _mac(payload, key, client_id, what)):
        return None
    microseconds, _, row_id = payload.decode().partition("|")
    return ListPlace(EPOCH + timedelta(microseconds=int(microseconds)), row_id)


def _mac(payload: bytes, key: bytes, client_id: str, what: str) -> bytes:
    return hmac.new(key, f"{what}|{client_id}|".encode() + payload, hashlib.sha256).digest()[:MAC_BYTES]

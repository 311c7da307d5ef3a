"""O!Dengi's signatures: of what we send, and of what calls us (contract/payments §2.2, §2.6)."""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

VERSION = 1005
LANGUAGE = "ru"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def signature(secret: str, message: bytes) -> str:
    """HMAC-MD5 in lower-case hex; the message is not secret, the key is. Raises ValueError where MD5 is forbidden."""
    return hmac.digest(secret.encode(), message, "md5").hex()


def md5_works() -> bool:
    """Whether this system can sign at all: a FIPS build refuses MD5."""
    try:
        signature("secret", b"message")
    except ValueError:
        return False
    return True


def mktime(now: datetime) -> str:
    """The time of a request: milliseconds since 1970, as digits."""
    return str((now - EPOCH) // timedelta(milliseconds=1))


def canonical(cmd: str, sid: str, at: str, data: Mapping[str, object]) -> bytes:
    """The bytes that are signed: in the order sent, no spaces, nothing escaped that JSON does not make us escape."""
    members = {"cmd": cmd, "version": VERSION, "sid": sid, "mktime": at, "lang": LANGUAGE, "data": data}
    # A lone surrogate is no character and has no UTF-8; it must not keep somebody from paying.
    return json.dumps(members, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def signed(message: bytes, secret: str) -> bytes:
    """The bytes that are sent: those that were signed, and `hash` put in before the last brace."""
    return message[:-1] + b',"hash":"' + signature(secret, message).encode() + b'"}'

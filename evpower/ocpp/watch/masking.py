"""What of a frame may be kept and shown: no password of a charger, no password in a URL. Pure.

A charger's password travels as the value of the configuration key AuthorizationKey: in ChangeConfiguration, and in
the answer of a charger that gives it away to GetConfiguration. id tags are no secrets (they are in every table).
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

MASK = "***"
#: Stands for a whole frame that names a secret and cannot be read.
UNREADABLE = b'"a frame that names AuthorizationKey and cannot be read is not kept"'
#: A frame is kept up to this many bytes.
KEPT_BYTES = 8192
CUT = "…"

_SECRET_NAMES = frozenset({"authorizationkey", "authorization"})
_URL_PASSWORD = re.compile(rb"(://[^/@\s\"]*?):[^/@\s\"]+@")
_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


def kept(frame: bytes) -> bytes:
    """The frame without secrets and at most `KEPT_BYTES` long; a cut one ends in an ellipsis."""
    if b"uthorization" in frame or b"UTHORIZATION" in frame or b"\\u00" in frame:
        frame = _without_keys(frame)
    if b"@" in frame:
        frame = _URL_PASSWORD.sub(rb"\1:" + MASK.encode() + b"@", frame)
    if len(frame) > KEPT_BYTES:
        frame = frame[:KEPT_BYTES].decode(errors="ignore").encode() + CUT.encode()
    return frame


def _without_keys(frame: bytes) -> bytes:
    try:
        message = _decode(frame)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return UNREADABLE
    return _encode(masked) if (masked := _masked(message)) != message else frame


def _masked(value: Any) -> Any:
    if isinstance(value, list):
        return [_masked(item) for item in value]
    if not isinstance(value, dict):
        return value
    names_secret = _is_secret(value.get("key"))
    return {
        name: MASK if _is_secret(name) or (names_secret and name == "value") else _masked(item)
        for name, item in value.items()
    }


def _is_secret(word: object) -> bool:
    return isinstance(word, str) and word.strip().lower() in _SECRET_NAMES

"""What of a frame may be kept and shown: no password of a station, no password in a URL. Pure.

A station's password travels as the value of a setting, in our write of it and in the answer of a station that gives it
away; each version of OCPP names its own (`Dialect.secrets`). id tags are no secrets (they are in every table).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from evpower.urls import MASK, without_password

#: A frame is kept up to this many bytes.
KEPT_BYTES = 8192
CUT = "…"

#: Of a header's, in whatever version.
_ALWAYS = "Authorization"
_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True)
class SecretSetting:
    """A setting of a station whose value is a secret, and how a version of OCPP writes the two.

    1.6: `{"key": "AuthorizationKey", "value": …}`. 2.0.1: `{"variable": {"name": "BasicAuthPassword"},
    "attributeValue": …}`.
    """

    name: str
    #: The way to the name, inside the object that has the value.
    named_by: tuple[str, ...]
    value_in: str


class Masking:
    """Of the secrets of every version that is spoken: a kept frame does not say which one it was."""

    def __init__(self, secrets: Sequence[SecretSetting]) -> None:
        self._secrets = tuple(secrets)
        self._names = frozenset(name.lower() for name in (_ALWAYS, *(secret.name for secret in secrets)))
        self._marks = (*(name.encode() for name in self._names), rb"\u00")
        named = ", ".join(secret.name for secret in secrets)
        #: Replaces a whole frame that names a secret and cannot be read.
        self.unreadable = f'"a frame that names {named} and cannot be read is not kept"'.encode()

    def kept(self, frame: bytes) -> bytes:
        """The frame without secrets and at most `KEPT_BYTES` long; a cut one ends in an ellipsis."""
        lowered = frame.lower()
        if any(mark in lowered for mark in self._marks):
            frame = self._without_secrets(frame)
        if b"@" in frame:
            frame = without_password(frame.decode(errors="surrogateescape")).encode(errors="surrogateescape")
        if len(frame) > KEPT_BYTES:
            frame = frame[:KEPT_BYTES].decode(errors="ignore").encode() + CUT.encode()
        return frame

    def _without_secrets(self, frame: bytes) -> bytes:
        try:
            message = _decode(frame)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return self.unreadable
        return _encode(masked) if (masked := self._masked(message)) != message else frame

    def _masked(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._masked(item) for item in value]
        if not isinstance(value, dict):
            return value
        values = {secret.value_in for secret in self._secrets if _means(_followed(value, secret.named_by), secret)}
        return {
            name: MASK if name in values or name.strip().lower() in self._names else self._masked(item)
            for name, item in value.items()
        }


def _followed(value: Any, way: Sequence[str]) -> Any:
    for name in way:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _means(key: object, secret: SecretSetting) -> bool:
    return isinstance(key, str) and key.strip().lower() in (secret.name.lower(), _ALWAYS.lower())

"""What of a frame may be kept and shown: no password of a station, no password in a URL, no customer's data. Pure.

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


@dataclass(frozen=True)
class SecretMessage:
    """A message of which these fields, at any depth, are secrets."""

    action: str
    fields: frozenset[str]


class Masking:
    """Of the secrets of every version that is spoken: a kept frame does not say which one it was."""

    def __init__(self, secrets: Sequence[SecretSetting], messages: Sequence[SecretMessage] = ()) -> None:
        self._secrets = tuple(secrets)
        self._names = frozenset(name.lower() for name in (_ALWAYS, *(secret.name for secret in secrets)))
        self._fields = {message.action.lower(): message.fields for message in messages}
        self._marks = (*(name.encode() for name in (*self._names, *self._fields)), rb"\u00")
        named = ", ".join((*(secret.name for secret in secrets), *(message.action for message in messages)))
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
        fields = self._fields.get(_action(message), frozenset())
        return _encode(masked) if (masked := self._masked(message, fields)) != message else frame

    def _masked(self, value: Any, fields: frozenset[str]) -> Any:
        if isinstance(value, list):
            return [self._masked(item, fields) for item in value]
        if not isinstance(value, dict):
            return value
        values = {secret.value_in for secret in self._secrets if _means(_followed(value, secret.named_by), secret)}
        values |= fields
        return {
            name: MASK if name in values or name.strip().lower() in self._names else self._masked(item, fields)
            for name, item in value.items()
        }


def _action(message: Any) -> str:
    """Of a CALL, in lower case."""
    is_call = isinstance(message, list) and len(message) > 2 and isinstance(message[2], str)
    return message[2].lower() if is_call else ""


def _followed(value: Any, way: Sequence[str]) -> Any:
    for name in way:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _means(key: object, secret: SecretSetting) -> bool:
    return isinstance(key, str) and key.strip().lower() in (secret.name.lower(), _ALWAYS.lower())

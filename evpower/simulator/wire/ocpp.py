"""The station's own OCPP-J framing: text frames to `Call`, `CallResult`, `CallError` and back.

Shares nothing with the server's code on purpose: an independent peer finds mistakes that a shared one repeats.
It is strict where a real station would be confused, and says so by `MalformedFrame`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec

from evpower.errors import EvPowerError

SUBPROTOCOL = "ocpp1.6"
MESSAGE_ID_CHARS_MAX = 36  # OCPP-J 4.1.4

Payload = Mapping[str, Any]


class MalformedFrame(EvPowerError):
    """What came in is not an OCPP-J message."""


class CallRefused(EvPowerError):
    """The peer answered our CALL with a CALLERROR."""

    def __init__(self, code: str, description: str = "") -> None:
        self.error_code = code
        self.description = description
        super().__init__(f"{code}: {description}")


@dataclass(frozen=True, slots=True)
class Call:
    """[2, message id, action, payload]"""

    message_id: str
    action: str
    payload: Payload


@dataclass(frozen=True, slots=True)
class CallResult:
    """[3, message id, payload]"""

    message_id: str
    payload: Payload


@dataclass(frozen=True, slots=True)
class CallError:
    """[4, message id, code, description, details]"""

    message_id: str
    code: str
    description: str = ""
    details: Payload = field(default_factory=dict)


Frame = Call | CallResult | CallError


def encode(frame: Frame) -> str:
    """The frame as the text of one WebSocket message."""
    match frame:
        case Call(message_id, action, payload):
            parts: list[Any] = [2, message_id, action, payload]
        case CallResult(message_id, payload):
            parts = [3, message_id, payload]
        case CallError(message_id, code, description, details):
            parts = [4, message_id, code, description, details]
    return msgspec.json.encode(parts).decode()


def decode(text: str | bytes) -> Frame:
    """The frame in one WebSocket message; raises MalformedFrame (OCPP-J 4.2)."""
    try:
        parts = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise MalformedFrame(f"not JSON: {error}") from error
    match parts:
        case [2, str(message_id), str(action), dict(payload)]:
            frame: Frame = Call(message_id, action, payload)
        case [3, str(message_id), dict(payload)]:
            frame = CallResult(message_id, payload)
        case [4, str(message_id), str(code), str(description), dict(details)]:
            frame = CallError(message_id, code, description, details)
        case _:
            raise MalformedFrame(f"not an OCPP-J message: {text!r:.200}")
    if not 0 < len(frame.message_id) <= MESSAGE_ID_CHARS_MAX:
        raise MalformedFrame(f"message id of {len(frame.message_id)} characters")
    return frame


def wire_time(at: datetime) -> str:
    """A moment as stations write it: UTC, milliseconds, `Z`."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_time(text: object) -> datetime | None:
    """A moment the peer wrote, or None when it cannot be read; without a zone it means UTC."""
    try:
        at = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)

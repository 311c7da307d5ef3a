"""OCPP-J message frames: bytes <-> Call, CallResult, CallError (OCPP-J 1.6 §4). Pure.

`parse` never raises: what cannot be read comes back as `Malformed` or `UnknownType`, and the connection decides.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

#: The standard says 36 characters; longer ones are answered too, up to this.
MAX_MESSAGE_ID = 255
#: OCPP-J allows 255 characters of error description.
MAX_DESCRIPTION = 255

#: Text by the standard. Some stations count in integers; the answer then carries the same integer.
MessageId = Annotated[str, msgspec.Meta(max_length=MAX_MESSAGE_ID)] | int
EMPTY = msgspec.Raw(b"{}")


class Call(msgspec.Struct, tag=2, array_like=True, gc=False):
    """[2, id, action, payload]; the payload is still JSON text."""

    message_id: MessageId
    action: str
    payload: msgspec.Raw = EMPTY


class CallResult(msgspec.Struct, tag=3, array_like=True, gc=False):
    """[3, id, payload]"""

    message_id: MessageId
    payload: msgspec.Raw = EMPTY


class CallError(msgspec.Struct, tag=4, array_like=True, gc=False):
    """[4, id, code, description, details]"""

    message_id: MessageId
    code: str = ""
    description: str = ""
    details: msgspec.Raw = EMPTY


class Malformed(msgspec.Struct):
    """Not an OCPP-J message; `message_id` when it was at least a CALL with a readable id."""

    problem: str
    message_id: str | int | None = None
    #: It answers a CALL of ours, or refuses one.
    is_answer: bool = False


class UnknownType(msgspec.Struct):
    """A message type of a later OCPP-J: to be ignored (§4.1.3)."""

    type_id: int
    message_id: str | int | None = None


Message = Call | CallResult | CallError
_decode = msgspec.json.Decoder(Message).decode
_decode_any = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


def parse(text: bytes) -> Message | Malformed | UnknownType:
    """Read one text message. A null or missing payload is an empty one (duty 13)."""
    try:
        message: Message = _decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        return _diagnose(text, str(exc))
    if not isinstance(message, CallError) and bytes(message.payload) == b"null":
        message.payload = EMPTY
    return message


def _diagnose(text: bytes, problem: str) -> Message | Malformed | UnknownType:
    try:
        frame: Any = _decode_any(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        return Malformed(str(exc))
    match frame:
        case [4, str() | int() as message_id, *rest]:
            code, description = ([text if isinstance(text, str) else "" for text in rest] + ["", ""])[:2]
            return CallError(message_id, code, description)
        case [2, str() | int() as message_id, *_] if len(str(message_id)) <= MAX_MESSAGE_ID:
            return Malformed(problem, message_id)
        case [int() as type_id, *_] if type_id not in (2, 3, 4):
            named = frame[1] if len(frame) > 1 and isinstance(frame[1], str | int) else None
            return UnknownType(type_id, named if len(str(named)) <= MAX_MESSAGE_ID else None)
        case [3 | 4, *_]:
            return Malformed(problem, is_answer=True)
        case _:
            return Malformed(problem)


def call(message_id: str, action: str, payload: bytes) -> bytes:
    """A CALL of ours; `payload` is a JSON object."""
    return b"[2,%b,%b,%b]" % (_encode(message_id), _encode(action), payload)


def call_result(message_id: str | int, payload: bytes) -> bytes:
    """The answer to a CALL; `payload` is a JSON object."""
    return b"[3,%b,%b]" % (_encode(message_id), payload)


def call_error(message_id: str | int, code: str, description: str = "") -> bytes:
    """The refusal of a CALL; details are always an object (duty 12)."""
    return _encode((4, message_id, code, description[:MAX_DESCRIPTION], {}))

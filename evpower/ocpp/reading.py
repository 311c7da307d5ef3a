"""From a payload to a request: strict first, which is fast and the rule; else lenient, where every leniency is counted.

Real stations send numbers as text, text as numbers, extra fields, times without a zone, registers with a fraction and
values of their own (duty 14). What has no harmless meaning has a flaw (`Unreadable`), for which each version of OCPP
has its CALLERROR code.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from enum import Enum, auto
from typing import Any, TypeVar

import msgspec
from msgspec import inspect

from evpower.ocpp.watch.oddities import Kind, Oddities

#: Texts may be longer than the standard says, up to this many characters, unless it allows more.
TOLERATED_CHARS = 255
#: Beyond any register; keeps arithmetic on a hostile number cheap.
MAX_DIGITS = 40

#: Marks an enumeration whose unknown values pass: the message bears on a connector's state or on money.
OPEN = msgspec.Meta(extra={"open": True})


class Request(msgspec.Struct, rename="camel", forbid_unknown_fields=True, kw_only=True, gc=False):
    """What a station sends."""


class MeteredRequest(Request):
    """A request that bears on money: what is optional in it and cannot be read is left out, not refused (duty 20)."""


class Flaw(Enum):
    """Why a payload is no request."""

    #: Not JSON, not an object, or a character no database stores.
    FORMAT = auto()
    #: A required field is missing.
    MISSING = auto()
    #: A value of another type.
    TYPE = auto()
    #: A value out of range or length, or unknown to its enumeration.
    VALUE = auto()


class Unreadable(Exception):
    """A payload that no kindness makes a request."""

    def __init__(self, flaw: Flaw, problem: str) -> None:
        super().__init__(problem)
        self.flaw = flaw
        self.problem = problem


R = TypeVar("R", bound=Request)


def read(kind: type[R], payload: bytes, oddities: Oddities) -> R:
    """Read a request. Raises Unreadable."""
    if b"\\u0000" in payload:
        raise Unreadable(Flaw.FORMAT, "a NUL character")
    try:
        return _strict(kind)(payload)  # type: ignore[no-any-return]  # the decoder of this very type
    except msgspec.ValidationError:
        pass
    except (msgspec.DecodeError, RecursionError) as exc:
        raise Unreadable(Flaw.FORMAT, str(exc)) from None
    try:
        raw = msgspec.json.decode(payload)
    except (msgspec.DecodeError, RecursionError) as exc:
        raise Unreadable(Flaw.FORMAT, str(exc)) from None
    if not isinstance(raw, dict):
        raise Unreadable(Flaw.FORMAT, "the payload is not an object")
    request: R = _object(inspect.type_info(kind), raw, "", oddities)
    return request


@functools.cache
def _strict(kind: type[Request]) -> Callable[[bytes], Any]:
    return msgspec.json.Decoder(kind).decode


def _object(info: Any, raw: Any, path: str, oddities: Oddities) -> Any:
    if not isinstance(raw, dict):
        raise Unreadable(Flaw.TYPE, f"{path}: not an object")
    values: dict[str, Any] = {}
    for field in info.fields:
        name = field.encode_name
        value = raw.pop(name, None)
        if value is not None:
            try:
                values[field.name] = _value(field.type, value, f"{path}.{name}" if path else name, oddities)
            except Unreadable as exc:
                if field.required or not issubclass(info.cls, MeteredRequest):
                    raise
                oddities.note(Kind.LEFT_OUT, f"{exc.problem}; left out")
        elif field.required:
            raise Unreadable(Flaw.MISSING, f"{path}.{name} is missing".removeprefix("."))
    for name in raw:
        oddities.note(Kind.UNKNOWN_FIELD, f"unknown or null field {name}")
    return info.cls(**values)


def _value(info: Any, raw: Any, path: str, oddities: Oddities) -> Any:
    match info:
        case inspect.Metadata(type=inner, extra=extra):
            return _literal(inner, raw, path, oddities, is_open=bool(extra and extra.get("open")))
        case inspect.UnionType(types=types):
            return _value(next(kind for kind in types if not isinstance(kind, inspect.NoneType)), raw, path, oddities)
        case inspect.StructType():
            return _object(info, raw, path, oddities)
        case inspect.ListType(item_type=item_type):
            return _list(item_type, raw, path, oddities)
        case inspect.IntType():
            return _integer(info, raw, path, oddities)
        case inspect.StrType():
            return _text(info, raw, path, oddities)
        case inspect.DateTimeType():
            return _time(raw, path, oddities)
        case inspect.LiteralType():
            return _literal(info, raw, path, oddities, is_open=False)
        case _:
            raise AssertionError(f"a message has a type reading.py does not know: {info}")


def _list(item_type: Any, raw: Any, path: str, oddities: Oddities) -> list[Any]:
    if isinstance(raw, dict):
        oddities.note(Kind.NO_LIST, f"{path}: an object instead of a list")
        raw = [raw]
    if not isinstance(raw, list):
        raise Unreadable(Flaw.TYPE, f"{path}: not a list")
    if not raw:
        oddities.note(Kind.NO_LIST, f"{path}: empty")
    items = []
    for item in raw:
        try:
            items.append(_value(item_type, item, path, oddities))
        except Unreadable as exc:
            oddities.note(Kind.SKIPPED_ITEM, f"{exc.problem}; skipped")  # one broken sample never fails a message
    return items


def _integer(info: inspect.IntType, raw: Any, path: str, oddities: Oddities) -> int:
    if isinstance(raw, int) and not isinstance(raw, bool):
        number = raw
    else:
        number = _rounded(raw, path)
        oddities.note(Kind.OTHER_TYPE, f"{path}: {type(raw).__name__} instead of an integer")
    if (info.ge is not None and number < info.ge) or (info.le is not None and number > info.le):
        raise Unreadable(Flaw.VALUE, f"{path}: {number} is out of range")
    return number


def _rounded(raw: Any, path: str) -> int:
    if isinstance(raw, float) and math.isfinite(raw):
        raw = repr(raw)
    if not isinstance(raw, str) or len(raw) > MAX_DIGITS:
        raise Unreadable(Flaw.TYPE, f"{path}: not an integer")
    try:
        number = Decimal(raw.strip())
        if number.is_finite() and number.adjusted() <= MAX_DIGITS:
            return int(number.to_integral_value(ROUND_HALF_UP))
    except InvalidOperation:
        pass
    raise Unreadable(Flaw.TYPE, f"{path}: not an integer")


def _text(info: inspect.StrType, raw: Any, path: str, oddities: Oddities) -> str:
    if isinstance(raw, bool) or not isinstance(raw, str | int | float):
        raise Unreadable(Flaw.TYPE, f"{path}: not text")
    if not isinstance(raw, str):
        oddities.note(Kind.OTHER_TYPE, f"{path}: a number instead of text")
    text = str(raw)
    if info.max_length is not None and len(text) > info.max_length:
        if len(text) > max(TOLERATED_CHARS, info.max_length):
            raise Unreadable(Flaw.VALUE, f"{path}: {len(text)} characters")
        oddities.note(Kind.TOO_LONG, f"{path}: longer than {info.max_length} characters")
    return text


def _time(raw: Any, path: str, oddities: Oddities) -> datetime:
    try:
        moment = datetime.fromisoformat(raw.strip())
    except (ValueError, AttributeError):
        raise Unreadable(Flaw.TYPE, f"{path}: not a time") from None
    if moment.tzinfo is None:
        oddities.note(Kind.NO_ZONE, f"{path}: a time without a zone, read as UTC")
        moment = moment.replace(tzinfo=UTC)
    return moment


def _literal(info: Any, raw: Any, path: str, oddities: Oddities, *, is_open: bool) -> Any:
    if not isinstance(info, inspect.LiteralType):
        return _value(info, raw, path, oddities)
    if not isinstance(raw, str):
        raise Unreadable(Flaw.TYPE, f"{path}: not a word")
    if raw in info.values:
        return raw
    for value in info.values:
        if str(value).lower() == raw.strip().lower():
            oddities.note(Kind.OTHER_SPELLING, f"{path}: {raw} written for {value}")
            return value
    if not is_open or len(raw) > TOLERATED_CHARS:
        raise Unreadable(Flaw.VALUE, f"{path}: unknown word {raw[:TOLERATED_CHARS]}")
    oddities.note(Kind.UNKNOWN_WORD, f"{path}: unknown word {raw}")
    return raw

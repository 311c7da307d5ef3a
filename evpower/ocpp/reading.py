"""From a payload to a request: strict first, which is fast and the rule; else lenient, where every leniency is counted.

Real stations send numbers as text, text as numbers, extra fields, times without a zone, registers with a fraction and
values of their own (duty 14). What has no harmless meaning has a flaw (`Unreadable`), for which each version of OCPP
has its CALLERROR code.
"""

from __future__ import annotations

import functools
import math
import re
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
#: Of one message; a frame full of them would keep the other stations waiting for seconds.
MOST_BROKEN_ITEMS = 10_000
#: Digits in groups of three, with blanks between them.
_GROUPED = re.compile(r"[+-]?[0-9]{1,3}(?:\s[0-9]{3})+(?:[.,][0-9]*)?")
#: A comma before three digits may group thousands: then it is not read.
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,(?!\d{3}$)\d*", re.ASCII)
NUL, NO_CHARACTER = b"\\u0000", b"\\ufffd"

#: Marks an enumeration whose unknown values pass: the message bears on a connector's state or on money.
OPEN = msgspec.Meta(extra={"open": True})


class Request(msgspec.Struct, rename="camel", forbid_unknown_fields=True, kw_only=True, gc=False):
    """What a station sends."""


class MeteredRequest(Request):
    """A request that bears on money: what is optional in it and cannot be read is left out, not refused (duty 20)."""


class Undeniable(MeteredRequest):
    """A report that is answered whatever is missing or unreadable in it, or its station repeats it for ever (duty 25).

    A field that the standard requires is None then, so every field's type admits None.
    """


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


def storable(kind: type[Request], payload: bytes) -> bytes:
    """The payload as it is read and kept; a NUL character, which no database stores, does not cost a report."""
    return payload.replace(NUL, NO_CHARACTER) if issubclass(kind, Undeniable) else payload


def read(kind: type[R], payload: bytes, oddities: Oddities) -> R:
    """Read a request, from its `storable` payload. Raises Unreadable, unless the kind is Undeniable."""
    try:
        return _read(kind, payload, oddities)
    except Unreadable as exc:
        if not issubclass(kind, Undeniable):
            raise
        oddities.note(Kind.LEFT_OUT, f"{exc.problem}; nothing of it is read")
        return kind(**dict.fromkeys(kind.__struct_fields__))


def _read(kind: type[R], payload: bytes, oddities: Oddities) -> R:
    if NUL in payload:
        raise Unreadable(Flaw.FORMAT, "a NUL character")
    try:
        strict: R = _strict(kind)(payload)
        if not (issubclass(kind, Undeniable) and any(getattr(strict, name) is None for name in _required(kind))):
            return strict
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
    request: R = _object(inspect.type_info(kind), raw, "", _Notes(oddities))
    return request


class _Notes:
    """The oddities of one message, and how many more items of its lists may be broken."""

    def __init__(self, oddities: Oddities) -> None:
        self.note = oddities.note
        self.broken_left = MOST_BROKEN_ITEMS


@functools.cache
def _strict(kind: type[Request]) -> Callable[[bytes], Any]:
    return msgspec.json.Decoder(kind).decode


@functools.cache
def _required(kind: type[Request]) -> tuple[str, ...]:
    return tuple(field.name for field in inspect.type_info(kind).fields if field.required)  # type: ignore[attr-defined]


def _object(info: Any, raw: Any, path: str, notes: _Notes) -> Any:
    if not isinstance(raw, dict):
        raise Unreadable(Flaw.TYPE, f"{path}: not an object")
    values: dict[str, Any] = {}
    for field in info.fields:
        name = field.encode_name
        value = raw.pop(name, None)
        if value is not None and not (value == "" and field.required and _admits_none(field.type)):
            try:
                values[field.name] = _value(field.type, value, f"{path}.{name}" if path else name, notes)
            except Unreadable as exc:
                if not issubclass(info.cls, Undeniable if field.required else MeteredRequest):
                    raise
                notes.note(Kind.LEFT_OUT, f"{exc.problem}; left out")
                if field.required:
                    values[field.name] = None
        elif field.required:
            if not _admits_none(field.type):
                raise Unreadable(Flaw.MISSING, f"{path}.{name} is missing".removeprefix("."))
            notes.note(Kind.MISSING, f"{path}.{name} is missing".removeprefix("."))
            values[field.name] = None
    for name in raw if info.cls.__struct_config__.forbid_unknown_fields else ():
        notes.note(Kind.UNKNOWN_FIELD, f"unknown or null field {name}")
    return info.cls(**values)


def _admits_none(info: Any) -> bool:
    """Of a field that the standard requires: the message counts without it."""
    return isinstance(info, inspect.UnionType) and info.includes_none


def _value(info: Any, raw: Any, path: str, notes: _Notes) -> Any:
    match info:
        case inspect.Metadata(type=inner, extra=extra):
            return _literal(inner, raw, path, notes, is_open=bool(extra and extra.get("open")))
        case inspect.UnionType(types=types):
            return _value(next(kind for kind in types if not isinstance(kind, inspect.NoneType)), raw, path, notes)
        case inspect.StructType():
            return _object(info, raw, path, notes)
        case inspect.ListType(item_type=item_type):
            return _list(item_type, raw, path, notes)
        case inspect.IntType():
            return _integer(info, raw, path, notes)
        case inspect.FloatType():
            return _number(raw, path, notes)
        case inspect.BoolType():
            return _boolean(raw, path, notes)
        case inspect.AnyType():
            return raw
        case inspect.StrType():
            return _text(info, raw, path, notes)
        case inspect.DateTimeType():
            return _time(raw, path, notes)
        case inspect.LiteralType():
            return _literal(info, raw, path, notes, is_open=False)
        case _:
            raise AssertionError(f"a message has a type reading.py does not know: {info}")


def _list(item_type: Any, raw: Any, path: str, notes: _Notes) -> list[Any]:
    if isinstance(raw, dict):
        notes.note(Kind.NO_LIST, f"{path}: an object instead of a list")
        raw = [raw]
    if not isinstance(raw, list):
        raise Unreadable(Flaw.TYPE, f"{path}: not a list")
    if not raw:
        notes.note(Kind.NO_LIST, f"{path}: empty")
    items = []
    for item in raw:
        if not notes.broken_left:
            notes.note(Kind.SKIPPED_ITEM, f"{path}: more than {MOST_BROKEN_ITEMS} broken items; the rest is skipped")
            break
        try:
            items.append(_value(item_type, item, path, notes))
        except Unreadable as exc:
            notes.broken_left -= 1
            notes.note(Kind.SKIPPED_ITEM, f"{exc.problem}; skipped")  # one broken sample never fails a message
    return items


def _integer(info: inspect.IntType, raw: Any, path: str, notes: _Notes) -> int:
    if isinstance(raw, int) and not isinstance(raw, bool):
        number = raw
    else:
        number = _rounded(raw, path)
        notes.note(Kind.OTHER_TYPE, f"{path}: {type(raw).__name__} instead of an integer")
    if (info.ge is not None and number < info.ge) or (info.le is not None and number > info.le):
        raise Unreadable(Flaw.VALUE, f"{path}: {number} is out of range")
    return number


def _rounded(raw: Any, path: str) -> int:
    if isinstance(raw, float) and math.isfinite(raw):
        raw = repr(raw)
    if not isinstance(raw, str) or len(raw) > MAX_DIGITS:
        raise Unreadable(Flaw.TYPE, f"{path}: not an integer")
    try:
        number = Decimal(_plain(raw.strip()))
        if number.is_finite() and number.adjusted() <= MAX_DIGITS:
            return int(number.to_integral_value(ROUND_HALF_UP))
    except InvalidOperation:
        pass
    raise Unreadable(Flaw.TYPE, f"{path}: not an integer")


def _number(raw: Any, path: str, notes: _Notes) -> float:
    if isinstance(raw, int | float) and not isinstance(raw, bool):
        try:
            return float(raw)
        except OverflowError:
            raise Unreadable(Flaw.VALUE, f"{path}: out of range") from None
    notes.note(Kind.OTHER_TYPE, f"{path}: {type(raw).__name__} instead of a number")
    if isinstance(raw, str) and len(raw) <= MAX_DIGITS:
        try:
            number = Decimal(_plain(raw.strip()))
            if number.is_finite() and number.adjusted() <= MAX_DIGITS:
                return float(number)
        except InvalidOperation:
            pass
    raise Unreadable(Flaw.TYPE, f"{path}: not a number")


def _boolean(raw: Any, path: str, notes: _Notes) -> bool:
    meant = {"true": True, "false": False}.get(str(raw).strip().lower()) if isinstance(raw, str | bool) else None
    if meant is None:
        raise Unreadable(Flaw.TYPE, f"{path}: not a boolean")
    if not isinstance(raw, bool):
        notes.note(Kind.OTHER_TYPE, f"{path}: text instead of a boolean")
    return meant


def _plain(text: str) -> str:
    """Without blanks between thousands, and with a point for a decimal comma."""
    if _GROUPED.fullmatch(text):
        return "".join(text.split()).replace(",", ".")
    return text.replace(",", ".") if _DECIMAL_COMMA.fullmatch(text) else text


def _text(info: inspect.StrType, raw: Any, path: str, notes: _Notes) -> str:
    if isinstance(raw, bool) or not isinstance(raw, str | int | float):
        raise Unreadable(Flaw.TYPE, f"{path}: not text")
    if not isinstance(raw, str):
        notes.note(Kind.OTHER_TYPE, f"{path}: a number instead of text")
    text = str(raw)
    if info.max_length is not None and len(text) > info.max_length:
        if len(text) > max(TOLERATED_CHARS, info.max_length):
            raise Unreadable(Flaw.VALUE, f"{path}: {len(text)} characters")
        notes.note(Kind.TOO_LONG, f"{path}: longer than {info.max_length} characters")
    return text


def _time(raw: Any, path: str, notes: _Notes) -> datetime:
    try:
        moment = datetime.fromisoformat(raw.strip())
    except (ValueError, AttributeError):
        raise Unreadable(Flaw.TYPE, f"{path}: not a time") from None
    if moment.tzinfo is None:
        notes.note(Kind.NO_ZONE, f"{path}: a time without a zone, read as UTC")
        moment = moment.replace(tzinfo=UTC)
    return moment


def _literal(info: Any, raw: Any, path: str, notes: _Notes, *, is_open: bool) -> Any:
    if not isinstance(info, inspect.LiteralType):
        return _value(info, raw, path, notes)
    if not isinstance(raw, str):
        raise Unreadable(Flaw.TYPE, f"{path}: not a word")
    if raw in info.values:
        return raw
    for value in info.values:
        if str(value).lower() == raw.strip().lower():
            notes.note(Kind.OTHER_SPELLING, f"{path}: {raw} written for {value}")
            return value
    if not is_open or len(raw) > TOLERATED_CHARS:
        raise Unreadable(Flaw.VALUE, f"{path}: unknown word {raw[:TOLERATED_CHARS]}")
    notes.note(Kind.UNKNOWN_WORD, f"{path}: unknown word {raw}")
    return raw

"""Bodies read strictly (contract/rest-api §4.1, §4.3): exact types, exact decimals, every wrong field named at once.

JSON numbers become `int` or `Decimal`, never binary floats: 0.1 som is ten tyiyn, and 10.001 som is refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, TypeVar
from urllib.parse import parse_qsl

import msgspec
from quart import g, request

from evpower.billing.errors import InvalidAmount
from evpower.digits import INT64_MAX, whole_number
from evpower.errors import InvalidRequest, NotFound
from evpower.http.wire.kinds import FLAGS, PATTERN, TEXT_CHARS_MAX, FieldKind, WrongValue, identifier
from evpower.identifiers import CLIENT_ID, STATION_ID, ClientId, SessionId, StationId

SESSION_ID = re.compile(r"[A-Za-z0-9_-]{1,100}")
#: `GET /balance/get` is the balance of a token's client, so no client can have that id (§5.1).
RESERVED_CLIENT_ID = "get"
Absent = TypeVar("Absent", bool, None)
T = TypeVar("T")

NOT_AN_OBJECT = "тело запроса должно быть объектом JSON"
MALFORMED = "тело запроса не является корректным JSON"
REQUIRED = "обязательное поле"
TOO_MANY = "слишком много полей, элементов или уровней"

#: Far above what any request of ours has; a level is one object or list.
ITEMS_A_LEVEL_MAX = 200
DEPTH_MAX = 32
FORM_FIELDS_MAX = 100

_decoder = msgspec.json.Decoder(float_hook=Decimal)


def parse_object(raw: bytes) -> dict[str, Any]:
    """The JSON object in a body; InvalidRequest for anything else."""
    try:
        parsed = _decoder.decode(raw)
    # UnicodeDecodeError is no MsgspecError; a number beyond Decimal's exponents is an ArithmeticError.
    except (msgspec.MsgspecError, UnicodeDecodeError, ArithmeticError, RecursionError):
        raise InvalidRequest(("body", MALFORMED)) from None
    if not isinstance(parsed, dict):
        raise InvalidRequest(("body", NOT_AN_OBJECT))
    _refuse_shapeless(parsed)
    return parsed


def _refuse_shapeless(parsed: dict[str, Any]) -> None:
    """Raises InvalidRequest for more items or levels than a request can mean: what works on a body is then bounded."""
    level: list[dict[str, Any] | list[Any]] = [parsed]
    for _ in range(DEPTH_MAX):
        if any(len(each) > ITEMS_A_LEVEL_MAX for each in level):
            break
        inside = (part for each in level for part in (each.values() if isinstance(each, dict) else each))
        level = [part for part in inside if isinstance(part, dict | list)]
        if not level:
            return
    raise InvalidRequest(("body", TOO_MANY))


async def read_object() -> dict[str, Any]:
    """The present request's JSON object, read once; no body at all has no fields (field ruling 6.6)."""
    if "body" not in g:
        g.body = parse_object(await read_bytes() or b"{}")
    body: dict[str, Any] = g.body
    return body


async def read_bytes() -> bytes:
    """The present request's body as it came; HTTP 413 and 408 are raised by the framework."""
    return await request.get_data(True, False, False)


async def read_form() -> dict[str, str]:
    """The present request's form, of each name the first; InvalidRequest for too many fields."""
    try:
        pairs = parse_qsl((await read_bytes()).decode("latin1"), max_num_fields=FORM_FIELDS_MAX)
    except ValueError:
        raise InvalidRequest(("body", TOO_MANY)) from None
    return dict(reversed(pairs))


def required_text(body: Mapping[str, Any], field: str) -> str:
    """A text an operator must write. Raises InvalidRequest."""
    text = body.get(field, "")
    if not isinstance(text, str) or not text.strip() or len(text) > TEXT_CHARS_MAX or "\0" in text:
        raise InvalidRequest((field, f"{REQUIRED}, до {TEXT_CHARS_MAX} символов"))
    return text.strip()


def row_id(text: str) -> int:
    """The number of a row in an address. Raises NotFound for what can be none."""
    number = whole_number(text, INT64_MAX)
    if number is None:
        raise NotFound
    return number


class BodyFields:
    """The fields of one body or query; what is wrong is collected, and `check` raises all of it.

    A reader of a wrong field returns None; its value must not be used before `check`.
    Unknown fields are ignored; null is the same as absent. A function that only reads fields and then checks describes
    a request too: `described.py` runs it with a recorder in this place.
    """

    def __init__(self, body: Mapping[str, Any]) -> None:
        self._body = body
        self._asked: set[str] = set()
        self._wrong: list[tuple[str, str]] = []
        self._only_amounts = True

    def check(self) -> None:
        """Raises InvalidRequest with all wrong fields, InvalidAmount when only sums were wrong."""
        if self._wrong:
            raise (InvalidAmount if self._only_amounts else InvalidRequest)(*self._wrong)

    def wrong(self, name: str, text: str) -> None:
        """One more wrong field."""
        self._wrong.append((name, text))
        self._only_amounts = False

    def has(self, name: str) -> bool:
        """Whether the field is present and not null."""
        return self._value(name) is not None

    def known(self) -> dict[str, Any]:
        """The fields that were asked for, as they came: all of the body that can make a difference."""
        return {name: value for name, value in self._body.items() if name in self._asked}

    def required(self, name: str, kind: FieldKind[T]) -> T | None:
        """A field of this kind that must be there."""
        if self.has(name):
            return self.optional(name, kind)
        self.wrong(name, REQUIRED)
        return None

    def optional(self, name: str, kind: FieldKind[T]) -> T | None:
        """A field of this kind, when it is given. A problem is reported without the value."""
        value = self._value(name)
        if value is None:
            return None
        try:
            return kind.read(value)
        except WrongValue as wrong:
            self._wrong.append((name, wrong.message))
            self._only_amounts = self._only_amounts and wrong.about_money
            return None

    def identifier(self, name: str, pattern: re.Pattern[str]) -> str | None:
        """A required id."""
        return self.required(name, identifier(pattern))

    def optional_identifier(self, name: str, pattern: re.Pattern[str]) -> str | None:
        """An id when it is given."""
        return self.optional(name, identifier(pattern))

    def _value(self, name: str) -> Any:
        self._asked.add(name)
        return self._body.get(name)


def flag_in_query(name: str, *, default: Absent) -> bool | Absent:
    """A flag of the present address; `default` when it is absent. Raises InvalidRequest, naming it."""
    text = request.args.get(name)
    if text is None:
        return default
    if text.lower() not in FLAGS:
        raise InvalidRequest((name, "допустимы только: true, false, 1, 0"))
    return FLAGS[text.lower()]


def client_id_in_path(text: str) -> ClientId:
    """A client id from a path; InvalidRequest when malformed (§5.1)."""
    if CLIENT_ID.fullmatch(text) is None:
        raise InvalidRequest(("client_id", PATTERN))
    return ClientId(text)


def session_id_or_none(text: str) -> SessionId | None:
    """A session id from a path, None when no session can have it."""
    return SessionId(text) if SESSION_ID.fullmatch(text) else None


def station_id_or_none(text: str) -> StationId | None:
    """A station id from a path, None when no station can have it."""
    return StationId(text) if STATION_ID.fullmatch(text) else None

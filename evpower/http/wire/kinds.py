"""What a field of a request may be: how its value is read, and the JSON Schema of the values that are taken.

The two stand side by side in a `FieldKind`, so what a door validates is what `/openapi.json` says of it. Numbers of a
body are exact (`int` or `Decimal`); everything in an address is text.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import ROUND_DOWN, Decimal
from typing import Any, Generic, TypeVar

from evpower.digits import INT32_MAX, whole_number
from evpower.identifiers import ConnectorId
from evpower.money import exact_tyiyn

T = TypeVar("T")
Schema = dict[str, Any]

ENERGY_KWH_MAX = 200
AMOUNT_SOM_MAX = 100_000
#: Larger sums are all the same: too large for any limit.
MONEY_SOM_CUT = 10**10
CONNECTOR_ID_MAX = INT32_MAX
QUERY_CHARS_MAX = 200
TEXT_CHARS_MAX = 500
#: How a flag is spelt in an address; case does not matter.
FLAGS = {"true": True, "1": True, "false": False, "0": False}

PATTERN = "недопустимый идентификатор"


class WrongValue(Exception):
    """A value that the kind does not take; `about_money` when the one wrong thing is a sum money cannot have."""

    def __init__(self, message: str, *, about_money: bool = False) -> None:
        super().__init__(message)
        self.message = message
        self.about_money = about_money


@dataclass(frozen=True)
class FieldKind(Generic[T]):
    """`read` raises WrongValue; `schema` describes what it takes."""

    schema: Mapping[str, Any]
    read: Callable[[Any], T]


def anchored(pattern: re.Pattern[str]) -> str:
    """The pattern of a whole text, as JSON Schema wants it: text there has no surrogates, and NUL is not `\\0`."""
    return f"^(?:{pattern.pattern})$".replace(r"\ud800-\udfff", "").replace(r"\0", r"\x00")


def formed(pattern: re.Pattern[str], *, wrong: str = "недопустимое значение", squeeze: str = "") -> FieldKind[str]:
    """A text of this form; `squeeze` are characters left out before."""
    left_out = dict.fromkeys(map(ord, squeeze))

    def read(value: Any) -> str:
        text = value.translate(left_out) if isinstance(value, str) else None
        if text is None or pattern.fullmatch(text) is None:
            raise WrongValue(wrong)
        return text

    schema: Schema = {"type": "string", "pattern": anchored(pattern)}
    return FieldKind(schema | ({"description": f"read without any of `{squeeze}`"} if squeeze else {}), read)


def identifier(pattern: re.Pattern[str]) -> FieldKind[str]:
    """An id."""
    return formed(pattern, wrong=PATTERN)


def whole(least: int, most: int) -> FieldKind[int]:
    """An integer within bounds; 1.0 is one."""

    def read(value: Any) -> int:
        number = _number(value)
        # The bound first: 1e999 is integral too, and as an integer it would fill the memory.
        if least <= number <= most and number == int(number):
            return int(number)
        raise WrongValue(f"целое число от {least} до {most}")

    return FieldKind({"type": "integer", "minimum": least, "maximum": most}, read)


def one_of(*values: str) -> FieldKind[str]:
    """One of these texts."""

    def read(value: Any) -> str:
        if isinstance(value, str) and value in values:
            return value
        raise WrongValue(f"одно из: {', '.join(values)}")

    return FieldKind({"enum": list(values)}, read)


def counted(least: int, most: int) -> FieldKind[int]:
    """A number in an address, within bounds."""

    def read(value: Any) -> int:
        number = whole_number(str(value), most)
        if number is None or number < least:
            raise WrongValue(f"целое число от {least} до {most}")
        return number

    return FieldKind({"type": "integer", "minimum": least, "maximum": most}, read)


def _read_text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > TEXT_CHARS_MAX or "\0" in value:
        raise WrongValue(f"обязательное поле, до {TEXT_CHARS_MAX} символов")
    return value.strip()


def _read_moment(value: Any) -> datetime:
    try:
        moment = datetime.fromisoformat(value if isinstance(value, str) else "")
    except ValueError:
        raise WrongValue("ожидается время ISO 8601") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _read_connector(value: Any) -> ConnectorId:
    number = _number(value)
    if not 1 <= number <= CONNECTOR_ID_MAX or number != int(number):
        raise WrongValue("должно быть целым числом не меньше 1")
    return ConnectorId(int(number))


def _read_energy(value: Any) -> int:
    energy_kwh = _positive(value, ENERGY_KWH_MAX)
    if _decimals_exceed(energy_kwh, 3):
        raise WrongValue("не более трёх знаков после запятой")
    return int(energy_kwh * 1000)


def _read_amount(value: Any) -> int:
    amount_som = _positive(value, AMOUNT_SOM_MAX)
    if _decimals_exceed(amount_som, 2):
        raise WrongValue("не более двух знаков после запятой", about_money=True)
    return exact_tyiyn(amount_som)


def _read_money(value: Any) -> int:
    # Cut off first: 1e400 as an integer of tyiyn would be 400 digits long.
    sum_som = min(_number(value), Decimal(MONEY_SOM_CUT))
    if sum_som <= 0 or _decimals_exceed(sum_som, 2):
        raise WrongValue("должно быть больше 0, не более двух знаков после запятой", about_money=True)
    return exact_tyiyn(sum_som)


def _read_signed_money(value: Any) -> int:
    # Cut off first, as above.
    sum_som = max(-Decimal(MONEY_SOM_CUT), min(_number(value), Decimal(MONEY_SOM_CUT)))
    if sum_som == 0 or _decimals_exceed(sum_som, 2):
        raise WrongValue("не должно быть 0, не более двух знаков после запятой", about_money=True)
    return exact_tyiyn(sum_som)


def _read_flag(value: Any) -> bool:
    flag = FLAGS.get(str(value).lower())
    if flag is None:
        raise WrongValue("допустимы только: true, false, 1, 0")
    return flag


def _read_switch(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    raise WrongValue("должно быть true или false")


def _read_query_text(value: Any) -> str | None:
    text = str(value).strip()
    if len(text) > QUERY_CHARS_MAX:
        raise WrongValue(f"не более {QUERY_CHARS_MAX} символов")
    return text or None


def _read_power(value: Any) -> float | None:
    text = str(value).strip()
    if not text:
        return None
    try:
        power_kw = float(text)
    except ValueError:
        power_kw = math.nan
    if not 0 <= power_kw < math.inf:
        raise WrongValue("должно быть числом не меньше 0")
    return power_kw


def _positive(value: Any, maximum: int) -> Decimal:
    number = _number(value)
    if not 0 < number <= maximum:
        raise WrongValue(f"должно быть больше 0 и не больше {maximum}")
    return number


def _number(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise WrongValue("должно быть числом")
    return Decimal(value)


def _decimals_exceed(value: Decimal, places: int) -> bool:
    return value.quantize(Decimal(1).scaleb(-places), rounding=ROUND_DOWN) != value


#: A connector number ≥ 1: a JSON integer, or 1.0.
CONNECTOR = FieldKind({"type": "integer", "minimum": 1, "maximum": CONNECTOR_ID_MAX}, _read_connector)
#: kWh above 0 up to the limit, to the watt-hour, read as Wh.
ENERGY = FieldKind(
    {"type": "number", "exclusiveMinimum": 0, "maximum": ENERGY_KWH_MAX, "multipleOf": 0.001, "description": "kWh"},
    _read_energy,
)
#: Som above 0 up to the limit, to the tyiyn, read as tyiyn.
AMOUNT = FieldKind(
    {"type": "number", "exclusiveMinimum": 0, "maximum": AMOUNT_SOM_MAX, "multipleOf": 0.01, "description": "som"},
    _read_amount,
)
#: A sum in som above 0, to the tyiyn, read as tyiyn; how much is allowed is the service's to say.
MONEY = FieldKind({"type": "number", "exclusiveMinimum": 0, "multipleOf": 0.01, "description": "som"}, _read_money)
#: The same to either side, and not 0.
SIGNED_MONEY = FieldKind(
    {"type": "number", "not": {"const": 0}, "multipleOf": 0.01, "description": "som"}, _read_signed_money
)
#: In a body: true or false.
SWITCH = FieldKind({"type": "boolean"}, _read_switch)
#: A text that a person must write, without the blanks around it.
TEXT = FieldKind({"type": "string", "pattern": r"\S", "maxLength": TEXT_CHARS_MAX}, _read_text)
#: A time, or a day; without an offset it is UTC.
MOMENT = FieldKind({"type": "string", "format": "date-time"}, _read_moment)
#: In an address: a plus that was not percent-encoded comes as a blank, and is put back.
MOMENT_IN_ADDRESS = FieldKind(MOMENT.schema, lambda value: MOMENT.read(str(value).replace(" ", "+")))
#: In an address: a flag; a text that is None when it is blank; a power in kW, None when it is blank.
FLAG = FieldKind({"type": "boolean"}, _read_flag)
QUERY_TEXT = FieldKind({"type": "string", "maxLength": QUERY_CHARS_MAX}, _read_query_text)
POWER_KW = FieldKind({"type": "number", "minimum": 0, "description": "kW"}, _read_power)

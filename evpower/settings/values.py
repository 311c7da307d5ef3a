"""What a setting may hold: each kind reads a TOML value or an environment text, or says what is allowed.

`read` and `read_text` return the value, or raise ValueError with a sentence that names what is allowed and never the
value itself, which may be a secret.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, ClassVar, Protocol
from zoneinfo import ZoneInfo

from evpower.digits import whole_number


class Kind(Protocol):
    """A kind of setting."""

    def read(self, value: object) -> Any:
        """The setting from a TOML value."""
        ...

    def read_text(self, text: str) -> Any:
        """The setting from an environment variable."""
        ...


def setting(default: Any, kind: Kind, *, secret: bool = False) -> Any:
    """A field of a section; a secret one is not in the section's repr."""
    return field(default=default, metadata={"kind": kind}, repr=not secret)


@dataclass(frozen=True)
class Whole:
    """A whole number in a closed range."""

    low: int
    high: int

    def read(self, value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not self.low <= value <= self.high:
            raise ValueError(f"must be a whole number from {self.low} to {self.high}")
        return value

    def read_text(self, text: str) -> int:
        try:
            return self.read(int(text))
        except ValueError:
            raise ValueError(f"must be a whole number from {self.low} to {self.high}") from None


@dataclass(frozen=True)
class OneOf:
    """One whole number of a list."""

    numbers: tuple[int, ...]

    def read(self, value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or value not in self.numbers:
            raise ValueError(f"must be {' or '.join(str(number) for number in self.numbers)}")
        return value

    def read_text(self, text: str) -> int:
        return self.read(whole_number(text, max(self.numbers)))


@dataclass(frozen=True)
class Number:
    """A number in a closed range."""

    low: float
    high: float

    def read(self, value: object) -> float:
        if not isinstance(value, int | float) or isinstance(value, bool) or not self.low <= value <= self.high:
            raise ValueError(self._allowed())
        return value

    def read_text(self, text: str) -> float:
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        return self.read(number)

    def _allowed(self) -> str:
        return f"must be a number from {self.low:g} to {self.high:g}"


@dataclass(frozen=True)
class Rate:
    """Som per unit as an exact decimal, written in quotes so that no binary float comes between."""

    high: Decimal

    def read(self, value: object) -> Decimal:
        allowed = f'must be a decimal number in quotes from 0 to {self.high}, such as "13.5"'
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise ValueError(allowed)
        try:
            rate = Decimal(value)
        except InvalidOperation:
            raise ValueError(allowed) from None
        if not rate.is_finite() or not 0 <= rate <= self.high:
            raise ValueError(allowed)
        return rate

    def read_text(self, text: str) -> Decimal:
        return self.read(text)


@dataclass(frozen=True)
class Text:
    """A line of text."""

    may_be_empty: bool = True

    def read(self, value: object) -> str:
        if not isinstance(value, str):
            raise ValueError("must be text in quotes")
        if not value and not self.may_be_empty:
            raise ValueError("must not be empty")
        if not value.isprintable():
            raise ValueError("must be one line of printable text")
        return value

    def read_text(self, text: str) -> str:
        return self.read(text)


@dataclass(frozen=True)
class RouterAddress:
    """`osrm:URL`, `valhalla:URL`, or nothing."""

    form: ClassVar[re.Pattern[str]] = re.compile(r"(osrm|valhalla):https?://[^\s/?#@]+(/[^\s?#]*)?")

    def read(self, value: object) -> str:
        if isinstance(value, str) and (not value or self.form.fullmatch(value)):
            return value
        raise ValueError('must be empty, or osrm: or valhalla: and a URL, such as "osrm:http://127.0.0.1:5000"')

    def read_text(self, text: str) -> str:
        return self.read(text)


@dataclass(frozen=True)
class Choice:
    """One value of a fixed list; `why_not` gives the reason why a known value is not available."""

    values: tuple[str, ...]
    why_not: tuple[tuple[str, str], ...] = ()

    def read(self, value: object) -> str:
        if isinstance(value, str):
            if value in self.values:
                return value
            for unavailable, reason in self.why_not:
                if value == unavailable:
                    raise ValueError(reason)
        raise ValueError(f"must be {self._listed()}")

    def read_text(self, text: str) -> str:
        return self.read(text)

    def _listed(self) -> str:
        return " or ".join(f'"{value}"' for value in self.values)


@dataclass(frozen=True)
class Flag:
    """true or false."""

    def read(self, value: object) -> bool:
        if not isinstance(value, bool):
            raise ValueError("must be true or false")
        return value

    def read_text(self, text: str) -> bool:
        meanings = {"true": True, "1": True, "false": False, "0": False}
        if text.lower() not in meanings:
            raise ValueError("must be true or false")
        return meanings[text.lower()]


@dataclass(frozen=True)
class OptionalFlag:
    """true, false, or not set at all."""

    def read(self, value: object) -> bool:
        if not isinstance(value, bool):
            raise ValueError("must be true or false (leave it out to decide by the bind)")
        return value

    def read_text(self, text: str) -> bool | None:
        meanings = {"true": True, "1": True, "false": False, "0": False, "": None}
        if text.lower() not in meanings:
            raise ValueError("must be true or false (leave it out to decide by the bind)")
        return meanings[text.lower()]


@dataclass(frozen=True)
class IsoDay:
    """A day as YYYY-MM-DD, or nothing."""

    def read(self, value: object) -> str:
        try:
            if value == "" or (isinstance(value, str) and date.fromisoformat(value).isoformat() == value):
                return str(value)
        except ValueError:
            pass
        raise ValueError('must be empty or a day in quotes, such as "2028-01-31"')

    def read_text(self, text: str) -> str:
        return self.read(text)


@dataclass(frozen=True)
class Days:
    """Days of each year, `03-08`, or of one, `2026-03-08`; in the environment separated by commas."""

    allowed: ClassVar[str] = 'must be a list of days, such as "03-08" or "2026-03-20"'

    def read(self, value: object) -> tuple[str, ...]:
        if not isinstance(value, list) or not all(map(self._is_one, value)):
            raise ValueError(self.allowed)
        return tuple(value)

    def read_text(self, text: str) -> tuple[str, ...]:
        return self.read([part.strip() for part in text.split(",") if part.strip()])

    def _is_one(self, text: object) -> bool:
        """A day of each year is one that a leap year has."""
        if not isinstance(text, str) or re.fullmatch(r"([0-9]{4}-)?[0-9]{2}-[0-9]{2}", text) is None:
            return False
        try:
            return bool(date.fromisoformat(text if len(text) == len("2028-01-31") else f"2028-{text}"))
        except ValueError:
            return False


@dataclass(frozen=True)
class PhonePrefixes:
    """How telephone numbers of a country begin, `+996`, at least one; in the environment separated by commas."""

    allowed: ClassVar[str] = 'must be a list of beginnings of telephone numbers, such as "+996"'

    def read(self, value: object) -> tuple[str, ...]:
        texts = [value] if isinstance(value, str) else value
        if not isinstance(texts, list) or not texts or not all(self._is_one(text) for text in texts):
            raise ValueError(self.allowed)
        return tuple(texts)

    def read_text(self, text: str) -> tuple[str, ...]:
        return self.read([part.strip() for part in text.split(",")])

    def _is_one(self, text: object) -> bool:
        return isinstance(text, str) and re.fullmatch(r"\+[1-9][0-9]{0,13}", text) is not None


@dataclass(frozen=True)
class TimeZone:
    """A name of the time zone database."""

    def read(self, value: object) -> ZoneInfo:
        try:
            return ZoneInfo(str(value))
        except (LookupError, ValueError, OSError):
            raise ValueError('must be a time zone this system knows, such as "Asia/Bishkek"') from None

    def read_text(self, text: str) -> ZoneInfo:
        return self.read(text)

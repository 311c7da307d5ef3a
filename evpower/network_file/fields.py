"""Reads one TOML table field by field and notes what is wrong under the field's full path.

A field that is absent reads as None; so does a wrong one, once it has been noted.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

#: (path, what is wrong)
Problem = tuple[str, str]


class Fields:
    """One table of the file at `path`; all tables of a file share the list of problems and of warnings."""

    def __init__(self, table: Mapping[str, Any], path: str, problems: list[Problem], warnings: list[str]) -> None:
        self._table = table
        self._path = path
        self._problems = problems
        self._warnings = warnings
        self._known: set[str] = set()

    def at(self, key: str) -> str:
        """The full path of a field."""
        return f"{self._path}.{key}" if self._path else key

    def wrong(self, key: str, what: str) -> None:
        """Note that a field is wrong."""
        self._problems.append((self.at(key), what))

    def doubtful(self, key: str, what: str) -> None:
        """Note that a field works and may surprise."""
        self._warnings.append(f"{self.at(key)}: {what}")

    def required(self, key: str, value: Any) -> Any:
        """The value, noting its absence."""
        if key not in self._table:
            self.wrong(key, "is missing")
        return value

    def text(self, key: str, longest: int = 255) -> str | None:
        """One line of text that is not empty."""
        value = self._take(key)
        if value is None:
            return None
        if not isinstance(value, str) or not value.strip() or not value.isprintable():
            self.wrong(key, "must be a line of text that is not empty")
            return None
        if len(value) > longest:
            self.wrong(key, f"must be at most {longest} characters long")
            return None
        return value

    def one_of(self, key: str, values: tuple[str, ...]) -> str | None:
        """One of `values`."""
        value = self._take(key)
        if value is None or (isinstance(value, str) and value in values):
            return None if value is None else str(value)
        self.wrong(key, f"must be {' or '.join(values)}")
        return None

    def flag(self, key: str) -> bool | None:
        """true or false."""
        value = self._take(key)
        if value is None or isinstance(value, bool):
            return value
        self.wrong(key, "must be true or false")
        return None

    def whole(self, key: str, low: int, high: int) -> int | None:
        """A whole number in a closed range."""
        value = self._take(key)
        if value is None:
            return None
        if not _is_whole(value) or not low <= value <= high:
            self.wrong(key, f"must be a whole number from {low} to {high}")
            return None
        return int(value)

    def wholes(self, key: str, low: int, high: int) -> list[int] | None:
        """A list of whole numbers in a closed range."""
        value = self._take(key)
        if value is None:
            return None
        if not isinstance(value, list) or not all(_is_whole(each) and low <= each <= high for each in value):
            self.wrong(key, f"must be a list of whole numbers from {low} to {high}")
            return None
        return value

    def number(self, key: str, low: int, high: int) -> Decimal | None:
        """An exact number in a closed range (the file is read with Decimal for floats)."""
        value = self._take(key)
        if value is None:
            return None
        if not (_is_whole(value) or isinstance(value, Decimal)):
            self.wrong(key, "must be a number")
            return None
        if not Decimal(value).is_finite() or not low <= value <= high:
            self.wrong(key, f"must be a number from {low} to {high}")
            return None
        return Decimal(value)

    def day(self, key: str) -> date | None:
        """A date."""
        value = self._take(key)
        if isinstance(value, str):
            value = _parsed(date.fromisoformat, value)
        if isinstance(value, date) and not isinstance(value, datetime):
            return value
        if key in self._table:
            self.wrong(key, "must be a date, such as 2025-09-30")
        return None

    def time_of_day(self, key: str) -> time | None:
        """A time of day on the fleet's clock."""
        value = self._take(key)
        if isinstance(value, str):
            value = _parsed(time.fromisoformat, value)
        if isinstance(value, time) and value.tzinfo is None:
            return value
        if key in self._table:
            self.wrong(key, "must be a time of day, such as 07:00")
        return None

    def moment(self, key: str) -> datetime | None:
        """A moment with its time zone."""
        value = self._take(key)
        if isinstance(value, str):
            value = _parsed(datetime.fromisoformat, value)
        if isinstance(value, datetime) and value.tzinfo is not None:
            return value
        allowed = "must be a time with its zone, such as 2026-01-01T00:00:00+06:00"
        if key in self._table:
            self.wrong(key, allowed)
        return None

    def table(self, key: str) -> Fields | None:
        """A table within."""
        value = self._take(key)
        if value is None:
            return None
        if not isinstance(value, dict):
            self.wrong(key, "must be a table")
            return None
        return Fields(value, self.at(key), self._problems, self._warnings)

    def tables(self, key: str) -> list[Fields]:
        """The tables of an array of tables."""
        value = self._take(key)
        if value is None:
            return []
        if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
            self.wrong(key, f"must be tables, [[{key}]]")
            return []
        return [
            Fields(each, f"{self.at(key)}[{position}]", self._problems, self._warnings)
            for position, each in enumerate(value)
        ]

    def done(self, ours: Collection[str] = ()) -> None:
        """Note fields that were never read; those in `ours` are columns that EvPower writes itself."""
        for key in [key for key in self._table if key not in self._known]:
            if key in ours:
                self.doubtful(key, "is ignored: EvPower writes it itself")
            else:
                close = difflib.get_close_matches(key, self._known, n=1)
                self.wrong(key, f"is unknown{f', did you mean {close[0]}?' if close else ''}")

    def _take(self, key: str) -> Any:
        self._known.add(key)
        return self._table.get(key)


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _parsed(parse: Any, text: str) -> Any:
    try:
        return parse(text)
    except ValueError:
        return None

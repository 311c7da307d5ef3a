"""What an administrator wants of one row, in a fleet file's fields, and the log line of it."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from evpower.errors import InvalidRequest
from evpower.identifiers import STATION_ID
from evpower.network_file.tables import Table

log = logging.getLogger("evpower.fleet")

#: At most this many characters of the input are logged.
LOGGED_CHARS_MAX = 500


def given_fields(body: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that have a value."""
    return {name: value for name, value in body.items() if value is not None}


@dataclass(frozen=True)
class Change:
    """What an administrator wants of one row: fields as in a fleet file, and columns to empty."""

    given: dict[str, Any]
    emptied: tuple[str, ...] = ()

    @classmethod
    def creating(cls, body: Mapping[str, Any]) -> Change:
        """A new row; null is absent. Raises InvalidRequest for an id that could not stand in a path."""
        fields = given_fields(body)
        if not isinstance(fields.get("id"), str) or STATION_ID.fullmatch(fields["id"]) is None:
            raise InvalidRequest(("id", "обязательное поле: от 1 до 50 букв латиницы, цифр, _ и -"))
        return cls(fields)

    @classmethod
    def of(cls, key: str | int, body: Mapping[str, Any], table: Table, *, key_name: str = "id") -> Change:
        """A change of the row with this key; null empties. Raises InvalidRequest for another key, or an empty field
        that is needed."""
        emptied = tuple(name for name, value in body.items() if value is None)
        wrong = [(name, "не может быть пустым") for name in emptied if name not in table.emptiable]
        if body.get(key_name, key) != key:
            wrong.append((key_name, "не изменяется"))
        if wrong:
            raise InvalidRequest(*wrong)
        return cls({**given_fields(body), key_name: key}, emptied)

    @property
    def id(self) -> str:
        return str(self.given["id"])


@contextmanager
def naming(*prefixes: str) -> Iterator[None]:
    """What is wrong is named as the administrator named it: without one of these prefixes."""
    try:
        yield
    except InvalidRequest as wrong:
        raise InvalidRequest(*((_without(field, prefixes), text) for field, text in wrong.fields)) from wrong


def _without(field: str, prefixes: Sequence[str]) -> str:
    return field.removeprefix(next((each for each in prefixes if field.startswith(each)), ""))


def log_change(kind: str, name: object, what: str, change: Change, actor: str) -> None:
    """Log a change that was committed: what of which row, to which values, by whom; never a password."""
    shown = {field: "***" if field == "password" else value for field, value in change.given.items()}
    values = json.dumps({**shown, **dict.fromkeys(change.emptied)}, ensure_ascii=False, default=str)
    log.info("%s %s: %s=%s, fields=%s, by=%s", kind, what, kind, name, values[:LOGGED_CHARS_MAX], actor)

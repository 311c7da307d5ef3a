"""A line of the log: for people as the contract has it (rest-api §1.10), or one JSON object for machines.

No value can pass for another (safe by default 10): what a call logs as an argument is text from outside, or may contain
some, so here, for all of them, it is quoted when it holds what separates one value from the next. The message itself is
ours, and constant (`tests/house/test_log_calls.py`). No password of a URL is written (safe by default 11).
"""

from __future__ import annotations

import json
import logging
import re
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal

from evpower.correlation import correlation_id
from evpower.urls import without_password

#: Its lines are about money.
MONEY_LOGGER = "payment"
#: `name=value, name=value`, `words: words`, and what stands for a quoted letter.
SEPARATORS = re.compile(r"[,=\"\\]|:\s|:$|\s\s|^\s|\s$|^$")
#: An argument's place in a message, with the name before it, when it has one; `%%` is no place.
PLACE = re.compile(r"(?:(\w+)=)?%(%|[-#0 +]*\d*(?:\.\d+)?[a-zA-Z])")


class LineFormatter(logging.Formatter):
    """One message, one line, one value for each name: what a station or phone sends cannot forge any of them.

    `[2025-09-30 12:34:56] INFO - message`, in UTC. Each station's message is a line, so a line is cheap.
    """

    def __init__(self) -> None:
        super().__init__()
        self._second = -1
        self._written = ""

    def format(self, record: logging.LogRecord) -> str:
        """The line and, below it, the traceback, which keeps its lines.

        A line about money names the request, or the station's message, that moved it; a worker's own has none.
        """
        line = printable(f"[{self._time(record.created)}] {record.levelname} - {_message(record)}")
        known = correlation_id.get() if record.name == MONEY_LOGGER else None
        if known is not None:
            line = f"{line}, correlation_id={_value(known)}"
        if record.exc_info:
            line = f"{line}\n{self.formatException(record.exc_info)}"
        if record.stack_info:
            line = f"{line}\n{self.formatStack(record.stack_info)}"
        return without_password(line)

    def _time(self, at: float) -> str:
        """Written once a second."""
        second = int(at)
        if second != self._second:
            self._second, self._written = second, time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(second))
        return self._written


def _message(record: logging.LogRecord) -> str:
    """The message with its values, each as `_value` has it; a text that was logged as it is stays so."""
    if not record.args:
        return str(record.msg)
    if isinstance(record.args, tuple) and record.msg != "%s":
        return str(record.msg) % tuple(map(_value, record.args))
    return record.getMessage()


def printable(text: str) -> str:
    """The text, with escapes for what a terminal or a reader of lines may take for more than text."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


_THEMSELVES = (int, float, Decimal, datetime)


def _value(value: object) -> object:
    """Text that no reader can take for several values; numbers and times are themselves."""
    if value is None or isinstance(value, _THEMSELVES):
        return value
    text = str(value)
    if text.isprintable() and SEPARATORS.search(text) is None:
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{printable(escaped)}"'


class JsonFormatter(logging.Formatter):
    """One object a line: when, how grave, whose, and the message as the other form has it; the values by name, the
    request or message it belongs to, and the traceback, where there are any.

    `event` is the message before its values: the same for every line of its kind.
    """

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        line: dict[str, object] = {
            "at": f"{datetime.fromtimestamp(record.created, UTC):%Y-%m-%dT%H:%M:%S.%fZ}",
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "event": str(record.msg),
        }
        values = {**dict(_named_values(record)), **getattr(record, VALUES, {})}
        if values:
            line["values"] = {name: _raw(value) for name, value in values.items()}
        if (known := correlation_id.get()) is not None:
            line["correlation_id"] = known
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        shown = {name: without_password(each) if isinstance(each, str) else each for name, each in line.items()}
        return _escaped(json.dumps(shown, ensure_ascii=False))


#: The attribute of a record with values that its message does not name.
VALUES = "values"


def _named_values(record: logging.LogRecord) -> Iterator[tuple[str, object]]:
    """What stands in the message as `name=value`."""
    if not isinstance(record.args, tuple):
        return
    places = [match for match in PLACE.finditer(str(record.msg)) if match[2] != "%"]
    for match, value in zip(places, record.args, strict=False):
        if match[1]:
            yield match[1], value


def _raw(value: object) -> object:
    """Numbers and truth as JSON has them, money's decimals and all else as text."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Mapping):
        return {str(name): _raw(each) for name, each in value.items()}
    return without_password(str(value))


def _escaped(text: str) -> str:
    """JSON with escapes for letters that a terminal or a reader of lines may take for more than text."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else json.dumps(each)[1:-1] for each in text)

"""The log: lines operators grep (contract/rest-api §1.10), to standard output and, when asked, a file.

`[2025-09-30 12:34:56] INFO - message`, in UTC. Errors carry their traceback on the lines below.

No value can pass for another (safe by default 10): what a call logs as an argument is text from outside, or may contain
some, so here, for all of them, it is quoted when it holds what separates one value from the next. The message itself is
ours, and constant (`tests/house/test_log_calls.py`). No password of a URL is written (safe by default 11).
"""

from __future__ import annotations

import logging
import os
import re
import sys
import time
from contextlib import suppress
from copy import copy
from datetime import datetime
from decimal import Decimal
from io import TextIOWrapper
from logging.handlers import WatchedFileHandler
from typing import TextIO

from evpower.correlation import correlation_id
from evpower.errors import ConfigError
from evpower.settings.process import LogSettings
from evpower.urls import without_password

#: The names operators filter by (seed §10); at INFO whatever the libraries around them do.
OUR_LOGGERS = ("OCPPHandler", "OCPP", "websockets", "payment", "security")
#: Its lines are about money.
MONEY_LOGGER = "payment"
#: What trio says of the accept loops of both doors.
ACCEPT_LOGGER = "trio.serve_listeners"
LOG_FILE_MODE = 0o640
#: `name=value, name=value`, `words: words`, and what stands for a quoted letter.
SEPARATORS = re.compile(r"[,=\"\\]|:\s|:$|\s\s|^\s|\s$|^$")
#: They repeat what our own lines say better.
QUIET_LOGGERS = ("hypercorn", "httpx2", "httpcore2")


class LineFormatter(logging.Formatter):
    """One message, one line, one value for each name: what a station or phone sends cannot forge any of them."""

    def __init__(self) -> None:
        super().__init__("[%(asctime)s] %(levelname)s - %(message)s", "%Y-%m-%d %H:%M:%S")
        self.converter = time.gmtime

    def format(self, record: logging.LogRecord) -> str:
        """The line and, below it, the traceback; the record itself is other handlers' too, and left as it is."""
        if isinstance(record.args, tuple) and record.msg != "%s":
            shown = copy(record)
            shown.args = tuple(_value(each) for each in record.args)
            record = shown
        return without_password(super().format(record))

    def formatMessage(self, record: logging.LogRecord) -> str:
        """The line itself; the traceback below it keeps its lines.

        A line about money names the request, or the station's message, that moved it; a worker's own has none.
        """
        line = printable(super().formatMessage(record))
        known = correlation_id.get() if record.name == MONEY_LOGGER else None
        return line if known is None else f"{line}, correlation_id={_value(known)}"


def printable(text: str) -> str:
    """The text, with escapes for what a terminal or a reader of lines may take for more than text."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def _value(value: object) -> object:
    """Text that no reader can take for several values; numbers and times are themselves."""
    if value is None or isinstance(value, int | float | Decimal | datetime):
        return value
    text = str(value)
    if text.isprintable() and SEPARATORS.search(text) is None:
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{printable(escaped)}"'


class OncePerSecond(logging.Filter):
    """Of one logger: a line a second without its traceback, and how many more there would have been.

    For the accept loops: without a free descriptor they try again at once, for as long as that lasts.
    """

    def __init__(self) -> None:
        super().__init__()
        self._last_s = -1.0
        self._left_out = 0

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether this one is written."""
        if 0 <= record.created - self._last_s < 1:
            self._left_out += 1
            return False
        record.exc_info = record.exc_text = None
        if self._left_out:
            record.msg, record.args = f"{record.getMessage()} ({self._left_out} more since the last such line)", None
        self._last_s, self._left_out = record.created, 0
        return True


def configure(settings: LogSettings, stream: TextIO | None = None, *, stream_level: str | None = None) -> None:
    """Send every log line to `stream` (standard output) and the configured file; may be called again.

    `stream_level` keeps lines below it from the stream alone. Raises ConfigError when the file cannot be opened.
    """
    handlers: list[logging.Handler] = [logging.StreamHandler(sys.stdout if stream is None else stream)]
    if settings.file:
        handlers.append(_open_file(settings.file))
    level = logging.getLevelNamesMapping()[settings.level]
    root = logging.getLogger()
    for old in [handler for handler in root.handlers if isinstance(handler.formatter, LineFormatter)]:
        root.removeHandler(old)
        old.close()
    for handler in handlers:
        handler.setFormatter(LineFormatter())
        handler.setLevel(level)
        root.addHandler(handler)
    if stream_level is not None:
        handlers[0].setLevel(stream_level)
    root.setLevel(level)
    for name in OUR_LOGGERS:
        logging.getLogger(name).setLevel(logging.INFO)
    for name in QUIET_LOGGERS:
        logging.getLogger(name).setLevel(logging.WARNING)
    accepting = logging.getLogger(ACCEPT_LOGGER)
    if not any(isinstance(each, OncePerSecond) for each in accepting.filters):
        accepting.addFilter(OncePerSecond())


class _LogFile(WatchedFileHandler):
    """A file for its owner and group: addresses and clients are in it."""

    def _open(self) -> TextIOWrapper:
        opened = super()._open()
        with suppress(PermissionError):  # another's, who may write it all the same
            os.fchmod(opened.fileno(), LOG_FILE_MODE)
        return opened


def _open_file(path: str) -> logging.Handler:
    """A file that is opened again when logrotate moves it away."""
    try:
        return _LogFile(path, encoding="utf-8")
    except OSError as error:
        raise ConfigError([f"log.file: {path} cannot be opened: {error.strerror}"]) from None

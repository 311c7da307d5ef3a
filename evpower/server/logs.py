"""The log: lines operators grep (contract/rest-api §1.10), to standard output and, when asked, a file.

`[2025-09-30 12:34:56] INFO - message`, in UTC. Errors carry their traceback on the lines below.
"""

from __future__ import annotations

import logging
import os
import re
import sys
import time
from contextlib import suppress
from io import TextIOWrapper
from logging.handlers import WatchedFileHandler
from typing import TextIO

from evpower.correlation import correlation_id
from evpower.errors import ConfigError
from evpower.settings.config import LogSettings

#: The names operators filter by (seed §10); at INFO whatever the libraries around them do.
OUR_LOGGERS = ("OCPPHandler", "OCPP", "websockets", "payment", "security")
#: Its lines are about money.
MONEY_LOGGER = "payment"
#: What trio says of the accept loops of both doors.
ACCEPT_LOGGER = "trio.serve_listeners"
LOG_FILE_MODE = 0o640
#: What a terminal or a reader of lines may take for more than text.
CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")
#: They repeat what our own lines say better.
QUIET_LOGGERS = ("hypercorn", "httpx2", "httpcore2")


class LineFormatter(logging.Formatter):
    """One message, one line: what a station or phone sends cannot forge a line of its own."""

    def __init__(self) -> None:
        super().__init__("[%(asctime)s] %(levelname)s - %(message)s", "%Y-%m-%d %H:%M:%S")
        self.converter = time.gmtime

    def formatMessage(self, record: logging.LogRecord) -> str:
        """The line itself; the traceback below it keeps its lines.

        A line about money names the request, or the station's message, that moved it; a worker's own has none.
        """
        line = super().formatMessage(record).replace("\r", "\\r").replace("\n", "\\n")
        line = CONTROLS.sub(lambda found: f"\\x{ord(found[0]):02x}", line)
        known = correlation_id.get() if record.name == MONEY_LOGGER else None
        return line if known is None else f"{line}, correlation_id={known}"


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

"""The log: lines operators grep (contract/rest-api §1.10), to standard output and, when asked, a file.

`[2025-09-30 12:34:56] INFO - message`, in UTC. Errors carry their traceback on the lines below. Or, as `log.format`
says, a JSON object a line; how either is written: `log_lines.py`.
"""

from __future__ import annotations

import logging
import os
import sys
from contextlib import suppress
from io import TextIOWrapper
from logging.handlers import WatchedFileHandler
from typing import TextIO

from evpower.errors import ConfigError
from evpower.server.log_lines import JsonFormatter, LineFormatter
from evpower.settings.process import LOGGERS, LogSettings

FORMATTERS: dict[str, type[logging.Formatter]] = {"text": LineFormatter, "json": JsonFormatter}
#: The names operators filter by (seed §10); at INFO whatever the libraries around them do.
OUR_LOGGERS = ("OCPPHandler", "OCPP", "websockets", "payment", "security")
#: What trio says of the accept loops of both doors.
ACCEPT_LOGGER = "trio.serve_listeners"
LOG_FILE_MODE = 0o640
#: They repeat what our own lines say better.
QUIET_LOGGERS = ("hypercorn", "httpx2", "httpcore2")


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
    root = logging.getLogger()
    for old in _ours():
        root.removeHandler(old)
        old.close()
    for handler in handlers:
        handler.setFormatter(FORMATTERS[settings.format]())
        root.addHandler(handler)
    if stream_level is not None:
        handlers[0].setLevel(stream_level)
    _set_levels(settings)
    _forgo_unshown()
    accepting = logging.getLogger(ACCEPT_LOGGER)
    if not any(isinstance(each, OncePerSecond) for each in accepting.filters):
        accepting.addFilter(OncePerSecond())


def reopen() -> None:
    """Open the log file by its name again, wherever it was moved; without a file nothing happens."""
    for handler in _ours():
        if isinstance(handler, _LogFile):
            handler.open_again()


def _ours() -> list[logging.Handler]:
    """The handlers that `configure` has made."""
    kinds = tuple(FORMATTERS.values())
    return [handler for handler in logging.getLogger().handlers if isinstance(handler.formatter, kinds)]


def _set_levels(settings: LogSettings) -> None:
    """The level of all, of some `INFO` and `WARNING` at least, and what the setting says of single loggers."""
    numbers = logging.getLevelNamesMapping()
    of_all = numbers[settings.level]
    levels = dict.fromkeys(LOGGERS, logging.NOTSET)
    levels |= dict.fromkeys(OUR_LOGGERS, max(of_all, logging.INFO))
    levels |= dict.fromkeys(QUIET_LOGGERS, max(of_all, logging.WARNING))
    levels |= {name: numbers[level] for name, level in settings.levels}
    logging.getLogger().setLevel(of_all)
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


def _forgo_unshown() -> None:
    """No line names its thread, process or place in the code: none is looked up (the logging HOWTO, "Optimization")."""
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging._srcfile = None


class _LogFile(WatchedFileHandler):
    """A file for its owner and group: addresses and clients are in it."""

    def _open(self) -> TextIOWrapper:
        opened = super()._open()
        with suppress(PermissionError):  # another's, who may write it all the same
            os.fchmod(opened.fileno(), LOG_FILE_MODE)
        return opened

    def open_again(self) -> None:
        """The file of this name from now on; the old one stays when there can be no new one."""
        self.acquire()
        try:
            opened = self._open()
            old, self.stream = self.stream, opened
            if old is not None:
                old.close()
            self._statstream()
        finally:
            self.release()


def _open_file(path: str) -> logging.Handler:
    """A file that is opened again when logrotate moves it away."""
    try:
        return _LogFile(path, encoding="utf-8")
    except OSError as error:
        raise ConfigError([f"log.file: {path} cannot be opened: {error.strerror}"]) from None

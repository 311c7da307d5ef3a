"""The last warnings and errors of this process, for people who look at its page instead of its log."""

from __future__ import annotations

import logging
from collections import deque
from datetime import UTC, datetime
from typing import NoReturn

import trio

from evpower.pages.system import LogLine

MOST_LINES = 200
#: The end of a traceback says what it was; all of it is in the log.
LINE_CHARS_MAX = 1000


class RecentLines(logging.Handler):
    """Keeps them, the newest last."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: deque[LogLine] = deque(maxlen=MOST_LINES)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one more."""
        try:
            text = record.getMessage()
            if record.exc_info and record.exc_info[1] is not None:
                text += f" ({type(record.exc_info[1]).__name__}: {record.exc_info[1]})"
        except Exception:
            self.handleError(record)
            return
        level = "ERROR" if record.levelno >= logging.ERROR else "WARNING"
        at = datetime.fromtimestamp(record.created, UTC)
        self.lines.append(LogLine(at, level, record.name, text[:LINE_CHARS_MAX]))

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> NoReturn:
        """Listen to every logger, until cancelled."""
        logging.getLogger().addHandler(self)
        task_status.started()
        try:
            await trio.sleep_forever()
        finally:
            logging.getLogger().removeHandler(self)

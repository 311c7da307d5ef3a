"""Volley after volley at a server of this process, and what must not come of it.

A record that no stranger may cause (ERROR, a traceback); tasks or memory that do not come back.
"""

from __future__ import annotations

import gc
import logging
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import trio
import trio.testing

#: Before it the memory is not looked at: caches fill.
WARM_UP_S = 10.0
GROWTH_MOST = 1.10
#: A minute after any attack all is as before (safe by default 4).
SETTLES_WITHIN_S = 60.0
#: Each peer of a volley looks at its answers for a moment only.
VOLLEY_WITHIN_S = 120.0
SHOWN = 40

#: Sends one round, of some 30 peers at once; what was sent, for the one who looks for the cause.
Volley = Callable[[], Awaitable[list[bytes]]]


@dataclass(frozen=True)
class Duration:
    """How long: minutes, or in a test volleys."""

    minutes: float = 0.0
    volleys: int = 0

    def is_over(self, elapsed_s: float, sent: int) -> bool:
        return sent >= self.volleys if self.volleys else elapsed_s >= self.minutes * 60


class Alarms(logging.Handler):
    """Keeps every record that no stranger may cause."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.setFormatter(logging.Formatter())

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno >= logging.ERROR or record.exc_info:
            self.found.append(self.format(record))


def memory_kib() -> int:
    """Of this process, resident."""
    gc.collect()
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1])


def tasks() -> int:
    """All that live in this run of trio."""
    return trio.lowlevel.current_statistics().tasks_living


async def storm(volley: Volley, duration: Duration) -> str:
    """What went wrong; empty when nothing did."""
    alarms, volleys, last, before_kib = Alarms(), 0, [b""], 0
    logging.getLogger().addHandler(alarms)
    try:
        await trio.testing.wait_all_tasks_blocked()  # a server that has just begun starts its last tasks still
        began, tasks_before = trio.current_time(), tasks()
        while not alarms.found and not duration.is_over(trio.current_time() - began, volleys):
            with trio.move_on_after(VOLLEY_WITHIN_S) as volleying:
                last = await volley()
            if volleying.cancelled_caught:
                return "a peer is neither answered nor shut out"
            volleys += 1
            if not before_kib and (duration.volleys or trio.current_time() - began > WARM_UP_S):
                before_kib = memory_kib()
        with trio.move_on_after(SETTLES_WITHIN_S):
            while tasks() > tasks_before:  # noqa: ASYNC110 - tasks of a server have no event that they all end at
                await trio.sleep(0.01)
        tasks_after, after_kib = tasks(), memory_kib()
    finally:
        logging.getLogger().removeHandler(alarms)
    sys.stdout.write(f"{volleys} volleys, {before_kib} and {after_kib} KiB, {tasks_before} and {tasks_after} tasks\n")
    if alarms.found:
        return "\n".join([*alarms.found[:3], *(repr(raw) for raw in last[-SHOWN:])])
    if tasks_after > tasks_before * GROWTH_MOST + 1:
        return f"{tasks_after} tasks are left of {tasks_before}"
    return "memory does not come back" if before_kib and after_kib > before_kib * GROWTH_MOST else ""

"""Workers: a job repeated until cancelled, on time and when woken; a fault is logged and ends only what it happened in.

What a job does is found in rows or queues, so a failed round loses nothing: the next one finds the same work.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn

import trio


class Wake:
    """A call to one worker to begin its next round now."""

    def __init__(self) -> None:
        self._called = trio.Event()

    def set(self) -> None:
        """Call. Calls during a round, however many, are followed by one more round."""
        self._called.set()

    async def wait(self, at_most_s: float = math.inf) -> None:
        """Until called, or `at_most_s` seconds; every call before the return is answered by it.

        No await lies between the answer and what the caller does next, so no call is lost.
        """
        with trio.move_on_after(at_most_s):
            await self._called.wait()
        self._called = trio.Event()


@contextmanager
def contain(log: logging.Logger, message: str, *args: object) -> Iterator[None]:
    """Log an exception of the block with this message, and go on after the block. Cancellation passes."""
    try:
        yield
    except Exception:
        log.exception(message, *args)


async def repeat(
    job: Callable[[], Awaitable[object]],
    every_s: float,
    wake: Wake | None = None,
    *,
    log: logging.Logger,
    failure: str,
) -> NoReturn:
    """Do the job now, then `every_s` seconds after each round or as soon as woken, until cancelled.

    A round that raises is logged with `failure`, a whole sentence, and repeated like any other.
    """
    wake = wake or Wake()
    while True:
        with contain(log, "%s", failure):
            await job()
        await wake.wait(every_s)

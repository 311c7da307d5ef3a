"""Workers: a job repeated until cancelled, on time and when woken; a fault is logged and ends only what it happened in.

What a job does is found in rows or queues, so a failed round loses nothing: the next one finds the same work.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Generic, NoReturn, TypeVar

import trio

T = TypeVar("T")


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


class Crew(Generic[T]):
    """Works on rows that are due, each in a task of its own, so many at once; what is claimed is found again in the
    rows when a task, or the process, does not come to its end."""

    def __init__(
        self,
        claim: Callable[[int], Awaitable[Sequence[T]]],
        work: Callable[[T], Awaitable[None]],
        most: int,
        wake: Wake | None = None,
        *,
        log: logging.Logger,
        failure: str,
    ) -> None:
        """`claim` takes at most so many rows; `failure` is logged, a whole sentence, for work that raises."""
        self._claim = claim
        self._work = work
        self._most = most
        self._wake = wake or Wake()
        self._log = log
        self._failure = failure
        self._under_way = 0

    async def run(self, every_s: float, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Until cancelled: when woken, and `every_s` seconds after each look."""
        async with trio.open_nursery() as under_way:
            task_status.started()
            begin = partial(self._begin_due, under_way)
            await repeat(begin, every_s, self._wake, log=self._log, failure=self._failure)

    async def work_due(self) -> None:
        """Work on what is due at this moment, once each; returns when all of it was tried."""
        begun = True
        while begun:
            async with trio.open_nursery() as under_way:
                begun = await self._begin_due(under_way) > 0

    async def _begin_due(self, under_way: trio.Nursery) -> int:
        """Claim what there is room for; one task for each."""
        room = self._most - self._under_way
        if room <= 0:
            return 0
        claimed = await self._claim(room)
        for row in claimed:
            self._under_way += 1
            under_way.start_soon(self._work_contained, row)
        return len(claimed)

    async def _work_contained(self, row: T) -> None:
        try:
            with contain(self._log, "%s", self._failure):
                await self._work(row)
        finally:
            # There may be more than there was room for.
            if self._under_way == self._most:
                self._wake.set()
            self._under_way -= 1

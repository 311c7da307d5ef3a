"""psycopg's generators driven by trio: they say what they wait for, and trio waits."""

from __future__ import annotations

import select
import time
from collections.abc import Awaitable, Callable, Generator
from contextlib import suppress
from typing import Any

import trio
from psycopg import errors
from psycopg.waiting import Ready, Wait

#: A generator that never blocks still lets others run this often.
BREATHE_EVERY_S = 0.005

_POLL_EVENTS = {Wait.R: select.POLLIN, Wait.W: select.POLLOUT, Wait.RW: select.POLLIN | select.POLLOUT}
_BROKEN = select.POLLHUP | select.POLLERR | select.POLLNVAL


class Breath:
    """Lets others run when a connection works on without blocking, also over many short calls (a COPY, row by row)."""

    def __init__(self) -> None:
        self._held_since: float | None = None

    def taken(self) -> None:
        """The connection has waited: everybody else has had a turn."""
        self._held_since = None

    async def due(self) -> None:
        """Called before each step that may not block."""
        # The machine's clock on purpose: this is CPU time kept from others, which a test's clock knows nothing of.
        now = time.monotonic()
        if self._held_since is None:
            self._held_since = now
        elif now - self._held_since > BREATHE_EVERY_S:
            self._held_since = None
            await trio.lowlevel.checkpoint()


async def drive(gen: Any, fd: int, breath: Breath) -> Any:
    """Run a generator that waits on one socket, going round trio's loop only where it would really block.

    Cancelled, it leaves the generator where it was: another call drives it on.
    """
    try:
        await breath.due()  # here as well: a row of a COPY is a call of its own, and most never wait
        wanted = next(gen)
        while True:
            if wanted == Wait.R:
                await trio.lowlevel.wait_readable(fd)
                breath.taken()
                wanted = gen.send(Ready.R)
            elif ready := poll(fd, wanted):
                await breath.due()
                wanted = gen.send(ready)
            else:
                ready = await _wait(fd, wanted)
                breath.taken()
                wanted = gen.send(ready)
    except StopIteration as end:
        return end.value
    except (OSError, trio.ClosedResourceError) as error:
        raise errors.OperationalError("connection socket closed") from error


async def drive_connecting(gen: Generator[tuple[int, Wait], int, Any]) -> Any:
    """Run a connecting or cancelling generator, whose socket may change."""
    try:
        fd, wanted = next(gen)
        while True:
            fd, wanted = gen.send(await _wait(fd, wanted))
    except StopIteration as end:
        return end.value
    except OSError as error:
        raise errors.OperationalError("connection socket closed") from error


async def _wait(fd: int, wanted: Wait) -> int:
    if wanted == Wait.R:
        await trio.lowlevel.wait_readable(fd)
        return Ready.R
    if wanted == Wait.W:
        await trio.lowlevel.wait_writable(fd)
        return Ready.W
    async with trio.open_nursery() as either:
        for wait in (trio.lowlevel.wait_readable, trio.lowlevel.wait_writable):
            either.start_soon(_first_of_two, wait, fd, either.cancel_scope)
    return poll(fd, wanted)


async def _first_of_two(wait: Callable[[int], Awaitable[None]], fd: int, both: trio.CancelScope) -> None:
    # A socket closed meanwhile counts as ready: libpq meets the error itself, and reports it outside any group.
    with suppress(OSError, trio.ClosedResourceError):
        await wait(fd)
    both.cancel()


def poll(fd: int, wanted: Wait) -> int:
    """Which of the wanted states the socket is in right now; a broken one is ready for everything."""
    poller = select.poll()
    poller.register(fd, _POLL_EVENTS[wanted])
    ready = 0
    for _, events in poller.poll(0):
        if events & (select.POLLIN | _BROKEN):
            ready |= Ready.R
        if events & (select.POLLOUT | _BROKEN):
            ready |= Ready.W
    return ready & wanted

"""A worker repeats its job on time and when woken; a failed round is logged and repeated."""

from __future__ import annotations

import logging
import math
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from evpower.worker import Wake, contain, repeat

log = logging.getLogger("evpower.test")
EVERY_S = 10.0


class Job:
    """Notes when each round began; a round lasts `lasts_s`, and raises when told to."""

    def __init__(self, lasts_s: float = 0.0, *, error: BaseException | None = None) -> None:
        self.began: list[float] = []
        self._lasts_s = lasts_s
        self._error = error

    async def __call__(self) -> None:
        self.began.append(trio.current_time())
        await trio.sleep(self._lasts_s)
        if self._error is not None:
            raise self._error


@asynccontextmanager
async def working(job: Callable[[], Awaitable[None]], wake: Wake | None = None) -> AsyncIterator[None]:
    async def work() -> None:
        await repeat(job, EVERY_S, wake, log=log, failure="the job failed and will be repeated")

    async with trio.open_nursery() as nursery:
        nursery.start_soon(work)
        await wait_all_tasks_blocked()
        yield
        nursery.cancel_scope.cancel()


async def test_a_job_is_done_at_once_and_then_after_each_pause(autojump_clock: MockClock) -> None:
    job = Job(lasts_s=3)
    async with working(job):
        await trio.sleep(30)
    assert job.began == [0, 13, 26]


async def test_a_job_is_done_when_woken(autojump_clock: MockClock) -> None:
    job, wake = Job(), Wake()
    async with working(job, wake):
        await trio.sleep(4)
        wake.set()
        await trio.sleep(12)
    assert job.began == [0, 4, 14]


async def test_calls_during_a_round_are_followed_by_one_more_round(autojump_clock: MockClock) -> None:
    job, wake = Job(lasts_s=3), Wake()
    async with working(job, wake):
        for _ in range(2):
            await trio.sleep(1)
            wake.set()
        await trio.sleep(6)
    assert job.began == [0, 3]


async def test_a_round_that_fails_is_logged_and_repeated(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    job, wake = Job(error=ValueError("no database")), Wake()
    async with working(job, wake):
        await trio.sleep(4)
        wake.set()
        await trio.sleep(12)
    assert job.began == [0, 4, 14]
    assert [(record.name, record.levelname, record.message) for record in caplog.records] == [
        ("evpower.test", "ERROR", "the job failed and will be repeated")
    ] * 3
    assert "no database" in caplog.text


async def test_what_is_no_fault_of_a_round_ends_the_worker(autojump_clock: MockClock) -> None:
    with pytest.raises(KeyboardInterrupt):
        await repeat(Job(error=KeyboardInterrupt()), EVERY_S, log=log, failure="the job failed")


async def test_a_call_before_the_wait_is_answered_at_once_and_only_once(autojump_clock: MockClock) -> None:
    wake = Wake()
    wake.set()
    wake.set()
    await wake.wait()
    assert trio.current_time() == 0
    await wake.wait(EVERY_S)
    assert trio.current_time() == EVERY_S


async def test_a_wait_without_an_end_lasts_until_the_call(autojump_clock: MockClock) -> None:
    wake = Wake()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(wake.wait, math.inf)
        await trio.sleep(80_000)
        wake.set()
    assert trio.current_time() == 80_000


async def test_a_wait_that_is_cancelled_leaves_the_call(autojump_clock: MockClock) -> None:
    wake = Wake()
    with trio.move_on_after(1):
        await wake.wait()
    wake.set()
    with trio.CancelScope() as scope:
        scope.cancel()
        await wake.wait()
    await wake.wait()
    assert trio.current_time() == 1


async def test_a_fault_is_logged_and_ends_only_its_block(caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> None:
        raise ExceptionGroup("of a nursery", [ValueError("why")])

    with contain(log, "session %s failed", "s-1"):
        fail()
    assert [record.message for record in caplog.records] == ["session s-1 failed"]
    assert "why" in caplog.text


async def test_cancellation_is_no_fault(caplog: pytest.LogCaptureFixture) -> None:
    with trio.CancelScope() as scope:
        scope.cancel()
        with contain(log, "a fault"):
            await trio.sleep(1)
    assert scope.cancelled_caught
    assert not caplog.records

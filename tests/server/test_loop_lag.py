"""A loop that stands still is seen (issue H §5)."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock

from evpower.server.loop_lag import LOOK_EVERY_S, LoopLag


async def test_a_loop_in_time_is_never_late(autojump_clock: MockClock) -> None:
    lag = LoopLag()
    async with trio.open_nursery() as workers:
        await workers.start(lag.run)
        await trio.sleep(10 * LOOK_EVERY_S + 0.01)
        workers.cancel_scope.cancel()
    assert lag.late.count == lag.late.buckets[0] == 10


async def test_a_task_that_holds_the_loop_makes_it_late(mock_clock: MockClock) -> None:
    lag = LoopLag()
    async with trio.open_nursery() as workers:
        await workers.start(lag.run)
        await trio.testing.wait_all_tasks_blocked()
        mock_clock.jump(LOOK_EVERY_S + 0.3)
        await trio.testing.wait_all_tasks_blocked()
        workers.cancel_scope.cancel()
    assert lag.late.count == 1
    assert lag.late.sum_s == pytest.approx(0.3)

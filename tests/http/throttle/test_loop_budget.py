"""What an address may take of the event loop, and how that is measured (safe-by-default §7)."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

import pytest
import trio
import trio.lowlevel
import trio.testing

from evpower.http.throttle.loop_budget import LoopBudget
from evpower.http.wire.loop_time import LoopTime
from tests.http.fakes import Cpu

HOME, AWAY = "203.0.113.5", "198.51.100.9"


def test_two_hundred_milliseconds_a_second_are_free() -> None:
    budget = LoopBudget()
    for second in range(100):
        assert budget.wait_s(HOME, second) == 0
        budget.pay(HOME, 0.2, second)


def test_beyond_it_an_address_waits_until_it_has_worked_off_what_it_took() -> None:
    budget = LoopBudget()
    budget.pay(HOME, 0.15, 0)
    assert budget.wait_s(HOME, 0) == 0
    budget.pay(HOME, 1.05, 0)
    assert budget.wait_s(HOME, 0) == pytest.approx(5)
    assert budget.wait_s(HOME, 4.9) > 0
    assert budget.wait_s(HOME, 5.1) == 0
    assert budget.wait_s(AWAY, 0) == 0


def test_ten_seconds_of_demand_get_two_seconds_of_the_loop_and_no_more_than_one_request_beyond() -> None:
    budget, got_s = LoopBudget(), 0.0
    for millisecond in range(10_000):
        if not budget.wait_s(HOME, millisecond / 1000):
            budget.pay(HOME, 0.1, millisecond / 1000)
            got_s += 0.1
    assert 2.0 <= got_s <= 2.0 + 0.2 + 0.1


def test_a_million_addresses_take_the_memory_of_the_most() -> None:
    budget = LoopBudget(addresses_most=5)
    for number in range(1000):
        budget.pay(str(number), 1, 0)
        assert len(budget) <= 5


def test_what_is_worked_off_is_forgotten() -> None:
    budget = LoopBudget()
    for number in range(100):
        budget.pay(str(number), 0.01, 0)
    budget.pay(HOME, 0.01, 1)
    assert len(budget) == 1


async def measured(work: Callable[[Cpu], Coroutine[Any, Any, str]]) -> tuple[LoopTime, Cpu, str]:
    cpu = Cpu()
    loop_time = LoopTime(cpu)

    return loop_time, cpu, await loop_time.measure(work(cpu))


async def test_only_the_requests_own_steps_are_measured() -> None:
    async def work(cpu: Cpu) -> str:
        cpu.work(1)
        async with trio.open_nursery() as others:
            others.start_soon(other, cpu)
            await trio.lowlevel.checkpoint()
            await trio.testing.wait_all_tasks_blocked()
        cpu.work(2)
        return "done"

    async def other(cpu: Cpu) -> None:
        cpu.work(100)

    loop_time, cpu, result = await measured(work)
    assert (loop_time.spent_s, cpu.used_s, result) == (3, 103, "done")


async def test_who_pays_is_charged_as_it_goes_and_for_what_went_before() -> None:
    paid = list[float]()
    cpu = Cpu()
    loop_time = LoopTime(cpu)

    async def work() -> None:
        cpu.work(1)
        await trio.lowlevel.checkpoint()
        loop_time.charge(paid.append)
        cpu.work(2)
        await trio.lowlevel.checkpoint()
        assert sum(paid) == 3
        cpu.work(4)

    await loop_time.measure(work())
    assert sum(paid) == 7


async def test_an_error_comes_out_and_what_it_took_is_charged() -> None:
    async def work(cpu: Cpu) -> str:
        cpu.work(1)
        await trio.lowlevel.checkpoint()
        cpu.work(1)
        raise ValueError("no")

    cpu = Cpu()
    loop_time = LoopTime(cpu)
    with pytest.raises(ValueError, match="no"):
        await loop_time.measure(work(cpu))
    assert loop_time.spent_s == 2


async def test_a_cancellation_goes_through() -> None:
    ended = list[str]()

    async def work(cpu: Cpu) -> str:
        try:
            await trio.sleep_forever()
        finally:
            ended.append("ended")

    with trio.move_on_after(0):
        await measured(work)
        raise AssertionError("it went on")
    assert ended == ["ended"]

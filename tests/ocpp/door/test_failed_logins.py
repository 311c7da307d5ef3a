"""Failed logins: counted, logged and slowed per address, in bounded memory."""

from __future__ import annotations

import logging

import pytest
import trio
from trio.testing import MockClock

from evpower.ocpp.door.failed_logins import FORGIVEN_AFTER_S, FREE_FAILURES, WAIT_S, FailedLogins

HERE, THERE = "192.0.2.1", "192.0.2.2"


async def fail(logins: FailedLogins, address: str, times: int = 1) -> float:
    """Fail so often, one after the other; the time it took."""
    began = trio.current_time()
    for _ in range(times):
        async with logins.turn(address):
            await logins.failed(address, "CP-1", "wrong password")
    return trio.current_time() - began


async def test_the_first_failures_cost_nothing(autojump_clock: MockClock) -> None:
    assert await fail(FailedLogins(), HERE, FREE_FAILURES) == 0


async def test_each_further_failure_waits(autojump_clock: MockClock) -> None:
    logins = FailedLogins()
    await fail(logins, HERE, FREE_FAILURES)
    assert await fail(logins, HERE, 3) == 3 * WAIT_S


async def test_guesses_in_parallel_gain_nothing(autojump_clock: MockClock) -> None:
    logins = FailedLogins()
    await fail(logins, HERE, FREE_FAILURES + 1)
    began = trio.current_time()
    async with trio.open_nursery() as nursery:
        for _ in range(10):
            nursery.start_soon(fail, logins, HERE)
    assert trio.current_time() - began == 10 * WAIT_S


async def test_another_address_is_not_slowed(autojump_clock: MockClock) -> None:
    logins = FailedLogins()
    await fail(logins, HERE, FREE_FAILURES + 1)
    assert await fail(logins, THERE) == 0


async def test_an_address_is_forgiven_after_a_while(autojump_clock: MockClock) -> None:
    logins = FailedLogins()
    await fail(logins, HERE, FREE_FAILURES + 1)
    await trio.sleep(FORGIVEN_AFTER_S + 1)
    assert await fail(logins, HERE) == 0


async def test_all_are_counted_and_few_addresses_remembered(autojump_clock: MockClock) -> None:
    logins = FailedLogins(max_addresses=10)
    for number in range(50):
        await fail(logins, f"198.51.100.{number}")
    assert logins.total == 50
    assert len(logins._addresses) == 10


async def test_the_addresses_slowed_now_are_told_the_latest_first(autojump_clock: MockClock) -> None:
    logins = FailedLogins()
    await fail(logins, HERE, FREE_FAILURES)
    await fail(logins, "192.0.2.3", FREE_FAILURES - 1)
    await fail(logins, THERE, FREE_FAILURES)
    assert logins.slowed() == [THERE, HERE]
    await trio.sleep(FORGIVEN_AFTER_S + 1)
    assert logins.slowed() == []


async def test_each_is_logged_with_its_address_and_reason(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "security")
    await fail(FailedLogins(), HERE)
    assert caplog.messages == [f"login refused: station=CP-1, address={HERE}, reason=wrong password, failures=1"]

"""Failed logins: counted, logged and slowed per address, in bounded memory."""

from __future__ import annotations

import logging
from contextlib import suppress

import pytest
import trio
from trio.testing import MockClock

from evpower.ocpp.door.failed_logins import FORGIVEN_AFTER_S, FREE_FAILURES, WAIT_S, FailedLogins, TooManyTries

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


async def burst(logins: FailedLogins, tries: list[tuple[str, str]]) -> int:
    """All at once, and all wrong; how many were looked at."""
    checked = 0

    async def guess(address: str, station: str) -> None:
        nonlocal checked
        with suppress(TooManyTries):
            async with logins.turn(address, station):
                checked += 1
                await trio.sleep(0.02)
                await logins.failed(address, station, "wrong password")

    async with trio.open_nursery() as nursery:
        for address, station in tries:
            nursery.start_soon(guess, address, station)
    return checked


@pytest.mark.parametrize(
    "tries",
    [
        [(HERE, "CP-1")] * 600,
        [(HERE, f"CP-{number}") for number in range(600)],
        [(f"198.51.{number // 200}.{number % 200}", "CP-1") for number in range(600)],
        [(f"2001:db8::{number:x}", f"CP-{number}") for number in range(600)],
    ],
    ids=["one address, one station", "one address", "one station", "one /64"],
)
async def test_a_parallel_burst_is_checked_at_most_ten_times(
    autojump_clock: MockClock, tries: list[tuple[str, str]]
) -> None:
    """Safe by default 8."""
    assert await burst(FailedLogins(), tries) <= 10


async def test_the_right_password_waits_at_most_two_seconds_meanwhile(autojump_clock: MockClock) -> None:
    """Safe by default 8: from elsewhere, while the station is guessed at without an end."""
    logins = FailedLogins()
    async with trio.open_nursery() as nursery:
        for _ in range(20):
            nursery.start_soon(burst, logins, [(HERE, "CP-1")] * 60)
        await trio.sleep(1)
        began = trio.current_time()
        async with logins.turn(THERE, "CP-1"):
            assert trio.current_time() - began <= WAIT_S + 0.05
        nursery.cancel_scope.cancel()


async def test_a_slowed_address_still_has_one_that_waits(autojump_clock: MockClock) -> None:
    """The newest: the one before it is told to come again."""
    logins = FailedLogins()
    await fail(logins, HERE, FREE_FAILURES + 1)
    began = trio.current_time()
    assert await burst(logins, [(HERE, "CP-1")] * 10) == 2
    assert trio.current_time() - began == pytest.approx(2 * (WAIT_S + 0.02))


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

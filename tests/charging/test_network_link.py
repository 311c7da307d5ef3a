"""A charger of another process is asked through a row (design §7); every way that ends keeps its type."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import pytest
import trio

from evpower.charging.network_link import COMMAND_WITHIN, NetworkLink
from evpower.charging.ports import CommandResult, Outcome
from evpower.charging.processes import LEASE, Processes
from evpower.charging.remote_commands import CommandExecutor, written
from evpower.db import charger_commands
from evpower.db.charger_commands import Asked
from evpower.db.pool import Pool, open_pool
from evpower.db.processes import leave_charger, read_owner, take_chargers
from evpower.db.stations import store_presence
from evpower.db.unit_of_work import reading
from evpower.errors import (
    ChargerNotReady,
    ChargerOffline,
    CommandRefused,
    CommandTimedOut,
    EvPowerError,
    InvalidRequest,
    UnreadableAnswer,
)
from evpower.identifiers import ConnectorId, IdTag, ProcessId, StationId, WireTransactionId
from tests.charging.world import NETWORK, STATION
from tests.fakes import NOON, CountingIds, FakeLink, SetClock

A, B = ProcessId("a"), ProcessId("b")


class Local(FakeLink):
    """The sockets of a process; none has to be let go here."""

    def presence(self, station_id: StationId) -> trio.Lock:
        return trio.Lock()

    def give_up(self, station_id: StationId) -> None:
        self.connected.discard(station_id)


@dataclass
class Two:
    """The charger is at A; B asks."""

    clock: SetClock
    at_a: Local
    at_b: Local
    a: Processes
    b: Processes
    executor: CommandExecutor
    link: NetworkLink
    pool_a: Pool
    pool_b: Pool


@asynccontextmanager
async def two_processes(url: str) -> AsyncIterator[Two]:
    async with open_pool(url, size=3, process_id=A) as pool_a, open_pool(url, size=3, process_id=B) as pool_b:
        async with reading(pool_a) as conn:
            await conn.execute(NETWORK)
        clock = SetClock()
        at_a, at_b = Local(clock), Local(clock)
        a, b = Processes(pool_a, clock, A, at_a), Processes(pool_b, clock, B, at_b)
        at_a.connected.add(STATION)
        async with reading(pool_a) as conn:
            await take_chargers(conn, [STATION], NOON)
        await a.look()
        await b.look()
        executor = CommandExecutor(pool_a, clock, A, at_a)
        yield Two(clock, at_a, at_b, a, b, executor, NetworkLink(at_b, b, pool_b, clock, CountingIds()), pool_a, pool_b)


@pytest.fixture
async def two(database_url: str) -> AsyncIterator[Two]:
    async with two_processes(database_url) as two:
        yield two


async def start(two: Two) -> CommandResult:
    with trio.fail_after(20):
        return await two.link.remote_start(STATION, ConnectorId(1), IdTag("tag"))


@pytest.mark.parametrize("outcome", list(Outcome))
async def test_a_start_ends_there_as_it_ends_here(two: Two, outcome: Outcome, nursery: trio.Nursery) -> None:
    await nursery.start(two.executor.run)
    two.at_a.outcome = outcome
    assert (await start(two)).outcome is outcome
    assert two.at_a.started == [(STATION, 1, "tag")]
    assert two.at_b.started == []


async def test_a_stop_reaches_the_process_with_the_socket(two: Two, nursery: trio.Nursery) -> None:
    await nursery.start(two.executor.run)
    with trio.fail_after(20):
        assert await two.link.remote_stop(STATION, WireTransactionId("7")) == CommandResult(Outcome.ACCEPTED)
    assert two.at_a.stopped == [(STATION, "7")]


@pytest.mark.parametrize(
    "error",
    [
        ChargerOffline(),
        ChargerNotReady(boot="Pending"),
        CommandTimedOut(),
        CommandRefused("NotSupported", "no", {"a": 1}),
        UnreadableAnswer(problems=[], answer={}),
        InvalidRequest(("type", "wrong")),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_an_operators_command_raises_there_what_it_raises_here(
    two: Two, error: EvPowerError, nursery: trio.Nursery
) -> None:
    await nursery.start(two.executor.run)
    two.at_a.replies["Reset"] = error
    with trio.fail_after(20), pytest.raises(type(error)) as raised:
        await two.link.command(STATION, "Reset", {"type": "Soft"})
    assert (str(raised.value), raised.value.details) == (str(error), error.details)


async def test_a_command_nobody_takes_times_out_at_its_deadline_and_is_never_executed(
    two: Two, nursery: trio.Nursery
) -> None:
    results: list[CommandResult] = []

    async def ask() -> None:
        results.append(await start(two))

    async with trio.open_nursery() as asking:
        asking.start_soon(ask)
        await _until_asked(two)
        two.clock.advance(COMMAND_WITHIN.total_seconds())
    assert results == [CommandResult(Outcome.TIMED_OUT)]
    async with reading(two.pool_a) as conn:
        assert await charger_commands.take(conn, A, two.clock.now()) == []


async def test_a_command_whose_process_died_before_it_took_it_ends_as_offline(two: Two) -> None:
    results: list[CommandResult] = []

    async def ask() -> None:
        results.append(await start(two))

    async with trio.open_nursery() as asking:
        asking.start_soon(ask)
        await _until_asked(two)
        two.clock.advance(LEASE.total_seconds() + 1)
        await two.b.look()
    assert results[0].outcome is Outcome.OFFLINE
    assert not two.link.is_connected(STATION)


async def test_a_command_is_taken_once(two: Two) -> None:
    command = Asked("c", STATION, "remote_stop", written({"transaction_id": "1"}), NOON + COMMAND_WITHIN)
    async with reading(two.pool_a) as one, reading(two.pool_b) as other:
        await charger_commands.ask(one, command, asked_by=B, process_id=A, now=NOON)
        taken = await charger_commands.take(one, A, NOON)
        assert taken == [replace(command, deadline=taken[0].deadline)]
        assert await charger_commands.take(other, A, NOON) == []
        assert not await charger_commands.withdraw(other, "c")


async def test_a_process_that_lost_a_charger_cannot_write_its_presence_nor_its_leaving(two: Two) -> None:
    later = NOON.replace(hour=NOON.hour + 1)
    async with reading(two.pool_b) as conn:
        await take_chargers(conn, [STATION], NOON)
    async with reading(two.pool_a) as stale:
        await store_presence(stale, {STATION: later})
        row = await (await stale.execute("SELECT last_heartbeat_at AS at FROM stations")).fetchone()
        assert row is not None
        assert row["at"] == NOON
        await leave_charger(stale, STATION)
        assert await read_owner(stale, STATION) == B


async def test_a_socket_whose_charger_went_elsewhere_is_let_go(two: Two) -> None:
    async with reading(two.pool_b) as conn:
        await take_chargers(conn, [STATION], NOON)
    two.a.connected(STATION, B)
    await two.a.look()
    assert two.at_a.connected == set()


async def test_a_process_that_slept_past_its_lease_takes_back_what_nobody_has_taken(two: Two) -> None:
    two.clock.advance(LEASE.total_seconds() + 1)
    await two.b.look()
    async with reading(two.pool_b) as conn:
        assert await read_owner(conn, STATION) is None
    await two.a.look()
    async with reading(two.pool_b) as conn:
        assert await read_owner(conn, STATION) == A


async def _until_asked(two: Two) -> None:
    with trio.fail_after(20):
        while True:
            async with reading(two.pool_b) as conn:
                if await (await conn.execute("SELECT 1 AS one FROM evpower.charger_commands")).fetchone():
                    return
            await trio.lowlevel.checkpoint()

"""Two processes on one database, with a charger at the first of them; each with a clock of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import trio

from evpower.cluster.network_link import NetworkLink
from evpower.cluster.other_processes import OtherProcesses
from evpower.cluster.processes import LEASE, RENEW_EVERY_S, Processes
from evpower.cluster.remote_commands import CommandExecutor
from evpower.cluster.rows.processes import take_stations
from evpower.db.listening import Listening
from evpower.db.pool import Pool, open_pool
from evpower.events import EventBus
from evpower.identifiers import ProcessId, StationId
from tests.worlds.by_hand import by_hand
from tests.worlds.charging import NETWORK, STATION, World
from tests.worlds.fakes import NOON, CountingIds, FakeLink, SetClock

A, B = ProcessId("a"), ProcessId("b")


class Socket:
    """A charger's connection, as far as it can be let go."""

    def __init__(self, station_id: StationId, local: Local) -> None:
        self._station_id = station_id
        self._local = local

    def leave(self, code: int, reason: str) -> None:
        del code, reason
        self._local.connected.discard(self._station_id)


class Local(FakeLink):
    """The sockets of a process."""

    def __init__(self, clock: SetClock) -> None:
        super().__init__(clock)
        #: Stations whose coming is not written yet.
        self.arriving: set[StationId] = set()

    def written(self, station_id: StationId) -> Socket | None:
        return Socket(station_id, self) if station_id in self.connected - self.arriving else None


@dataclass
class Two:
    """The charger is at A; B asks."""

    clock_a: SetClock
    clock_b: SetClock
    at_a: Local
    at_b: Local
    a: Processes
    b: Processes
    executor: CommandExecutor
    link: NetworkLink
    pool_a: Pool
    pool_b: Pool
    bus_b: EventBus
    hearing_a: OtherProcesses
    hearing_b: OtherProcesses

    async def listen(self, nursery: trio.Nursery) -> None:
        """From now on each hears what the other commits."""
        for pool, hearing in ((self.pool_a, self.hearing_a), (self.pool_b, self.hearing_b)):
            await nursery.start(Listening(pool, hearing.hear, hearing.gap).run)

    def advance(self, seconds: float) -> None:
        """Time passes, for both."""
        self.clock_a.advance(seconds)
        self.clock_b.advance(seconds)

    async def a_is_silent(self) -> None:
        """A does nothing for longer than its lease, and B keeps looking."""
        for _ in range(int(LEASE.total_seconds() / RENEW_EVERY_S) + 1):
            self.advance(RENEW_EVERY_S)
            await self.b.look()


@asynccontextmanager
async def two_processes(url: str) -> AsyncIterator[Two]:
    async with open_pool(url, size=3, process_id=A) as pool_a, open_pool(url, size=3, process_id=B) as pool_b:
        async with by_hand(pool_a) as conn:
            await conn.execute(NETWORK)
        clock_a, clock_b = SetClock(), SetClock()
        at_a, at_b = Local(clock_a), Local(clock_b)
        a, b = Processes(pool_a, clock_a, A, at_a), Processes(pool_b, clock_b, B, at_b)
        await a.look()
        at_a.connected.add(STATION)
        async with by_hand(pool_a) as conn:
            await take_stations(conn, {STATION: ""}, NOON)
        await b.look()
        at_work_a, at_work_b = CommandExecutor(pool_a, clock_a, A, at_a), CommandExecutor(pool_b, clock_b, B, at_b)
        asking_a = NetworkLink(at_a, a, pool_a, clock_a, CountingIds())
        asking_b = NetworkLink(at_b, b, pool_b, clock_b, CountingIds())
        bus_b = EventBus()
        hearing_a = OtherProcesses(EventBus(), a, asking_a, at_work_a, nothing, nothing, nothing)
        hearing_b = OtherProcesses(bus_b, b, asking_b, at_work_b, nothing, nothing, nothing)
        yield Two(
            clock_a,
            clock_b,
            at_a,
            at_b,
            a,
            b,
            at_work_a,
            asking_b,
            pool_a,
            pool_b,
            bus_b,
            hearing_a,
            hearing_b,
        )


def nothing() -> None:
    """There are no prices to forget."""


async def hears(world: World, nursery: trio.Nursery) -> None:
    """From now on a world hears what other processes commit."""
    sign_in_changed = world.app.sign_in.changed
    processes = Processes(world.pool, world.clock, B, Local(world.clock))
    link = NetworkLink(world.link, processes, world.pool, world.clock, CountingIds())
    executor = CommandExecutor(world.pool, world.clock, B, world.link)
    hearing = OtherProcesses(
        world.app.bus, processes, link, executor, world.app.pricing.forget, sign_in_changed, world.app.aliases.changed
    )
    await nursery.start(Listening(world.pool, hearing.hear, hearing.gap).run)

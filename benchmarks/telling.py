"""What it costs that every change tells the other processes: the triggers of migration 0010, there and dropped.

`python -m benchmarks.telling` prints this table alone. Both sides are the same database but for the triggers; two
connections listen to each, as with two processes. The journal is judged by the CPU of both sides together, which a busy
machine hardly moves; commits that stand in line by the time they take.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import psycopg
import trio

from benchmarks import table
from benchmarks.database import Postgres, copy_ours, open_postgres
from benchmarks.wire import REGISTER_START_WH, station_id
from evpower.cluster.connections import SocketEnd
from evpower.db.listening import Listening
from evpower.db.pool import Pool, open_pool
from evpower.db.unit_of_work import reading, unit_of_work
from evpower.identifiers import ConnectorId, ProcessId, StationId, WireTransactionId
from evpower.metering.journal import Journal, LeftRow, MeterRow, PresenceRow, StatusRow
from evpower.metering.meter_value import MeterReport, Sample
from evpower.network.rows.stations import store_presence
from evpower.network.status import StatusReport

STATIONS = 1_000
ROUNDS = 10
COMMITTERS = 16
COMMITS_EACH = 20
LISTENERS = 2
#: What telling may cost the journal.
DEARER_AT_MOST = 1.2
ONE = ConnectorId(1)
CHANGE = "UPDATE connectors SET ocpp_status = %s WHERE station_id = %s"
SLOW_DISK = "SELECT set_config('commit_delay', '5000', true), set_config('commit_siblings', '0', true)"
TRIGGERS = """
SELECT format('DROP TRIGGER %I ON %s', tgname, tgrelid::regclass) FROM pg_trigger WHERE tgname LIKE 'tell%'
"""


@dataclass
class Side:
    """One of the databases; every round moves its clock and changes every connector's word."""

    pool: Pool
    journal: Journal
    rounds: int = 0
    words_heard: int = 0

    def hear(self, word: str) -> None:
        self.words_heard += word.startswith("bench station ")

    @property
    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.rounds)

    @property
    def word(self) -> str:
        return ("Charging", "SuspendedEV")[self.rounds % 2]


Work = Callable[[Side], Awaitable[None]]


async def statuses(side: Side) -> None:
    """Every connector says something new, all at once."""
    await _all(side, lambda number: side.journal.status(_status(side, number, side.word)))


async def repeated_statuses(side: Side) -> None:
    """Every connector says what it said before."""
    await _all(side, lambda number: side.journal.status(_status(side, number, "Charging")))


async def meter_values(side: Side) -> None:
    """Every session advances."""
    energy_wh = REGISTER_START_WH + side.rounds
    sample = Sample(side.now, energy_wh, 22_000.0)

    def row(number: int) -> MeterRow:
        report = MeterReport(ONE, WireTransactionId(str(number + 1)), (sample,), b"[]")
        return MeterRow(_station(number), report, side.now)

    await _all(side, lambda number: side.journal.meter_values(row(number)))


async def heartbeats(side: Side) -> None:
    """Every charger was heard, as the presence worker stores it."""
    async with reading(side.pool) as conn:
        await store_presence(conn, {_station(number): side.now for number in range(STATIONS)})


async def arrivals_and_leavings(side: Side) -> None:
    """Every charger comes, and goes again: all at once, as at a power cut."""
    await _all(side, lambda number: side.journal.presence(PresenceRow(_station(number), side.now)))
    await _all(side, lambda number: side.journal.left(LeftRow(_station(number), side.now, SocketEnd(side.now, 1006))))


async def commits(side: Side, disk: str = "SELECT") -> None:
    """Many units of work at once, each with a change to tell: as they would be without group commit."""

    async def commit(committer: int) -> None:
        for number in range(COMMITS_EACH):
            async with unit_of_work(side.pool) as uow:
                await uow.conn.execute(disk)
                station = _station(committer * COMMITS_EACH + number)
                await uow.conn.execute(CHANGE, (side.word, station))

    async with trio.open_nursery() as committers:
        for committer in range(COMMITTERS):
            committers.start_soon(commit, committer)


async def slow_commits(side: Side) -> None:
    """The same on a disk that takes 5 ms to have written."""
    await commits(side, SLOW_DISK)


REPORTS: dict[str, Work] = {
    "new statuses": statuses,
    "repeated statuses": repeated_statuses,
    "meter values": meter_values,
    "heartbeats": heartbeats,
    "chargers that come and go": arrivals_and_leavings,
}
COMMITS: dict[str, Work] = {"on this disk": commits, "on a slow disk": slow_commits}


@dataclass
class Took:
    """What all rounds of a work took on one side."""

    wall_s: float = 0.0
    cpu_s: float = 0.0


async def compare(postgres: Postgres) -> None:
    """Measure in turns and print."""
    async with AsyncExitStack() as stack:
        told = await stack.enter_async_context(_side(copy_ours(postgres, "told")))
        silent_url = copy_ours(postgres, "silent")
        _drop_triggers(silent_url)
        silent = await stack.enter_async_context(_side(silent_url))
        took = {name: (Took(), Took()) for name in REPORTS | COMMITS}
        for _ in range(ROUNDS):
            for name, work in (REPORTS | COMMITS).items():
                for side, sums in zip((told, silent), took[name], strict=True):
                    await _measure(work, side, postgres, sums)
    assert told.words_heard > LISTENERS * ROUNDS * STATIONS, "nothing was told, so nothing was measured"
    assert not silent.words_heard
    table.head("Reports that tell other processes: CPU, us for each", "without")
    for name in REPORTS:
        ours_us, peer_us = (sums.cpu_s * 1e6 / ROUNDS / STATIONS for sums in took[name])
        table.line(name, ours_us, peer_us, ".1f")
    table.head(f"Commits a second that tell other processes, {COMMITTERS} at once", "without")
    for name in COMMITS:
        ours, peer = (ROUNDS * COMMITTERS * COMMITS_EACH / sums.wall_s for sums in took[name])
        table.line(name, ours, peer, ",.0f")
    for name in REPORTS:
        with_words, without = (sums.cpu_s for sums in took[name])
        table.verdict(f"{name}, CPU with / without", with_words / without, at_most=DEARER_AT_MOST)


async def _measure(work: Work, side: Side, postgres: Postgres, took: Took) -> None:
    side.rounds += 1
    cpu_s, began = postgres.cpu_s() + time.process_time(), time.perf_counter()
    await work(side)
    took.wall_s += time.perf_counter() - began
    took.cpu_s += postgres.cpu_s() + time.process_time() - cpu_s


@asynccontextmanager
async def _side(url: str) -> AsyncIterator[Side]:
    async with open_pool(url, size=COMMITTERS, process_id=ProcessId("bench")) as pool, trio.open_nursery() as workers:
        journal = Journal(pool)
        await workers.start(journal.run)
        side = Side(pool, journal)
        for _ in range(LISTENERS):
            await workers.start(Listening(pool, side.hear, lambda: None).run)
        for work in (REPORTS | COMMITS).values():  # warm up
            side.rounds += 1
            await work(side)
        yield side
        workers.cancel_scope.cancel()


async def _all(side: Side, report: Callable[[int], Awaitable[object]]) -> None:
    async def one(number: int) -> None:
        await report(number)

    async with trio.open_nursery() as chargers:
        for number in range(STATIONS):
            chargers.start_soon(one, number)


def _status(side: Side, number: int, word: str) -> StatusRow:
    return StatusRow(_station(number), StatusReport(ONE, word, "NoError", side.now), side.now)


def _station(number: int) -> StationId:
    return StationId(station_id(number))


def _drop_triggers(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as database:
        for (statement,) in database.execute(TRIGGERS).fetchall():
            database.execute(statement)


async def main() -> None:
    async with open_postgres(stations=STATIONS, charging=STATIONS) as postgres:
        await compare(postgres)


if __name__ == "__main__":
    trio.run(main)

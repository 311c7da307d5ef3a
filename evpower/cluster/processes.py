"""The processes that share this database: their leases, and which of them has which station (design §7).

Clocks of two machines differ, so no process compares another's lease with its own clock: when it has seen no change of
a lease for `LEASE` of its own time, it takes that process for dead. Which process has which station is kept in memory,
updated by each change's NOTIFY and read anew after a gap: asking whether a station is connected must not wait.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, Protocol

import trio

from evpower.clock import Clock
from evpower.cluster.rows import processes
from evpower.cluster.rows.charger_commands import forget_commands
from evpower.db.connection import TrioConnection
from evpower.db.failures import DatabaseFailure
from evpower.db.pool import Pool
from evpower.db.unit_of_work import reading, unit_of_work
from evpower.identifiers import ProcessId, StationId
from evpower.worker import Wake, repeat

log = logging.getLogger("evpower.processes")

#: A process that has not renewed for so long is dead, and its stations are not connected.
LEASE = timedelta(seconds=15)
RENEW_EVERY_S = 4.0
#: If we have not looked for this long (stopped, or no database), we missed renewals: the leases seen count anew.
BLIND_AFTER = timedelta(seconds=10)
#: A command's row is kept this long after its deadline, for people who search for a cause.
COMMANDS_KEPT = timedelta(hours=1)
#: Saying goodbye, when the process ends.
LEAVE_WITHIN_S = 2.0


class Socket(Protocol):
    """A station's connection."""

    def leave(self, code: int, reason: str) -> None:
        """End it with this close code; nothing happens when it has ended."""
        ...


class LocalStations(Protocol):
    """The sockets of this process."""

    def seen(self) -> Mapping[StationId, datetime]:
        """Every connected station."""
        ...

    def written(self, station_id: StationId) -> Socket | None:
        """The station's socket, if its coming has been written."""
        ...


class _Lease(NamedTuple):
    """What a process has written, and since when we have seen just that."""

    until: datetime
    since: datetime


class Processes:
    """This process's lease and its knowledge of the others."""

    def __init__(self, pool: Pool, clock: Clock, me: ProcessId, local: LocalStations) -> None:
        self._pool = pool
        self._clock = clock
        self.me = me
        self._local = local
        self._owners: dict[StationId, ProcessId] = {}
        self._leases: dict[ProcessId, _Lease] = {}
        self._looked_at = datetime.min.replace(tzinfo=UTC)
        #: What was heard while all owners were being read; None: gone.
        self._heard: dict[StationId, ProcessId | None] = {}
        self._lost: set[StationId] = set()
        self._read_all = True
        self._due = Wake()

    def owner(self, station_id: StationId) -> ProcessId | None:
        """The other living process that has the station's socket."""
        owner = self._owners.get(station_id)
        return owner if owner is not None and owner != self.me and self.is_alive(owner) else None

    def is_alive(self, process_id: ProcessId) -> bool:
        """Whether its lease held when it was looked at last, at most `RENEW_EVERY_S` ago."""
        return process_id in self._leases

    def connected(self, station_id: StationId, process_id: ProcessId) -> None:
        """A station's socket is in this process now (NOTIFY)."""
        self._owners[station_id] = self._heard[station_id] = process_id
        if process_id == self.me:
            return
        if not self.is_alive(process_id):
            self._due.set()
        if station_id in self._local.seen():
            self._lost.add(station_id)
            self._due.set()

    def left(self, station_id: StationId) -> None:
        """A station's socket has ended (NOTIFY)."""
        self._owners.pop(station_id, None)
        self._heard[station_id] = None

    def gap(self) -> None:
        """Something may not have been heard."""
        self._read_all = True
        self._due.set()

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Renew the lease and look at the others until cancelled; then everything of this process is taken away."""
        await self.look()
        task_status.started()
        try:
            await self._due.wait(RENEW_EVERY_S)
            await repeat(
                self.look, RENEW_EVERY_S, self._due, log=log, failure="the lease could not be renewed and will be again"
            )
        finally:
            # Shielded: the others need not wait for the end of the lease; two short writes.
            with trio.move_on_after(LEAVE_WITHIN_S, shield=True):
                await self._leave()

    async def look(self) -> None:
        """Renew the lease, forget the dead, see who is alive, and let go of stations that went elsewhere."""
        now = self._clock.now()
        async with unit_of_work(self._pool) as uow:
            if await processes.renew_lease(uow.conn, self.me, now=now, lease_until=now + LEASE):
                # We had no row, perhaps because we slept past our lease: other processes may have our stations.
                self._read_all = True
                await processes.take_free_stations(uow.conn, list(self._local.seen()), now)
        async with unit_of_work(self._pool) as uow:
            await processes.forget_dead(uow.conn, self._observe(await processes.read_leases(uow.conn), now))
            await forget_commands(uow.conn, now - COMMANDS_KEPT)
        async with reading(self._pool) as conn:
            if self._read_all:
                await self._read_owners(conn)
            await self._let_go(conn)

    def _observe(self, leases: Mapping[ProcessId, datetime], now: datetime) -> dict[ProcessId, datetime]:
        """Take in what the processes have written; those that are dead."""
        if abs(now - self._looked_at) > BLIND_AFTER:
            self._leases = {}
        self._looked_at = now
        seen = self._leases
        held = {
            process_id: seen[process_id]
            if process_id in seen and seen[process_id].until == until
            else _Lease(until, now)
            for process_id, until in leases.items()
        }
        dead = {each: lease.until for each, lease in held.items() if now - lease.since > LEASE}
        self._leases = {each: lease for each, lease in held.items() if each not in dead}
        return dead

    async def _read_owners(self, conn: TrioConnection) -> None:
        """Read which process has which station; notifications that arrive meanwhile are newer."""
        self._read_all, self._heard = False, {}
        try:
            found: dict[StationId, ProcessId | None] = {**await processes.read_owners(conn), **self._heard}
        except BaseException:
            self._read_all = True
            raise
        self._owners = {station_id: owner for station_id, owner in found.items() if owner is not None}
        self._lost |= {s for s in self._local.seen() if self._owners.get(s, self.me) != self.me}

    async def _let_go(self, conn: TrioConnection) -> None:
        """End our sockets of stations that have newer ones in other processes (duty 4).

        A socket's coming is written before its owner is read here, so another owner came after it; one that is not
        written yet waits for the next look.
        """
        lost, self._lost = self._lost & self._local.seen().keys(), set()
        ours = {station_id: socket for station_id in lost if (socket := self._local.written(station_id)) is not None}
        self._lost |= lost - ours.keys()
        if not ours:
            return
        try:
            owners = await processes.read_owners(conn, ours)
        except BaseException:
            self._lost |= ours.keys()
            raise
        for station_id, socket in ours.items():
            if owners.get(station_id, self.me) != self.me:
                socket.leave(1000, "replaced by a newer connection")

    async def _leave(self) -> None:
        try:
            async with unit_of_work(self._pool) as uow:
                await processes.leave_all(uow.conn, self.me)
        except DatabaseFailure as error:
            log.warning("the others were not told that this process ends, and will see it: %s", error)


async def forget_all_processes(pool: Pool) -> None:
    """Of a database that was restored: its rows are of the time of the copy, and no process runs on it.

    Else the lease of one of them would count as a living process's for a while, and a stop be sent to nobody.
    """
    async with unit_of_work(pool) as uow:
        await processes.forget_all(uow.conn)

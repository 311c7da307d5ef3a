"""The processes that share this database: their leases, and which of them has which charger (design §7).

Who is where is kept in memory, told by each change's NOTIFY and read anew after a gap, because asking whether a charger
is connected must not wait.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Protocol

import trio

from evpower.clock import Clock
from evpower.db import processes
from evpower.db.charger_commands import forget_commands
from evpower.db.pool import Pool
from evpower.db.unit_of_work import reading
from evpower.identifiers import ProcessId, StationId

log = logging.getLogger("evpower.processes")

#: A process that has not renewed for so long is dead, and its chargers are not connected.
LEASE = timedelta(seconds=15)
RENEW_EVERY_S = 4.0
RETRY_AFTER_S = 1.0
#: A command is kept so long after its deadline, for whoever wonders.
COMMANDS_KEPT = timedelta(hours=1)
#: Saying goodbye, when the process ends.
LEAVE_WITHIN_S = 2.0


class LocalChargers(Protocol):
    """The sockets of this process."""

    def seen(self) -> Mapping[StationId, datetime]:
        """Every connected charger."""
        ...

    def presence(self, station_id: StationId) -> trio.Lock:
        """Held while a station's coming or going is written."""
        ...

    def give_up(self, station_id: StationId) -> None:
        """End the station's socket if its coming has been written: the charger has another one elsewhere."""
        ...


class Processes:
    """This process's lease and its knowledge of the others."""

    def __init__(self, pool: Pool, clock: Clock, me: ProcessId, local: LocalChargers) -> None:
        self._pool = pool
        self._clock = clock
        self.me = me
        self._local = local
        self._owners: dict[StationId, ProcessId] = {}
        self._alive: set[ProcessId] = set()
        #: What was heard while all owners were being read; None: gone.
        self._heard: dict[StationId, ProcessId | None] = {}
        self._lost: set[StationId] = set()
        self._read_all = True
        self._due = trio.Event()

    def owner(self, station_id: StationId) -> ProcessId | None:
        """The other living process that has the charger's socket."""
        owner = self._owners.get(station_id)
        return owner if owner != self.me and owner in self._alive else None

    def is_alive(self, process_id: ProcessId) -> bool:
        """Whether its lease held when it was looked at last, at most `RENEW_EVERY_S` ago."""
        return process_id in self._alive

    def connected(self, station_id: StationId, process_id: ProcessId) -> None:
        """A charger's socket is in this process now (NOTIFY)."""
        self._owners[station_id] = self._heard[station_id] = process_id
        if process_id == self.me:
            return
        if process_id not in self._alive:
            self._due.set()
        if station_id in self._local.seen():
            self._lost.add(station_id)
            self._due.set()

    def left(self, station_id: StationId) -> None:
        """A charger's socket has ended (NOTIFY)."""
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
            while True:
                with trio.move_on_after(RENEW_EVERY_S):
                    await self._due.wait()
                try:
                    await self.look()
                except Exception:
                    log.exception("the lease could not be renewed and will be again")
                    await trio.sleep(RETRY_AFTER_S)
        finally:
            # Shielded: the others need not wait for the end of the lease; one short write.
            with trio.move_on_after(LEAVE_WITHIN_S, shield=True):
                async with reading(self._pool) as conn:
                    await processes.leave_all(conn, self.me)

    async def look(self) -> None:
        """Renew the lease, forget the dead, see who is alive, and let go of chargers that went elsewhere."""
        self._due = trio.Event()
        now = self._clock.now()
        async with reading(self._pool) as conn:
            if await processes.renew_lease(conn, self.me, now=now, lease_until=now + LEASE):
                await processes.take_free_chargers(conn, list(self._local.seen()), now)
            await processes.forget_dead(conn, now)
            await forget_commands(conn, now - COMMANDS_KEPT)
            self._alive = await processes.read_alive(conn, now)
            if self._read_all:
                self._read_all, self._heard = False, {}
                try:
                    owners: dict[StationId, ProcessId | None] = {**await processes.read_owners(conn), **self._heard}
                except BaseException:
                    self._read_all = True
                    raise
                self._owners = {station_id: owner for station_id, owner in owners.items() if owner is not None}
                self._lost |= {s for s in self._local.seen() if self._owners.get(s, self.me) != self.me}
        self._heard = {}
        while self._lost:
            await self._let_go(self._lost.pop())

    async def _let_go(self, station_id: StationId) -> None:
        """End our socket of a charger that has a newer one in another process (duty 4)."""
        async with self._local.presence(station_id):
            async with reading(self._pool) as conn:
                owner = await processes.read_owner(conn, station_id)
            if owner is not None and owner != self.me:
                self._local.give_up(station_id)

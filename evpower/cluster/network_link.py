"""Every station of the network, whichever process has its socket (design §7).

A station of ours is asked at once. For another's, the command is a row with a deadline: its process executes it, at
most once, and writes how it ended.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from evpower.clock import Clock, Ids
from evpower.cluster.processes import Processes
from evpower.cluster.remote_commands import (
    COMMAND_WITHIN_S,
    POLL_EVERY_S,
    read_answer,
    read_answer_to,
    read_result,
    written,
    written_ask,
)
from evpower.cluster.rows import charger_commands
from evpower.cluster.rows.charger_commands import Asked, Kind
from evpower.db.failures import DatabaseAway
from evpower.db.pool import Pool
from evpower.db.unit_of_work import reading, unit_of_work
from evpower.identifiers import ConnectorId, IdTag, ProcessId, StationId, WireTransactionId
from evpower.link.commands import A, ChargingProfile, Command, LimitDraw
from evpower.link.errors import ChargerOffline, CommandTimedOut
from evpower.link.ports import CommandResult, Outcome, StationLink
from evpower.worker import Wake

log = logging.getLogger("OCPP")


class _OwnerGone(Exception):
    """The process with the socket, or the socket itself, went away before there was an answer."""


class _Unanswered(Exception):
    """The deadline passed."""


class NetworkLink:
    """Implements `StationLink` around the stations of this process."""

    def __init__(self, local: StationLink, processes: Processes, pool: Pool, clock: Clock, ids: Ids) -> None:
        self._local = local
        self._processes = processes
        self._pool = pool
        self._clock = clock
        self._ids = ids
        self._waiting: dict[str, Wake] = {}

    def is_connected(self, station_id: StationId) -> bool:
        """Whether its socket is open here or in another living process."""
        return self._local.is_connected(station_id) or self._processes.owner(station_id) is not None

    def last_seen_at(self, station_id: StationId) -> datetime | None:
        """For our own stations only; for another process's station the time is in its row, seconds old."""
        return self._local.last_seen_at(station_id)

    def seen(self) -> Mapping[StationId, datetime]:
        """Our own stations: each process stores the presence of its own."""
        return self._local.seen()

    async def remote_start(
        self,
        station_id: StationId,
        connector_id: ConnectorId,
        id_tag: IdTag,
        remote_start_id: int | None = None,
        limit: LimitDraw | None = None,
    ) -> CommandResult:
        owner = self._elsewhere(station_id)
        if owner is None:
            return await self._local.remote_start(station_id, connector_id, id_tag, remote_start_id, limit)
        payload: dict[str, Any] = {"connector_id": connector_id, "id_tag": id_tag, "remote_start_id": remote_start_id}
        if limit is not None:
            payload["limit"] = limit
        return await self._result_of(owner, station_id, "remote_start", payload)

    async def remote_stop(self, station_id: StationId, transaction_id: WireTransactionId) -> CommandResult:
        owner = self._elsewhere(station_id)
        if owner is None:
            return await self._local.remote_stop(station_id, transaction_id)
        return await self._result_of(owner, station_id, "remote_stop", {"transaction_id": transaction_id})

    async def ask(self, station_id: StationId, command: Command[A]) -> A:
        """As `StationLink.ask`, with the same errors wherever the socket is, and CommandNotKnown."""
        owner = self._elsewhere(station_id)
        if owner is None:
            return await self._local.ask(station_id, command)
        return read_answer_to(command, await self._answer_of(owner, station_id, "ask", written_ask(command)))

    async def read_profile(
        self, station_id: StationId, connector_id: ConnectorId, written: Mapping[str, Any]
    ) -> ChargingProfile:
        """As `StationLink.read_profile`."""
        return await self._local.read_profile(station_id, connector_id, written)

    async def command(self, station_id: StationId, action: str, payload: Mapping[str, Any]) -> dict[str, Any]:
        """As `StationLink.command`, with the same errors wherever the socket is."""
        owner = self._elsewhere(station_id)
        if owner is None:
            return await self._local.command(station_id, action, payload)
        request = {"action": action, "payload": payload}
        return read_answer(await self._answer_of(owner, station_id, "raw", request))

    def answered(self, command_id: str) -> None:
        """A command of this process has ended (NOTIFY)."""
        if command_id in self._waiting:
            self._waiting[command_id].set()

    def _elsewhere(self, station_id: StationId) -> ProcessId | None:
        return None if self._local.is_connected(station_id) else self._processes.owner(station_id)

    async def _result_of(
        self, owner: ProcessId, station_id: StationId, kind: Kind, payload: Mapping[str, Any]
    ) -> CommandResult:
        try:
            return read_result(await self._ask(owner, station_id, kind, payload))
        except _OwnerGone:
            return CommandResult(Outcome.OFFLINE, "its process went away")
        except _Unanswered:
            return CommandResult(Outcome.TIMED_OUT)

    async def _answer_of(self, owner: ProcessId, station_id: StationId, kind: Kind, payload: Mapping[str, Any]) -> str:
        try:
            return await self._ask(owner, station_id, kind, payload)
        except _OwnerGone:
            raise ChargerOffline from None
        except _Unanswered:
            raise CommandTimedOut from None

    async def _ask(self, owner: ProcessId, station_id: StationId, kind: Kind, payload: Mapping[str, Any]) -> str:
        """Write the command and wait for its result. Raises _OwnerGone, _Unanswered."""
        now = self._clock.now()
        command = Asked(self._ids.new(), station_id, kind, written(payload), now + timedelta(seconds=COMMAND_WITHIN_S))
        waiting = self._waiting[command.id] = Wake()
        try:
            async with unit_of_work(self._pool) as uow:
                await charger_commands.ask(uow.conn, command, asked_by=self._processes.me, process_id=owner, now=now)
            while True:
                await waiting.wait(POLL_EVERY_S)
                if (result := await self._look(command, owner)) is not None:
                    return result
        finally:
            del self._waiting[command.id]

    async def _withdraw(self, command: Asked) -> bool:
        async with unit_of_work(self._pool) as uow:
            return await charger_commands.withdraw(uow.conn, command.id)

    async def _look(self, command: Asked, owner: ProcessId) -> str | None:
        """The result, if it is there. A database that is away is asked again, until the deadline."""
        overdue = self._clock.now() >= command.deadline
        try:
            async with reading(self._pool) as conn:
                taken, result = await charger_commands.read_result(conn, command.id)
            if result is not None:
                return result
            moved = not taken and self._processes.owner(command.station_id) != owner
            # An overdue one too, so that it is not executed after its caller has the answer, whatever its executor's
            # clock says.
            if (moved or overdue) and await self._withdraw(command) and moved:
                raise _OwnerGone
        except DatabaseAway as error:
            log.warning("the answer to a command could not be read and will be again: %s", error)
        else:
            if taken and not self._processes.is_alive(owner):
                raise _OwnerGone
        if overdue:
            raise _Unanswered
        return None

"""What operators ask of a station, beside a driver's start and stop (duties 33-39).

Commands that end with their answer go through here as they are; what has to be followed further has a module of its own
(`availability`, `configuration`, `transfers`, `local_lists`, `connector_reservations`, `charging_profiles`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from evpower.attempts.service import Attempts, OrderedStart
from evpower.db.pool import Pool
from evpower.db.unit_of_work import reading
from evpower.errors import StationNotFound
from evpower.identifiers import StationId
from evpower.link.commands import A, Command, Ending, Reply
from evpower.link.errors import ChargerOffline, CommandRejected
from evpower.link.ports import StationLink
from evpower.network.station_records import connectors_on_evse, station_exists
from evpower.tags.cards import read_id_tag

#: A command as the order of a charge; None when it is none.
ReadStart = Callable[[str, Mapping[str, Any]], OrderedStart | None]


class StationCommands:
    """Commands to stations, each ending in the station's answer or in one typed error."""

    def __init__(self, pool: Pool, link: StationLink, attempts: Attempts, read_start: ReadStart) -> None:
        self._pool = pool
        self._link = link
        self._attempts = attempts
        self._read_start = read_start

    async def send(self, station_id: StationId, action: str, payload: Mapping[str, Any]) -> dict[str, Any]:
        """One command as it is written; the payload of the answer, whatever status that names.

        One that orders a charge is kept as an attempt. Raises InvalidRequest, StationNotFound, or one of
        `CommandFailure` (duty 39).
        """
        ordered = self._read_start(action, payload)
        if ordered is None:
            return await self._send(station_id, action, payload)
        connector_id = ordered.connector_id
        async with reading(self._pool) as conn:
            tag = None if ordered.id_tag is None else await read_id_tag(conn, ordered.id_tag)
            if ordered.evse_id is not None:
                among = await connectors_on_evse(conn, station_id, ordered.evse_id)
                # Of several nobody knows yet which one it will be.
                connector_id = among[0] if len(among) == 1 else None
        client_id = None if tag is None else tag.client_id
        async with self._attempts.kept("command", station_id, connector_id, client_id) as attempt:
            answer = await self._send(station_id, action, payload)
            attempt.answer = str(answer.get("status"))
            return answer

    async def _send(self, station_id: StationId, action: str, payload: Mapping[str, Any]) -> dict[str, Any]:
        with suppress(ChargerOffline):
            return await self._link.command(station_id, action, payload)
        raise await self._away(station_id)

    async def ask(self, station_id: StationId, command: Command[A]) -> A:
        """Send a command and return the station's answer, a refusal too. Raises as `send`."""
        with suppress(ChargerOffline):
            return await self._link.ask(station_id, command)
        raise await self._away(station_id)

    async def demand(self, station_id: StationId, command: Command[Reply]) -> Reply:
        """A command that must be agreed to. Raises CommandRejected when it is refused, and as `send`."""
        reply = await self.ask(station_id, command)
        refuse_refusal(reply)
        return reply

    async def _away(self, station_id: StationId) -> ChargerOffline | StationNotFound:
        async with reading(self._pool) as conn:
            return ChargerOffline() if await station_exists(conn, station_id) else StationNotFound()


def refuse_refusal(reply: Reply) -> None:
    """Raises CommandRejected when the station refused."""
    if reply.ending is Ending.REFUSED:
        raise CommandRejected(reply.status, reply.as_sent)

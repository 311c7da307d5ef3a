"""Connectors kept free for a card.

A reservation ends by a start that names it, by its expiry, when its connector is Faulted or Unavailable, when it is
cancelled (duty 36), or when its station reports that it has ended (OCPP 2.0.1 H04). Money is reserved elsewhere, at the
start (billing).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from evpower.clock import Clock
from evpower.db.pool import Pool
from evpower.db.unit_of_work import unit_of_work
from evpower.errors import InvalidRequest
from evpower.identifiers import ConnectorId, StationId
from evpower.link.commands import EndReservation, Reply, Reserve
from evpower.link.errors import ChargerOffline, CommandFailure, CommandTimedOut
from evpower.network.status import StatusReport
from evpower.stations.awaited_answers import Awaited
from evpower.stations.commands import StationCommands, refuse_refusal
from evpower.stations.rows import connector_reservations as rows

#: Statuses in which a station drops the reservation by itself (§3.9.2, errata).
ENDING = frozenset({"Faulted", "Unavailable"})


@dataclass(frozen=True)
class Reserved:
    """A reservation the station took."""

    reservation_id: int
    expires_at: datetime
    reply: Reply


class ConnectorReservations:
    """Reservations at stations."""

    def __init__(self, pool: Pool, clock: Clock, commands: StationCommands, awaited: Awaited) -> None:
        self._pool = pool
        self._clock = clock
        self._commands = commands
        self._awaited = awaited

    async def reserve(
        self,
        station_id: StationId,
        connector_id: ConnectorId,
        id_tag: str,
        expires_at: datetime,
        parent_id_tag: str | None,
    ) -> Reserved:
        """Keep a connector (0: any of the station's) for a card until `expires_at`. Raises CommandFailure."""
        now = self._clock.now()
        if expires_at <= now:
            raise InvalidRequest(("expires_at", "должно быть в будущем"))
        self._awaited.add(station_id)
        async with unit_of_work(self._pool) as uow:
            reservation_id = await rows.insert(
                uow.conn, station_id, connector_id, id_tag, parent_id_tag, expires_at, now
            )
        reply = await self._ask(station_id, Reserve(reservation_id, connector_id, id_tag, expires_at, parent_id_tag))
        async with unit_of_work(self._pool) as uow:
            await rows.activate(uow.conn, reservation_id)
        return Reserved(reservation_id, expires_at, reply)

    async def _ask(self, station_id: StationId, command: Reserve) -> Reply:
        failure: CommandFailure | InvalidRequest | None = None
        try:
            return await self._commands.demand(station_id, command)
        except (CommandFailure, InvalidRequest) as error:
            failure = error
        # After silence or a dropped socket the station may hold it: it stays asked for, until it expires.
        if not isinstance(failure, CommandTimedOut | ChargerOffline):
            await self._end(station_id, command.reservation_id, "Refused")
        raise failure

    async def cancel(self, station_id: StationId, reservation_id: int) -> Reply:
        """Give the connector free again. Raises CommandRejected when the station knows no such reservation."""
        reply = await self._commands.ask(station_id, EndReservation(reservation_id))
        await self._end(station_id, reservation_id, "Cancelled")
        refuse_refusal(reply)
        return reply

    async def used(self, station_id: StationId, reservation_id: int) -> None:
        """A transaction began that names it."""
        await self._end(station_id, reservation_id, "Used")

    async def ended_at_station(self, station_id: StationId, reservation_id: int, *, expired: bool) -> None:
        """The station keeps the connector no more: its time is over by the station's clock, or it was removed there."""
        await self._end(station_id, reservation_id, "Expired" if expired else "Cancelled")

    async def status_arrived(self, station_id: StationId, report: StatusReport) -> None:
        """A connector's status is stored: it may have ended the reservation of the connector, or of all."""
        if report.status not in ENDING:
            return
        async with unit_of_work(self._pool) as uow:
            await rows.end_on_connector(uow.conn, station_id, report.connector_id, report.status, self._clock.now())

    async def _end(self, station_id: StationId, reservation_id: int, status: str) -> None:
        async with unit_of_work(self._pool) as uow:
            await rows.end(uow.conn, station_id, reservation_id, status, self._clock.now())

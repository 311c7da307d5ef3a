"""Connectors kept free for a card (OCPP 1.6 §5.1, §5.13).

A reservation ends by a start that names it, by its expiry, when its connector is Faulted or Unavailable, or when it
is cancelled (duty 36). Money is reserved elsewhere, at the start (billing).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from evpower.clock import Clock
from evpower.db.pool import Pool
from evpower.db.unit_of_work import unit_of_work
from evpower.errors import (
    ChargerOffline,
    CommandFailure,
    CommandRejected,
    CommandTimedOut,
    EvPowerError,
    InvalidRequest,
)
from evpower.identifiers import ConnectorId, StationId
from evpower.network.charge_point import StatusReport
from evpower.stations.awaited_answers import Awaited
from evpower.stations.commands import StationCommands
from evpower.stations.rows import connector_reservations as rows
from evpower.stations.transfers import wire_time

#: Statuses in which a charger drops the reservation by itself (§3.9.2, errata).
ENDING = frozenset({"Faulted", "Unavailable"})


class ConnectorReservations:
    """Reservations at chargers."""

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
    ) -> dict[str, Any]:
        """Keep a connector (0: any of the station's) for a card until `expires_at`. Raises CommandRejected."""
        now = self._clock.now()
        if expires_at <= now:
            raise InvalidRequest(("expires_at", "должно быть в будущем"))
        self._awaited.add(station_id)
        async with unit_of_work(self._pool) as uow:
            reservation_id = await rows.insert(
                uow.conn, station_id, connector_id, id_tag, parent_id_tag, expires_at, now
            )
        payload = {
            "connectorId": connector_id,
            "expiryDate": wire_time(expires_at),
            "idTag": id_tag,
            "reservationId": reservation_id,
            **({"parentIdTag": parent_id_tag} if parent_id_tag is not None else {}),
        }
        failure: EvPowerError | None = None
        answer: dict[str, Any] = {}
        try:
            answer = await self._commands.ask(station_id, "ReserveNow", payload)
        except (CommandFailure, InvalidRequest) as error:
            failure = error
        if failure is not None:
            # After silence or a dropped socket the charger may hold it: it stays asked for, until it expires.
            if not isinstance(failure, CommandTimedOut | ChargerOffline):
                await self._end(station_id, reservation_id, "Refused")
            raise failure
        async with unit_of_work(self._pool) as uow:
            await rows.activate(uow.conn, reservation_id)
        return {"reservation_id": reservation_id, "expires_at": expires_at, **answer}

    async def cancel(self, station_id: StationId, reservation_id: int) -> dict[str, Any]:
        """Give the connector free again. Raises CommandRejected when the charger knows no such reservation."""
        answer = await self._commands.send(station_id, "CancelReservation", {"reservationId": reservation_id})
        await self._end(station_id, reservation_id, "Cancelled")
        if answer["status"] != "Accepted":
            raise CommandRejected(answer["status"], answer)
        return answer

    async def used(self, station_id: StationId, reservation_id: int) -> None:
        """A transaction began that names it."""
        await self._end(station_id, reservation_id, "Used")

    async def status_arrived(self, station_id: StationId, report: StatusReport) -> None:
        """A connector's word is stored: it may have ended the reservation of the connector, or of all."""
        if report.status not in ENDING:
            return
        async with unit_of_work(self._pool) as uow:
            await rows.end_on_connector(uow.conn, station_id, report.connector_id, report.status, self._clock.now())

    async def _end(self, station_id: StationId, reservation_id: int, status: str) -> None:
        async with unit_of_work(self._pool) as uow:
            await rows.end(uow.conn, station_id, reservation_id, status, self._clock.now())

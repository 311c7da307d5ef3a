"""Taking connectors out of service and back (OCPP 1.6 §5.2), followed until the charger did it (duty 34)."""

from __future__ import annotations

from typing import Any

from evpower.clock import Clock
from evpower.db.pool import Pool
from evpower.db.unit_of_work import unit_of_work
from evpower.identifiers import ConnectorId, StationId
from evpower.network.charge_point import StatusReport
from evpower.stations.awaited_answers import Awaited
from evpower.stations.commands import StationCommands
from evpower.stations.rows import availability as rows

DONE_OR_LATER = frozenset({"Accepted", "Scheduled"})


class Availability:
    """The availability operators asked for."""

    def __init__(self, pool: Pool, clock: Clock, commands: StationCommands, awaited: Awaited) -> None:
        self._pool = pool
        self._clock = clock
        self._commands = commands
        self._awaited = awaited

    async def change(self, station_id: StationId, connector_id: ConnectorId, *, operative: bool) -> dict[str, Any]:
        """Connector 0 is the whole station. `Scheduled` (a charge is running) is stored until the status arrives."""
        self._awaited.add(station_id)
        wanted = "Operative" if operative else "Inoperative"
        payload = {"connectorId": connector_id, "type": wanted}
        answer = await self._commands.ask(station_id, "ChangeAvailability", payload, DONE_OR_LATER)
        state = "Scheduled" if answer["status"] == "Scheduled" else "Done"
        async with unit_of_work(self._pool) as uow:
            await rows.store_wanted(uow.conn, station_id, connector_id, wanted, state, self._clock.now())
        return {**answer, "state": state}

    async def status_arrived(self, station_id: StationId, report: StatusReport) -> None:
        """A connector's word is stored: whatever it makes true is done."""
        async with unit_of_work(self._pool) as uow:
            await rows.mark_done(uow.conn, station_id, report.connector_id, report.status, self._clock.now())

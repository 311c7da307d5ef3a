"""Taking connectors out of service and back, followed until the station did it (duty 34)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from evpower.clock import Clock
from evpower.db.pool import Pool
from evpower.db.unit_of_work import unit_of_work
from evpower.identifiers import ConnectorId, StationId
from evpower.link.commands import Ending, Reply, SetAvailability
from evpower.network.status import StatusReport
from evpower.stations.awaited_answers import Awaited
from evpower.stations.commands import StationCommands
from evpower.stations.rows import availability as rows


@dataclass(frozen=True)
class AvailabilityChange:
    """What the station answered, and whether it has done it (`Done`) or will when a charge ends (`Scheduled`)."""

    reply: Reply
    state: Literal["Done", "Scheduled"]


class Availability:
    """The availability operators asked for."""

    def __init__(self, pool: Pool, clock: Clock, commands: StationCommands, awaited: Awaited) -> None:
        self._pool = pool
        self._clock = clock
        self._commands = commands
        self._awaited = awaited

    async def change(self, station_id: StationId, connector_id: ConnectorId, *, operative: bool) -> AvailabilityChange:
        """Connector 0 is the whole station. `Scheduled` (a charge is running) is stored until the status arrives.

        Raises CommandFailure.
        """
        self._awaited.add(station_id)
        wanted = "Operative" if operative else "Inoperative"
        reply = await self._commands.demand(station_id, SetAvailability(connector_id, operative))
        state: Literal["Done", "Scheduled"] = "Scheduled" if reply.ending is Ending.LATER else "Done"
        async with unit_of_work(self._pool) as uow:
            await rows.store_wanted(uow.conn, station_id, connector_id, wanted, state, self._clock.now())
        return AvailabilityChange(reply, state)

    async def status_arrived(self, station_id: StationId, report: StatusReport) -> None:
        """A connector's status is stored: changes of availability that it confirms are marked as done."""
        async with unit_of_work(self._pool) as uow:
            await rows.mark_done(uow.conn, station_id, report.connector_id, report.status, self._clock.now())

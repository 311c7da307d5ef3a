"""What chargers report about earlier commands: the end of a scheduled change, of a reservation, of an upload."""

from __future__ import annotations

from evpower.identifiers import StationId
from evpower.network.charge_point import StatusReport
from evpower.stations.availability import Availability
from evpower.stations.awaited_answers import Awaited
from evpower.stations.connector_reservations import ConnectorReservations
from evpower.stations.transfers import Kind, Transfers


class FollowUps:
    """Hands each report to those who wait for it."""

    def __init__(
        self, awaited: Awaited, availability: Availability, reservations: ConnectorReservations, transfers: Transfers
    ) -> None:
        self._awaited = awaited
        self._availability = availability
        self._reservations = reservations
        self._transfers = transfers

    async def status_arrived(self, station_id: StationId, report: StatusReport) -> None:
        """A connector's word, already stored; most stations have nothing that waits for one."""
        if await self._awaited.includes(station_id):
            await self._availability.status_arrived(station_id, report)
            await self._reservations.status_arrived(station_id, report)

    async def transaction_began(self, station_id: StationId, reservation_id: int | None) -> None:
        """A start; one that names a reservation uses it (duty 36)."""
        if reservation_id is not None:
            await self._reservations.used(station_id, reservation_id)

    async def transfer_moved(
        self, station_id: StationId, kind: Kind, status: str, request_id: int | None = None
    ) -> None:
        """An upload or a firmware update went on, or ended."""
        await self._transfers.progress(station_id, kind, status, request_id)

"""What operators ask of a charger, beside a driver's start and stop (OCPP 1.6 §5; duties 33-39)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evpower.charging.ports import CommandLink
from evpower.db.pool import Pool
from evpower.db.stations import station_exists
from evpower.db.unit_of_work import reading
from evpower.errors import ChargerOffline, StationNotFound
from evpower.identifiers import StationId


class StationCommands:
    """Commands to chargers, each ending in the charger's answer or in one typed error."""

    def __init__(self, pool: Pool, link: CommandLink) -> None:
        self._pool = pool
        self._link = link

    async def send(self, station_id: StationId, action: str, payload: Mapping[str, Any]) -> dict[str, Any]:
        """One command as it is written; the payload of the answer, whatever status that names.

        Raises InvalidRequest, StationNotFound, or one of `CommandFailure` (duty 39).
        """
        try:
            return await self._link.command(station_id, action, payload)
        except ChargerOffline as error:
            offline = error
        async with reading(self._pool) as conn:
            if not await station_exists(conn, station_id):
                raise StationNotFound
        raise offline

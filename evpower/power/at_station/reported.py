"""Stations report limits that are not ours, and cars that ask for a schedule (OCPP 2.0.1 K11–K13, K15–K17)."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from evpower.clock import Clock
from evpower.db.pool import Pool
from evpower.db.unit_of_work import unit_of_work
from evpower.identifiers import ConnectorId, StationId
from evpower.power.rows import station_limits as rows

log = logging.getLogger("evpower.power")


@dataclass(frozen=True)
class CarNeeds:
    """What a car says of itself: how much it wants from now on, and until when."""

    energy_wh: int | None
    departure_at: datetime | None


class ReportedLimits:
    """Kept in rows; whoever grants for the site reads them with its next look."""

    def __init__(self, pool: Pool, clock: Clock, *, enabled: bool) -> None:
        self._pool = pool
        self._clock = clock
        self._enabled = enabled

    async def set(
        self, station_id: StationId, connector_id: ConnectorId, source: str, schedule: Mapping[str, Any] | None
    ) -> None:
        """Somebody else limits the connector, or the whole station (0). `schedule` None: it does not say how much."""
        async with unit_of_work(self._pool) as uow:
            await rows.store_limit(uow.conn, station_id, connector_id, source, schedule, self._clock.now())
        line = "a station is limited by somebody else: station=%s, connector=%d, source=%s, known=%s"
        log.info(line, station_id, connector_id, source, schedule is not None)

    async def cleared(self, station_id: StationId, connector_id: ConnectorId | None, source: str) -> None:
        """That limit is over; None: wherever at the station it was."""
        async with unit_of_work(self._pool) as uow:
            await rows.drop_limit(uow.conn, station_id, connector_id, source)
        line = "a station is limited by somebody else no more: station=%s, connector=%s, source=%s"
        log.info(line, station_id, connector_id, source)

    async def needed(self, station_id: StationId, connector_id: ConnectorId, needs: CarNeeds) -> bool:
        """Whether the car gets a schedule: a charge runs there that we grant for. It is sent its grant once more."""
        if not self._enabled:
            return False
        now = self._clock.now()
        departure_at = needs.departure_at if needs.departure_at is None or needs.departure_at > now else None
        async with unit_of_work(self._pool) as uow:
            is_ours = await rows.note_wanted(uow.conn, station_id, connector_id, now)
            if is_ours and departure_at is not None and needs.energy_wh:
                await rows.store_needs(uow.conn, station_id, connector_id, needs.energy_wh, departure_at, now)
        line = "a car asks for a schedule: station=%s, connector=%d, energy_wh=%s, departure=%s, accepted=%s"
        log.info(line, station_id, connector_id, needs.energy_wh, needs.departure_at, is_ours)
        return is_ours

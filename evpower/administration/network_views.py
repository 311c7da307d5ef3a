"""Locations and stations as administrators see them, inactive ones too (contract/rest-api §7.7)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from evpower.administration.records import Listed, LocationRecord, Page, SeenStation, StationRecord
from evpower.administration.rows import entities as rows
from evpower.clock import Clock
from evpower.db.pool import Pool
from evpower.db.unit_of_work import reading
from evpower.errors import LocationNotFound, StationNotFound
from evpower.identifiers import StationId
from evpower.link.ports import LiveStations
from evpower.network.locations import last_seen
from evpower.network.status import AdminStatus, is_online


@dataclass(frozen=True)
class StationFilter:
    """None asks nothing."""

    status: AdminStatus | None = None
    location_id: str | None = None
    is_online: bool | None = None


class NetworkViews:
    """Rows, with live presence where there is any."""

    def __init__(self, pool: Pool, clock: Clock, link: LiveStations, heartbeat_timeout_s: float) -> None:
        self._pool = pool
        self._clock = clock
        self._link = link
        self._heartbeat_timeout_s = heartbeat_timeout_s

    async def locations(
        self, status: AdminStatus | None, page: Page, *, of: Collection[str] | None = None
    ) -> Listed[LocationRecord]:
        """A page of locations, and how many there are; `of` these alone, when given."""
        async with reading(self._pool) as conn:
            found, total = await rows.list_locations(conn, status, page, of)
        return Listed(found, total, page)

    async def location(self, location_id: str) -> LocationRecord:
        """One location. Raises LocationNotFound."""
        async with reading(self._pool) as conn:
            found = await rows.read_location(conn, location_id)
        if found is None:
            raise LocationNotFound(f"Локация {location_id} не найдена")
        return found

    async def stations(
        self, wanted: StationFilter, page: Page, *, of: Collection[StationId] | None = None
    ) -> Listed[SeenStation]:
        """A page of stations with their connectors, and how many there are; `of` these alone, when given."""
        async with reading(self._pool) as conn:
            matching = [
                station_id
                for station_id, stored_at in await rows.find_stations(conn, wanted.status, wanted.location_id)
                if (of is None or station_id in of)
                and (wanted.is_online is None or wanted.is_online == self._presence(station_id, stored_at)[1])
            ]
            found = await rows.read_stations(conn, matching[page.offset : page.offset + page.limit])
        return Listed(tuple(map(self._seen, found)), len(matching), page)

    async def station(self, station_id: StationId) -> SeenStation:
        """One station with its connectors. Raises StationNotFound."""
        async with reading(self._pool) as conn:
            found = await rows.read_stations(conn, [station_id])
        if not found:
            raise StationNotFound
        return self._seen(found[0])

    def _seen(self, station: StationRecord) -> SeenStation:
        return SeenStation(station, *self._presence(station.id, station.last_heartbeat_at))

    def _presence(self, station_id: StationId, stored_at: datetime | None) -> tuple[datetime | None, bool]:
        """When it last spoke, and whether that is young enough."""
        last_seen_at = last_seen(self._link, station_id, stored_at)
        return last_seen_at, is_online(last_seen_at, self._clock.now(), self._heartbeat_timeout_s)

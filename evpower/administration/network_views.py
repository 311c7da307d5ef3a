"""Locations and stations as administrators see them, inactive ones too (contract/rest-api §7.7)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from evpower.administration.rows import entities as rows
from evpower.clock import Clock
from evpower.db.pool import Pool
from evpower.db.unit_of_work import reading
from evpower.errors import LocationNotFound, StationNotFound
from evpower.identifiers import StationId
from evpower.link.ports import ChargePointLink
from evpower.network.charge_point import AdminStatus, connector_status, is_online
from evpower.network.listing import configuration_warnings
from evpower.network.locations import last_seen


@dataclass(frozen=True)
class Page:
    """Which of the matching rows are wanted, in the order of their ids."""

    limit: int = 50
    offset: int = 0


@dataclass(frozen=True)
class StationFilter:
    """None asks nothing."""

    status: AdminStatus | None = None
    location_id: str | None = None
    is_online: bool | None = None


class NetworkViews:
    """Rows, with live presence where there is any; None is a value nobody has given."""

    def __init__(self, pool: Pool, clock: Clock, link: ChargePointLink, heartbeat_timeout_s: float) -> None:
        self._pool = pool
        self._clock = clock
        self._link = link
        self._heartbeat_timeout_s = heartbeat_timeout_s

    async def locations(self, status: AdminStatus | None, page: Page) -> dict[str, Any]:
        """A page of locations, and how many there are."""
        async with reading(self._pool) as conn:
            found, total = await rows.list_locations(conn, status, page.limit, page.offset)
        return {"locations": found, "total": total, **vars(page)}

    async def location(self, location_id: str) -> dict[str, Any]:
        """One location. Raises LocationNotFound."""
        async with reading(self._pool) as conn:
            found = await rows.read_location(conn, location_id)
        if found is None:
            raise LocationNotFound(f"Локация {location_id} не найдена")
        return found

    async def stations(self, wanted: StationFilter, page: Page) -> dict[str, Any]:
        """A page of stations with their connectors, and how many there are."""
        async with reading(self._pool) as conn:
            matching = [
                station_id
                for station_id, stored_at in await rows.find_stations(conn, wanted.status, wanted.location_id)
                if wanted.is_online is None or wanted.is_online == self._presence(station_id, stored_at)[1]
            ]
            found = await rows.read_stations(conn, matching[page.offset : page.offset + page.limit])
        return {"stations": [self._station(row) for row in found], "total": len(matching), **vars(page)}

    async def station(self, station_id: StationId) -> dict[str, Any]:
        """One station with its connectors. Raises StationNotFound."""
        async with reading(self._pool) as conn:
            found = await rows.read_stations(conn, [station_id])
        if not found:
            raise StationNotFound
        return self._station(found[0])

    def _station(self, row: dict[str, Any]) -> dict[str, Any]:
        whole_status = row.pop("whole_status")
        last_seen_at, online = self._presence(StationId(row["id"]), row["last_heartbeat_at"])
        for connector in row["connectors"]:
            word, busy = connector.pop("ocpp_status"), connector.pop("busy")
            connector["status"] = connector_status(word, whole_status, busy=busy)
        numbers = [connector["connector_number"] for connector in row["connectors"]]
        return {
            **row,
            "last_heartbeat_at": last_seen_at,
            "is_available": online,
            "configuration_warnings": configuration_warnings(row["connectors_count"], numbers),
        }

    def _presence(self, station_id: StationId, stored_at: datetime | None) -> tuple[datetime | None, bool]:
        """When it last spoke, and whether that is young enough."""
        last_seen_at = last_seen(self._link, station_id, stored_at)
        return last_seen_at, is_online(last_seen_at, self._clock.now(), self._heartbeat_timeout_s)

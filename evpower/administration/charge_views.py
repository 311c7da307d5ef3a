"""Charges and figures of the network as administrators see them (contract/rest-api §7.7)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from evpower.administration.records import ChargeRecord, FailedStart, Listed, Page
from evpower.administration.rows import charges as rows
from evpower.administration.rows import failed_starts
from evpower.administration.rows.charges import ChargeFilter, ChargeTrouble
from evpower.administration.tried import place_of, places, wants_failed_starts
from evpower.clock import Clock, midnight
from evpower.db.pool import Pool
from evpower.db.unit_of_work import reading
from evpower.errors import SessionNotFound
from evpower.identifiers import SessionId, StationId
from evpower.link.ports import LiveStations
from evpower.network.locations import last_seen
from evpower.network.status import is_online

__all__ = ["ChargeFilter", "ChargeTrouble", "ChargeViews", "NetworkFigures", "place_of"]


@dataclass(frozen=True)
class NetworkFigures:
    """Stations that are not switched off, and what was charged in a period.

    `online` were heard of lately, `error` are those of them with something Faulted. Energy and revenue are those of
    charges that began in the period; what still runs has energy, and no revenue yet.
    """

    stations: int
    online: int
    error: int
    active_sessions: int
    sessions: int
    energy_kwh: Decimal
    revenue_som: Decimal
    since: datetime
    until: datetime


class ChargeViews:
    """Rows, with live presence where there is any."""

    def __init__(
        self, pool: Pool, clock: Clock, link: LiveStations, heartbeat_timeout_s: float, timezone: ZoneInfo
    ) -> None:
        self._pool = pool
        self._clock = clock
        self._link = link
        self._heartbeat_timeout_s = heartbeat_timeout_s
        self._timezone = timezone

    async def charges(self, wanted: ChargeFilter, page: Page) -> Listed[ChargeRecord]:
        """A page of charges, newest first, and how many match."""
        async with reading(self._pool) as conn:
            found, total = await rows.list_charges(conn, wanted, page, self._clock.now())
        return Listed(found, total, page)

    async def tried(self, wanted: ChargeFilter, limit: int) -> Listed[ChargeRecord | FailedStart]:
        """Charges, and starts that were refused before there was one; newest first, and how many match.

        `wanted.after` is the place of the last row of the page before (`place_of`).
        """
        after_charge, after_start = places(wanted.after)
        charges, page = replace(wanted, after=after_charge), Page(limit)
        async with reading(self._pool) as conn:
            found, total = await rows.list_charges(conn, charges, page, self._clock.now())
            refused: tuple[FailedStart, ...] = ()
            refused_total = 0
            if wants_failed_starts(wanted):
                refused, refused_total = await failed_starts.list_failed_starts(conn, wanted, after_start, limit)
        # Of one moment, charges come first: the order that places are read by.
        both: list[ChargeRecord | FailedStart] = [*found, *refused]
        both.sort(key=lambda each: each.created_at, reverse=True)
        return Listed(tuple(both[:limit]), total + refused_total, page)

    async def charge(self, session_id: SessionId) -> ChargeRecord:
        """One charge. Raises SessionNotFound."""
        found = await self.charges(ChargeFilter(session_id=session_id), Page(limit=1))
        if not found.records:
            raise SessionNotFound
        return found.records[0]

    async def figures(self, days: int, of_stations: Collection[StationId] | None) -> NetworkFigures:
        """Of today and the days before it, `days` together; at these stations alone, when given."""
        now = self._clock.now()
        since = midnight(now, self._timezone) - timedelta(days=days - 1)
        async with reading(self._pool) as conn:
            sums = await rows.sum_charges(conn, since, of_stations)
            stations = await rows.stations_with_faults(conn, of_stations)
        online = [
            is_faulted
            for station_id, stored_at, is_faulted in stations
            if is_online(last_seen(self._link, station_id, stored_at), now, self._heartbeat_timeout_s)
        ]
        return NetworkFigures(
            stations=len(stations),
            online=len(online),
            error=sum(online),
            active_sessions=sums.active,
            sessions=sums.begun,
            energy_kwh=sums.energy_kwh,
            revenue_som=sums.revenue_som,
            since=since,
            until=now,
        )

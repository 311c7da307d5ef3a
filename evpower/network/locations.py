"""Every location with its stations, right at read time; the list is cached for a moment.

Contract: rest-api §2; seed §3, §9.

What is cached (in a `ListCache`) is dropped by whatever changes it, and ages out before any station's heartbeat could
have run out (design §9.20). A reading in progress while something changes is answered and not kept.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from datetime import UTC, datetime, timedelta
from itertools import groupby
from operator import attrgetter

import trio

from evpower.billing.pricing import Pricing
from evpower.billing.tariff import Price
from evpower.clock import Clock
from evpower.db.connection import Conn
from evpower.db.pool import Pool
from evpower.db.unit_of_work import reading
from evpower.errors import LocationNotFound
from evpower.identifiers import ConnectorId, StationId
from evpower.link.ports import LiveStations
from evpower.network.list_cache import ListCache, NetworkPicture
from evpower.network.listing import ListedConnector, ListedLocation, ListedStation
from evpower.network.rows.listing import ConnectorRow, NetworkRows, StationRow, read_network, read_stations
from evpower.network.status import connector_status, effective_status, is_online

#: The seed's time to live.
LIST_FOR_S = 30.0
#: A reading of the whole network is dear, and anybody may ask for it (safe-by-default §7).
REFRESH_EVERY = timedelta(seconds=1)


class Locations:
    """What the list screen shows."""

    def __init__(
        self,
        pool: Pool,
        clock: Clock,
        link: LiveStations,
        pricing: Pricing,
        cache: ListCache,
        heartbeat_timeout_s: float,
        on_silence: Callable[[], None],
    ) -> None:
        """`on_silence` is called when a reading finds a station silent that the watchdog has not yet marked."""
        self._pool = pool
        self._clock = clock
        self._link = link
        self._pricing = pricing
        self._heartbeat_timeout = timedelta(seconds=heartbeat_timeout_s)
        self._on_silence = on_silence
        self._cache = cache
        self._refreshed_at = datetime.min.replace(tzinfo=UTC)
        # When many ask at once, one reads and the others get what it read.
        self._reading = trio.Lock()

    async def picture(self) -> tuple[NetworkPicture, bool]:
        """Every visible location, by name; whether it came from the cache."""
        look = await self._cache.look()
        if look.picture is not None:
            return look.picture, True
        async with self._reading:
            look = await self._cache.fetch()
            if look.picture is not None:
                return look.picture, True
            picture = await self.read()
            await self._cache.keep(look, picture)
            return picture, False

    async def location(self, location_id: str) -> ListedLocation:
        """One location, never cached. Raises LocationNotFound, also for one that is not active."""
        # PostgreSQL knows no NUL, and no fleet file names a location so.
        found = (await self.read(location_id)).locations if location_id.isprintable() else ()
        if not found:
            raise LocationNotFound(f"Локация {location_id} не найдена")
        return found[0]

    async def stations(self, station_ids: Collection[StationId]) -> list[ListedStation]:
        """Those of these stations that the public sees, never cached."""
        async with reading(self._pool) as conn:
            return list((await self._paint(conn, await read_stations(conn, station_ids))).stations())

    def forget(self) -> None:
        """Something the public can read has changed."""
        self._cache.forget()

    def refresh(self) -> None:
        """The public asks for the list to be read anew: at most once in `REFRESH_EVERY`, whoever asks."""
        now = self._clock.now()
        if abs(now - self._refreshed_at) >= REFRESH_EVERY:
            self._refreshed_at = now
            self.forget()

    async def read(self, location_id: str | None = None) -> NetworkPicture:
        """The rows and live presence of all locations, or of one (none when there is no such location)."""
        async with reading(self._pool) as conn:
            painter = await self._paint(conn, await read_network(conn, location_id))
        picture = NetworkPicture(tuple(painter.locations()), painter.expires_at)
        if painter.unnoticed_silence:
            self._on_silence()
        return picture

    async def _paint(self, conn: Conn, rows: NetworkRows) -> Painter:
        prices = await self._pricing.shown(conn, [station.id for station in rows.stations])
        return Painter(rows, prices, self._link, self._clock.now(), self._heartbeat_timeout)


class Painter:
    """Rows, prices and presence put together at one moment."""

    def __init__(
        self,
        rows: NetworkRows,
        prices: dict[StationId, Price],
        link: LiveStations,
        now: datetime,
        heartbeat_timeout: timedelta,
    ) -> None:
        self._rows = rows
        self._prices = prices
        self._link = link
        self._now = now
        self._heartbeat_timeout = heartbeat_timeout
        self.expires_at = now + timedelta(seconds=LIST_FOR_S)
        self.unnoticed_silence = False
        self._connectors = {
            station_id: list(found) for station_id, found in groupby(rows.connectors, attrgetter("station_id"))
        }

    def locations(self) -> Iterator[ListedLocation]:
        stations: dict[str, list[ListedStation]] = {}
        for station in self.stations():
            stations.setdefault(station.location_id, []).append(station)
        for location in self._rows.locations:
            yield ListedLocation(**vars(location), stations=tuple(stations.get(location.id, ())))

    def stations(self) -> Iterator[ListedStation]:
        # One without a price was deleted between two of our queries.
        return (self._station(row) for row in self._rows.stations if row.id in self._prices)

    def _station(self, row: StationRow) -> ListedStation:
        seen_at = last_seen(self._link, row.id, row.last_heartbeat_at)
        online = is_online(seen_at, self._now, self._heartbeat_timeout.total_seconds())
        if online and seen_at is not None:
            self._expire_by(seen_at + self._heartbeat_timeout)
        self.unnoticed_silence |= row.is_available and not online
        price = self._prices[row.id]
        if price.next_rate_change is not None:
            self._expire_by(price.next_rate_change)
        return ListedStation(
            id=row.id,
            location_id=row.location_id,
            serial_number=row.serial_number,
            model=row.model,
            manufacturer=row.manufacturer,
            admin_status=row.admin_status,
            power_capacity_kw=row.power_capacity,
            connectors_count=row.connectors_count,
            online=online,
            last_seen_at=seen_at,
            connectors=tuple(_connector(each, row.whole_status) for each in self._connectors.get(row.id, ())),
            rate_per_kwh=price.rate_per_kwh,
            session_fee=price.session_fee,
        )

    def _expire_by(self, moment: datetime) -> None:
        self.expires_at = min(self.expires_at, moment)


def last_seen(link: LiveStations, station_id: StationId, stored_at: datetime | None) -> datetime | None:
    """When a station last spoke, to this process or to another; what is stored lags behind by seconds."""
    known = [at for at in (link.last_seen_at(station_id), stored_at) if at is not None]
    return max(known, default=None)


def _connector(row: ConnectorRow, whole_status: str | None) -> ListedConnector:
    return ListedConnector(
        connector_id=ConnectorId(row.connector_number),
        connector_type=row.connector_type,
        power_kw=row.power_kw,
        status=connector_status(row.ocpp_status, whole_status, busy=row.busy),
        ocpp_status=effective_status(row.ocpp_status, whole_status),
        busy=row.busy,
        doubtful=row.doubtful,
    )

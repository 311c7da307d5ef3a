"""A station as the public sees it at this moment (contract/rest-api §3.1): what the list says of it, and more."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta

from evpower.billing.pricing import Pricing
from evpower.clock import Clock
from evpower.db.pool import Pool
from evpower.db.unit_of_work import reading
from evpower.errors import StationNotFound
from evpower.link.ports import LiveStations
from evpower.network.listing import ListedLocation, ListedStation
from evpower.network.locations import Painter
from evpower.network.rows.listing import read_network
from evpower.network.rows.stations import ConnectorDetails, read_connectors, read_named
from evpower.network.station_view import StationView


class StationPages:
    """Rows and live presence together: right at read time, whatever job ran."""

    def __init__(
        self,
        pool: Pool,
        clock: Clock,
        link: LiveStations,
        pricing: Pricing,
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

    async def station(self, name: str) -> StationView:
        """A station as it is now, one of a location that the list hides too. Raises StationNotFound, also for an
        inactive station."""
        async with reading(self._pool) as conn:
            named = await read_named(conn, name)
            if named is None:
                raise StationNotFound
            rows = await read_network(conn, named.location_id, hidden=True)
            prices = await self._pricing.shown(conn, [station.id for station in rows.stations])
            painter = Painter(rows, prices, self._link, self._clock.now(), self._heartbeat_timeout)
            locations = painter.locations()
            if painter.unnoticed_silence:
                self._on_silence()
            connectors = await read_connectors(conn, named.id)
        for location in locations:
            for station in location.stations:
                if station.id == named.id:
                    return self._view(station, location, named.firmware_version, connectors)
        raise StationNotFound

    def _view(
        self,
        station: ListedStation,
        location: ListedLocation,
        firmware_version: str | None,
        connectors: Sequence[ConnectorDetails],
    ) -> StationView:
        return StationView(
            station=station,
            location=location,
            connected=self._link.is_connected(station.id),
            firmware_version=firmware_version,
            error_codes={each.connector_id: each.error_code for each in connectors},
            running=tuple(each.running for each in connectors if each.running is not None),
        )

"""What administrators change of the network: locations, stations, connectors (contract/rest-api §7.7).

Fields are those of a fleet file and are read by the same rules; a change names only what changes, and null empties a
field. Nothing is deleted: what is not wanted any more becomes `inactive`. A charge that runs goes on (design §9.15).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evpower.administration.network_views import NetworkViews
from evpower.administration.records import Changed, LocationRecord, SeenStation
from evpower.administration.rows import entities as rows
from evpower.clock import Clock
from evpower.db.pool import Pool
from evpower.db.unit_of_work import UnitOfWork, unit_of_work
from evpower.errors import AlreadyExists, InvalidRequest, LocationNotFound, NotFound, StationNotFound
from evpower.events import NetworkChanged
from evpower.identifiers import StationId
from evpower.network_file.changes import Change, given_fields, log_change, naming
from evpower.network_file.file import read_location, read_station
from evpower.network_file.parts import Fleet
from evpower.network_file.service import FleetReport, NetworkFile, lock_imports
from evpower.network_file.tables import CONNECTORS, LOCATIONS, STATIONS

NO_STATIONS_HERE = "станции создаются отдельно: POST /stations"
OWN_DOOR = "задаётся отдельно: PUT /stations/{id}/password"


class Administration:
    """Every change is one unit of work, logged with its author, and published to phones after its commit."""

    def __init__(self, pool: Pool, clock: Clock, views: NetworkViews, network_file: NetworkFile) -> None:
        self._pool = pool
        self._clock = clock
        self._views = views
        self._network_file = network_file

    async def create_location(self, body: Mapping[str, Any], *, actor: str) -> Changed[LocationRecord]:
        """Raises AlreadyExists, InvalidRequest naming every wrong field."""
        change = Change.creating(body)
        _refuse(change, "stations", NO_STATIONS_HERE)
        async with unit_of_work(self._pool) as uow:
            await lock_imports(uow.conn)
            if await rows.known_location(uow.conn, change.id) is not None:
                raise AlreadyExists(f"Локация {change.id} уже есть")
            report = await self._write(uow, read_location(change.given), change.id)
            uow.after_commit(lambda: log_change("location", change.id, "created", change, actor))
        return Changed(await self._views.location(change.id), report.warnings)

    async def change_location(
        self, location_id: str, body: Mapping[str, Any], *, actor: str
    ) -> Changed[LocationRecord]:
        """Raises LocationNotFound, InvalidRequest naming every wrong field."""
        change = Change.of(location_id, body, LOCATIONS)
        _refuse(change, "stations", NO_STATIONS_HERE)
        async with unit_of_work(self._pool) as uow:
            await lock_imports(uow.conn)
            stored = await rows.known_location(uow.conn, location_id)
            if stored is None:
                raise LocationNotFound(f"Локация {location_id} не найдена")
            report = await self._write(uow, read_location({**vars(stored), **change.given}), location_id)
            await rows.empty(uow.conn, LOCATIONS, {"id": location_id}, change.emptied, self._clock.now())
            uow.after_commit(lambda: log_change("location", location_id, "changed", change, actor))
        return Changed(await self._views.location(location_id), report.warnings)

    async def create_station(self, body: Mapping[str, Any], *, actor: str) -> Changed[SeenStation]:
        """`connectors` among its fields. Raises AlreadyExists, InvalidRequest naming every wrong field."""
        change = Change.creating(body)
        station_id = StationId(change.id)
        async with unit_of_work(self._pool) as uow:
            await lock_imports(uow.conn)
            if await rows.known_station(uow.conn, station_id) is not None:
                raise AlreadyExists(f"Станция {station_id} уже есть")
            report = await self._write_station(uow, change.given)
            uow.after_commit(lambda: log_change("station", station_id, "created", change, actor))
        return Changed(await self._views.station(station_id), report.warnings)

    async def change_station(
        self, station_id: StationId, body: Mapping[str, Any], *, actor: str
    ) -> Changed[SeenStation]:
        """Connectors it names are made or changed, others stay. Raises StationNotFound, InvalidRequest."""
        change = Change.of(station_id, body, STATIONS)
        _refuse(change, "password", OWN_DOOR)
        async with unit_of_work(self._pool) as uow:
            await lock_imports(uow.conn)
            stored = await self._stored(uow, station_id)
            report = await self._write_station(uow, {**vars(stored), **change.given}, stored.location_id)
            await rows.empty(uow.conn, STATIONS, {"id": station_id}, change.emptied, self._clock.now())
            uow.after_commit(lambda: log_change("station", station_id, "changed", change, actor))
        return Changed(await self._views.station(station_id), report.warnings)

    async def create_connector(
        self, station_id: StationId, body: Mapping[str, Any], *, actor: str
    ) -> Changed[SeenStation]:
        """The whole station. Raises StationNotFound, AlreadyExists, InvalidRequest."""
        change = Change(given_fields(body))
        async with unit_of_work(self._pool) as uow:
            await lock_imports(uow.conn)
            stored = await self._stored(uow, station_id)
            number = change.given.get("connector_number")
            if any(number == taken for taken in await rows.connector_numbers(uow.conn, station_id)):
                raise AlreadyExists(f"Коннектор {number} у станции {station_id} уже есть")
            report = await self._write_connector(uow, stored, change)
            uow.after_commit(lambda: log_change("connector", f"{station_id}/{number}", "created", change, actor))
        return Changed(await self._views.station(station_id), report.warnings)

    async def change_connector(
        self, station_id: StationId, number: int, body: Mapping[str, Any], *, actor: str
    ) -> Changed[SeenStation]:
        """The whole station. Raises StationNotFound, NotFound, InvalidRequest."""
        change = Change.of(number, body, CONNECTORS, key_name="connector_number")
        key = {"station_id": station_id, "connector_number": number}
        async with unit_of_work(self._pool) as uow:
            await lock_imports(uow.conn)
            stored = await self._stored(uow, station_id)
            if number not in await rows.connector_numbers(uow.conn, station_id):
                raise NotFound("Коннектор не найден")
            report = await self._write_connector(uow, stored, change)
            await rows.empty(uow.conn, CONNECTORS, key, change.emptied, self._clock.now())
            uow.after_commit(lambda: log_change("connector", f"{station_id}/{number}", "changed", change, actor))
        return Changed(await self._views.station(station_id), report.warnings)

    async def _stored(self, uow: UnitOfWork, station_id: StationId) -> rows.KnownStation:
        stored = await rows.known_station(uow.conn, station_id)
        if stored is None:
            raise StationNotFound
        return stored

    async def _write_connector(self, uow: UnitOfWork, stored: rows.KnownStation, change: Change) -> FleetReport:
        with naming("connectors[0].", "connectors."):
            return await self._write_station(uow, {**vars(stored), "connectors": [change.given]})

    async def _write_station(self, uow: UnitOfWork, given: Mapping[str, Any], *were_at: str) -> FleetReport:
        """`were_at` are further locations that learn of it."""
        location_id = given.get("location_id")
        if not isinstance(location_id, str):
            raise InvalidRequest(("location_id", "обязательное поле, строка"))
        place = await rows.known_location(uow.conn, location_id)
        if place is None:
            raise InvalidRequest(("location_id", "локация не найдена"))
        fields = {name: value for name, value in given.items() if name != "location_id"}
        with naming("stations."):
            read = read_station(fields, place.id, place.name, place.address)
            return await self._write(uow, read, location_id, *were_at)

    async def _write(self, uow: UnitOfWork, fleet: Fleet, *location_ids: str) -> FleetReport:
        news = [NetworkChanged(each) for each in sorted({*location_ids})]
        return await self._network_file.write(uow, fleet, *news)


def _refuse(change: Change, field: str, why: str) -> None:
    if field in change.given:
        raise InvalidRequest((field, why))

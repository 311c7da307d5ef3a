"""The device model of stations of OCPP 2.0.1: components and variables, as reports in parts bring them (ocpp201 §5)."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from evpower.clock import Clock
from evpower.db.pool import Pool
from evpower.db.unit_of_work import reading, unit_of_work
from evpower.identifiers import StationId
from evpower.stations.device_variable import DeviceMonitor, DeviceVariable, KnownVariable
from evpower.stations.growing_report import GrowingReports
from evpower.stations.rows import device_model as rows

log = logging.getLogger("OCPP")

#: Monitors of a station that are kept, the latest reported.
MOST_MONITORS = 2_000
#: Up to this severity (an error) an event wants a look; above it are alerts, warnings, notices and less (contract §6).
LEAST_GRAVE = 4


class DeviceModel:
    """What stations report of themselves."""

    def __init__(self, pool: Pool, clock: Clock) -> None:
        self._pool = pool
        self._clock = clock
        self._reports = GrowingReports[DeviceVariable]("NotifyReport")
        self._monitors = GrowingReports[DeviceMonitor]("NotifyMonitoringReport")

    async def inventory_to_ask(self, station_id: StationId) -> int | None:
        """The number of a request for all there is; None when it is known and the firmware is the same (B07)."""
        async with unit_of_work(self._pool) as uow:
            return await rows.ask(uow.conn, station_id, self._clock.now())

    async def new_number(self) -> int:
        """The number of a request for a report that goes to whoever asks."""
        async with unit_of_work(self._pool) as uow:
            return await rows.new_number(uow.conn)

    async def report(
        self, station_id: StationId, request_id: int, seq_no: int, variables: Sequence[DeviceVariable], *, more: bool
    ) -> bool:
        """A part of a report; it is kept once all have come, whatever their order. True when the inventory has come."""
        now = self._clock.now()
        whole = self._reports.part(station_id, request_id, seq_no, variables, now, more=more)
        if whole is None:
            return False
        async with unit_of_work(self._pool) as uow:
            is_inventory = await rows.store_report(uow.conn, station_id, request_id, whole, now)
        self._reports.stored(station_id)
        log.info("device model: station=%s, variables=%d", station_id, len(whole))
        return is_inventory

    async def read(self, station_id: StationId, variables: Sequence[DeviceVariable]) -> None:
        """Variables that we have asked for by ourselves."""
        async with unit_of_work(self._pool) as uow:
            await rows.store(uow.conn, station_id, variables, self._clock.now())

    async def monitors(
        self, station_id: StationId, request_id: int, seq_no: int, monitors: Sequence[DeviceMonitor], *, more: bool
    ) -> None:
        """A part of a report on monitors of its variables, kept with the others; monitors that are known stay."""
        now = self._clock.now()
        whole = self._monitors.part(station_id, request_id, seq_no, monitors, now, more=more)
        if whole is None:
            return
        if whole:
            async with unit_of_work(self._pool) as uow:
                await rows.store_monitors(uow.conn, station_id, whole, now, most=MOST_MONITORS)
        self._monitors.stored(station_id)

    async def is_grave(self, station_id: StationId, monitor_id: int | None, variable: str) -> bool:
        """Whether a notification wants a look: one that names no monitor of this variable that is known does."""
        if monitor_id is None:
            return True
        async with reading(self._pool) as conn:
            severity = await rows.severity(conn, station_id, monitor_id, variable)
        return severity is None or severity <= LEAST_GRAVE

    async def known(self, station_id: StationId, component: str | None = None) -> list[KnownVariable]:
        """What was reported last, of everything or of one component (by its name, in any case)."""
        async with reading(self._pool) as conn:
            return await rows.read(conn, station_id, component)

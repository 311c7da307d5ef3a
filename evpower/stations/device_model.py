"""The device model of stations of OCPP 2.0.1: components and variables, as reports in parts bring them (ocpp201 §5)."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from evpower.clock import Clock
from evpower.db.pool import Pool
from evpower.db.unit_of_work import reading, unit_of_work
from evpower.identifiers import StationId
from evpower.stations.device_variable import DeviceMonitor, DeviceVariable, KnownVariable
from evpower.stations.rows import device_model as rows

log = logging.getLogger("OCPP")

#: A report whose rest does not come is dropped after this time.
WHOLE_WITHIN = timedelta(minutes=5)
#: Variables of one report; a station that reports more has a fault, and must not fill our memory.
MOST_VARIABLES = 20_000
#: Monitors of a station that are kept, the latest reported.
MOST_MONITORS = 2_000
#: Up to this severity (an error) an event wants a look; above it are alerts, warnings, notices and less (contract §6).
LEAST_GRAVE = 4


@dataclass
class _Growing:
    """A report of which not all parts have come."""

    request_id: int
    began_at: datetime
    parts: dict[int, Sequence[DeviceVariable]] = field(default_factory=dict)
    last: int | None = None

    @property
    def is_whole(self) -> bool:
        return self.last is not None and all(number in self.parts for number in range(self.last + 1))

    @property
    def size(self) -> int:
        return sum(map(len, self.parts.values()))


class DeviceModel:
    """What stations report of themselves. Of a station one report grows at a time, in memory: it can be asked again."""

    def __init__(self, pool: Pool, clock: Clock) -> None:
        self._pool = pool
        self._clock = clock
        self._growing: dict[StationId, _Growing] = {}

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
        for each in [each for each, growing in self._growing.items() if now - growing.began_at > WHOLE_WITHIN]:
            del self._growing[each]
            log.warning("a report is dropped, its rest did not come: station=%s", each)
        growing = self._growing.get(station_id)
        if growing is None or growing.request_id != request_id:
            growing = self._growing[station_id] = _Growing(request_id, now)
        growing.parts[seq_no] = variables
        if not more:
            growing.last = seq_no
        if growing.size > MOST_VARIABLES:
            del self._growing[station_id]
            log.warning("a report is dropped, it is too long: station=%s", station_id)
        elif growing.is_whole:
            whole = [each for number in sorted(growing.parts) for each in growing.parts[number]]
            async with unit_of_work(self._pool) as uow:
                is_inventory = await rows.store_report(uow.conn, station_id, request_id, whole, now)
            self._growing.pop(station_id, None)
            log.info("device model: station=%s, variables=%d", station_id, len(whole))
            return is_inventory
        return False

    async def read(self, station_id: StationId, variables: Sequence[DeviceVariable]) -> None:
        """Variables that we have asked for by ourselves."""
        async with unit_of_work(self._pool) as uow:
            await rows.store(uow.conn, station_id, variables, self._clock.now())

    async def monitors(self, station_id: StationId, monitors: Sequence[DeviceMonitor]) -> None:
        """The station reports monitors of its variables; others that are known stay."""
        if monitors:
            async with unit_of_work(self._pool) as uow:
                await rows.store_monitors(uow.conn, station_id, monitors, self._clock.now(), most=MOST_MONITORS)

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

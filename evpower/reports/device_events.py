"""Events of stations' components (OCPP 2.0.1 N07): each part is a row at once, and counts when the last has come.

A report of events cannot be asked for again, so its parts do not wait in memory.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime

from evpower.clock import Clock
from evpower.db.pool import Pool
from evpower.db.unit_of_work import UnitOfWork, reading, unit_of_work
from evpower.identifiers import StationId
from evpower.reports.device_event import DETAIL_CHARS, REPORTED_AS, EventsPart, KeptEvent
from evpower.reports.rows import device_events as rows
from evpower.security.records import add_event
from evpower.security.security_report import SecurityMatter, SecurityReport
from evpower.stations.device_model import DeviceModel
from evpower.stations.growing_report import WHOLE_WITHIN

log = logging.getLogger("OCPP")
security_log = logging.getLogger("security")

#: Of a station's event that says which events were dropped.
DROPPED = "PartsDropped"


class DeviceEvents:
    """What stations notify. Of a station one report of events grows at a time."""

    def __init__(self, pool: Pool, clock: Clock, device_model: DeviceModel) -> None:
        self._pool = pool
        self._clock = clock
        self._device_model = device_model

    async def take(self, station_id: StationId, part: EventsPart) -> None:
        """Store a part. With the last one every event counts, and each grave one is an event of the station."""
        now = self._clock.now()
        graves = [await self._device_model.is_grave(station_id, each.monitor_id, each.name) for each in part.events]
        raised: list[SecurityReport] = []
        async with unit_of_work(self._pool) as uow:
            held = await rows.held(uow.conn, station_id)
            if held and (_is_over(held, now) or _begins_another(held, part)):
                raised += await _drop(uow, station_id, now)
                held = []
            alone = not part.more and (not held or part.seq_no == 0)
            await rows.add(uow.conn, station_id, part, graves, now, is_whole=alone)
            if alone:
                raised += [each.report() for each, grave in zip(part.events, graves, strict=True) if grave]
            elif _is_whole([*held, rows.HeldPart(part.seq_no, not part.more, part.generated_at, now)]):
                raised += [each.report() for each in await rows.complete(uow.conn, station_id)]
            for report in raised:
                await add_event(uow.conn, station_id, report, now)
        for report in raised:
            line = "%s: station=%s, type=%r, detail=%r"
            security_log.warning(line, report.reported_as, station_id, report.type, report.detail)

    async def newest(self, station_id: StationId, limit: int) -> list[KeptEvent]:
        """The station's events, newest first."""
        async with reading(self._pool) as conn:
            return await rows.newest(conn, station_id, limit)


def _is_over(held: Sequence[rows.HeldPart], now: datetime) -> bool:
    """The rest has not come in time."""
    return now - min(each.received_at for each in held) > WHOLE_WITHIN


def _begins_another(held: Sequence[rows.HeldPart], part: EventsPart) -> bool:
    """It is the first of several parts, and not the first of those that wait, sent again."""
    firsts = [each for each in held if each.seq_no == 0]
    return part.seq_no == 0 and part.more and any(each.generated_at != part.generated_at for each in firsts)


def _is_whole(parts: Sequence[rows.HeldPart]) -> bool:
    numbers = {each.seq_no for each in parts}
    return any(each.is_last and numbers.issuperset(range(each.seq_no)) for each in parts)


async def _drop(uow: UnitOfWork, station_id: StationId, now: datetime) -> list[SecurityReport]:
    names = await rows.drop(uow.conn, station_id)
    line = "events are dropped, the rest of their report did not come: station=%s, events=%d"
    log.warning(line, station_id, len(names))
    detail = ", ".join(names)[:DETAIL_CHARS]
    return [SecurityReport(SecurityMatter.EVENT, REPORTED_AS, DROPPED, detail=detail, occurred_at=now)]


async def drop_overdue(pool: Pool, now: datetime) -> None:
    """Drop parts whose rest has not come, and of which their stations say nothing more."""
    async with unit_of_work(pool) as uow:
        for station_id in await rows.overdue(uow.conn, now - WHOLE_WITHIN):
            for report in await _drop(uow, station_id, now):
                await add_event(uow.conn, station_id, report, now)

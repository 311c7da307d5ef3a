"""Keeping health: computed from rows, again and again, by a worker of every process; written when it differs.

Two processes compute the same from the same rows, so that none has to be the one that does it; a crash loses nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

import trio

from evpower.clock import Clock
from evpower.db.pool import Pool
from evpower.db.unit_of_work import reading, unit_of_work
from evpower.events import EventBus, StationChanged
from evpower.health.passed_over import OWN_STARTS_LEAST, is_passed_over
from evpower.health.records import ConnectorDoubt, ConnectorHealth
from evpower.health.reliability import health_of
from evpower.health.rows.health import delete_plug_ins, read_health, read_neighbourhoods, write_health
from evpower.health.rows.starts import ConnectorPlace, read_signs, stations_with_news
from evpower.health.signs import Sign, SignKind
from evpower.identifiers import StationId
from evpower.worker import repeat

log = logging.getLogger("evpower.health")

EVERY_S = 30.0
#: All of the network, for what changed later than `NEWS_OF`; who is passed over is looked for then.
ALL_EVERY = timedelta(hours=1)
#: What becomes of a start is known so long after it at the latest (charging.start_deadline_s, and a moment).
NEWS_OF = timedelta(minutes=30)
#: Stations of one reading.
AT_ONCE = 250
PLUG_INS_KEPT_FOR = timedelta(days=7)


class ConnectorsHealth:
    """The worker, and what it found."""

    def __init__(self, pool: Pool, clock: Clock, bus: EventBus) -> None:
        self._pool = pool
        self._clock = clock
        self._bus = bus
        self._all_at: datetime | None = None
        self._passed_over: frozenset[ConnectorPlace] = frozenset()

    async def listed(self, stations: Collection[StationId] | None = None) -> list[ConnectorHealth]:
        """Every connector of these stations, or of all."""
        async with reading(self._pool) as conn:
            return await read_health(conn, stations)

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Until cancelled."""
        task_status.started()
        await repeat(self.work, EVERY_S, log=log, failure="the connectors' health could not be computed; again later")

    async def work(self) -> None:
        """Compute what may have changed, and keep what has."""
        now = self._clock.now()
        everything = self._all_at is None or abs(now - self._all_at) >= ALL_EVERY
        async with reading(self._pool) as conn:
            if everything:
                found = await read_neighbourhoods(conn, now, OWN_STARTS_LEAST)
                self._passed_over = frozenset(place for place, seen in found.items() if is_passed_over(seen))
            ids = await stations_with_news(conn, None if everything else now - NEWS_OF)
        for first in range(0, len(ids), AT_ONCE):
            await self._compute(ids[first : first + AT_ONCE], now)
        if everything:
            self._all_at = now

    async def _compute(self, ids: Sequence[StationId], now: datetime) -> None:
        async with reading(self._pool) as conn:
            signs, before = await read_signs(conn, ids), await read_health(conn, ids)
        after = [self._health(was, signs, now) for was in before]
        changed = [new for was, new in zip(before, after, strict=True) if new != was]
        if not changed:
            return
        async with unit_of_work(self._pool) as uow:
            await write_health(uow.conn, changed, now)
        for was, new in zip(before, after, strict=True):
            if was.doubt != new.doubt:
                _log_change(new)
                self._bus.publish(StationChanged(new.station_id))

    def _health(
        self, was: ConnectorHealth, signs: Mapping[ConnectorPlace, list[Sign]], now: datetime
    ) -> ConnectorHealth:
        place = was.station_id, was.connector_number
        own = signs.get(place, [])
        health = health_of(own, now)
        doubt: ConnectorDoubt | None = "starts_fail" if health.doubted_since is not None else None
        since = health.doubted_since
        if doubt is None and place in self._passed_over:
            since = (was.doubted_since if was.doubt == "passed_over" else None) or now
            # Somebody began there since the whole network was looked at.
            is_used = any(sign.kind is SignKind.WORKED and sign.at >= since for sign in own)
            doubt, since = (None, None) if is_used else ("passed_over", since)
        return ConnectorHealth(*place, health.tried, health.worked, health.chance, doubt, since)


def _log_change(new: ConnectorHealth) -> None:
    if new.doubt is None:
        log.info("connector is good again: station=%s, connector=%s", new.station_id, new.connector_number)
    else:
        log.warning(
            "connector is in doubt: station=%s, connector=%s, why=%s, worked=%s of %s",
            new.station_id,
            new.connector_number,
            new.doubt,
            new.worked,
            new.tried,
        )


async def forget_plug_ins(pool: Pool, now: datetime) -> None:
    """Drop what is older than a week."""
    async with unit_of_work(pool) as uow:
        await delete_plug_ins(uow.conn, now - PLUG_INS_KEPT_FOR)

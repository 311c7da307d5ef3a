"""What is known of one station, as its page shows it tab by tab."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from evpower.case_files.rows import station_cases as rows
from evpower.case_files.station_case import (
    CaseStranger,
    KnownSetting,
    StationCase,
    StationEvent,
    StationReading,
    station_state,
)
from evpower.clock import Clock
from evpower.db.pool import Pool
from evpower.db.unit_of_work import reading
from evpower.errors import StationNotFound
from evpower.identifiers import StationId
from evpower.link.ports import SocketNow
from evpower.narrowing import Narrowing

READINGS_OF = timedelta(hours=24)


class StationCases:
    """Reads."""

    def __init__(self, pool: Pool, clock: Clock, heartbeat_timeout_s: float) -> None:
        self._pool = pool
        self._clock = clock
        self._heartbeat_timeout = timedelta(seconds=heartbeat_timeout_s)

    async def case(self, station_id: StationId, socket: SocketNow | None) -> StationCase:
        """The station with its state; `socket` is that of this process. Raises StationNotFound."""
        async with reading(self._pool) as conn:
            station = await rows.read_station(conn, station_id)
            if station is None:
                raise StationNotFound
            refused = await rows.read_refused(conn, station)
        state, since = station_state(station, socket, self._clock.now(), self._heartbeat_timeout)
        return StationCase(station, state, since, refused)

    async def stranger(self, identity: str) -> CaseStranger | None:
        """Who asked to be let in under a name that no station has."""
        async with reading(self._pool) as conn:
            return await rows.read_stranger(conn, identity)

    async def settings(self, station_id: StationId) -> Sequence[KnownSetting]:
        """Its settings as it told them last, beside its siblings'."""
        async with reading(self._pool) as conn:
            return await rows.read_settings(conn, station_id)

    async def readings(self, station_id: StationId) -> Sequence[StationReading]:
        """The newest readings of a day."""
        async with reading(self._pool) as conn:
            return await rows.read_readings(conn, station_id, self._clock.now() - READINGS_OF)

    async def events(self, wanted: Narrowing, before: datetime | None = None) -> Sequence[StationEvent]:
        """Who did what, and what stations reported of themselves, the newest first; every line of the oldest moment is
        among them, so that what is older begins before it."""
        async with reading(self._pool) as conn:
            return await rows.read_events(conn, wanted, before)

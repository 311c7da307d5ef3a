"""What /health asks of the engines (contract/rest-api §6)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from evpower.clock import ClockWatch
from evpower.db.pool import Pool
from evpower.db.redis_link import RedisLink
from evpower.db.unit_of_work import reading
from evpower.errors import RedisAway
from evpower.link.ports import LiveStations
from evpower.payments.provider_calls import ProviderState

#: How each payment provider answers.
Providers: TypeAlias = Callable[[], Mapping[str, ProviderState]]

#: Written and read by /health-force alone; of no use to any other reader.
PROBE_KEY = "evpower:probe"
PROBE_LASTS_S = 10


class ServerProbes:
    """Implements `evpower.http.service.Probes`."""

    def __init__(
        self, pool: Pool, link: LiveStations, providers: Providers, redis: RedisLink | None, watch: ClockWatch
    ) -> None:
        self._pool = pool
        self._link = link
        self._providers = providers
        self._redis = redis
        self._watch = watch

    async def database(self) -> None:
        """Returns when PostgreSQL answered; the caller sets the time-out."""
        async with reading(self._pool) as conn:
            await conn.execute("SELECT 1")

    def payments(self) -> Mapping[str, ProviderState]:
        """How each payment provider answers this process."""
        return self._providers()

    def redis(self) -> str:
        """`disabled` when none is set."""
        if self._redis is None:
            return "disabled"
        return "connected" if self._redis.is_there else "disconnected"

    async def redis_stores(self) -> str:
        """The same status, after a value was stored in Redis and came back."""
        if self._redis is None:
            return "disabled"
        try:
            _, found = await self._redis.ask(("SET", PROBE_KEY, "stored", "EX", PROBE_LASTS_S), ("GET", PROBE_KEY))
        except RedisAway:
            return "disconnected"
        return "connected" if found == b"stored" else "disconnected"

    def clock_jump_s(self) -> float | None:
        """By how much the wall clock jumped, while time limits are held for it."""
        return self._watch.last_jump_s if self._watch.holds else None

    def refused_write(self) -> tuple[str, str] | None:
        """The room whose rows PostgreSQL refused to write within the last minute, and why."""
        last = self._pool.refused_writes.last
        return None if last is None else (last.room, last.reason)

    def connected_stations(self) -> int:
        """Open station sockets in this process."""
        return len(self._link.seen())

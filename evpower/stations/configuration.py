"""Reading and writing a charger's configuration (OCPP 1.6 §5.3, §5.8, §9), and the last known one of each station."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from evpower.clock import Clock
from evpower.db.pool import Pool
from evpower.db.unit_of_work import reading, unit_of_work
from evpower.errors import CommandRejected, StationNotFound
from evpower.identifiers import StationId
from evpower.network.station_records import station_exists
from evpower.stations.commands import PASSWORD_KEY, StationCommands, refuse_password
from evpower.stations.rows import configuration as rows

WRITTEN = frozenset({"Accepted", "RebootRequired"})


class Configuration:
    """Keys and values of chargers."""

    def __init__(self, pool: Pool, clock: Clock, commands: StationCommands) -> None:
        self._pool = pool
        self._clock = clock
        self._commands = commands

    async def known(self, station_id: StationId) -> list[dict[str, Any]]:
        """The last known configuration, by key, without asking the charger. Raises StationNotFound."""
        async with reading(self._pool) as conn:
            if not await station_exists(conn, station_id):
                raise StationNotFound
            return await rows.read_known(conn, station_id)

    async def read(self, station_id: StationId, keys: Sequence[str]) -> dict[str, Any]:
        """Ask the charger for these keys, or for all when there are none; what it says is stored."""
        answer = await self._commands.send(station_id, "GetConfiguration", {"key": list(keys)} if keys else {})
        settings = [each for each in answer.get("configurationKey") or () if each["key"].lower() != PASSWORD_KEY]
        unknown = answer.get("unknownKey") or []
        async with unit_of_work(self._pool) as uow:
            await rows.forget(uow.conn, station_id, None if not keys else unknown)
            await rows.store(uow.conn, station_id, settings, self._clock.now())
        return {"configuration": settings, "unknown": unknown}

    async def write(self, station_id: StationId, values: Mapping[str, str]) -> dict[str, Any]:
        """Set each key; those the charger took are stored. Raises CommandRejected when it did not take all."""
        for key in values:
            refuse_password(key)
        statuses: dict[str, str] = {}
        for key, value in values.items():
            answer = await self._commands.send(station_id, "ChangeConfiguration", {"key": key, "value": value})
            statuses[key] = status = answer["status"]
            if status in WRITTEN:
                async with unit_of_work(self._pool) as uow:
                    rebooting = status == "RebootRequired"
                    await rows.store_written(uow.conn, station_id, key, value, rebooting, self._clock.now())
        refused = [status for status in statuses.values() if status not in WRITTEN]
        if refused:
            raise CommandRejected(refused[0], {"statuses": statuses})
        return {"statuses": statuses}

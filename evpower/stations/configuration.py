"""Reading and writing a station's settings, and the last known one of each station."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from evpower.clock import Clock
from evpower.db.pool import Pool
from evpower.db.unit_of_work import reading, unit_of_work
from evpower.errors import InvalidRequest, StationNotFound
from evpower.identifiers import StationId
from evpower.link.commands import Ending, ReadSettings, Settings, WriteSetting
from evpower.link.errors import CommandRejected
from evpower.network.station_records import station_exists
from evpower.stations.commands import StationCommands
from evpower.stations.rows import configuration as rows

#: The setting that is a secret, by its names in all versions; names of settings know no case.
PASSWORD_KEYS = frozenset({"authorizationkey", "basicauthpassword", "securityctrlr.basicauthpassword"})


def refuse_password(key: object) -> None:
    """A password set behind our back would lock the station out. Raises InvalidRequest (see `station_access`)."""
    if isinstance(key, str) and key.strip().lower() in PASSWORD_KEYS:
        raise InvalidRequest(("AuthorizationKey", "пароль станции меняется отдельной командой"))


class Configuration:
    """Keys and values of stations."""

    def __init__(self, pool: Pool, clock: Clock, commands: StationCommands) -> None:
        self._pool = pool
        self._clock = clock
        self._commands = commands

    async def known(self, station_id: StationId) -> list[dict[str, Any]]:
        """The last known configuration, by key, without asking the station. Raises StationNotFound."""
        async with reading(self._pool) as conn:
            if not await station_exists(conn, station_id):
                raise StationNotFound
            return await rows.read_known(conn, station_id)

    async def read(self, station_id: StationId, keys: Sequence[str]) -> Settings:
        """Ask the station for these keys, or for all when there are none; what it says is stored."""
        answer = await self._commands.ask(station_id, ReadSettings(tuple(keys)))
        settings = tuple(each for each in answer.settings if each.key.lower() not in PASSWORD_KEYS)
        async with unit_of_work(self._pool) as uow:
            await rows.forget(uow.conn, station_id, None if not keys else answer.unknown)
            await rows.store(uow.conn, station_id, settings, self._clock.now())
        return Settings(settings, answer.unknown)

    async def write(self, station_id: StationId, values: Mapping[str, str]) -> dict[str, str]:
        """Set each key; those the station took are stored. The status of each.

        Raises CommandRejected when it did not take all.
        """
        for key in values:
            refuse_password(key)
        statuses: dict[str, str] = {}
        refused: list[str] = []
        for key, value in values.items():
            reply = await self._commands.ask(station_id, WriteSetting(key, value))
            statuses[key] = reply.status
            if reply.ending is Ending.REFUSED:
                refused.append(reply.status)
                continue
            async with unit_of_work(self._pool) as uow:
                rebooting = reply.ending is Ending.LATER
                await rows.store_written(uow.conn, station_id, key, value, rebooting, self._clock.now())
        if refused:
            raise CommandRejected(refused[0], {"statuses": statuses})
        return statuses

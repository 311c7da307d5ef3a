"""Limits on power and current by the clock (duty 35).

What OCPP says of a profile's fields is checked by the wire; here is what only we know: whether the transaction still
runs, and which lasting profiles a station holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evpower.clock import Clock
from evpower.db.pool import Pool
from evpower.db.unit_of_work import reading, unit_of_work
from evpower.errors import InvalidRequest
from evpower.identifiers import ConnectorId, StationId
from evpower.link.commands import ClearProfiles, ReadSchedule, Reply, SetProfile
from evpower.link.ports import StationLink
from evpower.power.at_station.beside import OperatorsProfiles
from evpower.stations.commands import StationCommands
from evpower.stations.rows import charging_profiles as rows

IN_A_GROUP = (
    "коннектор в группе мощности, и такой профиль занял бы место её пределов; максимумом здесь служат"
    " TxDefaultProfile со stackLevel выше 0 и ChargePointMaxProfile"
)


class ChargingProfiles:
    """Charging profiles at stations."""

    def __init__(
        self, pool: Pool, clock: Clock, commands: StationCommands, link: StationLink, beside: OperatorsProfiles
    ) -> None:
        self._pool = pool
        self._clock = clock
        self._commands = commands
        self._link = link
        self._beside = beside

    async def set(self, station_id: StationId, connector_id: ConnectorId, written: Mapping[str, Any]) -> Reply:
        """Give the station a profile (OCPP's object); one of the same purpose and level is replaced.

        Raises InvalidRequest, also for a transaction that does not run there (OCPP 1.6 §5.16.1) and for a profile
        that would take the place of ours at a connector of a power group, and CommandFailure.
        """
        profile = await self._link.read_profile(station_id, connector_id, written)
        if profile.transaction_id is not None:
            async with reading(self._pool) as conn:
                if not await rows.is_running(conn, station_id, connector_id, profile.transaction_id):
                    raise InvalidRequest(("profile.transactionId", "на этом коннекторе нет такой активной зарядки"))
        if await self._beside.takes_our_place(station_id, connector_id, profile):
            raise InvalidRequest(("profile.chargingProfilePurpose", IN_A_GROUP))
        reply = await self._commands.demand(station_id, SetProfile(connector_id, profile))
        if not profile.is_passing:  # it dies with its transaction, so it is not kept
            async with unit_of_work(self._pool) as uow:
                await rows.store(uow.conn, station_id, connector_id, profile, self._clock.now())
        return reply

    async def clear(
        self,
        station_id: StationId,
        *,
        profile_id: int | None,
        connector_id: ConnectorId | None,
        purpose: str | None,
        stack_level: int | None,
    ) -> Reply:
        """Take away the profiles that match everything given; all of them when nothing is. Raises CommandFailure."""
        reply = await self._commands.demand(station_id, ClearProfiles(profile_id, connector_id, purpose, stack_level))
        async with unit_of_work(self._pool) as uow:
            await rows.clear(uow.conn, station_id, profile_id, connector_id, purpose, stack_level)
        await self._beside.cleared(station_id, connector_id)
        return reply

    async def composite(
        self, station_id: StationId, connector_id: ConnectorId, duration_s: int, unit: str | None
    ) -> Reply:
        """What the station will allow over the next `duration_s` seconds; `unit` is A or W. Raises CommandFailure."""
        return await self._commands.demand(station_id, ReadSchedule(connector_id, duration_s, unit))

"""Limits on power and current by the clock (OCPP 1.6 §3.13, §5.5, §5.7, §5.16; duty 35).

What OCPP says of a profile's fields is checked by the wire (`ocpp/v16/command_rules.py`); here is what only we know:
whether the transaction still runs, and which lasting profiles a charger holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evpower.clock import Clock
from evpower.db.pool import Pool
from evpower.db.unit_of_work import reading, unit_of_work
from evpower.errors import InvalidRequest
from evpower.identifiers import ConnectorId, StationId
from evpower.stations.commands import StationCommands
from evpower.stations.rows import charging_profiles as rows

#: It dies with its transaction, so it is not kept.
PASSING = "TxProfile"
CLEARED_OR_NOT_THERE = frozenset({"Accepted", "Unknown"})


class ChargingProfiles:
    """Charging profiles at chargers."""

    def __init__(self, pool: Pool, clock: Clock, commands: StationCommands) -> None:
        self._pool = pool
        self._clock = clock
        self._commands = commands

    async def set(self, station_id: StationId, connector_id: ConnectorId, profile: Mapping[str, Any]) -> dict[str, Any]:
        """Give the charger a profile (OCPP's object); one of the same purpose and level is replaced.

        Raises InvalidRequest for a transaction that does not run there (§5.16.1), and CommandRejected.
        """
        purpose = profile.get("chargingProfilePurpose")
        if purpose == PASSING and "transactionId" in profile:
            async with reading(self._pool) as conn:
                if not await rows.is_running(conn, station_id, connector_id, str(profile["transactionId"])):
                    raise InvalidRequest(("profile.transactionId", "на этом коннекторе нет такой активной зарядки"))
        payload = {"connectorId": connector_id, "csChargingProfiles": profile}
        answer = await self._commands.ask(station_id, "SetChargingProfile", payload)
        if purpose != PASSING:
            async with unit_of_work(self._pool) as uow:
                await rows.store(uow.conn, station_id, connector_id, profile, self._clock.now())
        return answer

    async def clear(
        self,
        station_id: StationId,
        *,
        profile_id: int | None,
        connector_id: ConnectorId | None,
        purpose: str | None,
        stack_level: int | None,
    ) -> dict[str, Any]:
        """Take away the profiles that match everything given; all of them when nothing is. `Unknown`: none matched."""
        criteria = {
            "id": profile_id,
            "connectorId": connector_id,
            "chargingProfilePurpose": purpose,
            "stackLevel": stack_level,
        }
        payload = {name: value for name, value in criteria.items() if value is not None}
        answer = await self._commands.ask(station_id, "ClearChargingProfile", payload, CLEARED_OR_NOT_THERE)
        async with reading(self._pool) as conn:
            await rows.clear(conn, station_id, profile_id, connector_id, purpose, stack_level)
        return answer

    async def composite(
        self, station_id: StationId, connector_id: ConnectorId, duration_s: int, unit: str | None
    ) -> dict[str, Any]:
        """What the charger will allow over the next `duration_s` seconds; `unit` is A or W."""
        payload: dict[str, Any] = {"connectorId": connector_id, "duration": duration_s}
        if unit is not None:
            payload |= {"chargingRateUnit": unit}
        return await self._commands.ask(station_id, "GetCompositeSchedule", payload)

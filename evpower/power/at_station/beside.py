"""What operators do with profiles at stations, beside ours (roadmap/smart-charging §4)."""

from __future__ import annotations

from evpower.clock import Clock
from evpower.db.pool import Pool
from evpower.db.unit_of_work import reading, unit_of_work
from evpower.identifiers import ConnectorId, StationId
from evpower.link.commands import ChargingProfile
from evpower.power.rows import groups as rows

#: The stack level of our permanent profile (`ocpp/v16/commands/profiles.py`).
OUR_LEVEL = 0


class OperatorsProfiles:
    """What becomes of ours when an operator gives a station a profile, or takes some away."""

    def __init__(self, pool: Pool, clock: Clock, *, enabled: bool) -> None:
        self._pool = pool
        self._clock = clock
        self._enabled = enabled

    async def takes_our_place(self, station_id: StationId, connector_id: ConnectorId, profile: ChargingProfile) -> bool:
        """Whether it would hold where our permanent profile or a grant does, so that no sum of ours holds."""
        is_ours = profile.is_passing or (profile.purpose == "TxDefaultProfile" and profile.stack_level == OUR_LEVEL)
        if not self._enabled or not is_ours:
            return False
        async with reading(self._pool) as conn:
            return await rows.root_of(conn, (station_id, connector_id)) is not None

    async def cleared(self, station_id: StationId, connector_id: ConnectorId | None) -> None:
        """Some were taken away, there or (None) anywhere at the station. Ours may be among them, and are sent again."""
        async with unit_of_work(self._pool) as uow:
            await rows.send_again(uow.conn, station_id, connector_id or None, self._clock.now())

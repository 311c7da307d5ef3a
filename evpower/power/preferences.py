"""What a driver wishes of a charge: how fast, until when, how much (OCPI ChargingPreferences; smart-charging §1)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from evpower.clock import Clock
from evpower.db.pool import Pool
from evpower.db.unit_of_work import unit_of_work
from evpower.idempotency.claim import IdempotencyClaim
from evpower.idempotency.keys import keep_claim
from evpower.identifiers import SessionId
from evpower.power.memory import WEIGHTS
from evpower.power.rows.groups import root_of
from evpower.power.rows.preferences import store_preferences
from evpower.power.site import OutletId

PreferenceResult: TypeAlias = Literal[
    "accepted", "departure_required", "energy_need_required", "not_possible", "profile_type_not_supported"
]
#: These leave the choice of the hours to us, so they must say until when.
WAITING = frozenset({"cheap", "green"})


@dataclass(frozen=True)
class ChargingPreferences:
    """Of one charge."""

    profile_type: str
    departure_at: datetime | None = None
    energy_need_wh: int | None = None


class PowerPreferences:
    """Drivers' wishes at sites with a limit."""

    def __init__(self, pool: Pool, clock: Clock) -> None:
        self._pool = pool
        self._clock = clock

    async def store(
        self,
        session_id: SessionId,
        outlet: OutletId,
        wished: ChargingPreferences,
        claim: IdempotencyClaim | None = None,
    ) -> PreferenceResult:
        """Kept for the charge, in place of those there were; another word than `accepted` keeps nothing.

        `not_possible`: its connector has no limit that is shared, or it would have left. Raises IdempotencyMismatch.
        """
        now = self._clock.now()
        async with unit_of_work(self._pool) as uow:
            await keep_claim(uow, claim, now)
            refused = _refused(wished, now)
            if refused is not None:
                return refused
            if await root_of(uow.conn, outlet) is None:
                return "not_possible"
            await store_preferences(
                uow.conn, session_id, wished.profile_type, wished.departure_at, wished.energy_need_wh, now
            )
        return "accepted"


def _refused(wished: ChargingPreferences, now: datetime) -> PreferenceResult | None:
    if wished.profile_type not in WEIGHTS:
        return "profile_type_not_supported"
    needs_departure = wished.profile_type in WAITING or wished.energy_need_wh is not None
    if wished.departure_at is None and needs_departure:
        return "departure_required"
    if wished.departure_at is not None and wished.energy_need_wh is None:
        return "energy_need_required"
    if wished.departure_at is not None and wished.departure_at <= now:
        return "not_possible"
    return None

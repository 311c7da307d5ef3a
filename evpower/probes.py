"""What /health asks of the engines (contract/rest-api §6)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evpower.billing.payments import Payments
from evpower.charging.ports import ChargePointLink
from evpower.db.pool import Pool
from evpower.db.unit_of_work import reading


class ServerProbes:
    """Implements `evpower.http.service.Probes`."""

    def __init__(self, pool: Pool, link: ChargePointLink, payments: Payments) -> None:
        self._pool = pool
        self._link = link
        self._payments = payments

    async def database(self) -> None:
        """Returns when PostgreSQL answered; the caller sets the time-out."""
        async with reading(self._pool) as conn:
            await conn.execute("SELECT 1")

    def payments(self) -> Mapping[str, Any]:
        """How each payment provider answers this process."""
        return self._payments.providers()

    def redis(self) -> str:
        """Redis comes with several processes; one process needs none."""
        return "disabled"

    def connected_stations(self) -> int:
        """Open charger sockets in this process."""
        return len(self._link.seen())

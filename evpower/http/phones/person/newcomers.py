"""Who writes something becomes a client; an address makes up so many of them (safe by default 7)."""

from __future__ import annotations

from dataclasses import dataclass

from evpower.billing.service import BillingService
from evpower.http.throttle.guard import RequestGuard
from evpower.identifiers import ClientId
from evpower.rate_limits.limits import NEW_CLIENT


@dataclass(frozen=True)
class Newcomers:
    """Counts them."""

    billing: BillingService
    guard: RequestGuard

    async def admit(self, client_id: ClientId) -> None:
        """A client who is known is no newcomer. Raises TooManyRequests."""
        if await self.billing.known_balance(client_id) is None:
            await self.guard.count_of_address(NEW_CLIENT)

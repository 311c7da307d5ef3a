"""Who may call a webhook, and how often (contract/rest-api §5.6, safe-by-default §7): before anything of it is read.

A call turned away loses no money: providers repeat it, and the poller asks without it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from quart import request

from evpower.client_address import Network, is_within, neighbourhood
from evpower.errors import Forbidden, TooManyRequests
from evpower.http.throttle.guard import RequestGuard
from evpower.http.wire.access import client_ip
from evpower.payments.notices import Notices
from evpower.rate_limits.limits import WEBHOOK_KIND, Counted, RateLimit


@dataclass(frozen=True)
class WebhookLimits:
    """What an operator may set: calls a minute of one address (0: any number), and whose (empty: anybody's)."""

    per_minute: int = 300
    allow: Collection[Network] = ()


class WebhookGuard:
    """One for every webhook's path, the old ones too."""

    def __init__(self, limits: WebhookLimits, notices: Notices, guard: RequestGuard) -> None:
        self._allow = limits.allow
        self._limit = RateLimit(WEBHOOK_KIND, limits.per_minute) if limits.per_minute else None
        self._notices = notices
        self._guard = guard

    async def admit(self, provider: str) -> None:
        """Let the present request pass. Raises Forbidden (not an allowed address) and TooManyRequests."""
        address = client_ip()
        if self._allow and not is_within(address, self._allow):
            self._notices.turned_away(provider, "not_allowed", _named(address))
            raise Forbidden
        if self._limit is None:
            return
        try:
            await self._guard.count(Counted(self._limit, neighbourhood(address)))
        except TooManyRequests:
            self._notices.turned_away(provider, "limited", _named(address))
            raise


def _named(address: str) -> str:
    """The address for the log, with a hint when it may be a proxy's that is not configured."""
    peer = (request.scope.get("client") or ("",))[0]
    unbelieved = "X-Forwarded-For" in request.headers and peer == address
    return f"{address} (its X-Forwarded-For is not believed: http.trusted_proxies)" if unbelieved else address

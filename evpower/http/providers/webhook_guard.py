"""Who may call a webhook, and how often (contract/rest-api §5.6, §9): before anything of the call is read.

A call turned away loses no money: providers repeat it, and the poller asks without it.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass

import trio
from quart import Response, g, request

from evpower.client_address import Network, is_within
from evpower.clock import Clock
from evpower.errors import Forbidden, TooManyRequests
from evpower.http.wire.access import client_ip
from evpower.http.wire.windows import Windows
from evpower.payments.notices import Notices

SPAN_S = 60


@dataclass(frozen=True)
class WebhookLimits:
    """What an operator may set: calls a minute of one address (0: any number), and whose (empty: anybody's)."""

    per_minute: int = 30
    allow: Collection[Network] = ()


class WebhookGuard:
    """One for every webhook's path, the old ones too."""

    def __init__(self, limits: WebhookLimits, notices: Notices, clock: Clock) -> None:
        self._allow = limits.allow
        self._windows = Windows(limits.per_minute, SPAN_S) if limits.per_minute else None
        self._notices = notices
        self._clock = clock

    def admit(self, provider: str) -> None:
        """Let the present request pass. Raises Forbidden (not an allowed address) and TooManyRequests."""
        address = client_ip()
        if self._allow and not is_within(address, self._allow):
            self._notices.turned_away(provider, "not_allowed", _named(address))
            raise Forbidden
        if self._windows is None:
            return
        g.webhook = taken = self._windows.take(address, trio.current_time())
        if not taken.allowed:
            self._notices.turned_away(provider, "limited", _named(address))
            raise TooManyRequests(math.ceil(taken.room_in_s))

    async def add_headers(self, response: Response) -> Response:
        """Report how much of the limit is left, refused or not (§9)."""
        taken = g.get("webhook")
        if taken is None or self._windows is None:
            return response
        response.headers["X-RateLimit-Limit"] = str(self._windows.most)
        response.headers["X-RateLimit-Remaining"] = str(taken.left)
        response.headers["X-RateLimit-Reset"] = str(math.ceil(self._clock.now().timestamp() + taken.room_in_s))
        if not taken.allowed:
            response.headers["Retry-After"] = str(math.ceil(taken.room_in_s))
        return response


def _named(address: str) -> str:
    """The address for the log, with a hint when it may be a proxy's that is not configured."""
    peer = (request.scope.get("client") or ("",))[0]
    unbelieved = "X-Forwarded-For" in request.headers and peer == address
    return f"{address} (its X-Forwarded-For is not believed: http.trusted_proxies)" if unbelieved else address

"""Holds the callers of the people's door to their limits, before their requests reach a route (contract/identity §5).

A caller that proves nothing is counted by its address before its body is read, then by the client it names. Outside are
what must always be reached (the stop of a charge, the server's own state) and providers' calls, which have a guard of
their own. A phone's socket limits its messages itself.
"""

from __future__ import annotations

import math
from collections.abc import Collection

from quart import Quart, Response, g, request

from evpower.client_address import Network, is_within
from evpower.clock import Clock
from evpower.errors import TooManyRequests
from evpower.http.throttle.caller import address_of_request, named_client
from evpower.http.wire.access import client_ip
from evpower.rate_limits.limits import Counted
from evpower.rate_limits.service import RateLimits
from evpower.rate_limits.sliding_window import Taken

#: Blueprints and routes that are not counted here.
OUTSIDE = frozenset({"service", "metrics", "webhooks", "legacy_webhooks"})
STOPS = frozenset({"charging.stop", "legacy_charging.stop"})
#: Administrators are counted by name when their token was read.
ADMIN = "admin"


class RequestGuard:
    """One for every route of the people's door."""

    def __init__(self, limits: RateLimits, clock: Clock, exempt: Collection[Network]) -> None:
        """`exempt` are internal services, which are not counted."""
        self._limits = limits
        self._clock = clock
        self._exempt = exempt

    def protect(self, app: Quart) -> None:
        """Count every request of `app`, and answer with what is left (rest-api §1.9)."""
        app.before_request(self._admit)
        app.after_request(self._add_headers)

    async def count(self, counted: Counted) -> None:
        """The present request is one more of this identity. Raises TooManyRequests."""
        if is_within(client_ip(), self._exempt):
            return
        g.taken = taken = await self._limits.take(counted)
        if not taken.allowed:
            raise TooManyRequests(taken.reset_s)

    async def _admit(self) -> None:
        if is_outside():
            return
        await self.count(address_of_request())
        if request.url_rule is not None and ADMIN not in request.blueprints:
            client = await named_client()
            if client is not None:
                await self.count(client)

    async def _add_headers(self, response: Response) -> Response:
        taken: Taken | None = g.get("taken")
        if taken is not None:
            response.headers["X-RateLimit-Limit"] = str(taken.most)
            response.headers["X-RateLimit-Remaining"] = str(taken.left)
            response.headers["X-RateLimit-Reset"] = str(math.ceil(self._clock.now().timestamp() + taken.reset_s))
        return response


def is_outside() -> bool:
    """Whether the present request is never refused here; a preflight tells a page why its request was refused."""
    return request.method == "OPTIONS" or request.blueprint in OUTSIDE or request.endpoint in STOPS

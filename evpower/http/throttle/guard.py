"""Holds the callers of the people's door to their limits, before their requests reach a route (contract/identity §5).

A client whose token is believed is counted by it. A caller that proves nothing is counted by its address before its
body is read, then by the client it names; an administrator by address, then by name (`operators/admin.py`). Outside are
what must always be reached (the stop of a charge, the server's own state) and providers' calls, which have a guard of
their own. A phone's socket limits its messages itself.
"""

from __future__ import annotations

import math
from collections.abc import Collection

import trio
from quart import Blueprint, Quart, Response, g, request

from evpower.client_address import Network, is_within
from evpower.clock import Clock
from evpower.errors import TooManyRequests
from evpower.http.throttle.caller import address_of_request, named_client
from evpower.http.throttle.loop_budget import LoopBudget
from evpower.http.wire.access import READING_METHODS, client_ip
from evpower.http.wire.caller import caller
from evpower.http.wire.loop_time import loop_time
from evpower.rate_limits.limits import CLIENT, LOOP_TIME_KIND, Counted, RateLimit
from evpower.rate_limits.service import RateLimits
from evpower.rate_limits.sliding_window import Taken

#: Blueprints, and the end of a path, that are not counted here.
OUTSIDE = frozenset({"service", "metrics", "webhooks", "legacy_webhooks"})
STOP = "/charging/stop"


class RequestGuard:
    """One for every route of the people's door."""

    def __init__(self, limits: RateLimits, clock: Clock, exempt: Collection[Network]) -> None:
        """`exempt` are internal services, which are not counted."""
        self._limits = limits
        self._budget = LoopBudget()
        self._clock = clock
        self._exempt = exempt
        #: Names of the blueprints whose callers are known.
        self._phones = set[str]()

    def protect(self, app: Quart) -> None:
        """Count every request of `app`, and answer with what is left (rest-api §1.9)."""
        app.before_request(self._admit_by_address)
        app.after_request(self._add_headers)

    def protect_phones(self, routes: Blueprint) -> None:
        """These routes, unlike others, know whose token a request carries (`wire/caller.py`)."""
        self._phones.add(routes.name)
        routes.before_request(self._admit_caller)

    async def count(self, counted: Counted, *, shown: bool = True) -> None:
        """The present request is one more of this identity. Raises TooManyRequests.

        What is not `shown` is in the answer's headers only when it is refused.
        """
        if self._is_exempt():
            return
        taken = await self._limits.take(counted)
        if shown or not taken.allowed:
            g.taken = taken
        if not taken.allowed:
            raise TooManyRequests(taken.reset_s)

    async def count_of_address(self, limit: RateLimit) -> None:
        """One more of something beside requests, for the caller's address. Raises TooManyRequests."""
        await self.count(Counted(limit, address_of_request().name), shown=False)

    def _is_exempt(self) -> bool:
        return is_within(client_ip(), self._exempt)

    async def _admit_by_address(self) -> None:
        if is_outside() or request.blueprint in self._phones:
            return
        address = address_of_request()
        await self.count(address)
        self._charge(address, refuse=request.method in READING_METHODS)

    async def _admit_caller(self) -> None:
        if is_outside():
            return
        identity = caller().identity
        # Anybody may have any number of identities without an account: they prove no more than an address.
        if identity is not None and not identity.anonymous:
            await self.count(Counted(CLIENT, identity.subject))
            return
        address = address_of_request()
        await self.count(address)
        client = None if caller().mode == "required" else await named_client()
        if client is not None:
            await self.count(client)
        self._charge(address, refuse=client is None or request.method in READING_METHODS)

    def _charge(self, address: Counted, *, refuse: bool) -> None:
        """The address pays with its share of the event loop. Raises TooManyRequests to `refuse` when it is used up."""
        if self._is_exempt():
            return
        wait_s = self._budget.wait_s(address.name, trio.current_time())
        if wait_s and refuse:
            g.taken = taken = Taken(allowed=False, most=address.limit.most, left=0, reset_s=math.ceil(wait_s))
            self._limits.note_refusal(LOOP_TIME_KIND, address.name, taken.reset_s)
            raise TooManyRequests(taken.reset_s)
        loop_time.get().charge(lambda seconds: self._budget.pay(address.name, seconds, trio.current_time()))

    async def _add_headers(self, response: Response) -> Response:
        taken: Taken | None = g.get("taken")
        if taken is not None:
            response.headers["X-RateLimit-Limit"] = str(taken.most)
            response.headers["X-RateLimit-Remaining"] = str(taken.left)
            response.headers["X-RateLimit-Reset"] = str(math.ceil(self._clock.now().timestamp() + taken.reset_s))
        return response


def is_outside() -> bool:
    """Whether the present request is never refused here; a preflight tells a page why its request was refused."""
    is_stop = request.url_rule is not None and request.url_rule.rule.endswith(STOP)
    return request.method == "OPTIONS" or request.blueprint in OUTSIDE or is_stop

"""A client's money: /api/v1/balance (contract/rest-api §5.1)."""

from __future__ import annotations

import trio
from quart import Blueprint, Response

from evpower.billing.service import BillingService
from evpower.http.phones.answer_types.charging import BalanceBody
from evpower.http.phones.shapes import balance_body
from evpower.http.throttle.guard import RequestGuard
from evpower.http.wire.aliases import doors_below
from evpower.http.wire.answers import Answer, written
from evpower.http.wire.caller import client_of_path, token_client
from evpower.http.wire.described import described
from evpower.http.wire.requests import RESERVED_CLIENT_ID
from evpower.rate_limits.limits import NEW_CLIENT

ANSWER_WITHIN_S = 9


def account_routes(billing: BillingService, guard: RequestGuard, *, prefix: str) -> Blueprint:
    """The routes below `prefix`; `guard` bounds how many clients an address may make up (safe-by-default §7)."""
    routes = doors_below(prefix, "balance", "/balance")

    @routes.get("/<client_id>")
    @described("A client's money; an unknown client is created", answer=BalanceBody)
    async def balance(client_id: str) -> Response:
        asking = token_client() if client_id == RESERVED_CLIENT_ID else client_of_path(client_id)
        with trio.fail_after(ANSWER_WITHIN_S):
            found = await billing.known_balance(asking)
            if found is None:
                await guard.count_of_address(NEW_CLIENT)
                found = await billing.balance(asking)
            return written(Answer(balance_body(found)))

    return routes

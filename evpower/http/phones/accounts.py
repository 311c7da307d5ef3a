"""A client's account: its money, its end and the way back (contract/rest-api §5.1, §7.1, §7.5)."""

from __future__ import annotations

import trio
from quart import Blueprint, Response

from evpower.accounts.service import Accounts
from evpower.billing.service import BillingService
from evpower.http.phones.answer_types.accounts import AccountBody
from evpower.http.phones.answer_types.charging import BalanceBody
from evpower.http.phones.shapes import balance_body
from evpower.http.throttle.guard import RequestGuard
from evpower.http.wire.aliases import doors_below
from evpower.http.wire.answers import Answer, written
from evpower.http.wire.caller import client_of_path, token_client
from evpower.http.wire.described import described
from evpower.http.wire.requests import RESERVED_CLIENT_ID, read_object
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


class AccountEndDoor:
    """Wire to service and back. Only a believed token ends an account, in every mode: an id is no proof."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts

    @described("End the account: inactive now, erased after 30 days", answer=AccountBody, refused=200)
    async def end(self) -> Response:
        """`POST /auth/delete-account`, `POST /account/delete-request`; a body says nothing."""
        asking = token_client()
        await read_object()
        with trio.fail_after(ANSWER_WITHIN_S):
            await self._accounts.request_deletion(asking, f"client:{asking}")
        return written(Answer({"success": True, "message": "Удаление аккаунта запрошено"}))

    @described("Take an account back whose end was asked for", answer=AccountBody, refused=200)
    async def restore(self) -> Response:
        """`POST /account/restore`."""
        asking = token_client()
        await read_object()
        with trio.fail_after(ANSWER_WITHIN_S):
            await self._accounts.restore(asking, f"client:{asking}")
        return written(Answer({"success": True, "message": "Аккаунт восстановлен"}))


def account_end_routes(accounts: Accounts, *, prefix: str) -> Blueprint:
    """The routes below `prefix`; the way back is ours, the contract names none."""
    door, routes = AccountEndDoor(accounts), Blueprint("account_end", __name__, url_prefix=prefix)
    for path in ("/auth/delete-account", "/account/delete-request"):
        routes.post(path)(door.end)
    routes.post("/account/restore")(door.restore)
    return routes

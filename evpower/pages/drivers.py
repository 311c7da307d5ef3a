"""`/drivers`: a client's money, starts with the sentence the app showed, charges; block and unblock (§6)."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import trio
from quart import Blueprint, Response, redirect, request

from evpower.administration.client_accounts import ClientAccounts
from evpower.administration.records import Page
from evpower.case_files.service import CaseFiles
from evpower.errors import InvalidRequest
from evpower.identifiers import ClientId
from evpower.pages.frame.forms import form_key, form_text
from evpower.pages.frame.shown import Pages
from evpower.pages.frame.visitor import signed_in
from evpower.staff.acts import Intent, OperatorActs
from evpower.staff.rights import Right

WITHIN_S = 20
PER_PAGE = 50
SEARCH_CHARS_MAX = 100


def driver_routes(accounts: ClientAccounts, case_files: CaseFiles, acts: OperatorActs, pages: Pages) -> Blueprint:
    """An operator has stations and no clients: these pages are for administrators."""
    routes = Blueprint("drivers", __name__, url_prefix="/drivers")

    @routes.before_request
    async def admit() -> None:
        signed_in().require(Right.CLIENTS)

    @routes.get("")
    async def drivers() -> Response:
        search = request.args.get("q", "").strip()[:SEARCH_CHARS_MAX]
        with trio.fail_after(WITHIN_S):
            found = await accounts.clients(search or None, None, Page(PER_PAGE))
        return await pages.show("drivers/list.html", found=found, search=search)

    @routes.get("/<path:client_id>")
    async def driver(client_id: str) -> Response:
        return await show(client_id, is_shown=False)

    async def show(client_id: str, *, is_shown: bool) -> Response:
        key = request.args.get("act", "")
        with trio.fail_after(WITHIN_S):
            case = await case_files.client(ClientId(client_id))
            act = await acts.act(key) if key else None
        is_theirs = act is not None and act.target == client_id
        return await pages.show("drivers/driver.html", case=case, is_shown=is_shown, act=act if is_theirs else None)

    @routes.get("/<path:client_id>/start")
    async def start(client_id: str) -> Any:
        """The form of the station that was named, with the driver filled in."""
        return redirect(f"/stations/{quote(request.args.get('station', ''))}/do/start?client={quote(client_id)}", 303)

    @routes.post("/<path:client_id>")
    async def act(client_id: str) -> Any:
        key, kind, visitor = await form_key(), await form_text("act"), signed_in()
        actor = visitor.acting.actor

        async def perform() -> None:
            if kind != "show":
                await accounts.set_status(ClientId(client_id), "blocked" if kind == "block" else "active", actor=actor)

        if kind not in ("show", "block", "unblock"):
            raise InvalidRequest(("act", "unknown"))
        with trio.fail_after(WITHIN_S):
            await acts.once(visitor.acting, Intent(key, kind, client_id), perform)
        if kind == "show":
            return await show(client_id, is_shown=True)
        return redirect(f"/drivers/{client_id}", 303)

    return routes

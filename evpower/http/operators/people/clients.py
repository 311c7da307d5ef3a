"""`/clients` below the administrators' door, in the owner's app's shapes (contract/rest-api §7.7)."""

from __future__ import annotations

from typing import cast, get_args

import trio
from quart import Blueprint, Response, request

from evpower.administration.charge_views import ChargeFilter, ChargeViews
from evpower.administration.client_accounts import BalanceOrder, ClientAccounts, GivenStatus
from evpower.administration.records import Page
from evpower.errors import InvalidRequest
from evpower.http.operators.administration import page_in_query, read_change
from evpower.http.operators.shapes.charges import charge_body
from evpower.http.operators.shapes.clients import adjustment_body, client_body, shown_status
from evpower.http.operators.shapes.network import page_body
from evpower.http.wire.answers import written_data
from evpower.http.wire.caller import acting
from evpower.http.wire.idempotency import key_of_request
from evpower.http.wire.kinds import SIGNED_MONEY
from evpower.http.wire.requests import BodyFields, client_id_in_path, required_text
from evpower.http.wire.rights import needs, who
from evpower.staff.rights import Right

WITHIN_S = 10
SEARCH_CHARS_MAX = 100
RECENT_SESSIONS = 10


def client_routes(accounts: ClientAccounts, charges: ChargeViews) -> Blueprint:
    """`[?search=&status=&limit=&offset=]`, `/{id}`, `PUT /{id}/balance`, `PUT /{id}/status?status=`."""
    routes = Blueprint("admin_clients", __name__, url_prefix="/clients")

    @routes.get("")
    @needs(Right.CLIENTS)
    async def list_clients() -> Response:
        status = _status() if "status" in request.args else None
        with trio.fail_after(WITHIN_S):
            found = await accounts.clients(_search(), status, page_in_query())
        return written_data(page_body("clients", found, client_body))

    @routes.get("/<client_id>")
    @needs(Right.CLIENTS)
    async def show(client_id: str) -> Response:
        known_id = client_id_in_path(client_id)
        with trio.fail_after(WITHIN_S):
            client = await accounts.client(known_id)
            recent = await charges.charges(ChargeFilter(client_id=known_id), Page(limit=RECENT_SESSIONS))
        sessions = [charge_body(each, with_contacts=True) for each in recent.records]
        return written_data({**client_body(client), "recent_sessions": sessions})

    @routes.put("/<client_id>/balance")
    @needs(Right.MONEY)
    async def adjust(client_id: str) -> Response:
        body = await read_change()
        known_id, key, fields = client_id_in_path(client_id), key_of_request(), BodyFields(body)
        amount_tyiyn, reason = fields.required("amount", SIGNED_MONEY), required_text(body, "reason")
        fields.check()
        assert amount_tyiyn is not None
        with trio.fail_after(WITHIN_S):
            done = await accounts.adjust(BalanceOrder(known_id, amount_tyiyn, reason, key), who())
        return written_data(adjustment_body(done))

    @routes.put("/<client_id>/status")
    @needs(Right.CLIENTS)
    async def set_status(client_id: str) -> Response:
        known_id, status = client_id_in_path(client_id), _status()
        with trio.fail_after(WITHIN_S):
            before = await accounts.set_status(known_id, status, actor=acting())
        return written_data({"client_id": known_id, "old_status": shown_status(before), "new_status": status})

    return routes


def _status() -> GivenStatus:
    text = request.args.get("status", "")
    if text not in get_args(GivenStatus):
        raise InvalidRequest(("status", f"одно из: {', '.join(get_args(GivenStatus))}"))
    return cast("GivenStatus", text)


def _search() -> str | None:
    text = request.args.get("search", "").strip()
    if len(text) > SEARCH_CHARS_MAX or not text.isprintable():
        raise InvalidRequest(("search", f"до {SEARCH_CHARS_MAX} печатных символов"))
    return text or None

"""`/clients` below the administrators' door, in the owner's app's shapes (contract/rest-api §7.7)."""

from __future__ import annotations

import trio
from quart import Blueprint, Response, request

from evpower.administration.charge_views import ChargeFilter, ChargeViews
from evpower.administration.client_accounts import BalanceOrder, ClientAccounts
from evpower.administration.records import Page
from evpower.case_files.service import CaseFiles
from evpower.http.operators.administration import read_change
from evpower.http.operators.bodies.orders import adjustment
from evpower.http.operators.bodies.queries import clients_query, given_status
from evpower.http.operators.shapes.cases.client import ClientCaseBody, client_case_body
from evpower.http.operators.shapes.charges import charge_body
from evpower.http.operators.shapes.clients import (
    AdjustmentBody,
    ClientDetailBody,
    ClientPageBody,
    ClientStatusBody,
    adjustment_body,
    client_body,
    shown_status,
)
from evpower.http.wire.answers import written_data
from evpower.http.wire.caller import acting
from evpower.http.wire.described import described
from evpower.http.wire.idempotency import key_of_request
from evpower.http.wire.requests import BodyFields, client_id_in_path
from evpower.http.wire.rights import needs, who
from evpower.staff.rights import Right

WITHIN_S = 10
RECENT_SESSIONS = 10


def client_routes(accounts: ClientAccounts, charges: ChargeViews, case_files: CaseFiles) -> Blueprint:
    """`[?search=&status=&limit=&offset=]`, `/{id}`, `/{id}/case`, `PUT /{id}/balance`, `PUT /{id}/status?status=`."""
    routes = Blueprint("admin_clients", __name__, url_prefix="/clients")

    @routes.get("")
    @needs(Right.CLIENTS)
    @described("Clients", query=clients_query, data=ClientPageBody)
    async def list_clients() -> Response:
        search, status, page = clients_query(BodyFields(request.args))
        with trio.fail_after(WITHIN_S):
            found = await accounts.clients(search, status, page)
        shown = [client_body(each) for each in found.records]
        body: ClientPageBody = {"clients": shown, "total": found.total, "limit": page.limit, "offset": page.offset}
        return written_data(body)

    @routes.get("/<client_id>")
    @needs(Right.CLIENTS)
    @described("One client", data=ClientDetailBody)
    async def show(client_id: str) -> Response:
        known_id = client_id_in_path(client_id)
        with trio.fail_after(WITHIN_S):
            client = await accounts.client(known_id)
            recent = await charges.charges(ChargeFilter(client_id=client.id), Page(limit=RECENT_SESSIONS))
        sessions = [charge_body(each, with_contacts=True) for each in recent.records]
        body: ClientDetailBody = {**client_body(client), "recent_sessions": sessions}
        return written_data(body)

    @routes.get("/<client_id>/case")
    @needs(Right.CLIENTS)
    @described("Everything that is known of a client", data=ClientCaseBody)
    async def case(client_id: str) -> Response:
        known_id = client_id_in_path(client_id)
        with trio.fail_after(WITHIN_S):
            return written_data(client_case_body(await case_files.client(known_id)))

    @routes.put("/<client_id>/balance")
    @needs(Right.MONEY)
    @described("Change a balance", body=adjustment, data=AdjustmentBody, keyed=True, refused=200)
    async def adjust(client_id: str) -> Response:
        body = await read_change()
        known_id, key = client_id_in_path(client_id), key_of_request()
        amount_tyiyn, reason = adjustment(BodyFields(body))
        with trio.fail_after(WITHIN_S):
            done = await accounts.adjust(BalanceOrder(known_id, amount_tyiyn, reason, key), who())
        return written_data(adjustment_body(done))

    @routes.put("/<client_id>/status")
    @needs(Right.CLIENTS)
    @described("Block a client, or no longer", query=given_status, data=ClientStatusBody)
    async def set_status(client_id: str) -> Response:
        known_id, status = client_id_in_path(client_id), given_status(BodyFields(request.args))
        with trio.fail_after(WITHIN_S):
            changed = await accounts.set_status(known_id, status, actor=acting())
        body: ClientStatusBody = {
            "client_id": changed.client_id,
            "old_status": shown_status(changed.before),
            "new_status": status,
        }
        return written_data(body)

    return routes

"""Accounts that end: below the administrators' door and on the control socket."""

from __future__ import annotations

from functools import partial

import trio
from quart import Blueprint, Response, request

from evpower.accounts.service import Accounts
from evpower.http.operators.bodies.orders import refund_order
from evpower.http.operators.bodies.queries import all_too
from evpower.http.operators.shapes.accounts import DeletionBody, deletion_body
from evpower.http.wire.answers import written_data
from evpower.http.wire.caller import acting, refuse_actor
from evpower.http.wire.described import described
from evpower.http.wire.requests import BodyFields, client_id_in_path, read_object
from evpower.http.wire.rights import needs, who
from evpower.staff.allowance import Allowance
from evpower.staff.rights import Right

WITHIN_S = 20


def deletion_routes(accounts: Accounts, allowance: Allowance) -> Blueprint:
    """`/deletions[?all=1]`, `POST /deletions/{client_id}/pay-out` with the sum and a reason, `…/restore`."""
    routes = Blueprint("deletions", __name__, url_prefix="/deletions")

    @routes.get("")
    @needs(Right.CLIENTS)
    @described("Accounts that end", query=all_too, data=list[DeletionBody])
    async def list_deletions() -> Response:
        with trio.fail_after(WITHIN_S):
            found = await accounts.deletions(settled_too=all_too(BodyFields(request.args)))
        return written_data([deletion_body(each) for each in found])

    @routes.post("/<client_id>/pay-out")
    @needs(Right.MONEY)
    @described(
        "Pay an ending account out", body=partial(refund_order, may_be_all=False), data=DeletionBody, refused=200
    )
    async def pay_out(client_id: str) -> Response:
        body, known_id = await read_object(), client_id_in_path(client_id)
        refuse_actor(body)
        reason, amount_tyiyn = refund_order(BodyFields(body), may_be_all=False)
        assert amount_tyiyn is not None
        with trio.fail_after(WITHIN_S):
            async with allowance.taken(who(), amount_tyiyn):
                paid = await accounts.pay_out(known_id, amount_tyiyn, reason, acting())
        return written_data(deletion_body(paid))

    @routes.post("/<client_id>/restore")
    @needs(Right.CLIENTS)
    @described("Keep an account after all", data=dict[str, str], refused=200)
    async def restore(client_id: str) -> Response:
        refuse_actor(await read_object())
        known_id = client_id_in_path(client_id)
        with trio.fail_after(WITHIN_S):
            await accounts.restore(known_id, acting())
        return written_data({"client_id": known_id})

    return routes

"""`POST /clients/{id}/merge`: two ids of one person become one (contract/roadmap/identity §2)."""

from __future__ import annotations

import trio
from quart import Blueprint, Response

from evpower.accounts.merging import Merging
from evpower.http.operators.shapes.accounts import MergeBody, merge_body
from evpower.http.wire.answers import written_data
from evpower.http.wire.caller import acting, refuse_actor
from evpower.http.wire.described import described
from evpower.http.wire.kinds import TEXT
from evpower.http.wire.requests import BodyFields, client_id_in_path, read_object
from evpower.http.wire.rights import needs
from evpower.identifiers import CLIENT_ID, ClientId
from evpower.staff.rights import Right

WITHIN_S = 20


def merge_order(fields: BodyFields) -> tuple[ClientId, str]:
    """Which id goes on, and why."""
    into, reason = fields.identifier("into", CLIENT_ID), fields.required("reason", TEXT)
    fields.check()
    assert into is not None and reason is not None  # noqa: PT018
    return ClientId(into), reason


def merge_routes(merging: Merging) -> Blueprint:
    """`{"into": …, "reason": …}`: the id in the address becomes an alias of the one in the body."""
    routes = Blueprint("client_merges", __name__, url_prefix="/clients")

    @routes.post("/<client_id>/merge")
    @needs(Right.MONEY)
    @described("Make two ids of one person one", body=merge_order, data=MergeBody, refused=200)
    async def merge(client_id: str) -> Response:
        body, old_id = await read_object(), client_id_in_path(client_id)
        refuse_actor(body)
        into, reason = merge_order(BodyFields(body))
        with trio.fail_after(WITHIN_S):
            return written_data(merge_body(await merging.merge(old_id, into, reason, acting())))

    return routes

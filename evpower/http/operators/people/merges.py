"""`POST /clients/{id}/merge`: two ids of one person become one (contract/roadmap/identity §2)."""

from __future__ import annotations

import trio
from quart import Blueprint, Response

from evpower.accounts.merging import Merging
from evpower.errors import Forbidden
from evpower.http.operators.shapes.accounts import MergeBody, merge_body
from evpower.http.wire.answers import written_data
from evpower.http.wire.caller import acting, refuse_actor
from evpower.http.wire.described import described
from evpower.http.wire.kinds import TEXT, identifier
from evpower.http.wire.requests import BodyFields, client_id_in_path, read_object
from evpower.http.wire.rights import NO_RIGHT, needs, who
from evpower.identifiers import CLIENT_ID, ClientId
from evpower.staff.rights import Extent, Right

WITHIN_S = 20


def merge_order(fields: BodyFields) -> tuple[ClientId, str]:
    """Into whom, and why. Raises InvalidRequest."""
    into, reason = fields.required("into", identifier(CLIENT_ID)), fields.required("reason", TEXT)
    fields.check()
    assert into is not None and reason is not None  # noqa: PT018
    return ClientId(into), reason


def merge_routes(merging: Merging) -> Blueprint:
    """The id in the address becomes an alias of the one in the body."""
    routes = Blueprint("client_merges", __name__, url_prefix="/clients")

    @routes.post("/<client_id>/merge")
    @needs(Right.MONEY)
    @described("Merge two ids of one person", caller="staff", body=merge_order, data=MergeBody, refused=200)
    async def merge(client_id: str) -> Response:
        body, old_id = await read_object(), client_id_in_path(client_id)
        refuse_actor(body)
        into, reason = merge_order(BodyFields(body))
        # A whole account moves, whatever is in it: no daily limit counts that.
        if who().extent(Right.MONEY) is not Extent.ALL:
            raise Forbidden(NO_RIGHT, reason="whole_account")
        with trio.fail_after(WITHIN_S):
            return written_data(merge_body(await merging.merge(old_id, into, reason, acting())))

    return routes

"""Stations nobody has configured yet: below the administrators' door and on the control socket."""

from __future__ import annotations

import trio
from quart import Blueprint, Response, request

from evpower.administration.provisioning import Provisioning
from evpower.errors import NotFound
from evpower.http.operators.bodies.queries import all_too
from evpower.http.operators.shapes.strangers import AcceptedBody, StrangerBody, accepted_body, stranger_body
from evpower.http.wire.answers import written_data
from evpower.http.wire.caller import acting, refuse_actor
from evpower.http.wire.described import described
from evpower.http.wire.requests import BodyFields, read_object, station_id_or_none
from evpower.http.wire.rights import needs
from evpower.network_file.described import station_schema
from evpower.staff.rights import Right

WITHIN_S = 20


def stranger_routes(provisioning: Provisioning) -> Blueprint:
    """`/strangers[?all=1]`, and `POST /strangers/{identity}/accept` and `.../reject`.

    The body of an acceptance has `location_id` and a station's fields as in a fleet file, its connectors among them.
    """
    routes = Blueprint("strangers", __name__, url_prefix="/strangers")

    @routes.get("")
    @needs(Right.NETWORK)
    @described("Stations that nobody has configured", query=all_too, data=list[StrangerBody])
    async def list_strangers() -> Response:
        with trio.fail_after(WITHIN_S):
            found = await provisioning.strangers(rejected_too=all_too(BodyFields(request.args)))
        return written_data([stranger_body(each) for each in found])

    @routes.post("/<identity>/accept")
    @needs(Right.NETWORK)
    @described("Make a station of one", body=station_schema(change=True), data=AcceptedBody)
    async def accept(identity: str) -> Response:
        wanted = await read_object()
        refuse_actor(wanted)
        with trio.fail_after(WITHIN_S):
            return written_data(accepted_body(await provisioning.accept(_known(identity), wanted, actor=acting())))

    @routes.post("/<identity>/reject")
    @needs(Right.NETWORK)
    @described("Turn one away", data=dict[str, str])
    async def reject(identity: str) -> Response:
        refuse_actor(await read_object())
        with trio.fail_after(WITHIN_S):
            await provisioning.reject(_known(identity), actor=acting())
        return written_data({"identity": identity, "status": "rejected"})

    return routes


def _known(identity: str) -> str:
    known = station_id_or_none(identity)
    if known is None:
        raise NotFound
    return known
